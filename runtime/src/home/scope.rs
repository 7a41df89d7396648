//! Which containers a home shows: all of them, or those of one node of the swarm.
//!
//! A container is of a node by a label. The machine's own node has also those without it: whoever makes a container
//! by hand makes it there.

use crate::model::Container;

/// The containers of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The label that names a node.
    pub label: &'static str,
    /// The node it names.
    pub node: String,
    /// The node is the machine itself.
    pub is_machine: bool,
}

impl Scope {
    /// Whether a container is one of them.
    #[must_use]
    pub fn has(&self, container: &Container) -> bool {
        match container.config.labels.get(self.label) {
            Some(node) => *node == self.node,
            None => self.is_machine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_node_is_of_the_machine() {
        let scope =
            |node: &str, is_machine| Scope { label: "node", node: node.to_owned(), is_machine };
        let mut container = Container::default();
        assert!(scope("one", true).has(&container));
        assert!(!scope("two", false).has(&container));
        container.config.labels.insert("node".to_owned(), "two".to_owned());
        assert!(!scope("one", true).has(&container));
        assert!(scope("two", false).has(&container));
    }
}
