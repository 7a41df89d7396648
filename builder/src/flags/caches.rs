//! `--cache-from` and `--cache-to`: names of images, or `type=KIND,KEY=VALUE…`.

use std::path::PathBuf;

use coracle_image::Reference;

use super::{FlagError, attributes, truth};
use crate::instruction::fields;
use crate::request::{CacheKind, CachePlace};

/// Which way a cache goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    From,
    To,
}

impl Way {
    fn flag(self) -> &'static str {
        match self {
            Self::From => "--cache-from",
            Self::To => "--cache-to",
        }
    }

    /// As messages call it.
    fn who(self) -> &'static str {
        match self {
            Self::From => "importer",
            Self::To => "exporter",
        }
    }
}

/// Reads a value of `--cache-from`: one place, or several names.
pub fn cache_from(text: &str) -> Result<Vec<CachePlace>, FlagError> {
    places(text, Way::From)
}

/// Reads a value of `--cache-to`.
pub fn cache_to(text: &str) -> Result<Vec<CachePlace>, FlagError> {
    places(text, Way::To)
}

fn places(text: &str, way: Way) -> Result<Vec<CachePlace>, FlagError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let names = fields(text).map_err(|fault| FlagError::Bad(fault.message))?;
    if names.iter().all(|name| !name.contains('=')) {
        let place = |name: &String| {
            Ok(CachePlace {
                kind: CacheKind::Registry(reference(name)?),
                whole: false,
                ignores_errors: false,
            })
        };
        return names.iter().map(place).collect();
    }
    place(text, way).map(|place| vec![place])
}

fn place(text: &str, way: Way) -> Result<CachePlace, FlagError> {
    let (mut kind, mut path, mut name) = (String::new(), String::new(), String::new());
    let (mut whole, mut ignores_errors, mut has_token) = (false, false, false);
    let flag = way.flag();
    for (key, value) in attributes(text)? {
        match (key.as_str(), way) {
            ("type", _) => kind = value,
            ("src", Way::From) | ("dest", Way::To) => path = value,
            ("ref", _) => name = value,
            ("token", _) if kind == "gha" => has_token = !value.is_empty(),
            ("mode", Way::To) => {
                whole = match value.as_str() {
                    "max" => true,
                    "min" => false,
                    other => return Err(FlagError::Bad(format!("invalid cache mode {other:?}"))),
                }
            }
            ("ignore-error", Way::To) => ignores_errors = truth(flag, &key, &value)?,
            ("image-manifest" | "oci-mediatypes", Way::To) if truth(flag, &key, &value)? => {}
            ("force-compression", Way::To) if !truth(flag, &key, &value)? => {}
            ("compression", Way::To) if value == "gzip" => {}
            // Of kinds that are refused, or unknown, below.
            _ if !matches!(kind.as_str(), "local" | "registry" | "inline") => {}
            (key, _) => {
                let what = format!("{flag} {key}={value}");
                return Err(FlagError::unsupported(what, "caches have no such option here"));
            }
        }
    }
    let who = way.who();
    let kind = match kind.as_str() {
        "" => return Err(FlagError::Bad(format!("type required form> {text:?}"))),
        "local" if path.is_empty() => {
            let key = if way == Way::From { "src" } else { "dest" };
            return Err(FlagError::Bad(format!("local cache {who} requires {key}")));
        }
        "local" => CacheKind::Local(PathBuf::from(path)),
        "registry" if name.is_empty() => {
            return Err(FlagError::Bad(format!("registry cache {who} requires ref")));
        }
        "registry" => CacheKind::Registry(reference(&name)?),
        "inline" if way == Way::To => CacheKind::Inline,
        "gha" => CacheKind::Actions { has_token },
        "s3" | "azblob" => {
            let what = format!("{flag} type={kind}");
            let why = "caches are kept in folders and registries: type=local, type=registry";
            return Err(FlagError::unsupported(what, why));
        }
        other => {
            return Err(FlagError::Bad(format!("failed to solve: unknown cache {who}: {other:?}")));
        }
    };
    Ok(CachePlace { kind, whole, ignores_errors })
}

fn reference(text: &str) -> Result<Reference, FlagError> {
    let name = Reference::parse(text)
        .map_err(|error| FlagError::Bad(format!("invalid cache reference {text:?}: {error}")))?;
    Ok(if name.digest().is_some() { name } else { name.with_default_tag() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_alone_are_images() {
        let places = cache_from("b1,b2:x").unwrap();
        let kinds: Vec<_> = places.into_iter().map(|place| place.kind).collect();
        assert_eq!(
            kinds,
            ["b1:latest", "b2:x"].map(|name| CacheKind::Registry(Reference::parse(name).unwrap()))
        );
    }

    #[test]
    fn places_and_modes() {
        let one = |text: &str| cache_to(text).unwrap().pop().unwrap();
        let local =
            CachePlace { kind: CacheKind::Local("c".into()), whole: true, ignores_errors: true };
        assert_eq!(one("type=local,dest=c,mode=max,ignore-error=true"), local);
        assert_eq!(one("type=inline").kind, CacheKind::Inline);
        assert_eq!(cache_from("type=local,src=c").unwrap()[0].kind, CacheKind::Local("c".into()));
        let actions = |has_token| CacheKind::Actions { has_token };
        assert_eq!(one("type=gha,mode=max").kind, actions(false));
        assert_eq!(cache_from("type=gha,token=t").unwrap()[0].kind, actions(true));
    }

    #[test]
    fn what_is_wrong() {
        let to = |text| cache_to(text).unwrap_err().to_string();
        assert_eq!(to("type=local"), "local cache exporter requires dest");
        assert_eq!(to("type=bogus,a=b"), "failed to solve: unknown cache exporter: \"bogus\"");
        assert!(to("type=s3,bucket=b").contains("type=s3: not supported"));
        assert!(to("type=local,dest=c,x=y").contains("--cache-to x=y: not supported"));
        let from = |text| cache_from(text).unwrap_err().to_string();
        assert_eq!(from("type=local"), "local cache importer requires src");
        assert_eq!(from("type=registry"), "registry cache importer requires ref");
    }
}
