//! All stages in order.

use std::collections::BTreeMap;

use crate::limits::Budget;
use crate::model::{self, Project, Reader, Sources};
use crate::schema::ROOT;
use crate::stages::consistency;
use crate::stages::decode::decode;
use crate::stages::environment::CONTENT;
use crate::stages::interpolate::Warnings;
use crate::stages::normalize::normalize;
use crate::stages::print::{Layout, as_written, printed, project as print_project};
use crate::stages::select::{Services, drop_unused};
use crate::text::numbers::is_true;
use crate::tree::{Fault, Map, Node, Path, Result, Value};
use crate::{EnvFiles, Files, LoadError, LoadOptions, Loaded};

/// Reads, merges and checks the files of a project.
pub fn load(options: &LoadOptions, files: &dyn Files) -> std::result::Result<Loaded, LoadError> {
    let current = options.current_dir.to_string_lossy().into_owned();
    let sources = Sources::new(files, current);
    let warnings = Warnings::default();
    let loaded = load_from(options, &sources, &warnings);
    let warnings = warnings.take();
    match loaded {
        Ok(loaded) => Ok(Loaded { warnings, ..loaded }),
        Err(fault) => Err(sources.error(fault, warnings)),
    }
}

fn load_from(options: &LoadOptions, sources: &Sources<'_>, warnings: &Warnings) -> Result<Loaded> {
    let home = options.environment.get("HOME").map(String::as_str);
    let budget = Budget::default();
    let reader = Reader { sources, warnings, stages: options.stages, budget: &budget, home };
    let mut project = Project::find(&reader, options)?;
    let files = std::mem::take(&mut project.files);
    let config_files = files.iter().map(|(path, _)| path.clone()).collect();
    let mut root = reader.project(files, &project.folder, &project.variables)?;
    if root.as_map().is_none_or(Map::is_empty) {
        return Err(Fault::plain("empty compose file"));
    }
    if options.stages.normalize {
        normalize(&mut root, &project.name, &project.variables, &budget)?;
        let at = root.at;
        if let Some(map) = root.as_map_mut() {
            map.insert("name".to_owned(), Node::text(at, project.name.clone()));
        }
    }
    let secrets = contents(&mut root, "secrets");
    let configs = contents(&mut root, "configs");
    let compatibility = options.compatibility
        || project.variables.get("COMPOSE_COMPATIBILITY").is_some_and(|value| is_true(value));
    let mut loaded = Loaded {
        name: project.name.clone(),
        working_dir: project.folder.absolute.clone().into(),
        config_files,
        env_files: options.env_files.clone(),
        profiles: project.profiles.clone(),
        environment: project.variables.clone(),
        project: serde_json::Value::Null,
        models: serde_json::Map::new(),
        extensions: BTreeMap::new(),
        disabled: serde_json::Map::new(),
        secrets,
        configs,
        compatibility,
        warnings: Vec::new(),
        typed: options.stages.types,
        tree: root,
    };
    if options.stages.types {
        complete(&mut loaded, options, sources, warnings, &budget)?;
    } else {
        loaded.project = as_written(&loaded.tree);
    }
    Ok(loaded)
}

/// From the merged tree to the project: types, profiles, checks, files of variables.
fn complete(
    loaded: &mut Loaded,
    options: &LoadOptions,
    sources: &Sources<'_>,
    warnings: &Warnings,
    budget: &Budget,
) -> Result<()> {
    let root = &mut loaded.tree;
    decode(root, &ROOT, warnings, &Path::ROOT)?;
    let at = root.at;
    let all = root.get_mut("services").and_then(Node::as_map_mut).map(std::mem::take);
    let mut services = Services::by_profile(all.unwrap_or_default(), &loaded.profiles);
    if options.stages.check_consistency {
        consistency::check(root, &services)?;
        services.enabled.values_mut().for_each(scale_as_replicas);
    }
    let resolve = |services: &mut Map| {
        model::resolve_environment(services, &loaded.environment, sources, warnings, budget)
    };
    if options.stages.env_files == EnvFiles::Enabled {
        resolve(&mut services.enabled)?;
    }
    model::resolve_labels(&mut services.enabled, sources, warnings)?;
    if !options.services.is_empty() {
        let (enabled, profiles) = services.enable(&options.services, &loaded.profiles);
        services = enabled;
        loaded.profiles = profiles;
        services.keep(&options.services)?;
        model::resolve_labels(&mut services.enabled, sources, warnings)?;
    }
    if options.stages.env_files != EnvFiles::Unread {
        resolve(&mut services.enabled)?;
    }
    if options.stages.check_consistency && options.stages.container_names {
        consistency::container_names(&services.enabled)?;
    }
    if !options.all_resources {
        drop_unused(root, &services.enabled);
    }
    let each = ROOT.entry("services").and_then(|section| section.entry("*"));
    for (name, service) in &services.disabled {
        let shown = each.and_then(|each| printed(service, each, Layout::Json));
        loaded.disabled.extend(shown.map(|value| (name.clone(), value)));
    }
    if let Some(map) = root.as_map_mut() {
        map.insert("services".to_owned(), Node::new(at, Value::Map(services.enabled)));
        map.insert("name".to_owned(), Node::text(at, loaded.name.clone()));
    }
    let mut yaml = print_project(root, Layout::Yaml);
    if let Some(serde_json::Value::Object(models)) =
        yaml.get_mut("models").map(serde_json::Value::take)
    {
        loaded.models = models;
    }
    for (name, service) in
        yaml.get("services").and_then(serde_json::Value::as_object).into_iter().flatten()
    {
        extensions(service, "", loaded.extensions.entry(name.clone()).or_default());
    }
    loaded.project = print_project(root, Layout::Json);
    Ok(())
}

/// The extensions in a value, with where they are.
fn extensions(
    value: &serde_json::Value,
    at: &str,
    found: &mut BTreeMap<String, serde_json::Value>,
) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let at = format!("{at}/{key}");
                if key.starts_with("x-") {
                    found.insert(at, value.clone());
                } else {
                    extensions(value, &at, found);
                }
            }
        }
        serde_json::Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                extensions(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// `scale` counts for `deploy` too, which may stand beside it.
fn scale_as_replicas(service: &mut Node) {
    let scale = service.get("scale").cloned();
    let deploy = service.get_mut("deploy").and_then(Node::as_map_mut);
    if let (Some(scale), Some(deploy)) = (scale, deploy) {
        deploy.insert("replicas".to_owned(), scale);
    }
}

/// Takes the values of secrets or configs that come from variables out of the tree, so that
/// nothing prints them.
fn contents(root: &mut Node, section: &str) -> BTreeMap<String, String> {
    let objects = root.get_mut(section).and_then(Node::as_map_mut).into_iter().flatten();
    let content = |object: &mut Node| match object.as_map_mut()?.remove(CONTENT)?.value {
        Value::Text(text) => Some(text),
        _ => None,
    };
    objects.filter_map(|(name, object)| Some((name.clone(), content(object)?))).collect()
}
