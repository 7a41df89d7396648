//! Files of a container, in and out.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coracle_runtime::copy::{ContainerPath, CopyOptions, HostSource, HostTarget};
use serde_json::json;

use super::containers::id_of;
use crate::answer::Answer;
use crate::channel::Channel;
use crate::error::ApiError;
use crate::worker::Call;

/// A block of a tar archive, in bytes (pax, "ustar Interchange Format").
const BLOCK_BYTES: usize = 512;
/// The header that tells about the path.
const STAT: &str = "x-docker-container-path-stat";

/// What is at a path, without its content.
pub(crate) fn stat(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    copy_out(call, false)
}

pub(crate) fn read(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    copy_out(call, true)
}

/// The id of the container, and the path that the query names.
fn place<'a>(call: &Call<'a>) -> Result<(String, &'a str), ApiError> {
    let path = call.request.given("path");
    let path = path.ok_or_else(|| ApiError::bad("bad parameter: path cannot be empty"))?;
    Ok((id_of(call)?, path))
}

fn copy_out(call: &mut Call<'_>, content: bool) -> Result<Answer, ApiError> {
    let (id, path) = place(call)?;
    call.host.enter(false)?;
    let (engine, session) = call.host.home_mut().engine_in_session()?;
    let mut out = Headed { channel: call.channel, begun: Vec::new(), content };
    let from = ContainerPath { name: call.request.parameter(0), path };
    let options = CopyOptions { archive: false, follow_link: false };
    let copied = engine.copy_out(session, &id, &from, HostTarget::Stream(&mut out), options);
    match copied {
        // It was enough, or the client went away.
        Err(_) if call.channel.is_headed() => Ok(Answer::Sent),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(Answer::Sent),
    }
}

/// The archive; the head of the answer comes from its first entry.
struct Headed<'a> {
    channel: &'a mut Channel,
    /// What came before the head was sent.
    begun: Vec<u8>,
    content: bool,
}

impl Write for Headed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.channel.is_headed() {
            return self.channel.out.write(bytes);
        }
        self.begun.extend_from_slice(bytes);
        let Some(stat) = Stat::of(&self.begun) else { return Ok(bytes.len()) };
        let stat = stat.header();
        if !self.content {
            self.channel.head(200, &[(STAT, &stat)])?;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.channel.head(200, &[("content-type", "application/x-tar"), (STAT, &stat)])?;
        self.channel.out.write_all(&self.begun)?;
        self.begun.clear();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.channel.out.flush()
    }
}

/// What the first entry of an archive tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stat {
    name: String,
    size: u64,
    /// In the bits of Go's `os.FileMode`.
    mode: u32,
    /// Unix seconds.
    mtime: i64,
    target: String,
}

impl Stat {
    /// Reads the first entry, after its extended headers; `None` when more of it is needed.
    fn of(bytes: &[u8]) -> Option<Self> {
        let mut at = 0;
        let mut stat = Self::default();
        loop {
            let block = bytes.get(at..at + BLOCK_BYTES)?;
            let size = number(&block[124..136]);
            let kind = block[156];
            if matches!(kind, b'x' | b'L' | b'K' | b'g') {
                let start = at + BLOCK_BYTES;
                let length = usize::try_from(size).ok()?;
                let data = bytes.get(start..start + length)?;
                match kind {
                    b'x' => stat.extend(data),
                    b'L' => stat.name = text(data),
                    b'K' => stat.target = text(data),
                    _ => {}
                }
                at = start + length.div_ceil(BLOCK_BYTES) * BLOCK_BYTES;
                continue;
            }
            if stat.name.is_empty() {
                let prefix = text(&block[345..500]);
                let name = text(&block[..100]);
                stat.name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            }
            if stat.target.is_empty() {
                stat.target = text(&block[157..257]);
            }
            stat.size = stat.size.max(size);
            stat.mtime = i64::try_from(number(&block[136..148])).unwrap_or_default();
            stat.mode = mode(u32::try_from(number(&block[100..108])).unwrap_or_default(), kind);
            return Some(stat);
        }
    }

