//! The context of a build and its Dockerfile: what the argument and `--file` name together.
//!
//! # How it works
//!
//! What is found is a folder with a Dockerfile, or a Dockerfile alone. An archive, a repository and what a URL names
//! are fetched first, into a folder that goes with the build ([`Fetched`]).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use coracle_builder::flags::contexts::{self, Place};
use coracle_builder::request::{Context, Dockerfile};

use super::args::failed;
use super::dockerfile::{self, Unread};
use super::fetched::{Arrived, Fetcher, dockerfile_in};
use super::unpacked::Unpacked;
use super::wanted::{absolute, bad};
use crate::error::CliError;

/// What is built.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) context: Context,
    pub(crate) dockerfile: Dockerfile,
    /// They came from elsewhere.
    pub(crate) is_fetched: bool,
    /// When the context was last changed, where the one that it came from says so.
    pub(crate) modified: Option<i64>,
    /// The folder of a context that came as an archive goes with it.
    pub(crate) unpacked: Option<Unpacked>,
}

impl Located {
    /// With an empty folder where a Dockerfile came alone, as Docker has it.
    pub(crate) fn with_a_context(self, data: &Path) -> Result<Self, CliError> {
        if self.context != Context::Nothing {
            return Ok(self);
        }
        let empty = Unpacked::empty(data)?;
        let context = Context::Folder(empty.folder().to_owned());
        Ok(Self { context, unpacked: Some(empty), ..self })
    }
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
    fetcher: &mut Fetcher<'_>,
) -> Result<Located, Missing> {
    let file = file.filter(|file| !file.is_empty());
    if context == "-" {
        return from_input(file, input, fetcher);
    }
    let folder = Path::new(context);
    let mut located = match folder.is_dir() {
        true if file.is_some_and(|file| file == "-" || is_remote(file)) => Located {
            context: Context::Folder(absolute(folder)?),
            dockerfile: Dockerfile {
                ignore: dockerfile::ignore_of(folder),
                ..Dockerfile::default()
            },
            is_fetched: false,
            modified: None,
            unpacked: None,
        },
        true => Located {
            context: Context::Folder(absolute(folder)?),
            dockerfile: dockerfile::of_folder(folder, file.map(Path::new))?,
            is_fetched: false,
            modified: None,
            unpacked: None,
        },
        false => elsewhere(context, file, fetcher)?,
    };
    // One that is apart from its context.
    let bytes = match file {
        Some("-") => dockerfile::from(input)?,
        Some(url) if is_remote(url) => {
            let name = "[internal] load remote build definition";
            read(&fetcher.file(url, name, "failed to read dockerfile")?.path)?
        }
        Some(path) if located.is_fetched && path.starts_with('/') => {
            let found = dockerfile::of_folder(folder, Some(Path::new(path)))?;
            located.dockerfile = Dockerfile { ignore: None, ..found };
            return Ok(located);
        }
        _ => return Ok(located),
    };
    let path = if file == Some("-") { "stdin" } else { dockerfile::NAME };
    located.dockerfile = dockerfile::of_bytes(bytes, path, located.dockerfile.ignore.take());
    Ok(located)
}

fn is_remote(file: &str) -> bool {
    file.starts_with("http://") || file.starts_with("https://")
}

/// A repository, or what a web server has: an archive is a context, anything else a Dockerfile.
fn elsewhere(
    context: &str,
    file: Option<&str>,
    fetcher: &mut Fetcher<'_>,
) -> Result<Located, Missing> {
    let inside = file.filter(|file| *file != "-" && !is_remote(file) && !file.starts_with('/'));
    let is_apart = file.is_some() && inside.is_none();
    let Arrived { path: folder, modified } = match contexts::place(context).map_err(bad)? {
        Place::Git(address) => fetcher.repository(&address)?,
        Place::Http(address) => {
            let name = "[internal] load remote build context";
            let Arrived { path, modified } =
                fetcher.file(&address, name, "failed to read downloaded context")?;
            let bytes = read(&path)?;
            if dockerfile::is_archive(&bytes) {
                let mut archive = open(&path)?;
                let data = &fetcher.settings.data_root;
                let located = unpacked(Unpacked::make(&mut archive, data)?, inside, is_apart)?;
                return Ok(Located { modified, ..located });
            }
            let dockerfile = dockerfile::of_bytes(bytes, dockerfile::NAME, None);
            return Ok(Located {
                context: Context::Nothing,
                dockerfile,
                is_fetched: true,
                modified,
                unpacked: None,
            });
        }
        _ => {
            let words = format!("unable to prepare context: path {context:?} not found");
            return Err(failed(&words).into());
        }
    };
    Ok(Located { modified, ..fetched(folder, inside, is_apart)? })
}

