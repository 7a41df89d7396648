//! Named volumes of rehearsal nodes.
//!
//! Every node has volumes of its own, and there is one engine. The machine's own node has the engine's volumes as they
//! are. Volume `data` of rehearsal node 2 is the engine's volume `node-2.data`, with the labels [`NODE_LABEL`] (`2`) and
//! [`NAME_LABEL`] (`data`): `volume ls` on a node shows those with its number under the name of the second label, and
//! leaves the labels out; the machine's own shows those without. A node that was away, or left and joined again, has
//! its number and so its volumes as before. A volume without a name of its own ([`ANONYMOUS`]) is found by the container
//! that it was made for.
//!
//! [`ANONYMOUS`]: coracle_runtime::volumes::ANONYMOUS_LABEL

use std::collections::BTreeMap;

/// The number of the rehearsal node whose volume it is.
pub const NODE_LABEL: &str = "local.coracle.node";
/// What the volume is called on that node.
pub const NAME_LABEL: &str = "local.coracle.node.volume";

/// What the engine calls a node's volume; 0 is the machine's own node.
#[must_use]
pub fn stored_name(number: u8, name: &str) -> String {
    match number {
        0 => name.to_owned(),
        number => format!("node-{number}.{name}"),
    }
}

/// The node and the name there of what the engine calls so; `None` for a volume of the machine's own node.
#[must_use]
pub fn from_stored(stored: &str) -> Option<(u8, &str)> {
    let (number, name) = stored.strip_prefix("node-")?.split_once('.')?;
    Some((number.parse().ok()?, name))
}

/// The labels that it is stored with.
#[must_use]
pub fn labels(number: u8, name: &str) -> Vec<(String, String)> {
    match number {
        0 => Vec::new(),
        number => vec![
            (NODE_LABEL.to_owned(), number.to_string()),
            (NAME_LABEL.to_owned(), name.to_owned()),
        ],
    }
}

/// The node of a volume, and its name there; `None` for a volume of the machine's own node.
#[must_use]
pub fn on_node(labels: &BTreeMap<String, String>) -> Option<(u8, &str)> {
    Some((labels.get(NODE_LABEL)?.parse().ok()?, labels.get(NAME_LABEL)?))
}
