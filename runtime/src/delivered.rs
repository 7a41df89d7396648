//! Files that are kept in memory alone, where they lie until their container has ended; the values of variables too.
//!
//! Each is written under a number: that of its place in the record.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::model::{Container, DeliveredFile};
use crate::one_id::record_owner;
use crate::paths::{Paths, make_private};
use crate::start::launch_plan::mapped_ids;

/// What a file is to be like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rights {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mode: u32,
}

/// Where a delivered file of a container is.
pub(crate) fn place(paths: &Paths, id: &str, number: usize) -> PathBuf {
    folder(paths, id).join(number.to_string())
}

/// No project of Compose has a dot in its name.
fn folder(paths: &Paths, id: &str) -> PathBuf {
    paths.secrets().join(format!("container.{id}"))
}

/// Where a start makes places for the files: each, and the folders above it. They are nothing that the container changed.
pub(crate) fn places_made(container: &Container) -> BTreeSet<PathBuf> {
    let files = container.delivered.iter().filter(|file| file.is_file());
    let targets = files.map(|file| Path::new(&file.target));
    targets.flat_map(Path::ancestors).map(Path::to_owned).collect()
}

/// Writes the content of a file.
pub(crate) fn write(
    paths: &Paths,
    id: &str,
    number: usize,
    file: &DeliveredFile,
    content: &[u8],
) -> io::Result<()> {
    make_private(&folder(paths, id)).map_err(io::Error::other)?;
    let rights = Rights { uid: file.uid, gid: file.gid, mode: file.mode };
    put(&place(paths, id, number), content, rights)
}

/// The variables whose values were delivered, as `NAME=VALUE`.
pub(crate) fn environment(paths: &Paths, container: &Container) -> io::Result<Vec<String>> {
    let mut all = Vec::new();
    for (number, file) in container.delivered.iter().enumerate() {
        let Some(name) = &file.env else { continue };
        let value = fs::read(place(paths, &container.id, number))?;
        if value.contains(&0) {
            let why =
                format!("the value of variable {name} has a zero byte, which no variable has");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        all.push(format!("{name}={}", String::from_utf8_lossy(&value)));
    }
    Ok(all)
}

/// Takes a container's files away; there may be none.
pub(crate) fn remove(paths: &Paths, id: &str) -> io::Result<()> {
    match fs::remove_dir_all(folder(paths, id)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Writes a file whole or not at all.
pub(crate) fn put(path: &Path, content: &[u8], rights: Rights) -> io::Result<()> {
    let Rights { uid, gid, mode } = rights;
    let new = path.with_extension("new");
    // What a killed command left.
    drop(fs::remove_file(&new));
    let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    out.write_all(content)?;
    let given = std::os::unix::fs::fchown(&out, Some(uid), Some(gid));
    if mapped_ids() == 1 {
        // Every file belongs to that id; who is to have it goes on record.
        record_owner(out.as_fd(), (uid, gid))?;
    } else if uid != 0 || gid != 0 {
        given?;
    }
    out.set_permissions(fs::Permissions::from_mode(mode))?;
    fs::rename(&new, path)
}
