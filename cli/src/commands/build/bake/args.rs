//! The flags of `bake`.

use clap::ArgAction;

/// Build the targets of a file
///
/// The file is HCL, JSON or a Compose file. Without -f, the Compose file of the folder counts, then docker-bake.json and
/// docker-bake.hcl, then those with .override in their names; what they say adds up. Without a name, the group default
/// is built.
#[derive(Debug, clap::Args)]
pub(crate) struct BakeArgs {
    /// Allow what targets ask for: network.host, fs.read=PATH, fs.write=PATH, fs=PATH
    #[arg(long, value_name = "stringArray")]
    pub(super) allow: Vec<String>,
    /// There is one builder: default
    #[arg(long, value_name = "string")]
    pub(super) builder: Option<String>,
    /// What to do: build, check, outline or targets; with format=json, ignorestatus
    #[arg(long, value_name = "string")]
    pub(super) call: Option<String>,
    /// Check the Dockerfiles and build nothing (same as --call=check)
    #[arg(long)]
    pub(super) check: bool,
    /// Tell more of warnings
    #[arg(long, short = 'D')]
    pub(super) debug: bool,
    /// File of targets; - is standard input
    #[arg(long, short = 'f', value_name = "stringArray")]
    pub(super) file: Vec<String>,
    /// List targets or variables
    #[arg(long, value_name = "string")]
    pub(super) list: Option<String>,
    /// List targets (deprecated)
    #[arg(long, hide = true)]
    pub(super) list_targets: bool,
    /// List variables (deprecated)
    #[arg(long, hide = true)]
    pub(super) list_variables: bool,
    /// Put images into the store, also beside other outputs
    #[arg(long)]
    pub(super) load: bool,
    /// Write what was made to this file, as JSON
    #[arg(long, value_name = "string")]
    pub(super) metadata_file: Option<String>,
    /// Take nothing from the cache
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub(super) no_cache: Option<bool>,
    /// Policies are not applied; disabled=true is accepted
    #[arg(long, value_name = "stringArray")]
    pub(super) policy: Vec<String>,
    /// Print what would be built as JSON
    #[arg(long)]
    pub(super) print: bool,
    /// How to show progress: auto, none, plain, quiet, rawjson or tty
    #[arg(long, value_name = "string")]
    pub(super) progress: Option<String>,
    /// Provenance is not recorded; false is accepted
    #[arg(long, value_name = "string")]
    pub(super) provenance: Option<String>,
    /// Ask the registry for base images that are here, too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub(super) pull: Option<bool>,
    /// Push the images
    #[arg(long)]
    pub(super) push: bool,
    /// Bills of materials are not made; false is accepted
    #[arg(long, value_name = "string")]
    pub(super) sbom: Option<String>,
    /// Change a target: TARGET.KEY=VALUE, with * for all targets
    #[arg(long, value_name = "stringArray")]
    pub(super) set: Vec<String>,
    /// Set a variable of the files, NAME=VALUE
    #[arg(long, value_name = "stringArray")]
    pub(super) var: Vec<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(super) args: Vec<String>,
}
