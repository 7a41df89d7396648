//! Image names: from what a user types to a registry, a repository, a tag and a digest.
//!
//! # How it works
//!
//! The grammar is that of Docker names. The part before the first `/` is a
//! registry only when it is `localhost`, contains `.` or `:`, or has an upper-case
//! letter; otherwise the name belongs to `docker.io`, and a single word to its
//! `library`. A [`Reference`] is always complete; [`Reference::familiar`] gives the
//! short form that is shown to people.
//!
//! # Limits
//!
//! A repository path has at most 255 bytes, a tag at most 128.
//! Digests are `sha256` only, which is what the store can verify.
//!
//! # Not here
//!
//! Which registries an unqualified name is looked up in is decided by
//! [`crate::names`]. Image ids are not names: 64 hexadecimal digits are refused.

use std::fmt;
use std::str::FromStr;

/// The registry of names that give none.
pub const DEFAULT_DOMAIN: &str = "docker.io";
/// The tag of names that give neither tag nor digest.
pub const DEFAULT_TAG: &str = "latest";
/// Longest repository path, in bytes.
const PATH_MAX: usize = 255;
/// Longest tag, in bytes.
const TAG_MAX: usize = 128;

const LEGACY_DEFAULT_DOMAIN: &str = "index.docker.io";
const OFFICIAL_PREFIX: &str = "library/";
const SHA256_HEX_LEN: usize = 64;

/// Why a name was refused. The messages are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    #[error("invalid reference format")]
    Format,

    #[error("invalid reference format: repository name ({name}) must be lowercase")]
    Uppercase { name: String },

    #[error("repository name must not be more than {PATH_MAX} characters")]
    TooLong,

    #[error("invalid repository name ({name}), cannot specify 64-byte hexadecimal strings")]
    LooksLikeId { name: String },

    #[error("unsupported digest algorithm")]
    DigestAlgorithm,

    #[error("invalid checksum digest length")]
    DigestLength,

    #[error("invalid checksum digest format")]
    DigestFormat,

    #[error("alias `{alias}` does not lead to a full image name: `{target}`")]
    BadAlias { alias: String, target: String },
}

/// A complete image name: registry, repository path and, if given, tag and digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Reference {
    /// Reads a name in its short or full form; adds neither tag nor digest.
    pub fn parse(input: &str) -> Result<Self, ReferenceError> {
        if is_image_id(input) {
            return Err(ReferenceError::LooksLikeId { name: input.to_owned() });
        }
        let (domain, remainder) = split_domain(input);
        let remote = remainder.split_once(':').map_or(&*remainder, |(name, _)| name);
        if remote.chars().any(char::is_uppercase) {
            return Err(ReferenceError::Uppercase { name: remote.to_owned() });
        }

        let (named, digest) = match remainder.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (&*remainder, None),
        };
        let (path, tag) = match named.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (named, None),
        };
        if !is_domain(&domain) || !is_path(path) || !tag.is_none_or(is_tag) {
            return Err(ReferenceError::Format);
        }
        if path.len() > PATH_MAX {
            return Err(ReferenceError::TooLong);
        }
        if let Some(digest) = digest {
            check_digest(digest)?;
        }
        Ok(Self {
            domain,
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// The registry, with its port: `docker.io`, `localhost:5000`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The repository within the registry: `library/alpine`.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest with its algorithm: `sha256:…`.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// Whether neither a tag nor a digest was given.
    pub fn is_name_only(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }

    /// The same name with `latest` if it has neither tag nor digest.
    #[must_use]
    pub fn with_default_tag(mut self) -> Self {
        if self.is_name_only() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// The same repository with this tag and no digest.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ReferenceError> {
        if !is_tag(tag) {
            return Err(ReferenceError::Format);
        }
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// The same repository with this digest and no tag.
    pub fn with_digest(&self, digest: &str) -> Result<Self, ReferenceError> {
        check_digest(digest)?;
        Ok(Self { tag: None, digest: Some(digest.to_owned()), ..self.clone() })
    }

    /// The repository alone.
    #[must_use]
    pub fn without_tag_and_digest(&self) -> Self {
        Self { tag: None, digest: None, ..self.clone() }
    }

    /// Registry and path: `docker.io/library/alpine`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The repository as people write it: `alpine`, `user/app`, `ghcr.io/a/b`.
    pub fn familiar_repository(&self) -> String {
        if self.domain != DEFAULT_DOMAIN {
            return self.repository();
        }
        match self.path.strip_prefix(OFFICIAL_PREFIX) {
            Some(rest) if !rest.contains('/') => rest.to_owned(),
            _ => self.path.clone(),
        }
    }

    /// The whole name as people write it: `alpine:3.20`.
    pub fn familiar(&self) -> String {
        self.with_suffix(self.familiar_repository())
    }

    fn with_suffix(&self, mut name: String) -> String {
        if let Some(tag) = &self.tag {
            name.push(':');
            name.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            name.push('@');
            name.push_str(digest);
        }
        name
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_suffix(self.repository()))
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        Self::parse(input)
    }
}

/// Whether the first component of `input` names a registry.
pub(crate) fn has_domain(input: &str) -> bool {
    input.split_once('/').is_some_and(|(first, _)| names_registry(first))
}

fn names_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase)
}

