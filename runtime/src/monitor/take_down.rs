//! Undo what a running container has outside its own folder.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::error::EngineError;
use crate::paths::Paths;
use crate::records::Life;

/// Unmounts the root filesystem, removes the cgroup and the runtime folder.
///
/// Goes on after a failure and reports the first; may be called again.
pub(crate) fn take_down(paths: &Paths, id: &str, life: &Life) -> Result<(), EngineError> {
    let unmounted = crate::rootfs::unmount(&paths.merged(id))
        .map_err(EngineError::syscall("unmount the root filesystem"));
    let cgroup = match &life.cgroup {
        Some(cgroup) => crate::cgroup::remove(cgroup).map_err(EngineError::io("remove the cgroup")),
        None => Ok(()),
    };
    let folder = match unmounted {
        // What is still mounted must not be deleted file by file.
        Ok(()) => remove_folder(paths, id),
        Err(_) => Ok(()),
    };
    unmounted.and(cgroup).and(folder)
}

fn remove_folder(paths: &Paths, id: &str) -> Result<(), EngineError> {
    let bundle = paths.bundle(id);
    // Shared memory that other containers could join.
    crate::rootfs::unmount(&bundle.join("shm"))
        .map_err(EngineError::syscall("unmount the shared memory"))?;
    super::subpaths::release(&bundle).map_err(EngineError::io("unmount parts of volumes"))?;
    // Nothing is mounted there any more: what is left was made by a start that was cut off.
    let gone = |folder: &Path| {
        remove_busy(folder).map_err(EngineError::io(format!("remove {}", folder.display())))
    };
    gone(&bundle)?;
    crate::delivered::remove(paths, id).map_err(EngineError::io("remove delivered files"))?;
    // The last to go: by it others see that there is something to take down.
    gone(&paths.running(id))
}

/// Removes a folder in which an `exec`, which came too late, may just put something.
fn remove_busy(folder: &Path) -> io::Result<()> {
    const TRIES: u32 = 200;
    const PAUSE: Duration = Duration::from_millis(5);
    let mut outcome = Ok(());
    for _ in 0..TRIES {
        outcome = fs::remove_dir_all(folder);
        match &outcome {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(PAUSE);
            }
            Err(_) => break,
        }
    }
    outcome
}
