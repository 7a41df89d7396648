//! `stack deploy`: make a stack of its files, or change it to what they say.
//!
//! In Docker's order: what is to go, networks, secrets, configs, services. What was done before an error stays done.

use std::io::Write as _;
use std::str::FromStr as _;

use clap::ArgAction;
use coracle_compose::StackFile;
use coracle_runtime::networks::Network;
use coracle_swarm::stack::images::Resolve;
use coracle_swarm::stack::{self, StackError, WantedNetwork};
use coracle_view::node::{self, Standing};
use serde_json::Value;

use super::{carry, contents, files, planned};
use crate::app::App;
use crate::args::{Runnable, values};
use crate::error::{CliError, CommandResult, ExitStatus};

const NOTICE: &str = "Since --detach=false was not specified, tasks will be created in the background.\n\
                      In a future release, --detach=false will become the default.";

const NO_MANAGER: &str = "this node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to \
                          connect this node to swarm and try again";

/// Deploy a new stack or update an existing stack
#[derive(Debug, clap::Args)]
pub(crate) struct StackDeployArgs {
    /// Compose file, - for standard input; several are merged
    #[arg(long, short = 'c', value_name = "stringSlice", value_delimiter = ',')]
    compose_file: Vec<String>,
    /// Exit immediately instead of waiting for the services to converge (default true)
    #[arg(
        long,
        short = 'd',
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = values::switch,
        action = ArgAction::Set
    )]
    detach: Option<bool>,
    /// Do exactly what a plan says, or nothing (`stack plan --out`)
    #[arg(long, value_name = "FILE")]
    plan: Option<String>,
    /// Remove services that the files name no more
    #[arg(long)]
    prune: bool,
    /// Show no progress
    #[arg(long, short = 'q')]
    quiet: bool,
    /// When to ask the registry for the digest of an image: always, changed or never
    #[arg(long, value_name = "string")]
    resolve_image: Option<String>,
    /// Show registries who asks for digests; nodes fetch images as their user in any case
    #[arg(long)]
    with_registry_auth: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for StackDeployArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let name = &self.args[0];
        let file = read(app, name, &self.compose_file)?;
        let kept = self.plan.as_deref().map(planned::read).transpose()?;
        let word = kept.as_ref().and_then(|plan| plan.resolve_image.as_deref());
        let resolve = resolve(self.resolve_image.as_deref().or(word))?;
        let prunes = self.prune || kept.as_ref().is_some_and(|plan| plan.prune);
        if self.detach.is_none() {
            writeln!(app.ui.status(), "{NOTICE}")?;
        }
        check_is_manager(app)?;
        if let (Some(kept), Some(path)) = (&kept, &self.plan) {
            let login = self.with_registry_auth;
            let mut now = planned::make(app, name, &file, prunes, (resolve, login))?;
            now.resolve_image.clone_from(&kept.resolve_image);
            planned::check(path, kept, &now)?;
        }
        if prunes {
            prune(app, name, &file.config)?;
        }
        let (wanted, external) = stack::networks(&file.config, name);
        check_external(app, &external)?;
        networks(app, name, &wanted)?;
        contents::files(app, name, &file)?;
        let ids = carry::services(app, name, &file.config, resolve, self.with_registry_auth)?;
        match self.detach {
            Some(false) => carry::wait(app, &ids, self.quiet),
            _ => Ok(ExitStatus::Success),
        }
    }
}

impl From<StackError> for CliError {
    fn from(error: StackError) -> Self {
        match error {
            StackError::Client(words) => Self::plain(words),
            StackError::Engine(words) => Self::engine(words),
        }
    }
}

/// The files of a stack, of which it is told what has no effect.
pub(super) fn read(app: &mut App, name: &str, paths: &[String]) -> Result<StackFile, CliError> {
    stack::check_name(name)?;
    let file = files::load(app, paths, false)?;
    tell_ignored(app, &file)?;
    check_images(&file.config)?;
    Ok(file)
}

