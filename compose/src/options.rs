//! What is asked of [`crate::load`], and what it answers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::tree::Node;

/// Everything the outside says about a project.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `-f`, in order; empty: `COMPOSE_FILE`, or the file is searched for.
    pub files: Vec<String>,
    /// `--project-directory`
    pub project_directory: Option<String>,
    /// `-p`
    pub project_name: Option<String>,
    /// `--env-file` or `COMPOSE_ENV_FILES`; empty: `.env`.
    pub env_files: Vec<String>,
    /// `--profile`; empty: `COMPOSE_PROFILES`.
    pub profiles: Vec<String>,
    /// Services named on the command line: these and what they depend on make up the project,
    /// and their profiles are enabled. Empty: all that the profiles enable.
    pub services: Vec<String>,
    /// `--all-resources`: keeps networks, volumes, secrets and configs that nobody uses.
    pub all_resources: bool,
    /// `--compatibility`
    pub compatibility: bool,
    /// The environment of the process.
    pub environment: BTreeMap<String, String>,
    /// The folder in which the process runs.
    pub current_dir: PathBuf,
    pub stages: Stages,
}

/// What is done to the files; everything by default.
#[derive(Debug, Clone, Copy)]
pub struct Stages {
    pub interpolate: bool,
    pub normalize: bool,
    pub resolve_paths: bool,
    pub check_consistency: bool,
    /// Names of containers are used once: where containers are made.
    pub container_names: bool,
    /// What the table of attributes knows is held against the files.
    pub check: bool,
    pub env_files: EnvFiles,
    /// Values get their types, and profiles and names choose among services. Otherwise the
    /// tree is left as the files give it, with all services.
    pub types: bool,
}

/// Of which services `env_file` is read into `environment`. A file that is missing is a mistake
/// only where it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvFiles {
    /// Of all that profiles enable, asked for or not.
    Enabled,
    /// Of those that make up the project in the end.
    Chosen,
    Unread,
}

impl Default for Stages {
    fn default() -> Self {
        Self {
            interpolate: true,
            normalize: true,
            resolve_paths: true,
            check_consistency: true,
            container_names: true,
            check: true,
            env_files: EnvFiles::Chosen,
            types: true,
        }
    }
}

/// A project that has passed all checks.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub name: String,
    /// Where relative paths begin, and where the project lives.
    pub working_dir: PathBuf,
    /// Absolute paths, `-` for standard input.
    pub config_files: Vec<String>,
    /// As given; empty when `.env` was meant.
    pub env_files: Vec<String>,
    /// The profiles that are enabled.
    pub profiles: Vec<String>,
    /// The variables that interpolation saw.
    pub environment: BTreeMap<String, String>,
    /// What `config --format json` prints, without its `$$` for `$`.
    pub project: Value,
    /// AI models by key, which JSON leaves out.
    pub models: Map<String, Value>,
    /// Extensions (`x-…`) of services, which JSON leaves out too: by service, and JSON pointer (RFC 6901) in it.
    pub extensions: BTreeMap<String, BTreeMap<String, Value>>,
    /// Services whose profiles are not enabled, or that were not asked for, by name.
    pub disabled: Map<String, Value>,
    /// Values of secrets that come from variables, by the key of the secret. Never printed.
    pub secrets: BTreeMap<String, String>,
    /// Values of configs that come from variables.
    pub configs: BTreeMap<String, String>,
    /// Names are joined with underscores, as Compose v1 did.
    pub compatibility: bool,
    /// For the user, in the order in which they arose.
    pub warnings: Vec<String>,
    pub(crate) typed: bool,
    /// The project as the stages left it.
    pub(crate) tree: Node,
}
