//! Stack files (`docker stack deploy -c`): read as Docker's own loader of them reads them, and where that refuses a
//! file, as a Compose file.
//!
//! Docker reads stack files with a loader of its own, older than the Compose Specification: without `.env`, `name`,
//! `include`, `extends` and profiles, with its own rules for variables, ports, volumes and several files. What it
//! accepts is read here with the same result: the table is [`crate::schema::STACK_ROOT`], the stages are those of
//! Compose where they agree, and this folder has what differs. All else goes through [`crate::load`], so that what
//! `compose config` prints can be deployed; [`adopt`] puts that into the same form.
//!
//! The form is the value that `stack config` prints. Limits: versions 3.0 to 3.12 are read by the table of 3.13, and
//! the tags `!reset` and `!override` count only in files that Docker refuses.

mod adopt;
mod long;
mod merge;
mod objects;
mod read;
mod template;
mod variables;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use crate::error::LoadError;
use crate::files::Files;
use crate::model::Sources;
use crate::options::{LoadOptions, Stages};
use crate::stages::interpolate::Warnings;
use crate::stages::paths::join;
use crate::text::emit;
use crate::tree::{Fault, Node, Result as Read};
use crate::yaml;

/// Attributes of services that no swarm honours.
const UNSUPPORTED: [&str; 16] = [
    "build",
    "cgroup_parent",
    "cgroupns_mode",
    "devices",
    "domainname",
    "external_links",
    "ipc",
    "links",
    "mac_address",
    "network_mode",
    "pid",
    "privileged",
    "restart",
    "security_opt",
    "shm_size",
    "userns_mode",
];

/// Those that have no meaning any more.
const DEPRECATED: [(&str, &str); 2] = [
    ("container_name", "Setting the container name is not supported."),
    (
        "expose",
        "Exposing ports is unnecessary - services on the same network can access each other's containers on any port.",
    ),
];

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct StackOptions {
    /// `-c`, in order; `-` is standard input.
    pub files: Vec<String>,
    /// Leaves variables as they are.
    pub skip_interpolation: bool,
    /// The environment of the process.
    pub environment: BTreeMap<String, String>,
    /// The folder in which the process runs.
    pub current_dir: PathBuf,
}

/// A stack, as its files say.
#[derive(Debug, Clone)]
pub struct StackFile {
    /// What `stack config` prints.
    pub config: Value,
    /// Attributes that have no effect, in order.
    pub unsupported: Vec<String>,
    /// Attributes that mean nothing any more, and why.
    pub deprecated: Vec<(&'static str, &'static str)>,
    /// Values of secrets that come from variables, by the key of the secret.
    pub secrets: BTreeMap<String, String>,
    /// The same of configs.
    pub configs: BTreeMap<String, String>,
    pub warnings: Vec<String>,
}

impl StackFile {
    pub fn yaml(&self) -> String {
        emit::document(&self.config)
    }
}

/// Reads the files of a stack.
pub fn load_stack(options: &StackOptions, files: &dyn Files) -> Result<StackFile, LoadError> {
    let files = Once::new(files);
    let current = options.current_dir.to_string_lossy().into_owned();
    let sources = Sources::new(&files, current.clone());
    let warnings = Warnings::default();
    let mut roots = Vec::new();
    for path in &options.files {
        let root = first_document(&sources, path);
        roots.push(root.map_err(|fault| sources.error(fault, Vec::new()))?);
    }
    match classic(options, &sources, &roots, &folder(options, &current), &warnings) {
        Ok(config) => {
            let unsupported = UNSUPPORTED.into_iter().filter(|key| names(&roots, key));
            Ok(StackFile {
                config,
                unsupported: unsupported.map(str::to_owned).collect(),
                deprecated: DEPRECATED.into_iter().filter(|(key, _)| names(&roots, key)).collect(),
                secrets: BTreeMap::new(),
                configs: BTreeMap::new(),
                warnings: warnings.take(),
            })
        }
        Err(_) => modern(options, &files, &roots),
    }
}

/// Docker reads the first document of a file, and no tags.
fn first_document(sources: &Sources<'_>, path: &str) -> Read<Node> {
    let (file, bytes) = sources.read(path)?;
    let document = yaml::read_untagged(file, &bytes)?;
    match document {
        Some(root) if root.as_map().is_some() => Ok(root),
        root => {
            let text = "top-level object must be a mapping";
            Err(root.map_or_else(|| Fault::plain(text), |root| Fault::in_file(root.at, text)))
        }
    }
}

