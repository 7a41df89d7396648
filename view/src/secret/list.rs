//! The secrets or configs that a list has, and the one that is named.

use std::collections::BTreeMap;
use std::fmt;

use coracle_swarm::model::Secret;
use coracle_swarm::model::secret::named;
use coracle_swarm::state::State;
use coracle_words::{ErrorKind, natural};

use crate::ViewError;
use crate::filter::{Filter, Filters};
use crate::swarm::{begins, labelled, pick};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Secret,
    Config,
}

impl Kind {
    #[must_use]
    pub fn all(self, state: &State) -> &BTreeMap<String, Secret> {
        match self {
            Self::Secret => &state.secrets,
            Self::Config => &state.configs,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "secret",
            Self::Config => "config",
        })
    }
}

/// The one of an id, a name, the beginning of an id, or a name that it was rotated in for.
///
/// # Errors
/// When there is none, or more than one.
pub fn find<'a>(state: &'a State, kind: Kind, input: &str) -> Result<&'a Secret, ViewError> {
    let objects = kind.all(state);
    let all = objects.values().map(|one| (one.id.as_str(), one.spec.name.as_str(), one));
    match pick(&kind.to_string(), all, input) {
        Err(error) if error.kind() == ErrorKind::NotFound => named(objects, input).ok_or(error),
        found => found,
    }
}

/// Those that pass the filters of `secret ls` and `config ls`, by name.
///
/// # Errors
/// For a filter that there is not.
pub fn list<'a>(
    state: &'a State,
    kind: Kind,
    filters: &[Filter],
) -> Result<Vec<&'a Secret>, ViewError> {
    let filters = Filters::new(filters, &["id", "label", "name", "names"])?;
    let passes = |one: &&Secret| {
        begins(&filters, "id", &one.id)
            && begins(&filters, "name", &one.spec.name)
            && filters.exact("names", &one.spec.name)
            && labelled(&filters, "label", &one.spec.labels)
    };
    let mut all: Vec<&Secret> = kind.all(state).values().filter(passes).collect();
    all.sort_by_key(|one| natural(&one.spec.name));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_dockers() {
        let mut state = State::default();
        for (id, name, label) in [("ox", "s10", "k"), ("be", "s2", ""), ("pm", "other", "k")] {
            let mut secret = Secret { id: id.to_owned(), ..Secret::default() };
            secret.spec.name = name.to_owned();
            secret.spec.labels.insert(label.to_owned(), "v".to_owned());
            state.secrets.insert(id.to_owned(), secret);
        }
        let names = |key: &str, value: &str| {
            let filter = Filter { key: key.to_owned(), value: value.to_owned() };
            let all = list(&state, Kind::Secret, &[filter]).map_err(|error| error.to_string())?;
            Ok(all.iter().map(|one| one.spec.name.as_str()).collect::<Vec<_>>().join(" "))
        };
        let ok = |text: &str| Ok::<_, String>(text.to_owned());
        assert_eq!(names("name", "s"), ok("s2 s10"));
        assert_eq!(names("label", "k"), ok("other s10"));
        assert_eq!(names("label", "k=w"), ok(""));
        assert_eq!(names("id", "b"), ok("s2"));
        assert_eq!(names("bogus", "1"), Err("invalid filter 'bogus'".to_owned()));
        let error = find(&state, Kind::Config, "s2").unwrap_err();
        assert_eq!(error.to_string(), "config s2 not found");
    }
}
