//! Placement constraints: `node.labels.zone==a`, `node.ip!=10.0.0.0/8`.
//!
//! Keys and values compare without case, the names of labels with it. An unknown key is taken and fits no node.

use std::net::IpAddr;

use coracle_netns::prefix::Prefix;

use crate::model::{Node, TaskSpec};

pub(super) const NODE_LABEL: &str = "node.labels.";
pub(super) const ENGINE_LABEL: &str = "engine.labels.";

/// A condition on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint<'a> {
    key: &'a str,
    value: &'a str,
    equal: bool,
}

/// Why a text is no constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConstraint {
    #[error("constraint expected one operator from ==, !=")]
    NoOperator,
    #[error("key '{0}' is invalid")]
    Key(String),
    #[error("value '{0}' is invalid")]
    Value(String),
}

impl<'a> Constraint<'a> {
    pub fn parse(text: &'a str) -> Result<Self, InvalidConstraint> {
        let (key, value, equal) = match text.split_once("==") {
            Some((key, value)) => (key.trim(), value.trim(), true),
            None => match text.split_once("!=") {
                Some((key, value)) => (key.trim(), value.trim(), false),
                None => return Err(InvalidConstraint::NoOperator),
            },
        };
        if !is_key(key) {
            return Err(InvalidConstraint::Key(key.to_owned()));
        }
        if !is_value(value) {
            return Err(InvalidConstraint::Value(value.to_owned()));
        }
        Ok(Self { key, value, equal })
    }

    /// Whether the node meets it.
    #[must_use]
    pub fn fits(&self, node: &Node) -> bool {
        let platform = &node.description.platform;
        let key = self.key.to_ascii_lowercase();
        match key.as_str() {
            "node.id" => self.compares(&node.id),
            "node.hostname" => self.compares(&node.description.hostname),
            "node.ip" => self.fits_address(&node.status.addr),
            "node.role" => self.compares(&node.spec.role.to_string()),
            "node.platform.os" => self.compares(&platform.os),
            "node.platform.arch" => self.compares(&platform.architecture),
            _ => match label(self.key, node) {
                Some(value) => self.compares(value),
                None => false,
            },
        }
    }

    fn compares(&self, value: &str) -> bool {
        (value.to_lowercase() == self.value.to_lowercase()) == self.equal
    }

    fn fits_address(&self, address: &str) -> bool {
        let Ok(address) = address.parse::<IpAddr>() else { return false };
        if let Ok(wanted) = self.value.parse::<IpAddr>() {
            return (wanted == address) == self.equal;
        }
        match self.value.parse::<Prefix>() {
            Ok(network) => network.contains(address) == self.equal,
            Err(_) => false,
        }
    }
}

/// What a label's name stands for on a node, `""` where the node has none of that name; `None` for no label's name.
pub(super) fn label<'a>(key: &str, node: &'a Node) -> Option<&'a str> {
    let after = |prefix: &str| {
        let start = key.get(..prefix.len())?;
        let name = key.get(prefix.len()..)?;
        (start.eq_ignore_ascii_case(prefix) && !name.is_empty()).then_some(name)
    };
    let (labels, name) = match after(NODE_LABEL) {
        Some(name) => (&node.spec.labels, name),
        None => (&node.description.engine.labels, after(ENGINE_LABEL)?),
    };
    Some(labels.get(name).map_or("", String::as_str))
}

/// Whether a node meets all constraints of a task; one that cannot be read none meets.
pub(super) fn fits(spec: &TaskSpec, node: &Node) -> bool {
    let texts = spec.placement.as_ref().map_or(&[][..], |placement| &placement.constraints);
    texts.iter().all(|text| Constraint::parse(text).is_ok_and(|constraint| constraint.fits(node)))
}

/// As swarmkit has it: `^(?i)[a-z_][a-z0-9\-_.]+$`.
fn is_key(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && text.len() > 1
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// As swarmkit has it: `^(?i)[a-z0-9:\-_\s\.\*\(\)\?\+\[\]\\\^\$\|\/]+$`.
fn is_value(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || byte.is_ascii_whitespace()
                || br":-_.*()?+[]\^$|/".contains(&byte)
        })
}

#[cfg(test)]
mod tests {
    use super::{Constraint, InvalidConstraint};
    use crate::model::{Node, Role};

    fn node() -> Node {
        let mut node = Node { id: "n1".to_owned(), ..Node::default() };
        node.description.hostname = "swm2".to_owned();
        node.description.platform.os = "linux".to_owned();
        node.description.platform.architecture = "x86_64".to_owned();
        node.status.addr = "10.77.0.22".to_owned();
        node.spec.role = Role::Worker;
        node.spec.labels.insert("zone".to_owned(), "a".to_owned());
        node
    }

    #[test]
    fn fits_as_recorded() {
        for (text, fits) in [
            ("node.role==worker", true),
            ("node.role!=worker", false),
            ("node.role == WORKER", true),
            ("node.hostname==SWM2", true),
            ("node.labels.zone==A", true),
            ("node.labels.ZONE==a", false),
            ("node.labels.disk==ssd", false),
            ("node.labels.disk!=ssd", true),
            ("node.platform.arch==amd64", false),
            ("node.platform.os!=windows", true),
            ("engine.labels.foo!=bar", true),
            ("engine.labels.foo==bar", false),
            ("node.id==nosuch", false),
            ("node.ip==10.77.0.22", true),
            ("node.ip==10.77.0.20/30", true),
            ("node.ip!=10.77.0.22", false),
            ("node.ip==bogus", false),
            ("node.bogus==x", false),
            ("node.bogus!=x", false),
            ("node.labels.==x", false),
        ] {
            let constraint = Constraint::parse(text).unwrap();
            assert_eq!(constraint.fits(&node()), fits, "{text}");
        }
    }

    #[test]
    fn refuses_as_recorded() {
        for text in ["node.role=worker", "bogus", "node.hostname>=3", "node.labels.zone in a"] {
            assert_eq!(Constraint::parse(text), Err(InvalidConstraint::NoOperator), "{text}");
        }
        for (text, words) in [
            ("node.labels.a b==c", "key 'node.labels.a b' is invalid"),
            ("==x", "key '' is invalid"),
            ("node.role==", "value '' is invalid"),
        ] {
            assert_eq!(Constraint::parse(text).unwrap_err().to_string(), words);
        }
    }
}
