//! Who has the port that a container could not get: a hint at the end of the error.
//!
//! # How it works
//!
//! A container of ours is found in the records. The processes of the host can be looked into
//! from outside our user namespace only, and a command that starts containers has entered it
//! when it learns that a port is taken. So it leaves a [`Witness`] outside: a child that waits
//! for the question, and ends once the containers run or the command does.
//!
//! # Limits
//!
//! What processes of other users hold is not shown to anybody but root: then it is said that
//! it is one of theirs.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::os::unix::net::UnixStream;

use coracle_runtime::Engine;
use coracle_sys::fork::{Fork, exit_now, fork};
use coracle_sys::process::ProcessId;
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::error::CliError;

/// Docker's words for a port that a container has, around the address.
const ALLOCATED: (&str, &str) = ("Bind for ", " failed: port is already allocated");
/// And for one that a program of the host has; ports of the container stand between.
const REFUSED: (&str, &str) = ("failed to bind host port for ", ": address already in use");

/// `st` of a socket that listens, in `/proc/net/tcp` and `/proc/net/udp`.
const LISTENING: [&str; 2] = ["0A", "07"];

/// A child outside the user namespace.
#[derive(Debug)]
pub(crate) struct Witness {
    stream: UnixStream,
    child: Pid,
}

impl Witness {
    /// Leaves one here. Without it a hint is less exact, so that no failure is one.
    pub(crate) fn leave() -> Option<Self> {
        let (ours, theirs) = UnixStream::pair().ok()?;
        match fork().ok()? {
            Fork::Child => {
                drop(ours);
                testify(theirs);
                exit_now(0)
            }
            Fork::Parent(child) => Some(Self { stream: ours, child }),
        }
    }

    fn ask(&mut self, at: SocketAddr) -> Option<String> {
        let mut answer = String::new();
        writeln!(self.stream, "{at}").ok()?;
        self.stream.shutdown(Shutdown::Write).ok()?;
        self.stream.read_to_string(&mut answer).ok()?;
        (!answer.is_empty()).then_some(answer)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // It ends when nobody can ask any more.
        self.stream.shutdown(Shutdown::Both).ok();
        waitpid(Some(self.child), WaitOptions::empty()).ok();
    }
}

/// The child's part.
fn testify(mut stream: UnixStream) {
    let mut asked = String::new();
    if stream.read_to_string(&mut asked).is_ok()
        && let Ok(at) = asked.trim().parse()
        && let Some(answer) = holder(at)
    {
        stream.write_all(answer.as_bytes()).unwrap_or_default();
    }
}

/// Adds the hint to an error about a port that is taken, unless it has another.
pub(crate) fn complete(
    mut error: CliError,
    witness: Option<Witness>,
    engine: Option<&Engine>,
    program: &str,
) -> CliError {
    if error.hint.is_none()
        && let Some(at) = taken(&error.message)
    {
        let container = engine.and_then(|engine| container(engine, program, at));
        error.hint = container.or_else(|| witness.and_then(|mut witness| witness.ask(at)));
    }
    error
}

/// The address that an error says is taken.
fn taken(message: &str) -> Option<SocketAddr> {
    let line =
        message.lines().find(|line| line.contains(ALLOCATED.1) || line.contains(REFUSED.1))?;
    if let Some((before, _)) = line.split_once(ALLOCATED.1) {
        let (ip, port) = before.rsplit_once(ALLOCATED.0)?.1.rsplit_once(':')?;
        return Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?));
    }
    let (_, after) = line.split_once(REFUSED.0)?;
    let (ip, rest) = match after.strip_prefix('[') {
        Some(six) => six.split_once("]:")?,
        None => after.split_once(':')?,
    };
    Some(SocketAddr::new(ip.parse().ok()?, rest.split(':').next()?.parse().ok()?))
}

/// Whether something at one address is in the way of another.
fn overlaps(held: IpAddr, wanted: IpAddr) -> bool {
    held == wanted || held.is_unspecified() || wanted.is_unspecified()
}

fn container(engine: &Engine, program: &str, at: SocketAddr) -> Option<String> {
    let all = engine.list().ok()?;
    let has = all.into_iter().find(|one| {
        one.life
            .network
            .published
            .iter()
            .any(|port| port.host_port == at.port() && overlaps(port.host_ip, at.ip()))
    })?;
    let name = has.container.name;
    Some(format!("the container {name} has port {}; `{program} stop {name}` frees it", at.port()))
}

