//! `compose up` in the foreground: output of all services until they end or we are asked to.
//!
//! # How it works
//!
//! Output is read from the logs of the containers, which one watch tells about together with
//! changes of their states: a container that restarts, or whose monitor is replaced, goes on
//! as if nothing had happened. SIGINT and SIGTERM stop everything, a second one kills, a third
//! one is no longer waited for.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use coracle_compose::apply::{ApplyError, Kind, Settings, Teardown, Turn, Watcher, seen};
use coracle_compose::plan::{Plan, Seen};
use coracle_compose::project::Project;
use coracle_compose::project::found::{self, Wanted};
use coracle_runtime::engine::Summary;
use coracle_runtime::logs::ReadOptions;
use coracle_runtime::model::{Status, Timestamp};
use coracle_runtime::records::Records;

use super::act::{Images, act};
use crate::app::App;
use crate::compose::project::place::{self, File};
use crate::compose::screen::board;
use crate::compose::screen::output::{Look, Output, label};
use crate::compose::screen::progress::Progress;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::streams::{PATIENCE, given_up};

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// What a person wants of the foreground.
#[derive(Debug)]
pub(crate) struct Foreground {
    pub(crate) settings: Settings,
    pub(crate) look: Look,
    pub(crate) shown: Shown,
    pub(crate) abort_on_exit: bool,
    pub(crate) abort_on_failure: bool,
    /// The service whose exit code is ours.
    pub(crate) exit_code_from: Option<String>,
}

/// The services whose output is shown: those that were named, or all.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) named: Vec<String>,
    /// These alone, if there are any.
    pub(crate) attach: Vec<String>,
    pub(crate) no_attach: Vec<String>,
    pub(crate) dependencies: bool,
}

impl Shown {
    fn services(&self, project: &Project) -> Result<Vec<String>, CliError> {
        for name in self.attach.iter().chain(&self.no_attach) {
            project.service(name).map_err(place::error)?;
        }
        let all = project.services.values();
        let chosen = all.filter(|service| {
            let named = self.named.is_empty() || self.named.contains(&service.name);
            let wanted = match self.attach.is_empty() {
                true => service.attach.unwrap_or(true) && (named || self.dependencies),
                false => {
                    let depends =
                        |one: &String| project.services[one].depends_on.contains_key(&service.name);
                    let depended = self.dependencies && self.attach.iter().any(depends);
                    self.attach.contains(&service.name) || depended
                }
            };
            wanted && !self.no_attach.contains(&service.name)
        });
        Ok(chosen.map(|service| service.name.clone()).collect())
    }
}

/// Runs the services of `up` in the foreground.
pub(crate) fn run(
    app: &mut App,
    wanted: &Foreground,
    file: &File,
    project: &Project,
    images: &Images,
    plan: &Plan,
) -> CommandResult {
    let settings = wanted.settings;
    let mut progress = Progress::new(app);
    act(app, Some(file), project, images, settings, &mut progress, |apply| apply.make(plan))?;
    let chosen = wanted.shown.services(project)?;
    board::settle();
    let mut front = Front::new(app, wanted, progress.in_lines())?;
    let begun = coracle_runtime::clock::now();
    let all = members(app, project)?;
    let mut labels = Vec::new();
    for summary in &all {
        let service = found::label(summary, coracle_compose::project::labels::SERVICE);
        let name = label(&project.name, &summary.container.name);
        let shown = chosen.iter().any(|chosen| chosen == service);
        if shown {
            let options = ReadOptions { since: Some(begun), ..ReadOptions::default() };
            if front.output.add(app.engine()?, summary, &name, options)? {
                labels.push(name.clone());
            }
        }
        front.follow(summary, service, name, shown);
    }
    labels.sort();
    writeln!(app.ui.data(), "Attaching to {}", labels.join(", "))?;
    let mut witness = app.witness.take();
    let outcome = act(app, Some(file), project, images, settings, &mut front, |apply| {
        for dir in &all {
            apply.follow(&dir.container.id);
        }
        apply.start(&plan.steps)?;
        witness = None;
        apply.look_on()
    });
    app.witness = witness;
    match outcome {
        // The watcher knows why it came to its end.
        Err(error) if error.status == ExitStatus::Container(130) => {}
        outcome => outcome?,
    }
    finish(app, wanted, file, project, images, front)
}

fn finish(
    app: &mut App,
    wanted: &Foreground,
    file: &File,
    project: &Project,
    images: &Images,
    mut front: Front,
) -> CommandResult {
    if let Some(error) = front.failed.take() {
        return Err(error);
    }
    if front.end == End::AllEnded {
        front.output.close_all()?;
        return Ok(ExitStatus::Success);
    }
    let interrupted = front.end == End::Interrupted;
    if interrupted {
        writeln!(app.ui.data(), "Gracefully Stopping... press Ctrl+C again to force")?;
    } else {
        writeln!(app.ui.status(), "\x1b[31m\x1b[1mAborting on container exit...\x1b[0m")?;
    }
    let aborted_by = front.first_exit.clone();
    front.stopping = true;
    let mut left: Vec<Seen> = members(app, project)?.iter().map(seen).collect();
    left.retain(|seen| project.services.contains_key(&seen.service));
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
    let code = match &wanted.exit_code_from {
        Some(service) => front.codes.get(service).copied().unwrap_or(0),
        None => aborted_by.map_or(0, |(_, code)| code),
    };
    Ok(match code {
        0 => ExitStatus::Success,
        code => ExitStatus::Container(u8::try_from(code).unwrap_or(u8::MAX)),
    })
}

fn members(app: &App, project: &Project) -> Result<Vec<Summary>, CliError> {
    let services = project.services.keys().cloned().collect();
    let wanted = Wanted { services, stopped: true, ..Wanted::default() };
    Ok(found::containers(app.engine()?.list()?, &project.name, &wanted))
}

