//! `service update`: change a service, and roll the change out.

use std::io::Write as _;

use coracle_swarm::edit::{self, Known};
use coracle_swarm::model::{Service, ServiceSpec};
use coracle_swarm::protocol::Request;
use coracle_swarm::state::State;
use coracle_view::service;

use super::flags::ServiceFlags;
use super::update_flags::UpdateFlags;
use super::{converge, said};
use crate::app::App;
use crate::args::Runnable;
use crate::digests::Digests;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Change a service, and roll the change out
#[derive(Debug, clap::Args)]
#[command(mut_args(|arg| arg.display_order(0)))]
pub(crate) struct ServiceUpdateArgs {
    #[command(flatten)]
    pub(crate) flags: ServiceFlags,
    #[command(flatten)]
    pub(crate) lists: UpdateFlags,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ServiceUpdateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        // What the agent writes down meanwhile is mostly how far an update is; flags are said against what is there now.
        let mut digests = None;
        app.in_sequence(|app| self.once(app, &mut digests))
    }
}

impl ServiceUpdateArgs {
    /// `digests` is what registries said at an earlier try.
    fn once(&self, app: &mut App, digests: &mut Option<Digests>) -> CommandResult {
        let swarm = app.manager()?;
        let name = self.args.first().cloned().unwrap_or_default();
        let found = service::find(&swarm.state, &name)?;
        let rollback = self.lists.rollback;
        let mut spec = self.wanted(app, &swarm.state, found)?;
        let warning = self.pin(app, &mut spec, digests)?;
        app.order(&Request::UpdateService {
            id: found.id.clone(),
            version: found.meta.version.index,
            spec: Box::new(spec),
            rollback,
        })?;
        if let Some(warning) = warning {
            writeln!(app.ui.status(), "{warning}")?;
        }
        done(app, found, &name, self.flags.detach, self.flags.quiet)
    }

    /// The spec that is asked for. With `--rollback` it is the one that there is, and not looked at.
    pub(super) fn wanted(
        &self,
        app: &App,
        state: &State,
        found: &Service,
    ) -> Result<ServiceSpec, CliError> {
        let mut spec = found.spec.clone();
        match self.lists.rollback {
            false => self.change(app, state, &mut spec)?,
            true if self.says_more(app)? => {
                return Err(CliError::plain("other flags may not be combined with --rollback"));
            }
            true => {}
        }
        Ok(spec)
    }

    /// Puts the digest behind a tag that is given; the warning where the registry did not say.
    pub(super) fn pin(
        &self,
        app: &mut App,
        spec: &mut ServiceSpec,
        digests: &mut Option<Digests>,
    ) -> Result<Option<String>, CliError> {
        if self.lists.image.is_none() || self.flags.no_resolve_image {
            return Ok(None);
        }
        if digests.is_none() {
            let image = spec.task_template.container_spec.image.clone();
            *digests = Some(Digests::ask(app, [image], self.flags.with_registry_auth)?);
        }
        Ok(digests.as_ref().and_then(|digests| digests.pin(spec)))
    }

    fn change(&self, app: &App, state: &State, spec: &mut ServiceSpec) -> Result<(), CliError> {
        let mut given = said::given(&self.flags)?;
        given.image = self.lists.image.as_deref().map(said::tagged);
        given.args = self.lists.new_args.clone().map(|words| words.0);
        let (added, removed) = (said::added(app, &self.lists)?, said::removed(&self.lists)?);
        let network = |name: &str| said::network(app, name);
        let known = Known { state, network: &network };
        edit::update(spec, &given, &added, &removed, &known)?;
        spec.task_template.force_update += u64::from(self.lists.force);
        Ok(())
    }

    /// Whether anything is said besides that it is a rollback.
    fn says_more(&self, app: &App) -> Result<bool, CliError> {
        let lists = &self.lists;
        let is_said = lists.force
            || lists.image.is_some()
            || lists.new_args.is_some()
            || said::is_said(&said::given(&self.flags)?)
            || said::is_any(lists, app)?;
        Ok(is_said)
    }
}

/// Tells which service was changed, and waits for it when asked to.
pub(super) fn done(
    app: &mut App,
    service: &Service,
    name: &str,
    detach: bool,
    quiet: bool,
) -> CommandResult {
    writeln!(app.ui.data(), "{name}")?;
    app.ui.flush()?;
    match detach {
        true => Ok(ExitStatus::Success),
        false => converge::wait(app, &service.id, name, quiet),
    }
}
