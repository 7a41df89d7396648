//! What a deploy would do, as it stands now, and whether a plan that was kept still says so.
//!
//! The facts are gathered here: files, networks, volumes, registries, and whether a secret holds what its file does,
//! which the agent tells. What follows from them is decided by [`coracle_swarm::plan`].

use coracle_compose::StackFile;
use coracle_runtime::EngineError;
use coracle_runtime::clock;
use coracle_runtime::model::MountType;
use coracle_swarm::command::Rollback;
use coracle_swarm::container::volumes;
use coracle_swarm::model::{Secret, SecretSpec, ServiceSpec};
use coracle_swarm::plan::{self, Action, Plan, Standing, Step};
use coracle_swarm::stack::images::Resolve;
use coracle_swarm::stack::{self, WantedFile};
use coracle_swarm::state::{Change, Object, State};
use coracle_view::secret::Kind;
use coracle_view::service::plan::lines;
use zeroize::Zeroizing;

use super::{carry, contents, deploy};
use crate::app::App;
use crate::commands::service::plan::network_names;
use crate::error::CliError;
use crate::plans;

/// Makes the plan, in the order of a deploy. Registries are asked when `resolve` says so, and told who asks with `login`.
pub(super) fn make(
    app: &mut App,
    name: &str,
    file: &StackFile,
    prune: bool,
    (resolve, login): (Resolve, bool),
) -> Result<Plan, CliError> {
    let mut state = app.manager()?.state;
    let mut plan = Plan::new(name, prune);
    if prune {
        for service in stack::members::left_over(&state, name, &file.config) {
            plan.steps.push(Step::new(Action::Remove, plan::Kind::Service, &service.spec.name));
        }
    }
    let (wanted, external) = stack::networks(&file.config, name);
    deploy::check_external(app, &external)?;
    let there = app.engine()?.networks.list().map_err(EngineError::from)?;
    for wanted in &wanted {
        let is_there = deploy::is_there(&there, wanted, name);
        plan.steps.push(plan::network_step(&wanted.name, is_there));
    }
    for kind in [Kind::Secret, Kind::Config] {
        for (wanted, data) in contents::wanted_files(kind, name, file)? {
            let step = file_step(app, kind, &state, &wanted, &data)?;
            if step.action == Action::Create {
                // So that services can name it.
                state.replay(put(kind, wanted.spec));
            }
            plan.steps.push(step);
        }
    }
    let resolved = carry::resolved(app, &state, name, &file.config, resolve, login)?;
    let app = &*app;
    let made = |name: &str| wanted.iter().any(|wanted| wanted.name == name);
    let network = |name: &str| match carry::network_id(app, name) {
        Err(_) if made(name) => Ok(name.to_owned()),
        found => found,
    };
    let mut services = Vec::new();
    let mut sources = Vec::new();
    for (wanted, _) in resolved {
        let known = stack::members::services(&state, name);
        let known = known.into_iter().find(|it| it.spec.name == wanted.name);
        let step = match carry::prepared(wanted.spec, known, &network) {
            Ok(spec) => {
                let named = network_names(app);
                let (rollback, now) = (Rollback::No, clock::now());
                let step = plan::service_step(&state, known, &spec, rollback, &named, now)
                    .unwrap_or_else(|error| refused(&spec.name, error.words));
                if step.action != Action::Keep {
                    sources.extend(volumes_of(&spec));
                }
                step
            }
            Err(error) => refused(&wanted.name, error.message),
        };
        services.push(step);
    }
    plan.steps.extend(volume_steps(app, sources)?);
    plan.steps.extend(services);
    Ok(plan)
}

fn refused(name: &str, words: String) -> Step {
    Step::new(Action::Refuse, plan::Kind::Service, name).because(words)
}

fn file_step(
    app: &App,
    kind: Kind,
    state: &State,
    wanted: &WantedFile,
    data: &Zeroizing<String>,
) -> Result<Step, CliError> {
    let known = contents::meant(app, kind, state, wanted, data)?;
    let standing = match known {
        // A digest of a secret would tell one that can be guessed.
        None if kind == Kind::Secret => Standing::Missing(None),
        None => Standing::Missing(Some(contents::digest(data))),
        Some(known) if contents::holds(app, kind, &known.id, data)? => {
            Standing::Same(plan::label_changes(&known.spec.labels, &wanted.spec.labels))
        }
        Some(_) => Standing::Other,
    };
    let of_plan = match kind {
        Kind::Secret => plan::Kind::Secret,
        Kind::Config => plan::Kind::Config,
    };
    let name = known.map_or(&wanted.spec.name, |known| &known.spec.name);
    Ok(plan::file_step(of_plan, name, standing))
}

/// What stands for an object that is to be made.
fn put(kind: Kind, spec: SecretSpec) -> Change {
    let planned =
        Box::new(Secret { id: format!("planned {}", spec.name), spec, ..Secret::default() });
    Change::Put(match kind {
        Kind::Secret => Object::Secret(planned),
        Kind::Config => Object::Config(planned),
    })
}

/// The volumes that tasks of a service use by name.
fn volumes_of(spec: &ServiceSpec) -> Vec<String> {
    let mounts = spec.task_template.container_spec.mounts.iter();
    let named = mounts.filter(|mount| mount.kind == MountType::Volume && !mount.source.is_empty());
    named.map(|mount| mount.source.clone()).collect()
}

/// Those that no node has yet: they are made with their first task.
fn volume_steps(app: &App, mut sources: Vec<String>) -> Result<Vec<Step>, CliError> {
    sources.sort();
    sources.dedup();
    let there = app.engine()?.volumes.list().map_err(EngineError::from)?;
    let is_there = |source: &String| {
        there.iter().any(|volume| {
            let labels = volume.labels.as_ref();
            labels
                .and_then(volumes::on_node)
                .map_or(volume.name == *source, |(_, name)| name == source)
        })
    };
    let new = sources.iter().filter(|source| !is_there(source));
    let step = |source: &String| Step::new(Action::Create, plan::Kind::Volume, source);
    Ok(new.map(|source| step(source).because("with the first task that uses it")).collect())
}

/// Reads a plan that was kept.
pub(super) fn read(path: &str) -> Result<Plan, CliError> {
    let plan: Plan = plans::read(path, "`stack plan --out FILE` makes one")?;
    if plan.version == plan::VERSION {
        return Ok(plan);
    }
    let message =
        format!("the plan {path} has version {}, which this program does not know", plan.version);
    Err(CliError::plain(message))
}

/// Refuses unless the plan in the file is what would be done now.
pub(super) fn check(path: &str, kept: &Plan, now: &Plan) -> Result<(), CliError> {
    if kept.same(now) {
        return Ok(());
    }
    if kept.stack != now.stack {
        let message =
            format!("the plan {path} is of the stack {}, not of {}", kept.stack, now.stack);
        return Err(CliError::plain(message));
    }
    // How it rolls is not compared.
    let compared = |plan: &Plan| {
        let mut plan = plan.clone();
        plan.steps.iter_mut().for_each(|step| step.rollout = None);
        lines(&plan)
    };
    let hint = "look at `stack plan`, and make the plan again";
    Err(plans::misfit(path, &compared(kept), &compared(now), hint))
}
