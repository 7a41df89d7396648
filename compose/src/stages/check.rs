//! Types, keys and values against the table. Of several mistakes the first in the files is
//! told.

use coracle_runtime::names::slips;

use crate::schema::{Attr, Fields, Keys, Others, Pattern, Shape};
use crate::stages::merge::shown;
use crate::tree::{At, Fault, Map, Node, Path, Result, Value};
use std::collections::HashMap;

/// Checks a whole file.
pub(crate) fn check(root: &Node, attr: &'static Attr) -> Result<()> {
    let mut faults = Faults::default();
    value(root, attr, &Path::ROOT, &mut faults);
    faults.first.map_or(Ok(()), Err)
}

/// The mistake that stands first in the files.
#[derive(Default)]
struct Faults {
    first: Option<Fault>,
}

impl Faults {
    /// Whether a mistake at this place would be the first.
    fn wants(&self, at: At) -> bool {
        let order = |at: At| (at.file, at.line, at.column);
        self.first.as_ref().and_then(|first| first.at).is_none_or(|first| order(at) < order(first))
    }

    fn push(&mut self, fault: Fault) {
        if fault.at.is_some_and(|at| self.wants(at)) {
            self.first = Some(fault);
        }
    }

    fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        faults.into_iter().for_each(|fault| self.push(fault));
    }
}

fn value(node: &Node, attr: &'static Attr, path: &Path<'_>, faults: &mut Faults) {
    if !attr.types.accepts(node) {
        let text = format!("must be {}, not {}", attr.types.in_words(), node.kind());
        faults.push(Fault::new(node.at, path, text));
        return;
    }
    match &node.value {
        Value::Text(text) => faults.extend(wrong_text(text, node, attr, path)),
        Value::Int(number) => faults.extend(out_of_range(*number, node, attr, path)),
        #[expect(clippy::cast_possible_truncation, reason = "saturates beyond every range")]
        Value::Float(number) => faults.extend(out_of_range(*number as i128, node, attr, path)),
        Value::List(items) => list(items, attr, path, faults),
        Value::Map(map) => mapping(node, map, attr, path, faults),
        _ => {}
    }
}

fn wrong_text(text: &str, node: &Node, attr: &Attr, path: &Path<'_>) -> Option<Fault> {
    if !attr.one_of.is_empty() && !attr.one_of.contains(&text) {
        let allowed: Vec<String> = attr.one_of.iter().map(|word| format!("'{word}'")).collect();
        let message = format!("must be one of {}, not {text:?}", allowed.join(", "));
        let fault = Fault::new(node.at, path, message);
        return Some(nearest(text, attr.one_of.iter().copied(), fault));
    }
    let (fits, wanted) = match attr.pattern? {
        Pattern::ContainerName => (
            has_container_name(text),
            "must have a letter or digit followed by letters, digits, '_', '.' or '-'",
        ),
        Pattern::PullPolicy => (
            has_pull_policy(text),
            "must be always, never, missing, build, daily, weekly or every_<duration>",
        ),
    };
    (!fits).then(|| Fault::new(node.at, path, format!("{wanted}, not {text:?}")))
}

/// Two characters of a name in a row somewhere: the pattern of Compose has no ends.
fn has_container_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(2).any(|pair| {
        pair[0].is_ascii_alphanumeric()
            && (pair[1].is_ascii_alphanumeric() || b"_.-".contains(&pair[1]))
    })
}

fn has_pull_policy(text: &str) -> bool {
    let words =
        ["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"];
    let every = text.split("every_").skip(1).any(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits > 0 && rest[digits..].starts_with(['w', 'd', 'h', 'm', 's'])
    });
    every || words.iter().any(|word| text.contains(word))
}

fn out_of_range(number: i128, node: &Node, attr: &Attr, path: &Path<'_>) -> Option<Fault> {
    let (least, most) = attr.range?;
    if number < i128::from(least) {
        let text = format!("must be greater than or equal to {least}, not {number}");
        return Some(Fault::new(node.at, path, text));
    }
    (number > i128::from(most)).then(|| {
        let text = format!("must be less than or equal to {most}, not {number}");
        Fault::new(node.at, path, text)
    })
}

