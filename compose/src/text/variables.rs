//! The variables that values mention, for `config --variables`.

use std::collections::BTreeMap;

use super::template::{Piece, name_length, pieces};
use crate::limits::TEMPLATE_DEPTH_MAX;
use crate::tree::{Node, Value};

/// How a variable is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// `${V:?…}`
    pub required: bool,
    /// `${V:-default}`
    pub default: String,
    /// `${V:+alternate}`
    pub alternate: String,
}

/// All variables of a tree by name; the last use counts.
pub(crate) fn of_tree(node: &Node, out: &mut BTreeMap<String, Variable>) {
    match &node.value {
        Value::Text(text) => of_text(text, out, 0),
        Value::List(items) => items.iter().for_each(|item| of_tree(item, out)),
        Value::Map(map) => map.values().for_each(|value| of_tree(value, out)),
        _ => {}
    }
}

fn of_text(text: &str, out: &mut BTreeMap<String, Variable>, depth: usize) {
    if depth > TEMPLATE_DEPTH_MAX {
        return;
    }
    for piece in pieces(text) {
        match piece {
            Piece::Named(name) => drop(out.insert(name.to_owned(), Variable::default())),
            Piece::Braced(whole) => {
                let (name, variable) = used(&whole[2..whole.len() - 1]);
                let (default, alternate) = (variable.default.clone(), variable.alternate.clone());
                out.insert(name.to_owned(), variable);
                of_text(&default, out, depth + 1);
                of_text(&alternate, out, depth + 1);
            }
            Piece::Literal(_) | Piece::Dollar | Piece::Invalid => {}
        }
    }
}

/// `NAME:-default` taken apart.
fn used(expression: &str) -> (&str, Variable) {
    let (name, operator) = expression.split_at(name_length(expression));
    let operator = operator.strip_prefix(':').unwrap_or(operator);
    let mut variable = Variable::default();
    if operator.starts_with('?') {
        variable.required = true;
    } else if let Some(default) = operator.strip_prefix('-') {
        default.clone_into(&mut variable.default);
    } else if let Some(alternate) = operator.strip_prefix('+') {
        alternate.clone_into(&mut variable.alternate);
    }
    (name, variable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::At;

    #[test]
    fn each_use_is_found() {
        let text = "$A ${B:-x${C?}} ${D+y} $$E ${B2}";
        let mut found = BTreeMap::new();
        of_tree(&Node::text(At::default(), text), &mut found);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["A", "B", "B2", "C", "D"]);
        assert_eq!(found["B"].default, "x${C?}");
        assert!(found["C"].required);
        assert_eq!(found["D"].alternate, "y");
    }
}
