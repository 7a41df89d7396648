//! From what is written to what is meant: aliases, merge keys, types, marks.

use std::rc::Rc;

use super::marks::Marks;
use super::raw::{Kind, Raw};
use super::{Document, scalar};
use crate::limits::NODES_MAX;
use crate::tree::{Fault, Map, Node, Path, Result, Value};

/// `count` bounds the nodes of a whole file.
pub(super) fn document(raw: &Rc<Raw>, count: &mut usize) -> Result<Document> {
    compose(raw, count, true)
}

/// As [`document`], without `!reset` and `!override`.
pub(super) fn document_untagged(raw: &Rc<Raw>, count: &mut usize) -> Result<Document> {
    compose(raw, count, false)
}

fn compose(raw: &Rc<Raw>, count: &mut usize, tags: bool) -> Result<Document> {
    let mut composer = Composer { count, tags, marks: Marks::default(), path: Vec::new() };
    let root = composer.node(raw, &Path::ROOT)?;
    let root = root.unwrap_or_else(|| Node::null(raw.at));
    Ok(Document { root, marks: composer.marks })
}

struct Composer<'a> {
    count: &'a mut usize,
    /// Whether the tags of Compose count.
    tags: bool,
    marks: Marks,
    /// As `Path`, in a form that lasts.
    path: Vec<String>,
}

impl Composer<'_> {
    /// Nothing when the node is reset.
    fn node(&mut self, raw: &Raw, path: &Path<'_>) -> Result<Option<Node>> {
        *self.count += 1;
        if *self.count > NODES_MAX {
            let text = format!("yaml: more than {NODES_MAX} values when aliases are written out");
            return Err(Fault::new(raw.at, path, text));
        }
        let own = matches!(raw.tag.as_deref(), Some("!reset" | "!override"));
        match raw.tag.as_deref().filter(|_| self.tags) {
            Some("!reset") => {
                self.marks.add(self.path.clone());
                return Ok(None);
            }
            Some("!override") => self.marks.add(self.path.clone()),
            _ => {}
        }
        let tag = raw.tag.as_deref().filter(|_| self.tags || !own);
        let value = match &raw.kind {
            Kind::Scalar { text, plain } => scalar::resolve(tag, text, *plain)
                .map_err(|message| Fault::new(raw.at, path, message))?,
            Kind::List(items) => Value::List(self.list(items, path)?),
            Kind::Map(pairs) => Value::Map(self.map(pairs, path)?),
        };
        Ok(Some(Node::new(raw.at, value)))
    }

    fn list(&mut self, items: &[Rc<Raw>], path: &Path<'_>) -> Result<Vec<Node>> {
        let mut out = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.path.push(index.to_string());
            let node = self.node(item, &path.index(index))?;
            self.path.pop();
            out.extend(node);
        }
        Ok(out)
    }

    fn map(&mut self, pairs: &[(Rc<Raw>, Rc<Raw>)], path: &Path<'_>) -> Result<Map> {
        let mut out = Map::new();
        let mut merged = None;
        // Where keys were first seen, also those that are reset.
        let mut seen = std::collections::HashMap::new();
        for (key, value) in pairs {
            let (name, is_merge) = key_name(key, path)?;
            if let Some(line) = seen.insert(name, key.at.line) {
                let text = format!("mapping key {name:?} already defined at line {line}");
                return Err(Fault::new(key.at, &path.key(name), text)
                    .hint("a key may stand once in a mapping: join the two, or remove one"));
            }
            if is_merge {
                merged = Some(value);
                continue;
            }
            self.path.push(name.to_owned());
            let node = self.node(value, &path.key(name))?;
            self.path.pop();
            if let Some(mut node) = node {
                node.at = key.at;
                out.insert(name.to_owned(), node);
            }
        }
        if let Some(value) = merged {
            self.merge(value, path, &mut out)?;
        }
        Ok(out)
    }

    /// `<<`: adds the entries of one or several mappings whose keys are not there yet.
    fn merge(&mut self, value: &Raw, path: &Path<'_>, out: &mut Map) -> Result<()> {
        match &value.kind {
            Kind::Map(pairs) => {
                for (key, node) in self.map(pairs, path)? {
                    out.entry(key).or_insert(node);
                }
                Ok(())
            }
            Kind::List(items) if items.iter().all(|i| matches!(i.kind, Kind::Map(_))) => {
                items.iter().try_for_each(|item| self.merge(item, path, out))
            }
            _ => {
                let text = "map merge requires map or sequence of maps as the value";
                Err(Fault::new(value.at, &path.key("<<"), text))
            }
        }
    }
}

/// The key as text, and whether it is the merge key.
fn key_name<'a>(key: &'a Raw, path: &Path<'_>) -> Result<(&'a str, bool)> {
    let Kind::Scalar { text, plain } = &key.kind else {
        return Err(Fault::new(key.at, path, "invalid map key: it must be a string"));
    };
    let tag = key.tag.as_deref();
    if text == "<<" && ((*plain && tag.is_none()) || tag == Some("!!merge")) {
        return Ok((text, true));
    }
    match scalar::resolve(tag, text, *plain) {
        Ok(Value::Text(_)) => Ok((text, false)),
        _ => {
            let place = if path.to_string().is_empty() { "at top level" } else { "here" };
            let message = format!("non-string key {place}: {text}");
            Err(Fault::new(key.at, path, message).hint(format!("put it in quotes: \"{text}\"")))
        }
    }
}
