//! `COPY` and `ADD`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::flags::{Flags, Known, Takes};
use crate::dockerfile::{Line, heredoc, without_tabs};
use crate::source::Fault;

/// What goes where, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copy {
    pub paths: Paths,
    /// A stage, an image or a named context; the build context when there is none.
    pub from: Option<String>,
    pub chown: String,
    pub chmod: String,
    pub link: bool,
    pub parents: bool,
    pub exclude: Vec<String>,
    /// Only of `ADD`, as all below.
    pub checksum: String,
    pub keep_git_dir: Option<bool>,
    pub unpack: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    pub sources: Vec<String>,
    pub contents: Vec<Content>,
    pub destination: String,
}

/// A file whose content stands in the Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub name: String,
    pub text: Arc<str>,
    pub expands: bool,
}

const ADD: &Known = &[
    ("chown", Takes::Text),
    ("chmod", Takes::Text),
    ("link", Takes::Bool),
    ("keep-git-dir", Takes::Bool),
    ("checksum", Takes::Text),
    ("unpack", Takes::Bool),
    ("exclude", Takes::Texts),
];

const COPY: &Known = &[
    ("chown", Takes::Text),
    ("from", Takes::Text),
    ("chmod", Takes::Text),
    ("link", Takes::Bool),
    ("exclude", Takes::Texts),
    ("parents", Takes::Bool),
];

pub(super) fn add(line: &Line) -> Result<Copy, Fault> {
    read(line, "ADD", ADD)
}

pub(super) fn copy(line: &Line) -> Result<Copy, Fault> {
    read(line, "COPY", COPY)
}

fn read(line: &Line, instruction: &str, known: &Known) -> Result<Copy, Fault> {
    if line.arguments.words().len() < 2 {
        return Err(Fault::new(format!(
            "{instruction} requires at least two arguments, but only one was provided. \
             Destination could not be determined"
        )));
    }
    let flags = Flags::read(&line.flags, known)?;
    Ok(Copy {
        paths: paths(line, instruction)?,
        from: flags.owned("from").filter(|from| !from.is_empty()),
        chown: flags.owned("chown").unwrap_or_default(),
        chmod: flags.owned("chmod").unwrap_or_default(),
        link: flags.switch("link").unwrap_or_default(),
        parents: flags.switch("parents").unwrap_or_default(),
        exclude: flags.texts("exclude"),
        checksum: flags.owned("checksum").unwrap_or_default(),
        keep_git_dir: flags.switch("keep-git-dir"),
        unpack: flags.switch("unpack"),
    })
}

fn paths(line: &Line, instruction: &str) -> Result<Paths, Fault> {
    let read = |word: &str| heredoc(word).ok().flatten();
    let Some((destination, sources)) = line.arguments.words().split_last() else {
        return Ok(Paths::default());
    };
    if read(destination).is_some() {
        let why = format!("{instruction} cannot accept a heredoc as a destination");
        return Err(Fault::new(why));
    }
    let mut texts: BTreeMap<(Option<usize>, bool), Arc<str>> = BTreeMap::new();
    let mut paths = Paths { destination: destination.clone(), ..Paths::default() };
    for source in sources {
        let Some(found) = read(source) else {
            paths.sources.push(source.clone());
            continue;
        };
        // The same body may be named again and again.
        let body = line.heredocs.iter().rposition(|body| body.name == found.name);
        let text = texts.entry((body, found.strips_tabs)).or_insert_with(|| {
            let text = body.map_or("", |body| line.heredocs[body].content.as_str());
            if found.strips_tabs { without_tabs(text).into() } else { text.into() }
        });
        paths.contents.push(Content {
            text: Arc::clone(text),
            name: found.name,
            expands: found.expands,
        });
    }
    Ok(paths)
}
