//! `extends`: a service on top of another, of the same file or of another one, which may
//! extend a third.

use std::rc::Rc;

use super::read::{Model, Reader, local_only, parent};
use crate::schema::ROOT;
use crate::stages::merge::merge;
use crate::stages::paths::{join, relative};
use crate::tree::{Fault, Map, Node, Path, Result};
use crate::yaml::Marks;

/// A file that services are taken from.
#[derive(Debug)]
pub(super) struct Extended {
    services: Map,
    marks: Marks,
}

/// The services of one file while they are extended.
struct Family<'a> {
    path: &'a str,
    services: Map,
    marks: &'a Marks,
}

/// Who extends whom, up to here: file and service.
type Chain = Vec<(String, String)>;

impl Reader<'_> {
    pub(super) fn extend_services(
        &self,
        root: &mut Node,
        path: &str,
        marks: &Marks,
        model: &mut Model<'_>,
    ) -> Result<()> {
        let Some(services) = root.get_mut("services") else { return Ok(()) };
        let kind = services.kind();
        let at = services.at;
        let Some(map) = services.as_map_mut() else {
            let text = format!("services must be a mapping, not {kind}");
            return Err(Fault::new(at, &Path::ROOT.key("services"), text));
        };
        let mut family = Family { path, services: std::mem::take(map), marks };
        let names: Vec<String> = family.services.keys().cloned().collect();
        for name in names {
            self.extend(&name, &mut family, model, &mut Chain::new())?;
        }
        *map = family.services;
        Ok(())
    }

    /// Puts a service of the family on top of what it extends.
    fn extend(
        &self,
        name: &str,
        family: &mut Family<'_>,
        model: &mut Model<'_>,
        chain: &mut Chain,
    ) -> Result<()> {
        let section = Path::ROOT.key("services");
        let path = section.key(name);
        let Some(service) = family.services.get(name).filter(|service| !service.is_null()) else {
            return Ok(());
        };
        if service.as_map().is_none() {
            let text = format!("must be a mapping, not {}", service.kind());
            return Err(Fault::new(service.at, &path, text));
        }
        let Some(extends) = service.get("extends").cloned() else { return Ok(()) };
        let path = path.key("extends");
        let (base, file) = target(&extends, &path)?;
        no_circle(chain, family.path, name, &extends, &path)?;
        let parent = match file {
            None => {
                if !family.services.contains_key(&base) {
                    return Err(missing(&extends, &path, &base, family.path));
                }
                self.extend(&base, family, model, chain)?;
                self.copy(family.services.get(&base), &extends, &path)?
            }
            Some(file) => self.service_of(&file, &base, model, chain, &extends, &path)?,
        };
        chain.pop();
        let Some(mut parent) = parent.filter(|parent| !parent.is_null()) else { return Ok(()) };
        family.marks.apply_to("services", name, &mut parent);
        let service = family.services.remove(name).unwrap_or_else(|| Node::null(extends.at));
        let at = service.at;
        let each = ROOT.entry("services").and_then(|services| services.entry(name));
        let mut merged = merge(parent, service, each, &section.key(name))?;
        merged.at = at;
        if let Some(map) = merged.as_map_mut() {
            map.remove("extends");
        }
        family.services.insert(name.to_owned(), merged);
        Ok(())
    }

    /// A service of another file, with what it extends there. Its paths are relative to our
    /// folder afterwards.
    fn service_of(
        &self,
        file: &str,
        base: &str,
        model: &mut Model<'_>,
        chain: &mut Chain,
        extends: &Node,
        path: &Path<'_>,
    ) -> Result<Option<Node>> {
        let located = |mut fault: Fault| {
            fault.at = fault.at.or(Some(extends.at));
            fault.key = fault.key.or_else(|| Some(path.to_string()));
            fault
        };
        local_only(file).map_err(located)?;
        let full = if file.starts_with('/') {
            file.to_owned()
        } else {
            join(&model.folder.absolute, file)
        };
        let extended = self.extended_file(&full, model).map_err(located)?;
        if !extended.services.contains_key(base) {
            return Err(missing(extends, path, base, file));
        }
        let services = self.with_ancestors(base, &extended.services, extends, path)?;
        let mut family = Family { path: &full, services, marks: &extended.marks };
        self.extend(base, &mut family, model, chain)?;
        Ok(family.services.remove(base))
    }

    /// A service and those of the same file that it is made of, directly or not.
    fn with_ancestors(
        &self,
        base: &str,
        all: &Map,
        extends: &Node,
        path: &Path<'_>,
    ) -> Result<Map> {
        let mut out = Map::new();
        let mut next = Some(base.to_owned());
        while let Some(name) = next.take().filter(|name| !out.contains_key(name)) {
            let Some(service) = self.copy(all.get(&name), extends, path)? else { break };
            if let Some(Ok((base, None))) = service.get("extends").map(|own| target(own, path)) {
                next = Some(base);
            }
            out.insert(name, service);
        }
        Ok(out)
    }

    /// A copy that counts.
    fn copy(&self, node: Option<&Node>, extends: &Node, path: &Path<'_>) -> Result<Option<Node>> {
        let values = node.map_or(0, Node::size);
        self.budget.make(values).map_err(|message| Fault::new(extends.at, path, message))?;
        Ok(node.cloned())
    }

    fn extended_file(&self, full: &str, model: &mut Model<'_>) -> Result<Rc<Extended>> {
        if let Some(known) = model.extended.get(full) {
            return Ok(Rc::clone(known));
        }
        let mut root = Node::empty_map(Default::default());
        let mut marks = Marks::default();
        for document in self.documents(full)? {
            let (new, new_marks) = self.base(document, model)?;
            root = merge(root, new, Some(&ROOT), &Path::ROOT)?;
            marks = new_marks;
        }
        let folder = relative(&model.folder.absolute, &parent(full));
        self.resolve_paths(&mut root, &folder)?;
        let kind = root.get("services").map(Node::kind);
        let at = root.at;
        let services = root.get_mut("services").and_then(Node::as_map_mut).map(std::mem::take);
        let Some(services) = services else {
            let text = match kind {
                None => format!("{full} has no services section"),
                Some(kind) => format!("services of {full} must be a mapping, not {kind}"),
            };
            return Err(Fault { at: (at.line > 0).then_some(at), ..Fault::plain(text) });
        };
        let extended = Rc::new(Extended { services, marks });
        model.extended.insert(full.to_owned(), Rc::clone(&extended));
        Ok(extended)
    }
}

