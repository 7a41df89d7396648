//! The working directory of a container's process: made where it is missing, then entered.
//!
//! # How it works
//!
//! It is made in the root filesystem before anything is mounted, as Docker's daemon does,
//! and in the container's own view (it may be in a volume) before the program starts, as
//! Docker's helper does. The last process before the program enters it. libcontainer is told
//! `/`: it would follow `/proc/self/fd/N` to a descriptor that leads out of the container.
//!
//! The kernel resolves every step beneath the container's root, and no magic link.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::start::beneath::{self, Links, open_root};
use crate::start::failure::{CANNOT_RUN, Failure, NOT_FOUND};

fn open(root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    beneath::open(root, path, OFlags::DIRECTORY, Links::Followed)
}

/// Makes the folder `path` of the container at `root`, with those above it.
pub(crate) fn make(root: &Path, path: &Path) -> Result<(), Failure> {
    let failed = |errno: Errno| match errno {
        Errno::NOTDIR | Errno::EXIST => {
            Failure::setup(format!("Cannot mkdir: {} is not a directory", path.display()))
        }
        errno => Failure::setup(format!("cannot make the working directory: {errno}")),
    };
    let root = open_root(root).map_err(failed)?;
    match open(&root, path) {
        Err(Errno::NOENT) => {}
        result => return result.map(drop).map_err(failed),
    }
    let mut folder = open(&root, Path::new("/")).map_err(failed)?;
    let mut walked = std::path::PathBuf::from("/");
    for component in path.components() {
        let Component::Normal(name) = component else { continue };
        match rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(errno)),
        }
        walked.push(name);
        // From the root again: a link on the way means what it means in the container.
        folder = open(&root, &walked).map_err(failed)?;
    }
    Ok(())
}

/// Makes the folder `path` as the container of process `init` sees it.
///
/// In `/proc` and `/sys` nothing can be made; [`enter`] says what is missing there.
pub(crate) fn make_in_view(init: i32, path: &Path) -> Result<(), Failure> {
    if ["/proc", "/sys"].iter().any(|kernel| path.starts_with(kernel)) {
        return Ok(());
    }
    make(Path::new(&format!("/proc/{init}/root")), path)
}

/// Refuses a relative one for an `exec`.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    /// The code that Docker's own helper ends with.
    const RELATIVE: i32 = 128;
    if path.is_absolute() {
        return Ok(());
    }
    Err(Failure::new(RELATIVE, "Cwd must be an absolute path"))
}

/// Makes it the working directory of this process, which is in the container.
pub(crate) fn enter(path: &Path) -> Result<(), Failure> {
    open_root(Path::new("/"))
        .and_then(|root| open(&root, path))
        .and_then(rustix::process::fchdir)
        .map_err(|errno| refused(path, errno))
}

fn refused(path: &Path, errno: Errno) -> Failure {
    let code = if errno == Errno::ACCESS { CANNOT_RUN } else { NOT_FOUND };
    let why = io::Error::from(errno).to_string().to_lowercase();
    let why = why.split(" (os error").next().unwrap_or_default();
    let path = path.display().to_string();
    Failure::new(code, format!("chdir to cwd ({path:?}) set in config.json failed: {why}"))
}

#[cfg(test)]
mod tests {
    use crate::start::working_dir::*;
    use std::fs;
    use std::os::fd::AsRawFd;

    #[test]
    fn folders_are_made_inside_whatever_links_say() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("root");
        fs::create_dir_all(root.join("real")).unwrap();
        std::os::unix::fs::symlink("/real", root.join("link")).unwrap();
        std::os::unix::fs::symlink("../../../..", root.join("up")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        make(&root, Path::new("/link/a/b")).unwrap();
        assert!(root.join("real/a/b").is_dir());
        make(&root, Path::new("/up/c")).unwrap();
        assert!(root.join("c").is_dir());
        let failure = make(&root, Path::new("/file")).unwrap_err();
        assert_eq!(failure.message, "Cannot mkdir: /file is not a directory");
        assert_eq!(check(Path::new("rel")).unwrap_err().code, 128);
        let failure = refused(Path::new("/nosuch"), Errno::NOENT);
        let text =
            "chdir to cwd (\"/nosuch\") set in config.json failed: no such file or directory";
        assert_eq!((failure.code, failure.message.as_str()), (127, text));
        assert_eq!(refused(Path::new("/root"), Errno::ACCESS).code, 126);
        // A magic link is not followed, wherever it leads.
        let here = open_root(&root).unwrap();
        let magic = format!("/proc/self/fd/{}", here.as_raw_fd());
        assert_eq!(
            open(&open_root(Path::new("/")).unwrap(), Path::new(&magic)).err(),
            Some(Errno::LOOP)
        );
    }
}
