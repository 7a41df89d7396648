//! Copies changed files into the containers of a service, and removes what is gone.
//!
//! # How it works
//!
//! The files go as one archive through a pipe, written by one thread and extracted by
//! another in a child process: `watch` itself must stay in its namespaces and have a single
//! thread, because it starts containers later. Files are root's in the container, as with
//! Compose. What is gone is removed by `rm` of the container.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use coracle_compose::project::found::Wanted;
use coracle_runtime::copy::{ContainerPath, CopyOptions, HostSource};
use coracle_runtime::model::{Attach, ExecRequest};

use crate::app::App;
use crate::compose::project::target;
use crate::error::CliError;
use crate::threads::in_child;
use coracle_view::container::Known;

/// Paths of the host, and where they belong in the containers.
pub(crate) type Pairs = BTreeSet<(PathBuf, PathBuf)>;

/// Makes the containers of a service have what is on the host.
pub(crate) fn sync(
    app: &mut App,
    project: &str,
    service: &str,
    pairs: &Pairs,
) -> Result<(), CliError> {
    let wanted = Wanted { services: vec![service.to_owned()], stopped: true, ..Wanted::default() };
    let (there, gone): (Vec<_>, Vec<_>) =
        pairs.iter().partition(|(path, _)| std::fs::symlink_metadata(path).is_ok());
    for known in target::all(app, project, &wanted)? {
        if !gone.is_empty() && known.state.status.is_running() {
            remove(app, &known, gone.iter().map(|(_, inside)| inside.as_path()))?;
        }
        if !there.is_empty() {
            copy(app, &known, &there)?;
        }
    }
    Ok(())
}

fn remove<'a>(
    app: &mut App,
    known: &Known,
    paths: impl Iterator<Item = &'a Path>,
) -> Result<(), CliError> {
    let paths = paths.map(|path| path.to_string_lossy().into_owned());
    let argv = ["rm", "-rf", "--"].into_iter().map(str::to_owned).chain(paths).collect();
    let attach = Attach { stdin: false, stdout: true, stderr: true, size: None };
    let request = ExecRequest { argv, attach, user: "0".to_owned(), ..ExecRequest::default() };
    let (engine, session) = app.engine_in_session()?;
    let outcome = engine.exec_to_end(session, &known.container.id, request)?;
    if outcome.code == 0 {
        return Ok(());
    }
    let name = &known.container.name;
    let why = outcome.output.trim();
    Err(CliError::plain(format!("cannot remove files in {name}: {why}")))
}

fn copy(app: &mut App, known: &Known, pairs: &[&(PathBuf, PathBuf)]) -> Result<(), CliError> {
    let id = &known.container.id;
    let (engine, session) = app.engine_in_session()?;
    let session = &*session;
    in_child(|| {
        let (mut reader, writer) =
            io::pipe().map_err(|error| CliError::plain(format!("cannot make a pipe: {error}")))?;
        std::thread::scope(|scope| {
            let packing = scope.spawn(move || pack(pairs, writer));
            let to = ContainerPath { name: id, path: "/" };
            let from = HostSource::Stream(&mut reader);
            let copied = engine.copy_in(session, id, &to, from, CopyOptions::default());
            // Whoever still writes ends with an error.
            drop(reader);
            let packed = packing.join();
            copied?;
            match packed {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(CliError::plain(error.to_string())),
                Err(_) => Err(CliError::plain("internal error: a thread ended unexpectedly")),
            }
        })
    })
}

/// Writes the files under their names in the container.
fn pack(pairs: &[&(PathBuf, PathBuf)], out: impl Write) -> io::Result<()> {
    let mut archive = tar::Builder::new(out);
    for (path, inside) in pairs {
        match entry(&mut archive, path, inside) {
            Ok(()) => {}
            // It went meanwhile, and will be told of as a change.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let text = format!("cannot read {}: {error}", path.display());
                return Err(io::Error::new(error.kind(), text));
            }
        }
    }
    archive.finish()
}

fn entry(archive: &mut tar::Builder<impl Write>, path: &Path, inside: &Path) -> io::Result<()> {
    let meta = std::fs::symlink_metadata(path)?;
    let inside = inside.strip_prefix("/").unwrap_or(inside);
    if inside.as_os_str().is_empty() {
        return Ok(());
    }
    let mut header = tar::Header::new_gnu();
    header.set_mode(meta.permissions().mode() & 0o7777);
    header.set_mtime(u64::try_from(meta.mtime()).unwrap_or(0));
    header.set_size(0);
    header.set_uid(0);
    header.set_gid(0);
    if meta.is_symlink() {
        header.set_entry_type(tar::EntryType::Symlink);
        let link = std::fs::read_link(path)?;
        return archive.append_link(&mut header, inside, link);
    }
    if meta.is_dir() {
        header.set_entry_type(tar::EntryType::Directory);
        return archive.append_data(&mut header, inside, io::empty());
    }
    if !meta.is_file() {
        return Ok(());
    }
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(size);
    // Not more and not less than was promised, though somebody may be writing.
    let padded = io::Read::chain(file, io::repeat(0));
    archive.append_data(&mut header, inside, io::Read::take(padded, size))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use crate::compose::doing::sync::*;

    #[test]
    fn an_archive_has_the_names_of_the_container() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        std::fs::create_dir(base.join("d")).unwrap();
        std::fs::write(base.join("d/f"), "text").unwrap();
        std::os::unix::fs::symlink("d/f", base.join("l")).unwrap();
        let pair = |path: &str, inside: &str| (base.join(path), PathBuf::from(inside));
        let pairs = [
            pair("d", "/app/d"),
            pair("d/f", "/app/d/f"),
            pair("gone", "/app/gone"),
            pair("l", "/app/l"),
        ];
        let mut bytes = Vec::new();
        pack(&pairs.iter().collect::<Vec<_>>(), &mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let kind = entry.header().entry_type();
            let path = entry.path().unwrap().display().to_string();
            seen.push(format!("{kind:?} {path} {text} {}", entry.header().uid().unwrap()));
        }
        assert_eq!(seen, ["Directory app/d  0", "Regular app/d/f text 0", "Symlink app/l  0"]);
    }
}