fn list(items: &[Node], attr: &'static Attr, path: &Path<'_>, faults: &mut Faults) {
    let mut known = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        let path = path.index(index);
        match attr.item() {
            Some(each) => value(item, each, &path, faults),
            None => faults.extend(wrong_item(item, attr, &path)),
        }
        if !attr.distinct {
            continue;
        }
        let same = *known.entry((item.kind(), shown(item))).or_insert(index);
        if same != index {
            faults.push(Fault::new(item.at, &path, format!("is the same as item {same}")));
        }
    }
}

/// An item of a list of texts, whatever the entries of the same attribute as a mapping may be.
fn wrong_item(item: &Node, attr: &Attr, path: &Path<'_>) -> Option<Fault> {
    let texts_only = matches!(
        attr.shape,
        Shape::Mapping | Shape::Environment | Shape::Ssh | Shape::Hosts | Shape::Map(..)
    );
    let wrong = match texts_only {
        true => item.as_text().is_none(),
        false => !attr.items.is_any() && !attr.items.accepts(item),
    };
    let wanted = if texts_only { "a string".to_owned() } else { attr.items.in_words() };
    wrong.then(|| Fault::new(item.at, path, format!("must be {wanted}, not {}", item.kind())))
}

fn mapping(node: &Node, map: &Map, attr: &'static Attr, path: &Path<'_>, faults: &mut Faults) {
    if let Some(fields) = attr.fields() {
        return known_keys(node, map, fields, path, faults);
    }
    for (key, entry) in map {
        let path = path.key(key);
        match attr.shape {
            Shape::Map(each, keys) => {
                if keys == Keys::Names && !is_name(key) {
                    let text = format!("'{key}' is not a name: use letters, digits, '.', '_', '-'");
                    faults.push(Fault::new(entry.at, &path, text));
                } else {
                    value(entry, each, &path, faults);
                }
            }
            Shape::Mapping | Shape::Environment | Shape::Hosts if key.is_empty() => {
                faults.push(Fault::new(entry.at, &path, "an entry needs a name"));
            }
            _ if !attr.items.is_any() && !attr.items.accepts(entry) => {
                let text = format!("must be {}, not {}", attr.items.in_words(), entry.kind());
                faults.push(Fault::new(entry.at, &path, text));
            }
            _ => {}
        }
    }
}

fn is_name(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn known_keys(
    node: &Node,
    map: &Map,
    fields: &'static Fields,
    path: &Path<'_>,
    faults: &mut Faults,
) {
    for (key, entry) in map {
        let path = path.key(key);
        match fields.attrs.iter().find(|attr| attr.name == key) {
            Some(attr) => value(entry, attr, &path, faults),
            None if fields.others == Others::Any => {}
            None if fields.others == Others::Extensions && key.starts_with("x-") => {}
            None if !faults.wants(entry.at) => {}
            None => {
                let fault = Fault::new(entry.at, &path, format!("unknown attribute '{key}'"));
                let known = fields.attrs.iter().map(|attr| attr.name);
                faults.push(unknown_key(key, entry, nearest(key, known, fault), &path));
            }
        }
    }
    for attr in fields.attrs.iter().filter(|attr| attr.required) {
        if !map.contains_key(attr.name) {
            let text = format!("missing property '{}'", attr.name);
            faults.push(Fault::new(node.at, path, text));
        }
    }
}

/// Services at the top level are those of the first format.
fn unknown_key(key: &str, entry: &Node, fault: Fault, path: &Path<'_>) -> Fault {
    let is_service = entry.get("image").is_some() || entry.get("build").is_some();
    if fault.hint.is_none() && is_service && path.to_string() == key {
        return fault.hint("services stand below the key `services`");
    }
    fault
}

/// Names the known word that is most like the given one.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>, fault: Fault) -> Fault {
    let most = (word.chars().count() / 3).clamp(1, 3);
    let best = known
        .map(|candidate| (slips(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance);
    match best {
        Some((_, candidate)) => fault.hint(format!("did you mean `{candidate}`?")),
        None => fault,
    }
}