/// What has the port on this host, as a hint.
fn holder(at: SocketAddr) -> Option<String> {
    let port = at.port();
    let held: Vec<Socket> = ["tcp", "tcp6", "udp", "udp6"]
        .iter()
        .flat_map(|table| {
            sockets(&fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default())
        })
        .filter(|socket| socket.at.port() == port && overlaps(socket.at.ip(), at.ip()))
        .collect();
    let known = held.iter().find_map(|socket| process(socket.inode));
    if let Some((pid, name)) = known {
        return Some(format!("the process {pid} ({name}) has port {port}"));
    }
    let me = rustix::process::geteuid().as_raw();
    held.iter().any(|socket| socket.uid != me).then(|| {
        format!(
            "a process of another user has port {port}; `sudo ss -lntup sport = :{port}` names it"
        )
    })
}

/// A line of such a table.
#[derive(Debug, PartialEq, Eq)]
struct Socket {
    at: SocketAddr,
    uid: u32,
    inode: u64,
}

/// The sockets that listen, of a table as proc(5) has it.
fn sockets(table: &str) -> Vec<Socket> {
    let read = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        if !LISTENING.contains(fields.get(3)?) {
            return None;
        }
        let (ip, port) = fields.get(1)?.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let at = SocketAddr::new(address(ip)?, port);
        Some(Socket { at, uid: fields.get(7)?.parse().ok()?, inode: fields.get(9)?.parse().ok()? })
    };
    table.lines().skip(1).filter_map(read).collect()
}

/// Words of four bytes, each in the order of this machine.
fn address(hex: &str) -> Option<IpAddr> {
    let words: Option<Vec<[u8; 4]>> = (0..hex.len() / 8)
        .map(|at| Some(u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes()))
        .collect();
    let bytes = words?.concat();
    if let Ok(four) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(IpAddr::V4(Ipv4Addr::from(four)));
    }
    Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)))
}

/// The process that has a socket open, of those that we may look into: the oldest, because
/// others have it from that one.
fn process(inode: u64) -> Option<(u32, String)> {
    let wanted = format!("socket:[{inode}]");
    let has_it = |pid: &u32| {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files.into_iter().any(|file| {
            fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == wanted.as_str())
        })
    };
    let started =
        |pid: &u32| ProcessId::of(i32::try_from(*pid).ok()?).map(|process| process.start_ticks);
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.filter(has_it).min_by_key(|pid| started(pid).unwrap_or(u64::MAX))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some((pid, name.trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_dockers_words() {
        let at = |words: &str| taken(words).map(|at| at.to_string());
        let said = "Error response from daemon: failed to set up container networking: driver \
                    failed programming external connectivity on endpoint c (88d496f427f1): ";
        for (words, expected) in [
            ("Bind for 0.0.0.0:8080 failed: port is already allocated", "0.0.0.0:8080"),
            ("Bind for :::8080 failed: port is already allocated", "[::]:8080"),
            (
                "failed to bind host port for 127.0.0.1:81:172.17.0.2:80/tcp: address already in use",
                "127.0.0.1:81",
            ),
            (
                "failed to bind host port for [::1]:81:172.17.0.2:80/tcp: address already in use",
                "[::1]:81",
            ),
        ] {
            assert_eq!(at(&format!("{said}{words}")).as_deref(), Some(expected));
        }
        assert_eq!(at("Address already in use"), None);
    }

    #[test]
    fn tables_of_the_kernel_are_read() {
        let [tcp, udp6] = if cfg!(target_endian = "little") {
            ["0100007F:1F90", "00000000000000000000000001000000:0035"]
        } else {
            ["7F000001:1F90", "00000000000000000000000000000001:0035"]
        };
        let rest = "00000000:00000000 00:00000000 00000000  1000        0 4711 1 0";
        let table = format!(
            "  sl  local_address ...\n   0: {tcp} 00000000:0000 0A {rest}\n   1: {tcp} 0100007F:1 01 {rest}\n   2: {udp6} 0:0 07 {rest}\n"
        );
        let socket = |at: &str| Socket { at: at.parse().unwrap(), uid: 1000, inode: 4711 };
        assert_eq!(sockets(&table), [socket("127.0.0.1:8080"), socket("[::1]:53")]);
    }
}
