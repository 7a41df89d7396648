//! Appends events.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;

use super::{Event, Kind};
use crate::file_lock;
use crate::identity::{identity, identity_at};
use crate::model::Container;

/// Size from which on a new file is begun: some ten thousand events.
pub const EVENTS_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How long another process that begins a new file is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The events of a data root.
#[derive(Debug, Clone)]
pub struct Events {
    pub(super) path: PathBuf,
    bytes_max: u64,
    /// What is told is of its objects, and only that is read, with what happens to images.
    pub(super) owner: Option<String>,
}

impl Events {
    /// Events in the file `path`, which need not exist.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, bytes_max: EVENTS_BYTES_MAX, owner: None }
    }

    /// The same for a session of the Engine API.
    #[must_use]
    pub fn of(self, owner: Option<&str>) -> Self {
        Self { owner: owner.map(str::to_owned), ..self }
    }

    /// Something happened to a container.
    pub(crate) fn container(&self, container: &Container, action: &str, extra: &[(&str, &str)]) {
        self.record(&Event::of_container(container, action, extra, crate::clock::now()));
    }

    /// Something happened to another object.
    pub(crate) fn object(&self, kind: Kind, action: &str, id: &str, attributes: &[(&str, &str)]) {
        let attributes: BTreeMap<_, _> = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let event = Event::new(kind, action, id, attributes, crate::clock::now());
        self.record(&Event { owner: self.owner.clone(), ..event });
    }

    /// Appends an event; if that fails it is lost.
    pub(super) fn record(&self, event: &Event) {
        self.append(event).ok();
    }

    fn append(&self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        let mut file = open(&self.path)?;
        if file.metadata()?.len() >= self.bytes_max {
            self.rotate(&file)?;
            file = open(&self.path)?;
        }
        // One call, so that the lines of two processes do not mix.
        file.write_all(&line)
    }

    /// Gives `full` its second name, unless another process was faster.
    fn rotate(&self, full: &File) -> io::Result<()> {
        // Whoever has it for long keeps the file from being renamed, and no event from being told.
        let Ok(_lock) = file_lock::take(full.try_clone()?.into(), PATIENCE) else { return Ok(()) };
        if identity_at(&self.path)? == Some(identity(full)?) {
            fs::rename(&self.path, older(&self.path))?;
        }
        Ok(())
    }
}

/// The file before the present one.
pub(super) fn older(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)
}

#[cfg(test)]
mod tests {
    use super::{Events, Kind};
    use std::fs;

    #[test]
    fn lines_are_appended_and_the_file_is_bounded() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("events.jsonl");
        let events = Events { path: path.clone(), bytes_max: 300, owner: None };
        for name in ["one", "two", "three"] {
            events.object(Kind::Volume, "create", name, &[("driver", "local")]);
        }
        let old = fs::read_to_string(temp.path().join("events.jsonl.1")).unwrap();
        let new = fs::read_to_string(&path).unwrap();
        assert_eq!((old.lines().count(), new.lines().count()), (2, 1));
        assert!(new.contains(r#""ID":"three","Attributes":{"driver":"local"}"#), "{new}");
    }

    #[test]
    fn writers_do_not_disturb_each_other() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("events.jsonl");
        let events = Events { path: path.clone(), bytes_max: 20_000, owner: None };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        events.object(Kind::Volume, "create", "name", &[]);
                    }
                });
            }
        });
        let mut lines = fs::read_to_string(&path).unwrap();
        lines += &fs::read_to_string(temp.path().join("events.jsonl.1")).unwrap();
        assert_eq!(lines.lines().count(), 200);
        for line in lines.lines() {
            serde_json::from_str::<super::Event>(line).unwrap();
        }
    }
}
