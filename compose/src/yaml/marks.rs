//! `!reset` and `!override`: what earlier files said at these places is taken away.

use crate::tree::{Map, Node, Value};

/// The places marked in one document.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    paths: Vec<Vec<String>>,
}

impl Marks {
    pub(super) fn add(&mut self, path: Vec<String>) {
        self.paths.push(path);
    }

    /// Removes the marked entries from a tree.
    pub(crate) fn apply(&self, root: &mut Node) {
        for path in &self.paths {
            remove(root, path);
        }
    }

    /// Removes from a service that is extended what its heir `name` marked.
    pub(crate) fn apply_to_service(&self, name: &str, service: &mut Node) {
        for path in &self.paths {
            if let [services, owner, rest @ ..] = path.as_slice()
                && services == "services"
                && owner == name
                && !rest.is_empty()
            {
                remove(service, rest);
            }
        }
    }
}

/// Entries of mappings only: an item of a list has no name by which a later file could mean it.
fn remove(node: &mut Node, path: &[String]) {
    let Value::Map(map) = &mut node.value else { return };
    match path {
        [] => {}
        [last] => drop(map.remove(last)),
        [first, rest @ ..] => descend(map, first, rest),
    }
}

fn descend(map: &mut Map, first: &str, rest: &[String]) {
    if let Some(inner) = map.get_mut(first) {
        remove(inner, rest);
    }
}
