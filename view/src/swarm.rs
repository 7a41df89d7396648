//! What the objects of a swarm have in common: how one is named, which filters lists have.

use std::collections::BTreeMap;

use coracle_swarm::SwarmError;
use coracle_words::ErrorKind;

use crate::ViewError;
use crate::filter::Filters;

/// The one that `input` names: an id, a name, or the beginning of an id, in this order. `all` gives each object with
/// its id and name.
pub(crate) fn pick<'a, 'n, T>(
    kind: &str,
    all: impl Iterator<Item = (&'n str, &'n str, &'a T)> + Clone,
    input: &str,
) -> Result<&'a T, ViewError> {
    let mut by_id = all.clone().filter(|(id, ..)| *id == input);
    if let Some((.., one)) = by_id.next() {
        return Ok(one);
    }
    let mut found: Vec<&T> =
        all.clone().filter(|(_, name, _)| *name == input).map(|(.., one)| one).collect();
    if found.is_empty() && !input.is_empty() {
        found = all.filter(|(id, ..)| id.starts_with(input)).map(|(.., one)| one).collect();
    }
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(refused(ErrorKind::NotFound, format!("{kind} {input} not found"))),
        several => Err(refused(
            ErrorKind::BadRequest,
            format!("{kind} {input} is ambiguous ({} matches found)", several.len()),
        )),
    }
}

/// A refusal in the words of Docker's engine.
pub(crate) fn refused(kind: ErrorKind, words: impl Into<String>) -> ViewError {
    SwarmError::refused(kind, words).into()
}

/// True when the key is absent or one of its values is how `text` begins.
pub(crate) fn begins(filters: &Filters, key: &str, text: &str) -> bool {
    !filters.has(key) || filters.values(key).iter().any(|value| text.starts_with(value.as_str()))
}

/// True when the labels have all that the key wants, `KEY` or `KEY=VALUE`.
pub(crate) fn labelled(filters: &Filters, key: &str, labels: &BTreeMap<String, String>) -> bool {
    filters.values(key).iter().all(|wanted| {
        let (key, value) = wanted.split_once('=').unwrap_or((wanted, ""));
        labels.get(key).is_some_and(|has| value.is_empty() || has == value)
    })
}

#[cfg(test)]
mod tests {
    use super::pick;

    #[test]
    fn an_id_comes_before_a_name_and_a_name_before_a_beginning() {
        let all =
            [("ab1", "x", 1), ("ab2", "ab", 2), ("x", "y", 3), ("c1", "z", 4), ("c2", "z", 5)];
        let pick = |input: &str| {
            let all = all.iter().map(|(id, name, n)| (*id, *name, n));
            pick("node", all, input).copied().map_err(|error| error.to_string())
        };
        assert_eq!(pick("x"), Ok(3));
        assert_eq!(pick("ab"), Ok(2));
        assert_eq!(pick("ab1"), Ok(1));
        assert_eq!(pick("nosuch"), Err("node nosuch not found".to_owned()));
        assert_eq!(pick(""), Err("node  not found".to_owned()));
        assert_eq!(pick("z"), Err("node z is ambiguous (2 matches found)".to_owned()));
        assert_eq!(pick("c"), Err("node c is ambiguous (2 matches found)".to_owned()));
    }
}
