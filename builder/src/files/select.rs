//! What an instruction names in a tree.

use std::ffi::CString;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, OFlags, Stat, statat};

use super::Result;
use super::error::{FilesError, shown};
use super::glob::{Glob, Malformed, has_wildcards};
use super::listing::Listing;
use super::resolve::parts;
use super::tree::{Tree, is_folder, text};
use super::walk::Choice;
use crate::ignore::Filter;

/// One source of `COPY` or `ADD`, with what its flags say of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selectors<'a> {
    /// A path from the root of the tree, or a pattern.
    pub pattern: &'a str,
    /// `--exclude`.
    pub exclude: &'a [String],
    /// `--parents`.
    pub parents: bool,
}

/// Files of a tree, or content that stands in the Dockerfile.
#[derive(Debug)]
pub struct Selection<'t> {
    pub(super) tree: Option<&'t Tree>,
    pub(super) roots: Vec<Root>,
    pub(super) choice: Choice,
    pub(super) unpacks: bool,
}

/// One path that was named.
#[derive(Debug)]
pub(super) struct Root {
    /// The last part of the path that was named.
    pub(super) name: Vec<u8>,
    pub(super) kind: RootKind,
}

#[derive(Debug)]
pub(super) enum RootKind {
    /// Paths without links.
    Folder(Vec<u8>),
    Other(Vec<u8>),
    /// A file that is nowhere.
    Content(Vec<u8>),
}

impl Selection<'_> {
    /// A file whose content is known.
    #[must_use]
    pub fn of_content(name: &str, content: &[u8]) -> Selection<'static> {
        let name = parts(name.as_bytes()).next_back().unwrap_or(b"EOF").to_vec();
        let root = Root { name, kind: RootKind::Content(content.to_vec()) };
        Selection { tree: None, roots: vec![root], choice: Choice::default(), unpacks: false }
    }

    /// Archives are unpacked, as `ADD` does: a file that was named itself and is one.
    #[must_use]
    pub fn unpacking(self, unpacks: bool) -> Self {
        Self { unpacks, ..self }
    }

    /// A file that was found goes by another name: that of an address.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        for root in &mut self.roots {
            root.name = name.as_bytes().to_vec();
        }
        self
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }
}

/// Finds what one source names. Wildcards may find nothing.
///
/// # Errors
/// A path without wildcards that is not there, a malformed pattern, or a folder that cannot be read.
pub fn select<'t>(tree: &'t Tree, selectors: &Selectors<'_>) -> Result<Selection<'t>> {
    let bad = |pattern: String| FilesError::BadPattern { pattern };
    let exclude = Filter::new(selectors.exclude.iter().map(String::as_str)).map_err(bad)?;
    let mut choice = Choice { include: None, exclude };
    let mut pattern = selectors.pattern;
    let mut required = None;
    if selectors.parents {
        let (base, below) = pattern.split_once("/./").unwrap_or(("", pattern));
        let below = clean(below);
        if !has_wildcards(base) && !has_wildcards(&below) {
            required = Some(below.clone());
        }
        if !below.is_empty() {
            choice.include = Some(Filter::new([below.as_str()]).map_err(bad)?);
        }
        pattern = base;
    }
    let pattern = clean(pattern);
    let mut roots = roots(tree, &pattern)?;
    if choice.include.is_some() {
        // What a file has no parents below is not what is looked for.
        roots.retain(|root| matches!(root.kind, RootKind::Folder(_)));
    }
    if let Some(required) = required {
        let whole = format!("{pattern}/{required}");
        let base = roots.first().map(|root| match &root.kind {
            RootKind::Folder(path) | RootKind::Other(path) => path.as_slice(),
            RootKind::Content(_) => b"",
        });
        let path = [base.unwrap_or_default(), b"/", required.as_bytes()].concat();
        if tree.find(&path, false)?.is_none() {
            return Err(missing(tree, whole.as_bytes()));
        }
    }
    Ok(Selection { tree: Some(tree), roots, choice, unpacks: false })
}

fn roots(tree: &Tree, pattern: &str) -> Result<Vec<Root>> {
    if !has_wildcards(pattern) {
        return Ok(vec![root(tree, pattern.as_bytes())?]);
    }
    let mut fixed = Vec::new();
    let mut globs = Vec::new();
    for part in pattern.split('/') {
        if globs.is_empty() && !has_wildcards(part) {
            fixed.push(part);
        } else {
            let malformed = |Malformed| FilesError::BadPattern { pattern: pattern.to_owned() };
            globs.push(Glob::parse(part).map_err(malformed)?);
        }
    }
    let fixed = fixed.join("/");
    let Some((base, stat)) = tree.find(fixed.as_bytes(), true)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    if is_folder(&stat) {
        matches(tree, base.path, &globs, &mut found)?;
    }
    found.iter().map(|path| root(tree, path)).collect()
}

/// Paths below `folder`, one part for each pattern.
fn matches(
    tree: &Tree,
    mut folder: Vec<u8>,
    globs: &[Glob],
    found: &mut Vec<Vec<u8>>,
) -> Result<()> {
    let Some((glob, rest)) = globs.split_first() else { return Ok(()) };
    let handle = tree.open(&folder, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let listing = Listing::read(handle.as_fd()).map_err(FilesError::io("read", &folder))?;
    if !folder.is_empty() {
        folder.push(b'/');
    }
    for index in 0..listing.len() {
        let name = listing.get(index);
        if !glob.matches(&text(name.to_bytes())) {
            continue;
        }
        let path = [&folder, name.to_bytes()].concat();
        let stat: Stat = match statat(&handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => continue,
            stat => stat.map_err(FilesError::io("look at", &path))?,
        };
        if rest.is_empty() {
            if tree.shows(&path, &stat)? {
                found.push(path);
            }
        } else if is_folder(&stat) {
            matches(tree, path, rest, found)?;
        }
    }
    Ok(())
}

/// What is at a path, links followed.
fn root(tree: &Tree, path: &[u8]) -> Result<Root> {
    let Some((found, stat)) = tree.find(path, true)? else { return Err(missing(tree, path)) };
    let name = parts(path).next_back().unwrap_or_default().to_vec();
    if CString::new(name.as_slice()).is_err() {
        return Err(missing(tree, path));
    }
    let kind =
        if is_folder(&stat) { RootKind::Folder(found.path) } else { RootKind::Other(found.path) };
    Ok(Root { name, kind })
}

pub(super) fn missing(tree: &Tree, path: &[u8]) -> FilesError {
    let path = shown(path);
    if tree.is_context() {
        FilesError::NotInContext { path }
    } else {
        FilesError::NotInRoot { path }
    }
}

/// From the root, without `.` and `..`, and without a slash at either end.
fn clean(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(out.pop()),
            part => out.push(part),
        }
    }
    out.join("/")
}