    /// What a pax header says: `LENGTH KEY=VALUE` lines.
    fn extend(&mut self, data: &[u8]) {
        for line in String::from_utf8_lossy(data).lines() {
            let pair = line.split_once(' ').and_then(|(_, pair)| pair.split_once('='));
            match pair {
                Some(("path", value)) => value.clone_into(&mut self.name),
                Some(("linkpath", value)) => value.clone_into(&mut self.target),
                Some(("size", value)) => self.size = value.parse().unwrap_or_default(),
                _ => {}
            }
        }
    }

    /// As the header has it.
    fn header(&self) -> String {
        let name = self.name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let time = chrono::DateTime::from_timestamp(self.mtime, 0).unwrap_or_default();
        let stat = json!({
            "name": if name.is_empty() || name == "." { "/" } else { name },
            "size": self.size,
            "mode": self.mode,
            "mtime": time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            "linkTarget": self.target,
        });
        STANDARD.encode(stat.to_string())
    }
}

/// An octal number, or a binary one, as GNU writes those that are large.
fn number(field: &[u8]) -> u64 {
    if field.first().is_some_and(|byte| byte & 0x80 != 0) {
        return field[1..].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    }
    let digits = field
        .iter()
        .skip_while(|byte| **byte == b' ')
        .take_while(|byte| (b'0'..=b'7').contains(byte));
    digits.fold(0, |sum, byte| sum << 3 | u64::from(byte - b'0'))
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// The bits of Go's `os.FileMode`: the kind and the three special bits are not where `stat(2)` has them.
fn mode(bits: u32, kind: u8) -> u32 {
    let special = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];
    let kind = match kind {
        b'5' => 1 << 31,
        b'2' => 1 << 27,
        b'3' => 1 << 26 | 1 << 21,
        b'4' => 1 << 26,
        b'6' => 1 << 25,
        _ => 0,
    };
    let special = special.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, go)| go).sum::<u32>();
    bits & 0o777 | special | kind
}

pub(crate) fn write(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let (id, path) = place(call)?;
    call.host.enter(false)?;
    let options = CopyOptions { archive: call.request.is_set("copyUIDGID"), follow_link: false };
    let (engine, session) = call.host.home_mut().engine_in_session()?;
    let to = ContainerPath { name: call.request.parameter(0), path };
    let mut body = call.channel.body();
    engine.copy_in(session, &id, &to, HostSource::Stream(&mut body), options)?;
    Ok(Answer::Empty(200))
}

pub(crate) fn export(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let id = id_of(call)?;
    call.host.enter(false)?;
    let (engine, session) = call.host.home_mut().engine_in_session()?;
    call.channel.head(200, &[("content-type", "application/octet-stream")])?;
    // A client that goes away hears no more.
    drop(engine.export(session, &id, &mut call.channel.out));
    Ok(Answer::Sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, kind: u8, size: u64) -> Vec<u8> {
        let mut block = vec![0u8; BLOCK_BYTES];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[100..107].copy_from_slice(b"0001755");
        block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        block[136..147].copy_from_slice(b"00000000017");
        block[156] = kind;
        block
    }

    #[test]
    fn the_first_entry_tells_what_a_path_is() {
        let stat = Stat::of(&header("etc/", b'5', 0)).unwrap();
        assert_eq!(
            (stat.name.as_str(), stat.mode, stat.mtime),
            ("etc/", 1 << 31 | 1 << 20 | 0o755, 15)
        );
        let mut long = header("x", b'x', 17);
        assert_eq!(Stat::of(&long), None);
        let mut data = b"17 path=a/b/long\n".to_vec();
        data.resize(BLOCK_BYTES, 0);
        long.extend(data);
        assert_eq!(Stat::of(&long), None);
        long.extend(header("short", b'0', 9));
        let stat = Stat::of(&long).unwrap();
        assert_eq!((stat.name.as_str(), stat.size), ("a/b/long", 9));
        let told: serde_json::Value =
            serde_json::from_slice(&STANDARD.decode(stat.header()).unwrap()).unwrap();
        assert_eq!(
            (&told["name"], &told["mtime"]),
            (&json!("long"), &json!("1970-01-01T00:00:15Z"))
        );
    }
}
