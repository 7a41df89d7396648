//! `include`: other Compose projects, with their own folder and variables, put below what this
//! one says: where both define a thing, ours is merged over theirs.

use std::collections::HashMap;

use super::env_file;
use super::read::{Folder, Model, Reader, local_only, parent};
use crate::files::FileKind;
use crate::schema::ROOT;
use crate::stages::interpolate::Warnings;
use crate::stages::merge::merge;
use crate::stages::paths::{join, relative};
use crate::tree::{At, Fault, Map, Node, Path, Result, Value};
use crate::yaml::Marks;

/// One entry of `include`.
struct Include {
    at: At,
    paths: Vec<String>,
    env_files: Vec<String>,
    project_directory: String,
}

impl Reader<'_> {
    /// Replaces `include` by what it names. `marks` are those of the including document.
    pub(super) fn include(&self, root: &mut Node, marks: &Marks, model: &Model<'_>) -> Result<()> {
        let Some(list) = root.as_map_mut().and_then(|map| map.remove("include")) else {
            return Ok(());
        };
        let path = Path::ROOT.key("include");
        if list.is_null() {
            return Ok(());
        }
        let Some(items) = list.as_list() else {
            let text = format!("must be a list, not {}", list.kind());
            return Err(Fault::new(list.at, &path, text));
        };
        for (index, item) in items.iter().enumerate() {
            let path = path.index(index);
            let imported =
                entry(item, &path, self.warnings).and_then(|entry| self.included(&entry, model));
            let imported = imported.map_err(|mut fault| {
                fault.at = fault.at.or(Some(item.at));
                fault.key = fault.key.or_else(|| Some(path.to_string()));
                fault
            })?;
            import(imported, root, marks)?;
        }
        Ok(())
    }

    fn included(&self, include: &Include, model: &Model<'_>) -> Result<Node> {
        let mut paths = Vec::new();
        for path in &include.paths {
            local_only(path)?;
            paths.push(absolute(&model.folder.absolute, path));
        }
        let Some(main) = paths.first() else {
            return Err(Fault::in_file(include.at, "include needs a path"));
        };
        if model.included.contains(main) {
            let way = [model.included.as_slice(), std::slice::from_ref(main)].concat();
            let text = format!("include cycle detected: {}", way.join(" includes "));
            return Err(Fault::in_file(include.at, text));
        }
        let folder = self.folder(include, main, model);
        let env_files = self.env_files(include, &folder, model)?;
        let mut variables = model.variables.clone();
        env_file::add(self.sources, &env_files, &mut variables, self.warnings)?;
        let files: Result<Vec<_>> =
            paths.iter().map(|path| Ok((path.clone(), self.documents(path)?))).collect();
        let inner = Model {
            folder: &folder,
            variables: &variables,
            included: model.included.clone(),
            extended: HashMap::new(),
            resolve_paths: true,
        };
        self.model(files?, inner)
    }

    /// The folder of an included project, as found and as seen from ours.
    fn folder(&self, include: &Include, main: &str, model: &Model<'_>) -> Folder {
        let ours = &model.folder.absolute;
        if include.project_directory.is_empty() {
            let folder = parent(main);
            return Folder { prefix: relative(ours, &folder), absolute: folder };
        }
        let folder = absolute(ours, &include.project_directory);
        if include.project_directory.starts_with('/') {
            return Folder { prefix: folder.clone(), absolute: folder };
        }
        let seen = match self.sources.kind(&folder) {
            FileKind::Directory => folder.clone(),
            _ => parent(&folder),
        };
        Folder { prefix: relative(ours, &seen), absolute: folder }
    }

    fn env_files(
        &self,
        include: &Include,
        folder: &Folder,
        model: &Model<'_>,
    ) -> Result<Vec<String>> {
        if include.env_files.is_empty() {
            let usual = join(&folder.absolute, ".env");
            let found = self.sources.kind(&usual) == FileKind::File;
            return Ok(found.then_some(usual).into_iter().collect());
        }
        let mut files = Vec::new();
        // A way to say that none is read, not even `.env`.
        for file in include.env_files.iter().filter(|file| *file != "/dev/null") {
            files.push(absolute(&model.folder.absolute, file));
        }
        Ok(files)
    }
}

fn absolute(folder: &str, path: &str) -> String {
    if path.starts_with('/') { join(path, "") } else { join(folder, path) }
}

fn entry(item: &Node, path: &Path<'_>, warnings: &Warnings) -> Result<Include> {
    let texts = |key: &str| -> Result<Vec<String>> {
        match item.get(key).map(|node| (node, &node.value)) {
            None | Some((_, Value::Null)) => Ok(Vec::new()),
            Some((_, Value::Text(text))) => Ok(vec![text.clone()]),
            Some((node, Value::List(items))) => items
                .iter()
                .map(|item| {
                    item.as_text().map(str::to_owned).ok_or_else(|| {
                        let text = format!("must be strings, not {}", item.kind());
                        Fault::new(node.at, &path.key(key), text)
                    })
                })
                .collect(),
            Some((node, _)) => {
                let text = format!("must be a string or a list, not {}", node.kind());
                Err(Fault::new(node.at, &path.key(key), text))
            }
        }
    };
    match &item.value {
        Value::Text(text) => Ok(Include {
            at: item.at,
            paths: vec![text.clone()],
            env_files: Vec::new(),
            project_directory: String::new(),
        }),
        Value::Map(map) => {
            let known = ["path", "env_file", "project_directory"];
            for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
                warnings.add(format!("{path}: unknown attribute '{key}' is ignored"));
            }
            Ok(Include {
                at: item.at,
                paths: texts("path")?,
                env_files: texts("env_file")?,
                project_directory: texts("project_directory")?
                    .into_iter()
                    .next()
                    .unwrap_or_default(),
            })
        }
        _ => {
            let text = format!("must be a string or a mapping, not {}", item.kind());
            Err(Fault::new(item.at, path, text))
        }
    }
}

/// Copies all objects. What both have is theirs with what ours says, but for what ours resets.
fn import(mut from: Node, root: &mut Node, marks: &Marks) -> Result<()> {
    for section in ["services", "volumes", "networks", "secrets", "configs", "models"] {
        let Some(objects) = from.get_mut(section) else { continue };
        let at = objects.at;
        let Some(objects) = objects.as_map_mut().map(std::mem::take) else { continue };
        let Some(root) = root.as_map_mut() else { continue };
        let target = root.entry(section.to_owned()).or_insert_with(|| Node::empty_map(at));
        if target.is_null() {
            target.value = Value::Map(Map::new());
        }
        let kind = target.kind();
        let target_at = target.at;
        let path = Path::ROOT.key(section);
        let Some(target) = target.as_map_mut() else {
            let text = format!("must be a mapping, not {kind}");
            return Err(Fault::new(target_at, &path, text));
        };
        let each = ROOT.entry(section);
        for (name, mut object) in objects {
            let whole = marks.has(section, &name);
            let ours = target.remove(&name);
            if whole {
                target.extend(ours.map(|ours| (name, ours)));
                continue;
            }
            if let Some(ours) = ours {
                let at = ours.at;
                marks.apply_to(section, &name, &mut object);
                let attr = each.and_then(|each| each.entry(&name));
                object = merge(object, ours, attr, &path.key(&name))?;
                object.at = at;
            }
            target.insert(name, object);
        }
    }
    Ok(())
}