/// What came as a folder; its Dockerfile, but where that is apart.
fn fetched(folder: PathBuf, inside: Option<&str>, is_apart: bool) -> Result<Located, Missing> {
    let dockerfile = match is_apart {
        true => Dockerfile::default(),
        false => dockerfile_in(&folder, inside)?,
    };
    let context = Context::Folder(folder);
    Ok(Located { context, dockerfile, is_fetched: true, modified: None, unpacked: None })
}

/// What came as an archive.
fn unpacked(unpacked: Unpacked, inside: Option<&str>, is_apart: bool) -> Result<Located, Missing> {
    let located = fetched(unpacked.folder().to_owned(), inside, is_apart)?;
    Ok(Located { unpacked: Some(unpacked), ..located })
}

/// As much as a Dockerfile may have, and a byte more.
fn read(path: &Path) -> Result<Vec<u8>, Missing> {
    Ok(dockerfile::from(&mut open(path)?)?)
}

fn open(path: &Path) -> Result<File, CliError> {
    File::open(path).map_err(|error| failed(&format!("cannot read {}: {error}", path.display())))
}

/// A Dockerfile alone, or an archive with one in it.
fn from_input(
    file: Option<&str>,
    input: &mut dyn Read,
    fetcher: &mut Fetcher<'_>,
) -> Result<Located, Missing> {
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
        let archive = &mut beginning.as_slice().chain(input);
        let data = fetcher.settings.data_root.clone();
        let name = "[internal] load remote build context";
        let made = fetcher.show(name, || Unpacked::make(archive, &data))?;
        return unpacked(made, file, false);
    }
    if file.is_some() {
        let why = "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles";
        return Err(failed(why).into());
    }
    let bytes = dockerfile::from(&mut beginning.as_slice().chain(input))?;
    let dockerfile = dockerfile::of_bytes(bytes, dockerfile::NAME, None);
    let context = Context::Nothing;
    Ok(Located { context, dockerfile, is_fetched: false, modified: None, unpacked: None })
}

#[cfg(test)]
mod tests {
    use coracle_builder::progress::{Event, Progress};
    use coracle_builder::request::BuildRequest;

    use super::*;
    use crate::settings::Settings;

    struct Silent;

    impl Progress for Silent {
        fn tell(&mut self, _: Event) {}
    }

    fn found(context: &str, file: Option<&str>, mut input: &[u8]) -> Result<Located, Missing> {
        let (settings, request) = (Settings::read().unwrap(), BuildRequest::default());
        let (settings, request, progress) = (&settings, &request, &mut Silent);
        let mut fetcher = Fetcher { settings, request, progress, told: 0 };
        locate(context, file, &mut input, &mut fetcher)
    }

    fn why(context: &str, file: Option<&str>, input: &str) -> String {
        CliError::from(found(context, file, input.as_bytes()).unwrap_err()).message
    }

    #[test]
    fn standard_input_is_one_thing() {
        let alone = found("-", None, b"FROM a\n").unwrap();
        assert_eq!((alone.context, alone.dockerfile.text.as_str()), (Context::Nothing, "FROM a\n"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".dockerignore"), "x\n").unwrap();
        let context = folder.path().to_string_lossy();
        let beside = found(&context, Some("-"), b"FROM b\n").unwrap();
        assert_eq!(beside.context, Context::Folder(folder.path().to_owned()));
        let file = beside.dockerfile;
        assert_eq!((file.ignore.as_deref(), file.text.as_str()), (Some("x\n"), "FROM b\n"));
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
    }
}
