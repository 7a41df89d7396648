//! The flags of `build`, in Docker's order.

use coracle_runtime::model::Ulimit;

use super::{check, run};
use crate::app::App;
use crate::args::{Runnable, values};
use crate::error::{CliError, CommandResult};
use crate::run_flags::run_values;

/// Build an image from a Dockerfile
///
/// The context is a folder, an archive or a repository: a path, a URL, or - for standard input. Steps run as an ordinary
/// user; what was built before is taken from the cache. With --check, the Dockerfile is only gone through, and what is
/// wrong or doubtful is told.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct BuildArgs {
    /// Line of /etc/hosts for steps, NAME:IP; host-gateway stands for this machine
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    pub(super) add_host: Vec<String>,
    /// Allow a right that steps ask for (network.host)
    #[arg(long, value_name = "stringArray")]
    pub(super) allow: Vec<String>,
    /// Annotation of the image's manifest, KEY=VALUE
    #[arg(long, value_name = "stringArray")]
    pub(super) annotation: Vec<String>,
    /// Attestations are not made; type=KIND,disabled=true is accepted
    #[arg(long, value_name = "stringArray")]
    pub(super) attest: Vec<String>,
    /// Set a build variable, NAME=VALUE, or NAME to take it from the environment
    #[arg(long, value_name = "stringArray")]
    pub(super) build_arg: Vec<String>,
    /// Further context, NAME=PATH, NAME=URL or NAME=docker-image://IMAGE
    #[arg(long, value_name = "stringArray")]
    pub(super) build_context: Vec<String>,
    /// There is one builder: default
    #[arg(long, value_name = "string")]
    pub(super) builder: Option<String>,
    /// Take results from here: an image, type=registry,ref=, type=local,src=
    #[arg(long, value_name = "stringArray")]
    pub(super) cache_from: Vec<String>,
    /// Put results there: type=inline, type=registry,ref=, type=local,dest=
    #[arg(long, value_name = "stringArray")]
    pub(super) cache_to: Vec<String>,
    /// What to do: build, check, outline or targets; with format=json, ignorestatus
    #[arg(long, value_name = "string")]
    pub(super) call: Option<String>,
    /// Cgroup of steps (not supported)
    #[arg(long, value_name = "string")]
    pub(super) cgroup_parent: Option<String>,
    /// Check the Dockerfile and build nothing (same as --call=check)
    #[arg(long)]
    pub(super) check: bool,
    /// Tell more of warnings
    #[arg(long, short = 'D')]
    pub(super) debug: bool,
    /// Path of the Dockerfile; - is standard input (default: PATH/Dockerfile)
    #[arg(long, short = 'f', value_name = "string")]
    pub(super) file: Option<String>,
    /// Write the image ID to this file
    #[arg(long, value_name = "string")]
    pub(super) iidfile: Option<String>,
    /// Label of the image, KEY=VALUE
    #[arg(long, value_name = "stringArray")]
    pub(super) label: Vec<String>,
    /// Put the image into the store, also beside other outputs
    #[arg(long)]
    pub(super) load: bool,
    /// Write what was made to this file, as JSON
    #[arg(long, value_name = "string")]
    pub(super) metadata_file: Option<String>,
    /// Network of steps: default, host or none
    #[arg(long, value_name = "string")]
    pub(super) network: Option<String>,
    /// Take nothing from the cache
    #[arg(long)]
    pub(super) no_cache: bool,
    /// Stage that takes nothing from the cache
    #[arg(long, value_name = "stringArray")]
    pub(super) no_cache_filter: Vec<String>,
    /// What to make: a folder, - for an archive, or type=KIND,dest=PATH
    #[arg(long, short = 'o', value_name = "stringArray")]
    pub(super) output: Vec<String>,
    /// Platform to build for
    #[arg(long, value_name = "stringArray")]
    pub(super) platform: Vec<String>,
    /// Policies are not applied; disabled=true is accepted
    #[arg(long, value_name = "stringArray")]
    pub(super) policy: Vec<String>,
    /// How to show progress: auto, none, plain, quiet, rawjson or tty
    #[arg(long, value_name = "string")]
    pub(super) progress: Option<String>,
    /// Provenance is not recorded; false is accepted
    #[arg(long, value_name = "string")]
    pub(super) provenance: Option<String>,
    /// Ask the registry for base images that are here, too
    #[arg(long)]
    pub(super) pull: bool,
    /// Push the image (same as --output=type=registry)
    #[arg(long)]
    pub(super) push: bool,
    /// Print only the image ID
    #[arg(long, short = 'q')]
    pub(super) quiet: bool,
    /// Limits of steps (not supported)
    #[arg(long, value_name = "stringArray")]
    pub(super) resource: Vec<String>,
    /// Bills of materials are not made; false is accepted
    #[arg(long, value_name = "string")]
    pub(super) sbom: Option<String>,
    /// Secret for steps: id=ID,src=PATH or id=ID,env=NAME
    #[arg(long, value_name = "stringArray")]
    pub(super) secret: Vec<String>,
    /// Size of /dev/shm in steps
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(super) shm_size: Option<i64>,
    /// Agent for steps: default, or ID=SOCKET or ID=KEY
    #[arg(long, value_name = "stringArray")]
    pub(super) ssh: Vec<String>,
    /// Name of the image, NAME:TAG
    #[arg(long, short = 't', value_name = "stringArray")]
    pub(super) tag: Vec<String>,
    /// Build this stage
    #[arg(long, value_name = "string")]
    pub(super) target: Option<String>,
    /// Limit of steps' processes, NAME=SOFT[:HARD]
    #[arg(long, value_name = "ulimit", value_parser = run_values::ulimit)]
    pub(super) ulimit: Vec<Ulimit>,
    #[command(flatten)]
    pub(super) classic: Classic,
    #[arg(value_name = "ARG", hide = true)]
    pub(super) args: Vec<String>,
}

