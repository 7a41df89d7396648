//! Which network or volume that is there stands for one of the file.
//!
//! One with the labels of the project and the key is it, whatever it is called: so a new name in
//! the file is noticed. Of several, the one that is called as the file wants comes first; the
//! others are told of and left. One that has only the name is used as it is.

use std::collections::BTreeMap;

use crate::project::labels;

/// What is there for a key of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// What this project made.
    Ours(Ours),
    /// One of the wanted name that is not of this project; whose it is, if anybody's.
    Other {
        project: String,
    },
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ours {
    pub(super) name: String,
    /// Empty when nobody wrote it down: then nothing can be said about changes.
    pub(super) hash: String,
    /// Others that the project made for the same key.
    pub(super) more: Vec<String>,
}

/// What to look for.
pub(super) struct Sought<'a> {
    pub(super) project: &'a str,
    /// The label that holds the key.
    pub(super) label: &'static str,
    pub(super) key: &'a str,
    pub(super) name: &'a str,
}

impl Sought<'_> {
    /// `all` are the labels of everything of that kind, by name.
    pub(super) fn among<'l>(
        &self,
        all: impl Iterator<Item = (&'l String, &'l BTreeMap<String, String>)> + Clone,
    ) -> Found {
        let value = |labels: &'l BTreeMap<String, String>, key: &str| {
            labels.get(key).map_or("", String::as_str)
        };
        let ours = |labels| value(labels, labels::PROJECT) == self.project;
        let labelled: Vec<_> = all
            .clone()
            .filter(|(_, labels)| ours(labels) && value(labels, self.label) == self.key)
            .collect();
        let named = |(name, _): &&(&String, _)| *name == self.name;
        if let Some((name, found)) = labelled.iter().find(named).or(labelled.first()) {
            let others = labelled.iter().map(|(other, _)| *other).filter(|other| other != name);
            return Found::Ours(Ours {
                name: (*name).clone(),
                hash: value(found, labels::CONFIG_HASH).to_owned(),
                more: others.cloned().collect(),
            });
        }
        match all.clone().find(|(name, _)| *name == self.name) {
            None => Found::Nothing,
            // A label that says nothing of a key was written by an old Compose.
            Some((name, labels)) if ours(labels) => Found::Ours(Ours {
                name: name.clone(),
                hash: value(labels, labels::CONFIG_HASH).to_owned(),
                more: Vec::new(),
            }),
            Some((_, labels)) => {
                Found::Other { project: value(labels, labels::PROJECT).to_owned() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(project: &str, key: &str, hash: &str) -> BTreeMap<String, String> {
        [(labels::PROJECT, project), (labels::VOLUME, key), (labels::CONFIG_HASH, hash)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(label, value)| (label.to_owned(), value.to_owned()))
            .collect()
    }

    fn found(all: &[(&str, BTreeMap<String, String>)]) -> Found {
        let all: BTreeMap<String, _> =
            all.iter().map(|(name, labels)| ((*name).to_owned(), labels.clone())).collect();
        let sought =
            Sought { project: "app", label: labels::VOLUME, key: "data", name: "app_data" };
        sought.among(all.iter())
    }

    fn ours(name: &str, hash: &str, more: &[&str]) -> Found {
        let more = more.iter().map(|name| (*name).to_owned()).collect();
        Found::Ours(Ours { name: name.to_owned(), hash: hash.to_owned(), more })
    }

    #[test]
    fn the_wanted_name_comes_first_then_the_first_name() {
        let (a, b) = (("a", labels("app", "data", "1")), ("b", labels("app", "data", "2")));
        let wanted = ("app_data", labels("app", "data", "3"));
        assert_eq!(found(&[a.clone(), wanted, b.clone()]), ours("app_data", "3", &["a", "b"]));
        assert_eq!(found(&[b, a]), ours("a", "1", &["b"]));
        assert_eq!(found(&[("x", labels("app", "other", "1"))]), Found::Nothing);
        assert_eq!(found(&[("x", labels("else", "data", "1"))]), Found::Nothing);
    }

    #[test]
    fn a_name_alone_is_somebody_elses_unless_the_project_is_ours() {
        let other = |project: &str| Found::Other { project: project.to_owned() };
        assert_eq!(found(&[("app_data", labels("", "", ""))]), other(""));
        assert_eq!(found(&[("app_data", labels("else", "data", "9"))]), other("else"));
        assert_eq!(found(&[("app_data", labels("app", "", "7"))]), ours("app_data", "7", &[]));
        // What is labelled counts more than what is only called so.
        let renamed = ("old", labels("app", "data", "1"));
        assert_eq!(found(&[("app_data", labels("", "", "")), renamed]), ours("old", "1", &[]));
    }
}
