//! Which containers a home shows: all of them, or those of one node of the swarm.
//!
//! A container is of a node by a label. The machine's own node has also those without it: whoever makes a container
//! by hand makes it there.

use std::collections::BTreeMap;

use crate::model::Container;

/// The containers of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The label that names a node.
    pub label: &'static str,
    /// What it names the node, now and before.
    pub nodes: Vec<String>,
    /// Its number; 0 is the machine's.
    pub number: u8,
    /// The node is the machine itself.
    pub is_machine: bool,
    /// It knows all networks of the swarm; others know those that their containers are in.
    pub is_manager: bool,
}

impl Scope {
    /// Whether a container is one of them.
    #[must_use]
    pub fn has(&self, container: &Container) -> bool {
        self.has_labels(&container.config.labels)
    }

    /// Whether a container with such labels would be one of them.
    #[must_use]
    pub fn has_labels(&self, labels: &BTreeMap<String, String>) -> bool {
        match labels.get(self.label) {
            Some(node) => self.nodes.contains(node),
            None => self.is_machine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_node_is_of_the_machine() {
        let scope = |node: &str, is_machine| Scope {
            label: "node",
            nodes: vec![node.to_owned()],
            number: 0,
            is_machine,
            is_manager: is_machine,
        };
        let mut container = Container::default();
        assert!(scope("one", true).has(&container));
        assert!(!scope("two", false).has(&container));
        container.config.labels.insert("node".to_owned(), "two".to_owned());
        assert!(!scope("one", true).has(&container));
        assert!(scope("two", false).has(&container));
    }
}
