//! `--cap-add` and `--cap-drop`: what is added is not dropped.

use std::collections::BTreeSet;

use crate::model::ContainerSpec;

const ALL: &str = "ALL";
/// Forgets what was said before.
const RESET: &str = "RESET";

pub(crate) fn apply(spec: &mut ContainerSpec, add: &[String], drop: &[String]) {
    if add.is_empty() && drop.is_empty() {
        return;
    }
    let mut added = set(&spec.capability_add);
    let mut dropped = set(&spec.capability_drop);
    let mut to_add = set(add);
    let mut to_drop = set(drop);
    for (asked, known) in [(&mut to_add, &mut added), (&mut to_drop, &mut dropped)] {
        if asked.remove(RESET) {
            known.clear();
        }
    }
    for name in to_drop.difference(&to_add) {
        added.remove(name);
        dropped.insert(name.clone());
    }
    for name in to_add {
        dropped.remove(&name);
        added.insert(name);
    }
    spec.capability_add = list(added);
    spec.capability_drop = list(dropped);
}

/// With their prefix, in capitals.
fn set(names: &[String]) -> BTreeSet<String> {
    let normal = |name: &String| {
        let upper = name.trim().to_uppercase();
        match upper.as_str() {
            ALL | RESET => upper,
            name if name.starts_with("CAP_") => upper,
            name => format!("CAP_{name}"),
        }
    };
    names.iter().map(normal).collect()
}

fn list(names: BTreeSet<String>) -> Vec<String> {
    match names.contains(ALL) {
        true => vec![ALL.to_owned()],
        false => names.into_iter().collect(),
    }
}
