//! What layers change, as lines: a file has its mode, owner and content, and its time when it is an old one.
//!
//! Left out are folders that are listed and not changed, and the mount points `dev`, `proc` and `sys`. What is gone is
//! named by the highest path, whether by a mark, an opaque folder or a replacement.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use coracle_integration::fixture;

/// The time of all files that go into a build: later ones are of the build itself.
pub(super) const STAMP: u64 = 1_577_836_800;
/// Longer texts are told by their digest.
const TEXT_MAX: usize = 400;

/// Lines by path.
pub(super) type Lines = BTreeMap<String, String>;

struct Member {
    path: String,
    /// Without its time.
    line: String,
    time: String,
    is_folder: bool,
}

/// What a layer changes; `tree` is what there is, before and after.
pub(super) fn changes(archive: &[u8], tree: &mut Lines, back: &dyn Fn(&[u8]) -> Vec<u8>) -> Lines {
    let members = members(archive, back);
    let before: BTreeSet<String> = tree.keys().cloned().collect();
    for member in &members {
        let (folder, name) = member.path.rsplit_once('/').unwrap_or(("", &member.path));
        if name == ".wh..wh..opq" {
            remove(tree, folder, false);
        } else if let Some(name) = name.strip_prefix(".wh.") {
            let slash = if folder.is_empty() { "" } else { "/" };
            remove(tree, &format!("{folder}{slash}{name}"), true);
        }
    }
    let old = tree.clone();
    let mut out = Lines::new();
    for Member { path, line, time, is_folder } in members {
        if path.rsplit('/').next().is_some_and(|name| name.starts_with(".wh.")) {
            continue;
        }
        if is_folder {
            let is_point = ["", "dev", "proc", "sys"].contains(&&*path) && line == "dir 755 0:0";
            if is_point || old.get(&path) == Some(&line) {
                continue;
            }
        } else {
            remove(tree, &path, false);
        }
        tree.insert(path.clone(), line.clone());
        out.insert(path, line + &time);
    }
    for path in before.iter().filter(|path| !tree.contains_key(*path)) {
        if path.rsplit_once('/').is_none_or(|(folder, _)| tree.contains_key(folder)) {
            out.insert(path.clone(), "removed".to_owned());
        }
    }
    out
}

fn remove(tree: &mut Lines, path: &str, itself: bool) {
    let below = format!("{path}/");
    tree.retain(|name, _| !(name.starts_with(&below) || itself && name == path));
}

fn clean(name: &str) -> String {
    let name = name.strip_prefix("./").unwrap_or(name).trim_matches('/');
    if name == "." { String::new() } else { name.to_owned() }
}

fn members(archive: &[u8], back: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<Member> {
    let mut plain = Vec::new();
    let archive = if archive.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(archive).read_to_end(&mut plain).expect("gzip");
        &plain
    } else {
        archive
    };
    let mut reader = tar::Archive::new(archive);
    let entries = reader.entries().expect("an archive");
    entries.map(|entry| member(&mut entry.expect("an entry"), back)).collect()
}

fn member(entry: &mut tar::Entry<'_, &[u8]>, back: &dyn Fn(&[u8]) -> Vec<u8>) -> Member {
    let path = clean(&String::from_utf8_lossy(&entry.path_bytes()));
    let link = entry.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned());
    let link = link.unwrap_or_default();
    let header = entry.header().clone();
    let mode = header.mode().expect("a mode") & 0o7777;
    let owner = format!("{}:{}", header.uid().expect("an owner"), header.gid().expect("a group"));
    let seconds = header.mtime().expect("a time");
    let time = if seconds <= STAMP { format!(" mtime={seconds}") } else { String::new() };
    let kind = header.entry_type();
    let (line, time) = if kind.is_dir() {
        (format!("dir {mode:o} {owner}"), String::new())
    } else if kind.is_symlink() {
        (format!("link {owner} -> {link}"), String::new())
    } else if kind.is_hard_link() {
        (format!("same as {}", clean(&link)), String::new())
    } else if kind.is_fifo() {
        (format!("fifo {mode:o} {owner}"), String::new())
    } else if kind.is_file() {
        let extensions = entry.pax_extensions().ok().flatten().into_iter().flatten().flatten();
        let keys: Vec<String> =
            extensions.filter_map(|pair| pair.key().ok().map(str::to_owned)).collect();
        let capable = keys.iter().any(|key| key.contains("security.capability"));
        let capable = if capable { " capability" } else { "" };
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("a file of the archive");
        (format!("file {mode:o} {owner}{capable} {}", told(&back(&content))), time)
    } else {
        (format!("{kind:?} {mode:o} {owner}"), String::new())
    };
    Member { path, line, time, is_folder: kind.is_dir() }
}

fn told(content: &[u8]) -> String {
    match std::str::from_utf8(content) {
        Ok(text) if content.len() <= TEXT_MAX && !text.contains('\0') => {
            serde_json::to_string(text).expect("a text")
        }
        _ => format!("{} bytes {}", content.len(), fixture::digest(content)),
    }
}
