//! `compose build`: refused as soon as an image has to be built.

use clap::ArgAction;

use crate::app::App;
use crate::args::{Runnable, values};
use crate::compose::project::place;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Build the images of services that have a build section (not supported)
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeBuildArgs {
    /// NAME=VALUE for each build
    #[arg(long, value_name = "stringArray")]
    build_arg: Vec<String>,
    /// Instance of the builder
    #[arg(long, value_name = "string")]
    builder: Option<String>,
    /// Check the Dockerfile and build nothing
    #[arg(long)]
    check: bool,
    /// Has no effect (deprecated)
    #[arg(long, hide = true, default_value_t = true, action = ArgAction::Set)]
    compress: bool,
    /// Has no effect (deprecated)
    #[arg(long, hide = true, default_value_t = true, action = ArgAction::Set)]
    force_rm: bool,
    /// Memory of a build
    #[arg(long, short = 'm', value_name = "bytes", value_parser = values::bytes)]
    memory: Option<i64>,
    /// Use nothing of earlier builds
    #[arg(long)]
    no_cache: bool,
    /// Has no effect (deprecated)
    #[arg(long, hide = true)]
    no_rm: bool,
    /// Has no effect (deprecated)
    #[arg(long, hide = true, default_value_t = true, action = ArgAction::Set)]
    parallel: bool,
    /// Print what would be built as JSON
    #[arg(long)]
    print: bool,
    /// As the option of compose
    #[arg(long, value_name = "string", hide = true)]
    progress: Option<String>,
    /// Attach an attestation of the provenance
    #[arg(long, value_name = "string")]
    provenance: Option<String>,
    /// Look for newer base images
    #[arg(long)]
    pull: bool,
    /// Push what was built
    #[arg(long)]
    push: bool,
    /// No output of the build
    #[arg(long, short = 'q')]
    quiet: bool,
    /// Attach a bill of materials
    #[arg(long, value_name = "string")]
    sbom: Option<String>,
    /// SSH agent or key for the build
    #[arg(long, value_name = "string")]
    ssh: Option<String>,
    /// Also build services that these depend on
    #[arg(long)]
    with_dependencies: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeBuildArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let project = place::file(app, &self.args)?.project;
        let named = |name: &String| self.args.is_empty() || self.args.contains(name);
        let mut chosen = project
            .services
            .iter()
            .filter(|(name, _)| self.with_dependencies || named(name))
            .map(|(_, service)| service);
        match chosen.find(|service| service.build.is_some()) {
            Some(service) => Err(no_builder(&service.name, &project.image_name(service))),
            None => {
                crate::compose::screen::log::warn("No services to build");
                Ok(ExitStatus::Success)
            }
        }
    }
}

/// The image of a service would have to be built.
pub(crate) fn no_builder(service: &str, image: &str) -> CliError {
    let why = format!("images are not built by this version, and service {service:?} has to be");
    CliError::unsupported("build", &why)
        .hint(format!("build {image} elsewhere, then pull or load it"))
}
