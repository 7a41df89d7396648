//! `--chown`, and the user that `WORKDIR` makes folders for.

use std::fs::File;
use std::io::Read;
use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::Errno;

use super::Result;
use super::error::FilesError;
use super::limits::ACCOUNTS_BYTES_MAX;
use super::resolve::{open_plain, resolve};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
}

/// `USER[:GROUP]` by the accounts of a root filesystem: a name that is not among them is root's, a number without a
/// group has the group of that number. Without a `root`, as for `COPY --link`, there are no names. None of nothing.
///
/// # Errors
/// A name without a root, or accounts that cannot be read.
pub fn find_owner(root: Option<BorrowedFd<'_>>, text: &str) -> Result<Option<Owner>> {
    if text.is_empty() {
        return Ok(None);
    }
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let mut owner = Owner::default();
    let bad = |name: &str| FilesError::BadOwner { name: name.to_owned() };
    match id(user) {
        Some(id) => owner = Owner { uid: id, gid: id },
        None => {
            let passwd = accounts(root.ok_or_else(|| bad("-1"))?, "etc/passwd")?;
            if let Some(fields) = find(&passwd, user) {
                let field = |index: usize| fields.get(index).and_then(|text| text.parse().ok());
                owner = Owner { uid: field(2).unwrap_or(0), gid: field(3).unwrap_or(0) };
            }
        }
    }
    match group.map(|group| (group, id(group))) {
        None => {}
        Some((_, Some(id))) => owner.gid = id,
        Some((name, None)) => {
            let groups = accounts(root.ok_or_else(|| bad("-1"))?, "etc/group")?;
            if let Some(fields) = find(&groups, name) {
                owner.gid = fields.get(2).and_then(|text| text.parse().ok()).unwrap_or(0);
            }
        }
    }
    Ok(Some(owner))
}

fn id(text: &str) -> Option<u32> {
    if text == "root" {
        return Some(0);
    }
    text.parse::<i32>().ok().map(i32::cast_unsigned)
}

fn find<'a>(text: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let lines = text.lines().map(|line| line.trim().split(':').collect::<Vec<_>>());
    lines.into_iter().find(|fields| !name.is_empty() && fields.first() == Some(&name))
}

/// A file of the root; nothing when there is none.
fn accounts(root: BorrowedFd<'_>, path: &str) -> Result<String> {
    let failed = FilesError::io("read", path.as_bytes());
    let read = || -> std::io::Result<Option<String>> {
        let found = match resolve(root, path.as_bytes(), true, &|_| true) {
            Err(Errno::LOOP) => return Ok(None),
            found => found?,
        };
        if !found.is_there() {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let file = File::from(open_plain(root, &found.path, flags)?);
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(std::io::Error::other("it is no file"));
        }
        let mut bytes = Vec::new();
        let count = file.take(ACCOUNTS_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if count as u64 > ACCOUNTS_BYTES_MAX {
            return Err(std::io::Error::other("it is too large"));
        }
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    };
    read().map(Option::unwrap_or_default).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::fd::AsFd;

    use super::{Owner, find_owner};

    #[test]
    fn names_and_numbers() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("etc")).unwrap();
        fs::write(temp.path().join("etc/passwd"), "root:x:0:0::/:\nbob:x:1500:1600::/:\n").unwrap();
        fs::write(temp.path().join("etc/group"), "root:x:0:\nweb:x:33:bob\n").unwrap();
        let root = File::open(temp.path()).unwrap();
        for (text, uid, gid) in [
            ("bob", 1500, 1600),
            ("bob:web", 1500, 33),
            ("7", 7, 7),
            ("7:8", 7, 8),
            ("7:web", 7, 33),
            ("nosuch", 0, 0),
            ("nosuch:web", 0, 33),
            ("root", 0, 0),
            (":web", 0, 33),
        ] {
            let found = find_owner(Some(root.as_fd()), text).unwrap();
            assert_eq!(found, Some(Owner { uid, gid }), "{text}");
        }
        assert_eq!(find_owner(None, "").unwrap(), None);
        assert_eq!(find_owner(None, "1:2").unwrap(), Some(Owner { uid: 1, gid: 2 }));
        assert_eq!(find_owner(None, "bob").unwrap_err().to_string(), "invalid user index: -1");
    }

    #[test]
    fn a_root_without_accounts() {
        let temp = tempfile::tempdir().unwrap();
        let root = File::open(temp.path()).unwrap();
        assert_eq!(find_owner(Some(root.as_fd()), "bob").unwrap(), Some(Owner::default()));
        std::os::unix::fs::symlink("/../../../etc", temp.path().join("etc")).unwrap();
        assert_eq!(find_owner(Some(root.as_fd()), "daemon").unwrap(), Some(Owner::default()));
    }
}
