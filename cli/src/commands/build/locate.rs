//! The context of a build and its Dockerfile: what the argument and `--file` name together.
//!
//! # How it works
//!
//! What is found is a folder with a Dockerfile, or a Dockerfile alone. An archive, a repository and what a URL names
//! are fetched first, into a folder that goes with the build ([`Fetched`]).

use std::io::Read;
use std::path::Path;

use coracle_builder::flags::contexts::{self, Place};
use coracle_builder::request::{Context, Dockerfile};

use super::args::failed;
use super::dockerfile::{self, Unread};
use super::wanted::{absolute, bad};
use crate::error::CliError;

/// What is built.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) context: Context,
    pub(crate) dockerfile: Dockerfile,
}

/// Why there is nothing to build.
#[derive(Debug)]
pub(crate) enum Missing {
    /// Nothing has begun.
    Early(CliError),
    Dockerfile(Unread),
}

impl From<CliError> for Missing {
    fn from(error: CliError) -> Self {
        Self::Early(error)
    }
}

impl From<Unread> for Missing {
    fn from(unread: Unread) -> Self {
        Self::Dockerfile(unread)
    }
}

impl From<Missing> for CliError {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Early(error) => error,
            Missing::Dockerfile(unread) => unread.into(),
        }
    }
}

/// Bytes that tell an archive from a text.
const BEGINNING: u64 = 512;

/// Finds what `context` and `file` name.
pub(crate) fn locate(
    context: &str,
    file: Option<&str>,
    input: &mut dyn Read,
) -> Result<Located, Missing> {
    let file = file.filter(|file| !file.is_empty());
    if context == "-" {
        return from_input(file, input);
    }
    let folder = Path::new(context);
    if !folder.is_dir() {
        return match contexts::place(context).map_err(bad)? {
            Place::Git(_) | Place::Http(_) => {
                let why = "contexts are folders and standard input";
                Err(CliError::unsupported(context, why).into())
            }
            _ => {
                let words = format!("unable to prepare context: path {context:?} not found");
                Err(failed(&words).into())
            }
        };
    }
    let dockerfile = match file {
        Some("-") => {
            dockerfile::of_bytes(dockerfile::from(input)?, "stdin", dockerfile::ignore_of(folder))
        }
        Some(file) => dockerfile::of_folder(folder, Some(Path::new(file)))?,
        None => dockerfile::of_folder(folder, None)?,
    };
    Ok(Located { context: Context::Folder(absolute(folder)?), dockerfile })
}

/// A Dockerfile alone, or an archive with one in it.
fn from_input(file: Option<&str>, input: &mut dyn Read) -> Result<Located, Missing> {
    if file == Some("-") {
        let why = "invalid argument: can't use stdin for both build context and dockerfile";
        return Err(failed(why).into());
    }
    let mut beginning = Vec::new();
    let read = Read::take(&mut *input, BEGINNING).read_to_end(&mut beginning);
    read.map_err(|error| failed(&format!("failed to peek context header from STDIN: {error}")))?;
    if beginning.is_empty() {
        return Err(Unread {
            name: dockerfile::NAME.to_owned(),
            why: "no local sources enabled".to_owned(),
            no_source: true,
        }
        .into());
    }
    if dockerfile::is_archive(&beginning) {
        let why = "contexts are folders";
        return Err(CliError::unsupported("an archive on standard input", why).into());
    }
    if file.is_some() {
        let why = "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles";
        return Err(failed(why).into());
    }
    let bytes = dockerfile::from(&mut beginning.as_slice().chain(input))?;
    let dockerfile = dockerfile::of_bytes(bytes, dockerfile::NAME, None);
    Ok(Located { context: Context::Nothing, dockerfile })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(context: &str, file: Option<&str>, input: &str) -> String {
        CliError::from(locate(context, file, &mut input.as_bytes()).unwrap_err()).message
    }

    #[test]
    fn standard_input_is_one_thing() {
        let alone = locate("-", None, &mut "FROM a\n".as_bytes()).unwrap();
        assert_eq!((alone.context, alone.dockerfile.text.as_str()), (Context::Nothing, "FROM a\n"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".dockerignore"), "x\n").unwrap();
        let context = folder.path().to_string_lossy();
        let beside = locate(&context, Some("-"), &mut "FROM b\n".as_bytes()).unwrap();
        assert_eq!(beside.context, Context::Folder(folder.path().to_owned()));
        assert_eq!(beside.dockerfile.ignore.as_deref(), Some("x\n"));
        assert!(why("-", Some("-"), "").contains("can't use stdin for both"));
        assert!(why("-", Some("x"), "FROM a\n").contains("ambiguous Dockerfile source"));
        assert!(
            why("-", None, "").ends_with("failed to read dockerfile: no local sources enabled")
        );
    }

    #[test]
    fn places_that_are_none() {
        assert_eq!(
            why("nosuchdir", None, ""),
            "ERROR: failed to build: unable to prepare context: path \"nosuchdir\" not found"
        );
        assert!(why("https://h/r.git", None, "").contains("not supported"));
    }
}