// No doc comment here: it would replace the description of the command.
// Flags of the classic builder. BuildKit takes them and does nothing, and says so of three.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Classic {
    /// Of the classic builder, no effect
    #[arg(long, hide = true)]
    compress: bool,
    /// Of the classic builder, no effect
    #[arg(long, hide = true, value_name = "int64", value_parser = values::int)]
    cpu_period: Option<i64>,
    /// Of the classic builder, no effect
    #[arg(long, hide = true, value_name = "int64", value_parser = values::int)]
    cpu_quota: Option<i64>,
    /// Of the classic builder, no effect
    #[arg(long, short = 'c', hide = true, value_name = "int64", value_parser = values::int)]
    cpu_shares: Option<i64>,
    /// Of the classic builder, no effect
    #[arg(long, hide = true, value_name = "string")]
    cpuset_cpus: Option<String>,
    /// Of the classic builder, no effect
    #[arg(long, hide = true, value_name = "string")]
    cpuset_mems: Option<String>,
    /// Ignored, no effect (deprecated)
    #[arg(long, hide = true, default_value_t = true, action = clap::ArgAction::Set)]
    disable_content_trust: bool,
    /// Of the classic builder, no effect
    #[arg(long, hide = true)]
    force_rm: bool,
    /// Of the classic builder, no effect
    #[arg(long, hide = true, value_name = "string")]
    isolation: Option<String>,
    /// Of the classic builder, no effect
    #[arg(long, short = 'm', hide = true, value_name = "bytes", value_parser = values::bytes)]
    memory: Option<i64>,
    /// Of the classic builder, no effect
    #[arg(long, hide = true, value_name = "bytes", value_parser = values::bytes)]
    memory_swap: Option<i64>,
    /// Of the classic builder, no effect
    #[arg(long, hide = true, default_value_t = true, action = clap::ArgAction::Set)]
    rm: bool,
    /// Of the classic builder, no effect
    #[arg(long, hide = true, value_name = "strings")]
    security_opt: Vec<String>,
    /// Of the classic builder, no effect
    #[arg(long, hide = true)]
    squash: bool,
}

impl Classic {
    /// As Docker has them.
    pub(super) fn warnings(&self) -> Vec<String> {
        let told = [
            (self.isolation.is_some(), "isolation flag is deprecated with BuildKit."),
            (
                !self.security_opt.is_empty(),
                "security-opt flag is deprecated. \"RUN --security=insecure\" should be used with BuildKit.",
            ),
            (
                self.squash,
                "experimental flag squash is removed with BuildKit. You should squash inside build using a \
                 multi-stage Dockerfile for efficiency.",
            ),
        ];
        told.iter().filter(|(given, _)| *given).map(|(_, text)| (*text).to_owned()).collect()
    }
}

/// A message as `docker build` has it.
pub(super) fn failed(why: &str) -> CliError {
    CliError::plain(format!("ERROR: failed to build: {why}"))
}

impl Runnable for BuildArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        match self.checks()? {
            Some(call) => check::check_it(&self, &call, app),
            None => run::run(&self, app),
        }
    }
}
