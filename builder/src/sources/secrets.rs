//! Secrets of a build: read once, bounded, wiped when they are no longer needed.
//!
//! # How it works
//!
//! [`read`] gives the content for a step that has it mounted; it goes to the container in memory alone. Files of web
//! servers and repositories take theirs by the names that BuildKit has for them: `HTTP_AUTH_HEADER_HOST` and
//! `HTTP_AUTH_TOKEN_HOST`, `GIT_AUTH_HEADER` and `GIT_AUTH_TOKEN`, those with `.HOST` first.
//!
//! # Not here
//!
//! A secret is in no key: another value does not make a step be done again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use zeroize::Zeroizing;

use super::error::SourceError;
use super::git_url::GitUrl;
use super::http::host_name;
use crate::limits::SECRET_BYTES_MAX;
use crate::request::Secret;

/// Secrets by their ids.
pub type Secrets = BTreeMap<String, Secret>;

/// The content of a secret.
///
/// # Errors
/// It is a file that cannot be read, or too big.
pub fn read(id: &str, secret: &Secret) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let content = match secret {
        Secret::Value(value) => Zeroizing::new(value.clone()),
        Secret::File(path) => {
            let failed = |source| SourceError::Secret { id: id.to_owned(), source };
            // At once as large as it may get: growing would leave copies behind.
            let mut content = Zeroizing::new(Vec::with_capacity(SECRET_BYTES_MAX + 1));
            let limit = SECRET_BYTES_MAX as u64 + 1;
            let file = File::open(path).map_err(failed)?;
            file.take(limit).read_to_end(&mut content).map_err(failed)?;
            content
        }
    };
    if content.len() > SECRET_BYTES_MAX {
        return Err(SourceError::SecretTooBig { id: id.to_owned() });
    }
    Ok(content)
}

/// What a web server is shown.
///
/// # Errors
/// There is a secret for it that cannot be read.
pub fn for_address(
    url: &str,
    secrets: &Secrets,
) -> Result<Option<coracle_image::Secret>, SourceError> {
    let host = host_name(url).unwrap_or_default();
    // The later counts more.
    match text(&format!("HTTP_AUTH_TOKEN_{host}"), secrets)? {
        Some(token) => Ok(Some(header(&format!("Bearer {}", *token)))),
        None => Ok(text(&format!("HTTP_AUTH_HEADER_{host}"), secrets)?.map(|text| header(&text))),
    }
}

/// What the server of a repository is shown.
///
/// # Errors
/// There is a secret for it that cannot be read.
pub fn for_repository(
    url: &GitUrl,
    secrets: &Secrets,
) -> Result<Option<coracle_image::Secret>, SourceError> {
    let host = url.host();
    for end in [format!(".{host}"), String::new()] {
        if let Some(text) = text(&format!("GIT_AUTH_HEADER{end}"), secrets)? {
            return Ok(Some(header(&text)));
        }
        if let Some(token) = text(&format!("GIT_AUTH_TOKEN{end}"), secrets)? {
            let user = Zeroizing::new(format!("x-access-token:{}", *token));
            return Ok(Some(header(&format!("basic {}", BASE64.encode(user.as_bytes())))));
        }
    }
    Ok(None)
}

fn header(text: &str) -> coracle_image::Secret {
    coracle_image::Secret::new(text)
}

fn text(id: &str, secrets: &Secrets) -> Result<Option<Zeroizing<String>>, SourceError> {
    let Some(secret) = secrets.get(id) else { return Ok(None) };
    let content = read(id, secret)?;
    let text = String::from_utf8_lossy(&content);
    // Editors end files with a new line, which no header has.
    Ok(Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Secret {
        Secret::Value(text.as_bytes().to_vec())
    }

    fn secrets(pairs: &[(&str, &str)]) -> Secrets {
        pairs.iter().map(|(id, text)| ((*id).to_owned(), value(text))).collect()
    }

    #[test]
    fn files_have_a_bound() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let secret = Secret::File(file.path().to_owned());
        std::fs::write(file.path(), vec![b'x'; SECRET_BYTES_MAX]).unwrap();
        assert_eq!(read("s", &secret).unwrap().len(), SECRET_BYTES_MAX);
        std::fs::write(file.path(), vec![b'x'; SECRET_BYTES_MAX + 1]).unwrap();
        let error = read("s", &secret).unwrap_err();
        assert_eq!(error.to_string(), "secret s too big. max size 512000 bytes");
        let error = read("s", &Secret::File("/nonexistent".into())).unwrap_err();
        assert_eq!(
            error.told().to_string(),
            "cannot read secret s: No such file or directory (os error 2)"
        );
        assert!(read("s", &Secret::File("/dev/zero".into())).is_err());
    }

    #[test]
    fn servers_have_secrets_by_their_names() {
        let of = |pairs: &[(&str, &str)], url: &str| {
            let secret = for_address(url, &secrets(pairs)).unwrap();
            secret.map(|secret| secret.reveal().to_owned())
        };
        let both = [("HTTP_AUTH_HEADER_h", "Basic x\n"), ("HTTP_AUTH_TOKEN_h", "t\n")];
        assert_eq!(of(&both, "https://h:8080/f").as_deref(), Some("Bearer t"));
        assert_eq!(of(&both[..1], "https://h/f").as_deref(), Some("Basic x"));
        assert_eq!(of(&both, "https://other/f"), None);
    }

    #[test]
    fn repositories_have_secrets_by_host_and_for_all() {
        let of = |pairs: &[(&str, &str)]| {
            let url = GitUrl::read("https://h:1/x.git").unwrap().unwrap();
            let secret = for_repository(&url, &secrets(pairs)).unwrap();
            secret.map(|secret| secret.reveal().to_owned())
        };
        let all = [("GIT_AUTH_TOKEN", "t"), ("GIT_AUTH_HEADER.h:1", "mine")];
        assert_eq!(of(&all).as_deref(), Some("mine"));
        assert_eq!(of(&all[..1]).as_deref(), Some("basic eC1hY2Nlc3MtdG9rZW46dA=="));
        assert_eq!(of(&[]), None);
    }
}