fn split_domain(input: &str) -> (String, String) {
    let (domain, remote) = match input.split_once('/') {
        Some((LEGACY_DEFAULT_DOMAIN, rest)) => (DEFAULT_DOMAIN, rest),
        Some((first, rest)) if names_registry(first) => (first, rest),
        _ => (DEFAULT_DOMAIN, input),
    };
    if domain == DEFAULT_DOMAIN && !remote.contains('/') {
        return (domain.to_owned(), format!("{OFFICIAL_PREFIX}{remote}"));
    }
    (domain.to_owned(), remote.to_owned())
}

fn is_image_id(input: &str) -> bool {
    input.len() == SHA256_HEX_LEN && is_lower_hex(input)
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `host[:port]`, where the host is a DNS name, an IPv4 address or `[IPv6]`.
fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.strip_prefix('[') {
        Some(rest) => {
            let Some((address, after)) = rest.split_once(']') else { return false };
            if address.is_empty() || !address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') {
                return false;
            }
            match after.strip_prefix(':') {
                None => return after.is_empty(),
                Some(port) => ("v6", Some(port)),
            }
        }
        None => match domain.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (domain, None),
        },
    };
    let port_ok = port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    port_ok && host.split('.').all(is_domain_component)
}

fn is_domain_component(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('-')
        && !part.ends_with('-')
        && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_path(path: &str) -> bool {
    path.split('/').all(is_path_component)
}

/// Runs of lower-case letters and digits joined by `.`, `_`, `__` or any number of `-`.
fn is_path_component(part: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    if !alphanumeric(first) || !alphanumeric(last) {
        return false;
    }
    part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .filter(|separator| !separator.is_empty())
        .all(|separator| {
            matches!(separator, "." | "_" | "__") || separator.bytes().all(|b| b == b'-')
        })
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= TAG_MAX
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

fn check_digest(digest: &str) -> Result<(), ReferenceError> {
    let (algorithm, hex) = digest.split_once(':').ok_or(ReferenceError::Format)?;
    let algorithm_ok = algorithm.split(['-', '_', '+', '.']).all(|part| {
        part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    if !algorithm_ok || hex.len() < 32 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(ReferenceError::Format);
    }
    if algorithm != "sha256" {
        return Err(ReferenceError::DigestAlgorithm);
    }
    if hex.len() != SHA256_HEX_LEN {
        return Err(ReferenceError::DigestLength);
    }
    if !is_lower_hex(hex) {
        return Err(ReferenceError::DigestFormat);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "d840877d3f42942d323373cfd6c49b7d26ce46b97cc486b82dc1015d8a487f53";

    fn full(input: &str) -> String {
        Reference::parse(input).unwrap().with_default_tag().to_string()
    }

    fn refused(input: &str) -> String {
        Reference::parse(input).unwrap_err().to_string()
    }

    #[test]
    fn short_names_belong_to_docker_hub() {
        assert_eq!(full("alpine"), "docker.io/library/alpine:latest");
        assert_eq!(full("alpine:3.20"), "docker.io/library/alpine:3.20");
        assert_eq!(full("user/app"), "docker.io/user/app:latest");
        assert_eq!(full("a/b/c"), "docker.io/a/b/c:latest");
        assert_eq!(full("docker.io/alpine"), "docker.io/library/alpine:latest");
        assert_eq!(full("index.docker.io/alpine"), "docker.io/library/alpine:latest");
    }

    #[test]
    fn a_registry_has_a_dot_a_port_an_upper_case_letter_or_is_localhost() {
        assert_eq!(full("localhost/a"), "localhost/a:latest");
        assert_eq!(full("localhost:5000/a/b:v1"), "localhost:5000/a/b:v1");
        assert_eq!(full("127.0.0.1:5000/h:1"), "127.0.0.1:5000/h:1");
        assert_eq!(full("[::1]:5000/x"), "[::1]:5000/x:latest");
        assert_eq!(full("[2001:db8::1]/x"), "[2001:db8::1]/x:latest");
        assert_eq!(full("Host/x"), "Host/x:latest");
        assert_eq!(full("xn--bcher-kva.example/x"), "xn--bcher-kva.example/x:latest");
        // Without a slash, `host:port` is a name and a tag.
        assert_eq!(full("localhost:5000"), "docker.io/library/localhost:5000");
        assert!(has_domain("localhost/a"));
        assert!(!has_domain("user/app"));
        assert!(!has_domain("alpine"));
    }

    #[test]
    fn tag_and_digest_may_both_be_given() {
        let both = Reference::parse(&format!("127.0.0.1:5000/h:1@sha256:{HEX}")).unwrap();
        assert_eq!(both.domain(), "127.0.0.1:5000");
        assert_eq!(both.path(), "h");
        assert_eq!(both.tag(), Some("1"));
        assert_eq!(both.digest(), Some(&*format!("sha256:{HEX}")));
        assert_eq!(both.to_string(), format!("127.0.0.1:5000/h:1@sha256:{HEX}"));

        let digest = Reference::parse(&format!("alpine@sha256:{HEX}")).unwrap();
        assert_eq!(digest.clone().with_default_tag(), digest);
        assert_eq!(digest.familiar(), format!("alpine@sha256:{HEX}"));
    }

    #[test]
    fn familiar_names_leave_out_what_is_implied() {
        let familiar = |input: &str| Reference::parse(input).unwrap().familiar();
        assert_eq!(familiar("docker.io/library/alpine:3"), "alpine:3");
        assert_eq!(familiar("docker.io/user/app"), "user/app");
        assert_eq!(familiar("docker.io/library/a/b"), "library/a/b");
        assert_eq!(familiar("ghcr.io/library/a"), "ghcr.io/library/a");
    }

    #[test]
    fn refusals_read_as_docker_says_them() {
        assert_eq!(
            refused("BAD"),
            "invalid reference format: repository name (library/BAD) must be lowercase"
        );
        assert_eq!(
            refused("localhost/Bad:1"),
            "invalid reference format: repository name (Bad) must be lowercase"
        );
        for bad in [
            "",
            "x:bad tag",
            "x:",
            ":x",
            "a//b",
            "/a",
            "a/",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a._b",
            "x@sha256",
            "x@sha256:12",
            "x@y",
            "x:a:b",
            "a_b.c/x",
            "-h.io/x",
            "h.io:/x",
            "[::1/x",
            "[]/x",
            "[::1]5/x",
            "x:.a",
            "x:-a",
        ] {
            assert_eq!(refused(bad), "invalid reference format", "{bad}");
        }
        assert_eq!(
            refused(HEX),
            format!("invalid repository name ({HEX}), cannot specify 64-byte hexadecimal strings")
        );
        assert_eq!(refused(&format!("x@sha256:{}", &HEX[..32])), "invalid checksum digest length");
        assert_eq!(
            refused(&format!("x@sha256:{}", HEX.to_uppercase())),
            "invalid checksum digest format"
        );
        assert_eq!(refused(&format!("x@md5:{}", &HEX[..32])), "unsupported digest algorithm");
    }

    #[test]
    fn separators_within_a_path() {
        for good in ["a.b", "a_b", "a__b", "a-b", "a---b", "a-b__c.d1", "0"] {
            assert_eq!(full(good), format!("docker.io/library/{good}:latest"));
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let tag = "t".repeat(TAG_MAX);
        assert_eq!(full(&format!("x:{tag}")), format!("docker.io/library/x:{tag}"));
        assert_eq!(refused(&format!("x:{tag}t")), "invalid reference format");
        let path = format!("h.io/{}", "p".repeat(PATH_MAX));
        assert!(Reference::parse(&path).is_ok());
        assert_eq!(
            refused(&format!("{path}p")),
            "repository name must not be more than 255 characters"
        );
    }

    #[test]
    fn changing_tag_and_digest() {
        let named = Reference::parse("h.io/x:1").unwrap();
        assert_eq!(named.with_tag("2").unwrap().to_string(), "h.io/x:2");
        assert_eq!(named.with_tag("no good").unwrap_err(), ReferenceError::Format);
        let digest = format!("sha256:{HEX}");
        assert_eq!(named.with_digest(&digest).unwrap().to_string(), format!("h.io/x@{digest}"));
        assert_eq!(named.without_tag_and_digest().to_string(), "h.io/x");
        assert!(named.without_tag_and_digest().is_name_only());
    }
}
