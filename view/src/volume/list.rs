//! The volumes that a list has.

use coracle_runtime::Home;
use coracle_runtime::volumes::{ANONYMOUS_LABEL, Filter as VolumeFilter, Volume};
use coracle_swarm::container::volumes::{NAME_LABEL, NODE_LABEL, on_node};

use crate::filter::Filter;
use crate::{ViewError, container};

/// The volumes that pass the filters of `volume ls`; with a `node` only those of the node with that number, under the
/// names that they have there.
///
/// # Errors
/// For a filter that there is not, or when the records cannot be read.
pub fn list(home: &Home, filters: &[Filter], node: Option<u8>) -> Result<Vec<Volume>, ViewError> {
    let pairs = filters.iter().map(|f| (f.key.as_str(), f.value.as_str()));
    let filter = VolumeFilter::for_list(pairs)?;
    let engine = home.engine()?;
    let users = engine.users_of_volumes()?;
    let shown = match node {
        None => Vec::new(),
        Some(_) => container::list(home)?.into_iter().map(|known| known.container.id).collect(),
    };
    let mut found = Vec::new();
    for volume in engine.volumes.list()? {
        let users = users.of(&volume);
        let is_used = !users.is_empty();
        let seen = match node {
            None => Some(volume),
            Some(number) => seen_on(number, volume, users.iter().any(|id| shown.contains(id))),
        };
        found.extend(seen.filter(|volume| filter.matches(volume, || is_used)));
    }
    Ok(found)
}

/// A volume as a node has it, if it has it. One that has no name of its own is where the container is that uses it.
fn seen_on(number: u8, mut volume: Volume, is_used_there: bool) -> Option<Volume> {
    let labels = volume.labels.get_or_insert_default();
    match on_node(labels) {
        Some((other, _)) if other != number => return None,
        Some((_, name)) => volume.name = name.to_owned(),
        None if labels.contains_key(ANONYMOUS_LABEL) && !is_used_there => return None,
        None if number != 0 && !is_used_there => return None,
        None => {}
    }
    labels.retain(|label, _| label != NODE_LABEL && label != NAME_LABEL);
    if labels.is_empty() {
        volume.labels = None;
    }
    Some(volume)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(name: &str, labels: &[(&str, &str)]) -> Volume {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Volume {
            name: name.to_owned(),
            created: "2026-11-20T12:00:00Z".parse().unwrap(),
            labels: Some(labels.collect()),
            options: None,
            data: "/data".into(),
        }
    }

    #[test]
    fn every_node_has_its_own() {
        let name = |number, volume: Volume, used| seen_on(number, volume, used).map(|it| it.name);
        let second = || volume("node-2.db", &[(NODE_LABEL, "2"), (NAME_LABEL, "db")]);
        assert_eq!(name(2, second(), false).as_deref(), Some("db"));
        assert_eq!(seen_on(2, second(), false).unwrap().labels, None);
        assert_eq!(name(0, second(), false), None);
        assert_eq!(name(3, second(), false), None);
        assert_eq!(name(0, volume("db", &[]), false).as_deref(), Some("db"));
        assert_eq!(name(2, volume("db", &[]), false), None);
        let nameless = || volume("0123", &[(ANONYMOUS_LABEL, "")]);
        assert_eq!(name(2, nameless(), true).as_deref(), Some("0123"));
        assert_eq!(name(2, nameless(), false), None);
    }
}
