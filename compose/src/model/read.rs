//! One file after the other, each through the stages in the order that Compose takes them.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::Sources;
use super::extends::Extended;
use crate::limits::Budget;
use crate::options::Stages;
use crate::schema::ROOT;
use crate::stages::canonical::Canonical;
use crate::stages::interpolate::{Environment, Warnings, interpolate};
use crate::stages::merge::merge;
use crate::stages::paths::Base;
use crate::stages::{check, defaults, environment, rules, unique};
use crate::tree::{Fault, Node, Path, Result, Value};
use crate::yaml::{self, Document, Marks};

/// What all files of a project share.
pub(crate) struct Reader<'a> {
    pub(crate) sources: &'a Sources<'a>,
    pub(crate) warnings: &'a Warnings,
    pub(crate) stages: Stages,
    pub(crate) budget: &'a Budget,
    pub(crate) home: Option<&'a str>,
}

/// A folder of the project or of one it includes.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    /// Where files are found.
    pub(crate) absolute: String,
    /// What relative paths begin with; relative itself when another base follows.
    pub(crate) prefix: String,
}

/// Some files that are read together: those of the project, or of one `include`.
pub(super) struct Model<'a> {
    pub(super) folder: &'a Folder,
    pub(super) variables: &'a BTreeMap<String, String>,
    /// The files that led here.
    pub(super) included: Vec<String>,
    /// Files that services were taken from.
    pub(super) extended: HashMap<String, Rc<Extended>>,
    /// Paths become absolute, or relative to the including project.
    pub(super) resolve_paths: bool,
}

impl Reader<'_> {
    /// The documents of a file.
    pub(crate) fn documents(&self, path: &str) -> Result<Vec<Document>> {
        let (file, bytes) = self.sources.read(path)?;
        yaml::read(file, &bytes)
    }

    /// The files of the project itself.
    pub(crate) fn project(
        &self,
        files: Vec<(String, Vec<Document>)>,
        folder: &Folder,
        variables: &BTreeMap<String, String>,
    ) -> Result<Node> {
        let model = Model {
            folder,
            variables,
            included: Vec::new(),
            extended: HashMap::new(),
            resolve_paths: self.stages.resolve_paths,
        };
        self.model(files, model)
    }

    pub(super) fn model(
        &self,
        files: Vec<(String, Vec<Document>)>,
        mut model: Model<'_>,
    ) -> Result<Node> {
        let mut root = Node::empty_map(Default::default());
        for (path, documents) in files {
            for document in documents {
                root = self.add(root, document, &path, &mut model)?;
            }
        }
        defaults::fill(&mut root, Some(&ROOT));
        if self.stages.check {
            rules::check(&root)?;
        }
        if model.resolve_paths {
            self.resolve_paths(&mut root, &model.folder.prefix)?;
        }
        environment::resolve(&mut root, model.variables, self.budget)?;
        Ok(root)
    }

    pub(super) fn resolve_paths(&self, root: &mut Node, folder: &str) -> Result<()> {
        Base { folder, home: self.home }.apply(root, Some(&ROOT), &Path::ROOT)
    }

    /// One document on top of what earlier ones said.
    fn add(
        &self,
        mut root: Node,
        document: Document,
        path: &str,
        model: &mut Model<'_>,
    ) -> Result<Node> {
        let Document { root: mut new, marks } = document;
        self.prepare(&mut new, model)?;
        // Before services are extended: they have then what includes gave them.
        model.included.push(path.to_owned());
        let included = self.include(&mut new, &marks, model);
        model.included.pop();
        included?;
        marks.apply(&mut root);
        self.extend_services(&mut new, path, &marks, model)?;
        let mut root = merge(root, new, Some(&ROOT), &Path::ROOT)?;
        unique::unique(&mut root, Some(&ROOT), &Path::ROOT)?;
        if self.stages.check {
            check::check(&root, &ROOT)?;
        }
        if root.as_map_mut().is_some_and(|map| map.remove("version").is_some()) {
            self.warnings.add(format!(
                "{path}: the attribute `version` is obsolete, it will be ignored, \
                 please remove it to avoid potential confusion"
            ));
        }
        self.lengthen(&mut root)?;
        Ok(root)
    }

    /// A file that services are taken from: neither extended, nor merged, nor checked itself.
    pub(super) fn base(&self, document: Document, model: &Model<'_>) -> Result<(Node, Marks)> {
        let Document { root: mut new, marks } = document;
        self.prepare(&mut new, model)?;
        unique::unique(&mut new, Some(&ROOT), &Path::ROOT)?;
        self.lengthen(&mut new)?;
        Ok((new, marks))
    }

    fn prepare(&self, root: &mut Node, model: &Model<'_>) -> Result<()> {
        if root.as_map().is_none() {
            let text = format!("the top level must be a mapping, not {}", root.kind());
            return Err(Fault::in_file(root.at, text)
                .hint("a Compose file begins with a key such as `services:`"));
        }
        if !self.stages.interpolate {
            return Ok(());
        }
        let environment = Environment { variables: model.variables, warnings: self.warnings };
        interpolate(root, Some(&ROOT), &environment, self.budget, &Path::ROOT)
    }

    /// Short forms become long ones, which may show that two items are the same.
    fn lengthen(&self, root: &mut Node) -> Result<()> {
        let lenient = !self.stages.interpolate;
        let canonical = Canonical { lenient, warnings: self.warnings, budget: self.budget };
        canonical.apply(root, Some(&ROOT), &Path::ROOT)?;
        drop_empty_servers(root);
        unique::unique(root, Some(&ROOT), &Path::ROOT)
    }
}

/// A name server that is an empty variable is none.
fn drop_empty_servers(root: &mut Node) {
    let services = root.get_mut("services").and_then(Node::as_map_mut);
    for service in services.into_iter().flat_map(|map| map.values_mut()) {
        if let Some(Value::List(servers)) = service.get_mut("dns").map(|node| &mut node.value) {
            servers.retain(|server| !server.is_null() && server.as_text() != Some(""));
        }
    }
}

/// Paths of other systems and protocols cannot be read.
pub(super) fn local_only(path: &str) -> Result<()> {
    let remote = ["oci://", "https://", "http://", "git://", "ssh://", "git@", "github.com/"];
    if remote.iter().any(|prefix| path.starts_with(prefix)) {
        return Err(Fault::plain(format!(
            "{path}: Compose files are not read from registries and repositories"
        ))
        .hint("fetch it first and name the file"));
    }
    Ok(())
}

/// The folder of a path.
pub(crate) fn parent(path: &str) -> String {
    match path.rfind('/') {
        Some(0) => "/".to_owned(),
        Some(at) => path[..at].to_owned(),
        None => ".".to_owned(),
    }
}
