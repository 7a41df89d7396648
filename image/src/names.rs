//! What an unqualified name may mean: aliases and the registries searched.
//!
//! # How it works
//!
//! A name that begins with a registry means itself. Otherwise the repository as
//! typed is looked up among the aliases; failing that it is tried in each of the
//! search registries in turn, or in `docker.io` alone when none are configured.
//!
//! # Not here
//!
//! The settings file: the caller reads it and fills in [`NameRules`].

use std::collections::BTreeMap;

use crate::reference::{Reference, ReferenceError, has_domain};

/// How names without a registry are completed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameRules {
    /// Short repository name to full one: `tool` to `ghcr.io/acme/tool`. The target
    /// may carry a tag, used when the typed name has neither tag nor digest.
    pub aliases: BTreeMap<String, String>,
    /// Registries searched in order, instead of `docker.io` alone.
    pub search_registries: Vec<String>,
}

impl NameRules {
    /// The one name to use where nothing is looked up: tagging, listing, removing.
    ///
    /// Adds no default tag.
    pub fn resolve(&self, input: &str) -> Result<Reference, ReferenceError> {
        let mut candidates = self.candidates(input)?;
        Ok(candidates.swap_remove(0))
    }

    /// The names to try in order when looking up `input`; never empty.
    ///
    /// Adds no default tag.
    pub fn candidates(&self, input: &str) -> Result<Vec<Reference>, ReferenceError> {
        let plain = Reference::parse(input)?;
        if has_domain(input) {
            return Ok(vec![plain]);
        }
        let typed_repository = typed_repository(input);
        if let Some(target) = self.aliases.get(typed_repository) {
            return Ok(vec![alias_target(typed_repository, target, &plain)?]);
        }
        if self.search_registries.is_empty() {
            return Ok(vec![plain]);
        }
        self.search_registries
            .iter()
            .map(|registry| Reference::parse(&format!("{registry}/{input}")))
            .collect()
    }
}

/// `input` without its tag and digest.
fn typed_repository(input: &str) -> &str {
    let named = input.split_once('@').map_or(input, |(named, _)| named);
    named.split_once(':').map_or(named, |(path, _)| path)
}

fn alias_target(alias: &str, target: &str, typed: &Reference) -> Result<Reference, ReferenceError> {
    let bad = || ReferenceError::BadAlias { alias: alias.to_owned(), target: target.to_owned() };
    let full = Reference::parse(target).map_err(|_| bad())?;
    if full.digest().is_some() {
        return Err(bad());
    }
    if typed.is_name_only() {
        return Ok(full);
    }
    let mut name = full.repository();
    if let Some(tag) = typed.tag() {
        name = format!("{name}:{tag}");
    }
    if let Some(digest) = typed.digest() {
        name = format!("{name}@{digest}");
    }
    Reference::parse(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> NameRules {
        NameRules {
            aliases: BTreeMap::from([
                ("tool".to_owned(), "ghcr.io/acme/tool".to_owned()),
                ("pinned".to_owned(), "ghcr.io/acme/pinned:v1".to_owned()),
                ("broken".to_owned(), "NOT A NAME".to_owned()),
            ]),
            search_registries: vec!["quay.io".to_owned(), "docker.io".to_owned()],
        }
    }

    fn names(rules: &NameRules, input: &str) -> Vec<String> {
        rules.candidates(input).unwrap().iter().map(Reference::to_string).collect()
    }

    #[test]
    fn without_rules_docker_hub_is_meant() {
        assert_eq!(names(&NameRules::default(), "alpine"), ["docker.io/library/alpine"]);
    }

    #[test]
    fn an_alias_keeps_what_was_typed_after_the_name() {
        assert_eq!(names(&rules(), "tool"), ["ghcr.io/acme/tool"]);
        assert_eq!(names(&rules(), "tool:2"), ["ghcr.io/acme/tool:2"]);
        assert_eq!(names(&rules(), "pinned"), ["ghcr.io/acme/pinned:v1"]);
        assert_eq!(names(&rules(), "pinned:v2"), ["ghcr.io/acme/pinned:v2"]);
    }

    #[test]
    fn a_broken_alias_is_named() {
        assert_eq!(
            rules().resolve("broken").unwrap_err().to_string(),
            "alias `broken` does not lead to a full image name: `NOT A NAME`"
        );
    }

    #[test]
    fn search_registries_are_tried_in_order() {
        assert_eq!(names(&rules(), "x:1"), ["quay.io/x:1", "docker.io/library/x:1"]);
        assert_eq!(names(&rules(), "u/x"), ["quay.io/u/x", "docker.io/u/x"]);
        assert_eq!(rules().resolve("x:1").unwrap().to_string(), "quay.io/x:1");
    }

    #[test]
    fn a_name_with_a_registry_means_itself() {
        assert_eq!(names(&rules(), "localhost/tool"), ["localhost/tool"]);
        assert_eq!(names(&rules(), "docker.io/tool"), ["docker.io/library/tool"]);
    }
}
