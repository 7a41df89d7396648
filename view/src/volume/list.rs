//! The volumes that a list has, and those of a node.

use coracle_runtime::Home;
use coracle_runtime::volumes::{ANONYMOUS_LABEL, Filter as VolumeFilter, Volume, VolumeError};
use coracle_swarm::container::volumes::{NAME_LABEL, NODE_LABEL, on_node, stored_name};

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
    let found = all(home, node)?.into_iter();
    let matching = found.filter(|one| filter.matches(&one.seen, || one.is_used));
    Ok(matching.map(|one| one.seen).collect())
}

/// The volume that a node calls so; without a `node`, the engine's of that name.
///
/// # Errors
/// When there is none, or its record cannot be read.
pub fn find(home: &Home, name: &str, node: Option<u8>) -> Result<OfNode, ViewError> {
    let Some(number) = node else {
        let seen = home.engine()?.volumes.get(name)?;
        return Ok(OfNode { stored: seen.name.clone(), seen, is_used: true });
    };
    // One that cannot be read is told of.
    if let Err(error @ VolumeError::Damaged { .. }) =
        home.engine()?.volumes.get(&stored_name(number, name))
    {
        return Err(error.into());
    }
    let mut found = all(home, node)?.into_iter();
    let missing = || VolumeError::NotFound { name: name.to_owned() }.into();
    found.find(|one| one.seen.name == name).ok_or_else(missing)
}

/// All volumes of a node, or of all of them.
///
/// # Errors
/// When the records cannot be read.
pub fn all(home: &Home, node: Option<u8>) -> Result<Vec<OfNode>, ViewError> {
    let engine = home.engine()?;
    let users = engine.users_of_volumes()?;
    let shown = match node {
        None => Vec::new(),
        Some(_) => container::list(home)?.into_iter().map(|known| known.container.id).collect(),
    };
    let mut found = Vec::new();
    for volume in engine.volumes.list()? {
        let users = users.of(&volume);
        let (stored, is_used) = (volume.name.clone(), !users.is_empty());
        let used = match (is_used, users.iter().any(|id| shown.contains(id))) {
            (_, true) => Used::Here,
            (true, false) => Used::Elsewhere,
            (false, false) => Used::Nowhere,
        };
        let seen = match node {
            None => Some(volume),
            Some(number) => seen_on(number, volume, used),
        };
        found.extend(seen.map(|seen| OfNode { stored, seen, is_used }));
    }
    Ok(found)
}

/// A volume of a node.
#[derive(Clone, Debug)]
pub struct OfNode {
    /// What the engine calls it.
    pub stored: String,
    /// As the node has it.
    pub seen: Volume,
    pub is_used: bool,
}

/// Where the containers are that use a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Used {
    Here,
    Elsewhere,
    Nowhere,
}

/// A volume as a node has it, if it has it. One that has no name of its own is where the container is that uses it, or
/// the machine's.
fn seen_on(number: u8, mut volume: Volume, used: Used) -> Option<Volume> {
    let labels = volume.labels.get_or_insert_default();
    match on_node(labels) {
        Some((other, _)) if other != number => return None,
        Some((_, name)) => volume.name = name.to_owned(),
        None if labels.contains_key(ANONYMOUS_LABEL) && used == Used::Elsewhere => return None,
        None if number != 0 && used != Used::Here => return None,
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
    use super::Used::{Elsewhere, Here, Nowhere};
    use super::*;

    fn volume(name: &str, labels: &[(&str, &str)]) -> Volume {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Volume {
            name: name.to_owned(),
            created: "2026-11-20T12:00:00Z".parse().unwrap(),
            labels: Some(labels.collect()),
            options: None,
            data: "/data".into(),
            owner: None,
        }
    }

    #[test]
    fn every_node_has_its_own() {
        let name = |number, volume: Volume, used| seen_on(number, volume, used).map(|it| it.name);
        let second = || volume("node-2.db", &[(NODE_LABEL, "2"), (NAME_LABEL, "db")]);
        assert_eq!(name(2, second(), Nowhere).as_deref(), Some("db"));
        assert_eq!(seen_on(2, second(), Nowhere).unwrap().labels, None);
        assert_eq!(name(0, second(), Nowhere), None);
        assert_eq!(name(3, second(), Nowhere), None);
        assert_eq!(name(0, volume("db", &[]), Nowhere).as_deref(), Some("db"));
        assert_eq!(name(2, volume("db", &[]), Nowhere), None);
        let nameless = || volume("0123", &[(ANONYMOUS_LABEL, "")]);
        assert_eq!(name(2, nameless(), Here).as_deref(), Some("0123"));
        assert_eq!(name(0, nameless(), Elsewhere), None);
        assert_eq!(name(2, nameless(), Nowhere), None);
        assert_eq!(name(0, nameless(), Nowhere).as_deref(), Some("0123"));
    }
}
