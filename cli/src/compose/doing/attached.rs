//! `compose up` in the foreground: output of all services until they end or we are asked to.
//!
//! # How it works
//!
//! Output is read from the logs of the containers, which one watch tells about together with
//! changes of their states: a container that restarts, or whose monitor is replaced, goes on
//! as if nothing had happened. SIGINT and SIGTERM stop the services that were named, or all;
//! a second one kills, a third one is no longer waited for. When watched files change, looking
//! on is interrupted until that has been dealt with.

use std::io::Write as _;

use coracle_compose::apply::{ApplyError, Teardown, Watcher as _, seen};
use coracle_compose::plan::{Plan, Seen};
use coracle_compose::project::Project;
use coracle_compose::project::found::{self, Wanted};
use coracle_compose::watch::Work;
use coracle_runtime::engine::Summary;

use super::act::{Images, act};
use super::changes::Changes;
use super::front::{End, Foreground, Front};
use crate::app::App;
use crate::compose::project::place::File;
use crate::compose::screen::output::label;
use crate::compose::screen::progress::Progress;
use crate::compose::screen::{board, log};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::streams::{PATIENCE, given_up};

/// Files that are watched meanwhile, and what is done when they change.
pub(crate) struct Watched<'a> {
    pub(crate) changes: Changes<'a>,
    /// Once the services have been started.
    pub(crate) begin: &'a dyn Fn(&mut App, usize) -> Result<(), CliError>,
    pub(crate) carry_out: &'a dyn Fn(&mut App, usize, &Work) -> Result<(), CliError>,
}

/// What is to run in the foreground.
pub(crate) struct Running<'a> {
    pub(crate) file: &'a File,
    pub(crate) project: &'a Project,
    pub(crate) images: &'a Images,
    pub(crate) plan: &'a Plan,
}

/// Runs the services of `up` in the foreground.
pub(crate) fn run(
    app: &mut App,
    wanted: &Foreground,
    running: &Running<'_>,
    watched: Option<Watched<'_>>,
) -> CommandResult {
    let Running { file, project, images, plan } = *running;
    let settings = wanted.settings;
    let mut progress = Progress::new(app);
    act(app, Some(file), project, images, settings, &mut progress, |apply| apply.make(plan))?;
    let in_lines = progress.in_lines();
    board::settle();
    let mut front = Front::new(app, wanted, project, in_lines)?;
    let begun = coracle_runtime::clock::now();
    let mut labels = Vec::new();
    let followed = members(app, project)?;
    for summary in &followed {
        let name = label(&project.name, &summary.container.name);
        if front.follow(summary, &name, begun)? {
            labels.push(name);
        }
    }
    labels.sort();
    if !followed.is_empty() {
        writeln!(app.ui.data(), "Attaching to {}", labels.join(", "))?;
    }
    let mut witness = app.witness.take();
    let mut outcome = act(app, Some(file), project, images, settings, &mut front, |apply| {
        apply.start(&plan.steps)?;
        witness = None;
        match watched.is_some() {
            true => Ok(()),
            false => apply.look_on(),
        }
    });
    app.witness = witness;
    if let Some(Watched { changes, begin, carry_out }) = watched
        && outcome.is_ok()
    {
        begin(app, front.output.width())?;
        front.changes = Some(changes);
        outcome = loop {
            front.end = End::AllEnded;
            let looked = act(app, Some(file), project, images, settings, &mut front, |apply| {
                apply.look_on()
            });
            let work = front.changes.as_mut().map(Changes::take);
            match (looked, work) {
                (Ok(()), Some(work)) if front.end == End::Changed => {
                    if let Err(error) = carry_out(app, front.output.width(), &work) {
                        log::warning(app, &format!("Error handling changed files: {error}"));
                    }
                }
                (looked, _) => break looked,
            }
        };
    }
    match outcome {
        // The watcher knows why it came to its end.
        Err(error) if error.status == ExitStatus::Container(130) => {}
        outcome => outcome?,
    }
    finish(app, wanted, running, front)
}

fn finish(
    app: &mut App,
    wanted: &Foreground,
    running: &Running<'_>,
    mut front: Front<'_>,
) -> CommandResult {
    let Running { file, project, images, .. } = *running;
    if let Some(error) = front.failed.take() {
        return Err(error);
    }
    if front.end == End::AllEnded {
        front.output.close_all()?;
        return Ok(exit_status(wanted, &front));
    }
    let interrupted = front.end == End::Interrupted;
    if interrupted {
        writeln!(app.ui.data(), "Gracefully Stopping... press Ctrl+C again to force")?;
    } else {
        writeln!(app.ui.status(), "\x1b[31m\x1b[1mAborting on container exit...\x1b[0m")?;
    }
    front.stopping = true;
    // What the services that were named depend on goes on.
    let named = &wanted.shown.named;
    let mut left: Vec<Seen> = members(app, project)?.iter().map(seen).collect();
    left.retain(|seen| named.is_empty() || named.contains(&seen.service));
    let settings = wanted.settings;
    let stopped = act(app, Some(file), project, images, settings, &mut front, |apply| match apply
        .tear_down(&left, Teardown::Stop)
    {
        Err(ApplyError::Interrupted) => apply.kill_all(&left),
        other => other,
    });
    if front.asked >= PATIENCE {
        board::settle();
        return Err(given_up());
    }
    front.turn();
    front.output.close_all()?;
    writeln!(app.ui.status())?;
    stopped?;
    if interrupted {
        return Ok(ExitStatus::Container(130));
    }
    Ok(exit_status(wanted, &front))
}

/// The code of the service whose code is wanted, or else of the container that ended first.
fn exit_status(wanted: &Foreground, front: &Front<'_>) -> ExitStatus {
    let of_wanted = wanted.exit_code_from.as_ref().and_then(|name| front.codes.get(name));
    match of_wanted.copied().or(front.first_exit).unwrap_or(0) {
        0 => ExitStatus::Success,
        code => ExitStatus::Container(u8::try_from(code).unwrap_or(u8::MAX)),
    }
}

fn members(app: &App, project: &Project) -> Result<Vec<Summary>, CliError> {
    let services = project.services.keys().cloned().collect();
    let wanted = Wanted { services, stopped: true, ..Wanted::default() };
    Ok(found::containers(app.engine()?.list()?, &project.name, &wanted))
}
