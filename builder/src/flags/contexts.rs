//! Where a context may be: `--build-context NAME=PLACE`, and the place of a build.

use coracle_image::Reference;

use super::FlagError;
use crate::sources::git_url::GitUrl;

/// What the words of a place say; whether a folder is there is found out by whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Folder(String),
    /// `docker-image://NAME`.
    Image(Reference),
    Git(String),
    /// An archive, or a Dockerfile.
    Http(String),
    /// `target:NAME` of a bake file.
    Target(String),
}

/// Reads a value of `--build-context`.
pub fn named(text: &str) -> Result<(String, Place), FlagError> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), place(value)?)),
        None => Err(FlagError::Bad(format!("invalid context value: {text}, expected key=value"))),
    }
}

/// What kind of place it is.
pub fn place(text: &str) -> Result<Place, FlagError> {
    if let Some(name) = text.strip_prefix("docker-image://") {
        let bad = |error| FlagError::Bad(format!("invalid image context {text}: {error}"));
        let name = Reference::parse(name).map_err(bad)?;
        let is_pinned = name.digest().is_some();
        return Ok(Place::Image(if is_pinned { name } else { name.with_default_tag() }));
    }
    if let Some(name) = text.strip_prefix("target:") {
        return Ok(Place::Target(name.to_owned()));
    }
    if text.starts_with("oci-layout://") {
        let why = "an image for a build is in the store or a registry; `load` reads archives";
        return Err(FlagError::unsupported(text, why));
    }
    if GitUrl::read(text).map_err(|error| FlagError::Bad(error.to_string()))?.is_some() {
        return Ok(Place::Git(text.to_owned()));
    }
    Ok(match is_http(text) {
        true => Place::Http(text.to_owned()),
        false => Place::Folder(text.to_owned()),
    })
}

/// Whether it is the address of a repository, even if a wrong one.
pub fn is_git(text: &str) -> bool {
    !matches!(GitUrl::read(text), Ok(None))
}

fn is_http(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let at = |text| place(text).unwrap();
        assert_eq!(at("dir"), Place::Folder("dir".into()));
        assert_eq!(at("http://h/x.tar.gz"), Place::Http("http://h/x.tar.gz".into()));
        for git in ["https://h/r.git#v1:sub", "https://h/r.git?ref=v1", "git@h:r", "github.com/o/r"]
        {
            assert_eq!(at(git), Place::Git(git.into()), "{git}");
        }
        let image = Reference::parse("alpine:latest").unwrap();
        assert_eq!(at("docker-image://alpine"), Place::Image(image));
        assert_eq!(named("a=target:b").unwrap(), ("a".into(), Place::Target("b".into())));
        assert_eq!(
            named("x").unwrap_err().to_string(),
            "invalid context value: x, expected key=value"
        );
        assert!(place("oci-layout://d").unwrap_err().to_string().contains("not supported"));
    }
}
