//! `compose build`: build the images of services.

use std::io::Write as _;

use clap::ArgAction;
use coracle_compose::build::{Definition, Printed, Wish};
use coracle_compose::project::graph;

use crate::app::App;
use crate::args::{Runnable, values};
use crate::commands::build::bake::{check_all, pretty};
use crate::commands::build::call::Call;
use crate::compose::images::build;
use crate::compose::project::place;
use crate::compose::project::place::{File, error};
use crate::compose::screen::log;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Build the images of services that have a build section
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeBuildArgs {
    /// NAME=VALUE for each build, or NAME to take it from the environment
    #[arg(long, value_name = "stringArray")]
    build_arg: Vec<String>,
    /// There is one builder: default
    #[arg(long, value_name = "string")]
    builder: Option<String>,
    /// Check the Dockerfiles and build nothing
    #[arg(long)]
    check: bool,
    /// Has no effect (deprecated)
    #[arg(long, hide = true, default_value_t = true, action = ArgAction::Set)]
    compress: bool,
    /// Has no effect (deprecated)
    #[arg(long, hide = true, default_value_t = true, action = ArgAction::Set)]
    force_rm: bool,
    /// Memory of a build (not supported)
    #[arg(long, short = 'm', value_name = "bytes", value_parser = values::bytes)]
    memory: Option<i64>,
    /// Use nothing of earlier builds
    #[arg(long)]
    no_cache: bool,
    /// Has no effect (deprecated)
    #[arg(long, hide = true)]
    no_rm: bool,
    /// Has no effect (deprecated)
    #[arg(
        long, hide = true, num_args = 0..=1, require_equals = true, default_value_t = true,
        default_missing_value = "true", action = ArgAction::Set
    )]
    parallel: bool,
    /// Print what would be built, as a bake file in JSON
    #[arg(long)]
    print: bool,
    /// As the option of compose
    #[arg(long, value_name = "string", hide = true)]
    progress: Option<String>,
    /// Provenance is not recorded; false is accepted
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
    /// Bills of materials are not made; false is accepted
    #[arg(long, value_name = "string")]
    sbom: Option<String>,
    /// Agent for steps: default, or ID=SOCKET or ID=KEY
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
        self.refuse_what_is_not_here(app)?;
        if self.progress.is_some() {
            app.compose.progress.clone_from(&self.progress);
        }
        let file = place::file(app, &self.args)?;
        let definition = self.definition(app, &file)?;
        if definition.services.is_empty() {
            log::warn("No services to build");
            return Ok(ExitStatus::Success);
        }
        if self.print {
            write!(app.ui.data(), "{}", pretty(&Printed::new(&definition.selected)))?;
            return Ok(ExitStatus::Success);
        }
        if self.check {
            return check_all(app, &definition.selected, &Call::default(), false);
        }
        if app.compose.dry_run {
            let progress = crate::compose::screen::progress::Progress::new(app);
            for service in definition.services.keys() {
                let image = definition.images[service].clone();
                progress.line(&format!("Image {image}"), "Building", "");
                progress.line(&format!("Image {image}"), "Built", "");
            }
            return Ok(ExitStatus::Success);
        }
        build::build(app, &file, &definition, self.quiet)?;
        Ok(ExitStatus::Success)
    }
}

impl ComposeBuildArgs {
    fn definition(&self, app: &App, file: &File) -> Result<Definition, CliError> {
        let chosen =
            graph::select(&file.project, &self.args, self.with_dependencies).map_err(error)?;
        let services: Vec<String> = chosen.services.into_keys().collect();
        let ssh = self.ssh.as_ref().map(|ssh| match ssh.as_str() {
            "" => "default".to_owned(),
            ssh => ssh.to_owned(),
        });
        if let Some(ssh) = ssh.as_ref().filter(|ssh| !ssh.contains('=') && *ssh != "default") {
            return Err(CliError::plain(format!("invalid ssh key {ssh:?}")));
        }
        let wish = Wish {
            args: self.build_arg.clone(),
            no_cache: self.no_cache,
            pull: self.pull,
            push: self.push,
            check: self.check,
            ssh,
            one_platform: false,
            environment: file.loaded.environment.clone(),
        };
        build::define(&place::whole(app, file)?, &services, &wish)
    }

    fn refuse_what_is_not_here(&self, app: &App) -> Result<(), CliError> {
        let builder = self.builder.as_deref().or(app.settings.environment.get("BUILDX_BUILDER"));
        if let Some(builder) = builder.filter(|name| !matches!(*name, "" | "default")) {
            let why = "there is one builder, with the name default";
            return Err(CliError::unsupported(&format!("--builder {builder}"), why));
        }
        if self.memory.is_some_and(|bytes| bytes != 0) {
            return Err(CliError::unsupported("--memory", "steps have no limits of their own"));
        }
        for (flag, given) in [("--provenance", &self.provenance), ("--sbom", &self.sbom)] {
            if let Some(text) = given.as_deref().filter(|text| !matches!(*text, "" | "false")) {
                let why = "no attestations are made of images";
                return Err(CliError::unsupported(&format!("{flag}={text}"), why));
            }
        }
        Ok(())
    }
}
