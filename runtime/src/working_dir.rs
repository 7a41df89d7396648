//! The working directory of a container's process: made for `run`, checked for `exec`.
//!
//! The kernel resolves every step beneath the container's root.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::payload::Failure;

fn open(root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    let path = path.strip_prefix("/").unwrap_or(path);
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat2(root, path, flags, Mode::empty(), resolve)
}

fn open_root(root: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, root, flags, Mode::empty())
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

/// Refuses a working directory that an `exec` cannot start in.
pub(crate) fn check(root: &Path, path: &Path) -> Result<(), Failure> {
    /// The codes that Docker's own helper ends with.
    const MISSING: i32 = 127;
    const RELATIVE: i32 = 128;
    if !path.is_absolute() {
        return Err(Failure::new(RELATIVE, "Cwd must be an absolute path"));
    }
    open_root(root).and_then(|root| open(&root, path)).map(drop).map_err(|errno| {
        let why = io::Error::from(errno).to_string().to_lowercase();
        let why = why.split(" (os error").next().unwrap_or_default().to_owned();
        Failure::new(
            MISSING,
            format!(
                "chdir to cwd ({:?}) set in config.json failed: {why}",
                path.display().to_string()
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
        let failure = check(&root, Path::new("/nosuch")).unwrap_err();
        assert_eq!(
            (failure.code, failure.message.as_str()),
            (
                127,
                "chdir to cwd (\"/nosuch\") set in config.json failed: no such file or directory"
            )
        );
        assert_eq!(check(&root, Path::new("rel")).unwrap_err().code, 128);
    }
}
