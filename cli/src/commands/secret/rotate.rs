//! `secret rotate` and `config rotate`: other content under the same name, in all services that use it.
//!
//! # How it works
//!
//! Content is never changed in its place: a new object is made, called `NAME.v2`, then `NAME.v3`, with the labels and
//! the template driver of the one before and the label `coracle.version-of=NAME`. The services that use an older one
//! are updated one after the other, each behind its health checks and its update settings; the file in the container
//! stays what it was. When all have converged the older ones are removed. Where one fails, is rolled back or is
//! interrupted, all are put back and the new one is removed.
//!
//! `NAME` goes on to name the object: `rotate`, `inspect`, `rm` and `--secret` find the newest version by its label.
//!
//! # Limits
//!
//! A job runs again. A rotation that is killed leaves two versions; the next one takes both away.

use std::io::Write as _;

use coracle_swarm::model::container::ContainerSpec;
use coracle_swarm::protocol::Request;
use coracle_view::secret::Kind;
use coracle_view::secret::rotate::{self, Before, Plan};
use coracle_view::service;

use super::create::content;
use crate::app::App;
use crate::args::Runnable;
use crate::commands::service::converge::{self, End};
use crate::error::{CliError, CommandResult, ExitStatus};

/// What both have.
#[derive(Debug, clap::Args)]
pub(crate) struct RotateFlags {
    /// No progress display
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Give a secret other content, and roll it out
#[derive(Debug, clap::Args)]
pub(crate) struct SecretRotateArgs {
    #[command(flatten)]
    pub(crate) flags: RotateFlags,
}

/// Give a config other content, and roll it out
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigRotateArgs {
    #[command(flatten)]
    pub(crate) flags: RotateFlags,
}

impl Runnable for SecretRotateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        self.flags.rotate(app, Kind::Secret)
    }
}

impl Runnable for ConfigRotateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        self.flags.rotate(app, Kind::Config)
    }
}

/// A rotation that is under way.
#[derive(Debug)]
struct Rotation {
    kind: Kind,
    plan: Plan,
    /// The new version's id.
    id: String,
    quiet: bool,
    /// The services that were changed, and what they used.
    changed: Vec<Changed>,
}

#[derive(Debug)]
struct Changed {
    id: String,
    name: String,
    before: Vec<Before>,
}

impl RotateFlags {
    fn rotate(&self, app: &mut App, kind: Kind) -> CommandResult {
        let swarm = app.manager()?;
        let plan = rotate::plan(&swarm.state, kind, &self.args[0])?;
        let data = content(&self.args[1])?;
        let spec = plan.spec.clone();
        let id = app.order(&match kind {
            Kind::Secret => Request::CreateSecret { spec, data },
            Kind::Config => Request::CreateConfig { spec, data },
        })?;
        let mut rotation = Rotation { kind, plan, id, quiet: self.quiet, changed: Vec::new() };
        if let Err(mut error) = rotation.roll(app) {
            let name = &rotation.plan.name;
            if let Err(left) = rotation.put_back(app) {
                app.warn(&[format!("{kind} {name} could not be put back: {}", left.message)]);
            }
            error.message = format!("{kind} {name} was not rotated: {}", error.message);
            return Err(error);
        }
        for old in &rotation.plan.old {
            app.order(&remove(kind, old.clone()))?;
        }
        writeln!(app.ui.data(), "{}", rotation.plan.spec.name)?;
        Ok(ExitStatus::Success)
    }
}

impl Rotation {
    fn roll(&mut self, app: &mut App) -> Result<(), CliError> {
        let (kind, id, name) = (self.kind, self.id.clone(), self.plan.spec.name.clone());
        for service in self.plan.services.clone() {
            let old = &self.plan.old;
            let edit = |spec: &mut ContainerSpec| rotate::switch(kind, spec, old, &id, &name);
            let Some(changed) = change(app, &service, edit)? else { continue };
            let called = changed.name.clone();
            self.changed.push(changed);
            match self.follow(app, &service, &called) {
                Ok(End::Done) => {}
                Ok(End::Interrupted) => return Err(CliError::plain("interrupted")),
                Err(mut error) => {
                    error.message = format!("service {called}: {}", error.message);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn follow(&self, app: &mut App, id: &str, name: &str) -> Result<End, CliError> {
        if !self.quiet {
            writeln!(app.ui.data(), "{name}")?;
            app.ui.flush()?;
        }
        match converge::follow(app, id, name, self.quiet)? {
            End::Done => converge::until(app, |_, state, _| Ok(rotate::outcome(state, id))),
            End::Interrupted => Ok(End::Interrupted),
        }
    }

    /// Everything as it was; the new version goes.
    fn put_back(&self, app: &mut App) -> Result<(), CliError> {
        let mut back = Vec::new();
        for Changed { id, name, before } in self.changed.iter().rev() {
            let edit =
                |spec: &mut ContainerSpec| rotate::put_back(self.kind, spec, &self.id, before);
            // One that was rolled back uses the old one already.
            back.extend(change(app, id, edit)?.map(|_| (id, name)));
        }
        for (id, name) in back {
            if let Err(error) = self.follow(app, id, name) {
                app.warn(&[format!("service {name} was put back, but: {}", error.message)]);
            }
        }
        app.order(&remove(self.kind, self.id.clone()))?;
        Ok(())
    }
}

fn remove(kind: Kind, id: String) -> Request {
    match kind {
        Kind::Secret => Request::RemoveSecret { id },
        Kind::Config => Request::RemoveConfig { id },
    }
}

/// Changes a service; nothing when it is not there any more, or nothing changes in it.
fn change(
    app: &mut App,
    id: &str,
    edit: impl Fn(&mut ContainerSpec) -> Vec<Before>,
) -> Result<Option<Changed>, CliError> {
    app.in_sequence(|app| {
        let state = app.manager()?.state;
        let Some(found) = service::all(&state).find(|service| service.id == id) else {
            return Ok(None);
        };
        let mut spec = found.spec.clone();
        let before = edit(&mut spec.task_template.container_spec);
        if before.is_empty() {
            return Ok(None);
        }
        app.order(&Request::UpdateService {
            id: id.to_owned(),
            version: found.meta.version.index,
            spec: Box::new(spec),
            rollback: false,
        })?;
        Ok(Some(Changed { id: id.to_owned(), name: found.spec.name.clone(), before }))
    })
}