/// The service that is extended, and its file when it is in another.
fn target(extends: &Node, path: &Path<'_>) -> Result<(String, Option<String>)> {
    if let Some(service) = extends.as_text() {
        return Ok((service.to_owned(), None));
    }
    let text = |key: &str| extends.get(key).and_then(Node::as_text).map(str::to_owned);
    let Some(service) = text("service") else {
        let text = "extends needs the name of a service as `service`";
        return Err(Fault::new(extends.at, path, text));
    };
    match extends.get("file") {
        Some(file) if !file.is_null() && file.as_text().is_none() => {
            let text = format!("must be a string, not {}", file.kind());
            Err(Fault::new(file.at, &path.key("file"), text))
        }
        _ => Ok((service, text("file"))),
    }
}

fn missing(extends: &Node, path: &Path<'_>, base: &str, file: &str) -> Fault {
    Fault::new(extends.at, path, format!("service {base:?} not found in {file}"))
}

fn no_circle(
    chain: &mut Chain,
    file: &str,
    name: &str,
    extends: &Node,
    path: &Path<'_>,
) -> Result<()> {
    let link = (file.to_owned(), name.to_owned());
    if let Some(start) = chain.iter().position(|known| *known == link) {
        chain.push(link);
        let steps: Vec<String> =
            chain[start..].iter().map(|(file, name)| format!("{name} in {file}")).collect();
        let text = format!("circular reference: {}", steps.join(", which extends "));
        return Err(Fault::new(extends.at, path, text));
    }
    if chain.len() >= crate::limits::DEPTH_MAX {
        let text = format!("more than {} services extend each other", crate::limits::DEPTH_MAX);
        return Err(Fault::new(extends.at, path, text));
    }
    chain.push(link);
    Ok(())
}