/// Why the foreground came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    AllEnded,
    Aborted,
    Interrupted,
}

/// Who looks on in the foreground.
struct Front {
    progress: Progress,
    output: Output,
    records: Records,
    signals: OwnedFd,
    members: Vec<Member>,
    abort_on_exit: bool,
    abort_on_failure: bool,
    wanted_code: Option<String>,
    end: End,
    stopping: bool,
    /// How often we were asked to end.
    asked: u32,
    first_exit: Option<(String, i32)>,
    /// The first exit code of each service.
    codes: BTreeMap<String, i32>,
    failed: Option<CliError>,
}

/// A container that is followed.
struct Member {
    id: String,
    service: String,
    label: String,
    shown: bool,
    /// Whether it ran when we last looked.
    ran: bool,
    /// When it last ended; what is new is told.
    finished: Timestamp,
}

impl Front {
    fn new(app: &App, wanted: &Foreground, progress: Progress) -> Result<Self, CliError> {
        let signals = coracle_sys::signal::signal_fd(&[SIGINT, SIGTERM])
            .map_err(|error| CliError::plain(format!("cannot receive signals: {error}")))?;
        Ok(Self {
            progress,
            output: Output::new(wanted.look),
            records: app.engine()?.records.clone(),
            signals,
            members: Vec::new(),
            abort_on_exit: wanted.abort_on_exit,
            abort_on_failure: wanted.abort_on_failure,
            wanted_code: wanted.exit_code_from.clone(),
            end: End::AllEnded,
            stopping: false,
            asked: 0,
            first_exit: None,
            codes: BTreeMap::new(),
            failed: None,
        })
    }

    fn follow(&mut self, summary: &Summary, service: &str, label: String, shown: bool) {
        self.members.push(Member {
            id: summary.container.id.clone(),
            service: service.to_owned(),
            label,
            shown,
            ran: summary.life.state.status.is_running(),
            finished: summary.life.state.finished_at,
        });
    }

    /// Looks at every container; tells which ended.
    fn look(&mut self) -> Result<(), CliError> {
        for at in 0..self.members.len() {
            let id = self.members[at].id.clone();
            // Removed by somebody else: it does not run.
            let Ok(life) = self.records.life(&id) else {
                self.members[at].ran = false;
                continue;
            };
            let state = life.state;
            let running = matches!(state.status, Status::Running | Status::Paused);
            let member = &mut self.members[at];
            let ended = state.finished_at != member.finished && !state.finished_at.is_zero();
            if !ended {
                member.ran |= running;
                continue;
            }
            member.finished = state.finished_at;
            member.ran = running || state.status == Status::Restarting;
            let text = match state.status {
                // It runs again already, and how it ended is written over.
                Status::Running | Status::Paused => "was restarted".to_owned(),
                Status::Restarting => format!("exited with code {} (restarting)", state.exit_code),
                _ => format!("exited with code {}", state.exit_code),
            };
            let (label, service, shown) =
                (member.label.clone(), member.service.clone(), member.shown);
            let code = state.exit_code;
            if shown {
                self.output.ended(&id, &label, &text)?;
            }
            if !self.members[at].ran {
                self.note_exit(&service, code);
            }
        }
        Ok(())
    }

    fn note_exit(&mut self, service: &str, code: i32) {
        self.codes.entry(service.to_owned()).or_insert(code);
        let of_wanted = self.wanted_code.as_deref().is_none_or(|wanted| wanted == service);
        let aborts = (self.abort_on_exit && of_wanted) || (self.abort_on_failure && code != 0);
        if aborts && self.first_exit.is_none() {
            self.first_exit = Some((service.to_owned(), code));
        }
    }

    fn decide(&mut self) -> Turn {
        let mut signalled = false;
        while coracle_sys::signal::next_signal(self.signals.as_fd()).is_some() {
            signalled = true;
            self.asked += 1;
        }
        if self.stopping {
            let given_up = self.asked >= PATIENCE;
            return if signalled || given_up { Turn::Interrupted } else { Turn::On };
        }
        if signalled {
            self.end = End::Interrupted;
            return Turn::Interrupted;
        }
        if self.first_exit.is_some() {
            self.end = End::Aborted;
            return Turn::Interrupted;
        }
        Turn::On
    }

    /// Whether something of what is shown still runs or is to start.
    fn is_over(&self) -> bool {
        let any_shown = self.members.iter().any(|member| member.shown);
        let counted = |member: &&Member| member.shown || !any_shown;
        self.members.iter().filter(counted).all(|member| !member.ran)
    }
}

impl Watcher for Front {
    fn tell(&mut self, kind: Kind, name: &str, word: &str) {
        // In the foreground the output itself tells that a container started.
        if !matches!(word, "Starting" | "Started") {
            self.progress.tell(kind, name, word);
        }
    }

    fn warn(&mut self, text: &str) {
        self.progress.warn(text);
    }

    fn step_said(&mut self, step: &str, line: &str) {
        if let Err(error) = self.output.hook(step, line) {
            self.failed = self.failed.take().or(Some(error));
        }
    }

    fn turn(&mut self) -> Turn {
        let looked = self.output.pump().and_then(|()| self.look());
        if let Err(error) = looked {
            self.failed = self.failed.take().or(Some(error));
            return Turn::Interrupted;
        }
        self.decide()
    }

    fn idle(&mut self) -> Turn {
        match self.turn() {
            Turn::On if self.is_over() => Turn::Interrupted,
            turn => turn,
        }
    }

    fn wake(&self) -> Option<BorrowedFd<'_>> {
        Some(self.signals.as_fd())
    }
}
