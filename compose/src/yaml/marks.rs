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

    /// Removes from an object that this document extends or includes as `name` of `section` what
    /// it marked there.
    pub(crate) fn apply_to(&self, section: &str, name: &str, object: &mut Node) {
        for path in &self.paths {
            if let [in_section, of, rest @ ..] = path.as_slice()
                && in_section == section
                && of == name
                && !rest.is_empty()
            {
                remove(object, rest);
            }
        }
    }

    /// Whether an object is marked as a whole: nothing of what others said of it counts.
    pub(crate) fn has(&self, section: &str, name: &str) -> bool {
        self.paths.iter().any(|path| path.as_slice() == [section, name])
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
