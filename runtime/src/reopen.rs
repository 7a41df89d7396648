//! Have living monitors make anew what others find them by.
//!
//! # How it works
//!
//! Somebody removed the runtime folder while containers run. Their monitors are still on
//! record, by pid and start time. Whoever misses the folder sends each of them [`CALL`], and
//! each makes its socket, its mark and the network helper's door again. The signal is one
//! that a process ignores unless it waits for it, so a monitor that has just begun, or ends,
//! is not hurt.
//!
//! # Limits
//!
//! Mounts in the folder are gone with it: `cp` and `diff` mount the root again beside the
//! running container.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coracle_sys::process::ProcessId;
use rustix::process::Signal;

use crate::paths::{Paths, make_private};
use crate::records::Records;
use crate::session;

/// What calls a monitor.
pub(crate) const CALL: Signal = Signal::URG;

/// How long the monitors may take together. One that is slower is met again by whoever needs it.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Calls every living monitor but this process, and waits until others can find them.
pub(crate) fn call_monitors(paths: &Paths, records: &Records) {
    let ids = records.ids().unwrap_or_default().into_iter();
    let lives = ids.filter_map(|id| records.watcher(&records.life_as_written(&id).ok()?)?.here());
    let called: Vec<ProcessId> =
        lives.filter(|monitor| *monitor != ProcessId::current() && monitor.signal(CALL)).collect();
    let deadline = Instant::now() + PATIENCE;
    for monitor in called {
        let mark = session::mark(&paths.holders(), monitor);
        while !mark.exists() && monitor.is_alive() && Instant::now() < deadline {
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

/// Files in the runtime folder that `exec` needs, held open: their content outlives their names.
#[derive(Debug, Default)]
pub(crate) struct Kept(Vec<(PathBuf, File)>);

impl Kept {
    /// Holds files of the folder. One that is not there was not needed.
    pub(crate) fn hold<'a>(folder: &Path, names: impl IntoIterator<Item = &'a Path>) -> Self {
        let open = |name: &Path| Some((name.to_owned(), File::open(folder.join(name)).ok()?));
        Self(names.into_iter().filter_map(open).collect())
    }

    /// Writes those that are missing.
    pub(crate) fn restore(&self, folder: &Path) -> io::Result<()> {
        for (name, file) in &self.0 {
            let path = folder.join(name);
            if path.exists() {
                continue;
            }
            make_private(path.parent().unwrap_or(folder)).map_err(io::Error::other)?;
            let mut content = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or(0)];
            std::os::unix::fs::FileExt::read_exact_at(file, &mut content, 0)?;
            fs::write(path, content)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_files_come_back_when_the_folder_was_removed() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("c");
        fs::create_dir_all(folder.join("oci")).unwrap();
        fs::write(folder.join("oci/state.json"), "{}").unwrap();
        let kept = Kept::hold(&folder, ["oci/state.json", "nosuch"].map(Path::new));
        fs::remove_dir_all(&folder).unwrap();
        kept.restore(&folder).unwrap();
        assert_eq!(fs::read_to_string(folder.join("oci/state.json")).unwrap(), "{}");
        fs::write(folder.join("oci/state.json"), "other").unwrap();
        kept.restore(&folder).unwrap();
        assert_eq!(fs::read_to_string(folder.join("oci/state.json")).unwrap(), "other");
    }
}