/// The folder of the first file.
fn folder(options: &StackOptions, current: &str) -> String {
    match options.files.as_slice() {
        [only] if only == "-" => current.to_owned(),
        files => {
            let first = files.first().map_or("", String::as_str);
            let absolute =
                if first.starts_with('/') { first.to_owned() } else { join(current, first) };
            crate::model::parent(&absolute)
        }
    }
}

fn classic(
    options: &StackOptions,
    sources: &Sources<'_>,
    roots: &[Node],
    folder: &str,
    warnings: &Warnings,
) -> Read<Value> {
    let reader = read::Reader {
        sources,
        warnings,
        interpolate: !options.skip_interpolation,
        variables: &options.environment,
        folder,
    };
    let mut merged: Option<Value> = None;
    let mut version = None;
    for root in roots {
        let of_file =
            read::version(root).ok_or_else(|| Fault::plain("version must be a string"))?;
        if *version.get_or_insert_with(|| of_file.clone()) != of_file {
            return Err(Fault::plain("version mismatched between two composefiles"));
        }
        let config = reader.read(root.clone(), &of_file)?;
        match &mut merged {
            None => merged = Some(config),
            Some(merged) => merge::merge(merged, config),
        }
    }
    merged.ok_or_else(|| Fault::plain("no files specified"))
}

/// Files that Docker's loader refuses, as Compose reads them.
fn modern(
    options: &StackOptions,
    files: &dyn Files,
    roots: &[Node],
) -> Result<StackFile, LoadError> {
    let mut environment = options.environment.clone();
    environment.insert("COMPOSE_DISABLE_ENV_FILE".to_owned(), "true".to_owned());
    let loaded = crate::load(
        &LoadOptions {
            files: options.files.clone(),
            project_name: Some("stack".to_owned()),
            environment,
            current_dir: options.current_dir.clone(),
            all_resources: true,
            stages: Stages {
                normalize: false,
                interpolate: !options.skip_interpolation,
                // What still has variables in it cannot be read further.
                types: !options.skip_interpolation,
                ..Stages::default()
            },
            ..LoadOptions::default()
        },
        files,
    )?;
    let adopted = match options.skip_interpolation {
        true => Ok((loaded.project.clone(), Vec::new())),
        false => adopt::adopt(&loaded),
    };
    let (config, unknown) = adopted.map_err(|message| LoadError {
        place: None,
        key: None,
        message,
        hint: None,
        warnings: loaded.warnings.clone(),
    })?;
    let known = UNSUPPORTED.into_iter().filter(|key| names(roots, key)).map(str::to_owned);
    let unsupported: BTreeSet<String> = known.chain(unknown).collect();
    Ok(StackFile {
        config,
        unsupported: unsupported.into_iter().collect(),
        deprecated: DEPRECATED.into_iter().filter(|(key, _)| names(roots, key)).collect(),
        secrets: loaded.secrets,
        configs: loaded.configs,
        warnings: loaded
            .warnings
            .into_iter()
            .filter(|text| !text.contains("`version` is obsolete"))
            .collect(),
    })
}

/// Whether a service of a file has this attribute.
fn names(roots: &[Node], key: &str) -> bool {
    let services = roots.iter().filter_map(|root| root.get("services"));
    services.flat_map(Node::entries).any(|(_, service)| service.get(key).is_some())
}

/// Standard input can be read once, and both loaders want it.
struct Once<'a> {
    files: &'a dyn Files,
    stdin: std::cell::OnceCell<Vec<u8>>,
}

impl<'a> Once<'a> {
    fn new(files: &'a dyn Files) -> Self {
        Self { files, stdin: std::cell::OnceCell::new() }
    }
}

impl Files for Once<'_> {
    fn read(&self, path: &std::path::Path) -> std::io::Result<Vec<u8>> {
        self.files.read(path)
    }

    fn read_stdin(&self) -> std::io::Result<Vec<u8>> {
        if let Some(bytes) = self.stdin.get() {
            return Ok(bytes.clone());
        }
        let bytes = self.files.read_stdin()?;
        Ok(self.stdin.get_or_init(|| bytes).clone())
    }

    fn kind(&self, path: &std::path::Path) -> crate::FileKind {
        self.files.kind(path)
    }
}