/// Before it asks for anything, Docker's client says this in words of its own.
pub(super) fn check_is_manager(app: &App) -> Result<(), CliError> {
    let (_, reader) = app.swarm_state()?;
    let standing = |node| node::standing(&reader.state, node);
    let is_worker =
        app.this_node(&reader.state).map(standing).is_ok_and(|it| it == Standing::Worker);
    if is_worker || !reader.is_swarm() {
        return Err(CliError::plain(app.called(NO_MANAGER)));
    }
    app.manager().map(drop)
}

/// What `--resolve-image` says.
pub(super) fn resolve(word: Option<&str>) -> Result<Resolve, CliError> {
    word.map_or_else(
        || Ok(Resolve::default()),
        |word| Resolve::from_str(word).map_err(|error| CliError::plain(error.to_string())),
    )
}

/// What has no effect in a swarm.
fn tell_ignored(app: &mut App, file: &StackFile) -> Result<(), CliError> {
    let out = app.ui.status();
    if !file.unsupported.is_empty() {
        writeln!(out, "Ignoring unsupported options: {}\n", file.unsupported.join(", "))?;
    }
    if !file.deprecated.is_empty() {
        let lines: Vec<String> =
            file.deprecated.iter().map(|(key, why)| format!("{key}: {why}")).collect();
        writeln!(out, "Ignoring deprecated options:\n\n{}\n", lines.join("\n\n"))?;
    }
    Ok(())
}

fn check_images(config: &Value) -> Result<(), CliError> {
    for (name, service) in config["services"].as_object().into_iter().flatten() {
        let image = service["image"].as_str().unwrap_or_default();
        let wrong = match image {
            "" => Some("no image specified".to_owned()),
            image => coracle_image::Reference::parse(image).err().map(|error| error.to_string()),
        };
        if let Some(wrong) = wrong {
            let text = format!("invalid image reference for service {name}: {wrong}");
            return Err(CliError::plain(text));
        }
    }
    Ok(())
}

fn prune(app: &mut App, name: &str, config: &Value) -> Result<(), CliError> {
    let swarm = app.manager()?;
    for service in stack::members::left_over(&swarm.state, name, config) {
        carry::remove_service(app, service)?;
    }
    Ok(())
}

/// Networks of others must be there, and be a swarm's.
pub(super) fn check_external(app: &App, names: &[String]) -> Result<(), CliError> {
    for name in names.iter().filter(|name| stack::is_users_network(name)) {
        let found = app.engine()?.networks.find(name);
        let wrong = match &found {
            Err(coracle_runtime::networks::NetworkError::NotFound { .. }) => {
                "could not be found. You need to create a swarm-scoped network before the stack is deployed"
                    .to_owned()
            }
            Err(_) => String::new(),
            Ok(network) if network.scope() == "swarm" => continue,
            Ok(network) => {
                format!("it is not in the right scope: {:?} instead of \"swarm\"", network.scope())
            }
        };
        found.map_err(|error| match wrong.as_str() {
            "" => CliError::from(coracle_runtime::EngineError::from(error)),
            wrong => {
                CliError::plain(format!("network {name:?} is declared as external, but {wrong}"))
            }
        })?;
        return Err(CliError::plain(format!(
            "network {name:?} is declared as external, but {wrong}"
        )));
    }
    Ok(())
}

/// Whether a stack has this network already.
pub(super) fn is_there(there: &[Network], wanted: &WantedNetwork, stack: &str) -> bool {
    there.iter().any(|it| it.name == wanted.name && stack::members::is_of(&it.labels, stack))
}

fn networks(app: &mut App, name: &str, wanted: &[WantedNetwork]) -> Result<(), CliError> {
    let there = app.engine()?.networks.list().map_err(coracle_runtime::EngineError::from)?;
    for wanted in wanted.iter().filter(|wanted| !is_there(&there, wanted, name)) {
        writeln!(app.ui.data(), "Creating network {}", wanted.name)?;
        carry::network(app, wanted)?;
    }
    Ok(())
}
