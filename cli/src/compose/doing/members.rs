//! The containers of a project that somebody looks on at: which end, and which come later.
//!
//! # How it works
//!
//! Nothing is heard from other commands: states are read again whenever a file of a followed container, or the folder
//! of all containers, changes. A container counts from its first start, when it has the name it will keep.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use coracle_compose::project::found::{self, label};
use coracle_compose::project::labels;
use coracle_runtime::Engine;
use coracle_runtime::engine::{ProjectLock, Summary};
use coracle_runtime::events::{Events, Filter, Span};
use coracle_runtime::model::{Status, Timestamp};
use coracle_runtime::paths::Paths;
use coracle_runtime::records::Records;
use coracle_runtime::watch::Watch;

use crate::compose::screen::output;

/// The containers that are followed.
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) paths: Paths,
    records: Records,
    events: Events,
    watch: Watch,
    project: String,
    all: Vec<Member>,
    /// Containers that are followed, or never will be.
    settled: BTreeSet<String>,
}

/// A container that is followed.
#[derive(Debug)]
struct Member {
    id: String,
    service: String,
    label: String,
    /// Whether it is waited for.
    live: bool,
    /// When it last ended; what is new is told.
    finished: Timestamp,
    /// When it was looked at last, a command that had stopped it was about to start it again.
    again: bool,
}

/// A container that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) id: String,
    pub(crate) service: String,
    pub(crate) label: String,
    pub(crate) code: i32,
    /// It is being started again, or runs already.
    pub(crate) restarts: bool,
}

impl Ended {
    /// As Docker Compose tells it.
    pub(crate) fn text(&self) -> String {
        let more = if self.restarts { " (restarting)" } else { "" };
        format!("exited with code {}{more}", self.code)
    }
}

impl Members {
    pub(crate) fn new(engine: &Engine, project: &str) -> Self {
        let mut watch = Watch::empty();
        watch.add(&engine.paths().containers());
        Self {
            paths: engine.paths().clone(),
            records: engine.records.clone(),
            events: Events::new(engine.paths().events()),
            watch,
            project: project.to_owned(),
            all: Vec::new(),
            settled: BTreeSet::new(),
        }
    }

    /// Follows a container; `live`: until it ends.
    pub(crate) fn add(&mut self, summary: &Summary, live: bool) {
        let id = summary.container.id.clone();
        self.watch.add(&self.paths.container(&id));
        self.settled.insert(id.clone());
        self.all.push(Member {
            id,
            service: label(summary, labels::SERVICE).to_owned(),
            label: self.label(summary),
            live,
            finished: summary.life.state.finished_at,
            again: false,
        });
    }

    /// Follows a container that came later. It may have ended before it was seen first, which is told too.
    pub(crate) fn add_newcomer(&mut self, summary: &Summary) {
        self.add(summary, true);
        if let Some(member) = self.all.last_mut() {
            member.finished = Timestamp::ZERO;
        }
    }

    /// How a container is called before its lines.
    pub(crate) fn label(&self, summary: &Summary) -> String {
        self.name(&summary.container.name)
    }

    pub(crate) fn name(&self, container: &str) -> String {
        output::label(&self.project, container)
    }

    /// Containers of these services that were started since the last call and are not followed.
    pub(crate) fn newcomers(&mut self, services: impl Fn(&str) -> bool) -> Vec<Summary> {
        let mut new = Vec::new();
        for id in self.records.ids().unwrap_or_default() {
            if self.settled.contains(&id) {
                continue;
            }
            // One that is being made, or removed, has no records.
            let (Ok(container), Ok(life)) = (self.records.load(&id), self.records.life(&id)) else {
                continue;
            };
            let started = !life.state.started_at.is_zero();
            let summary = Summary { container, life };
            let ours = label(&summary, labels::PROJECT) == self.project
                && !found::is_one_off(&summary)
                && services(label(&summary, labels::SERVICE));
            if !ours {
                self.settled.insert(id);
            } else if started {
                new.push(summary);
            }
        }
        new
    }

    /// Looks at every container; which ended since the last look.
    pub(crate) fn look(&mut self) -> Vec<Ended> {
        let mut ended = Vec::new();
        for member in &mut self.all {
            // Removed by somebody else: it does not run.
            let Ok(life) = self.records.life(&member.id) else {
                member.live = false;
                continue;
            };
            let again = std::mem::replace(&mut member.again, life.again);
            let state = life.state;
            let runs = matches!(state.status, Status::Running | Status::Paused);
            if state.finished_at == member.finished || state.finished_at.is_zero() {
                member.live |= runs;
                // It could not be started.
                member.live &= runs || !again || life.again;
                continue;
            }
            let before = std::mem::replace(&mut member.finished, state.finished_at);
            let restarts = runs || life.again || state.status == Status::Restarting;
            member.live = restarts;
            // Once it runs again, how it ended is written over.
            let code = match runs {
                true => last_exit(&self.events, &member.id, before).unwrap_or(state.exit_code),
                false => state.exit_code,
            };
            let (id, service, label) =
                (member.id.clone(), member.service.clone(), member.label.clone());
            ended.push(Ended { id, service, label, code, restarts });
        }
        ended
    }

    /// Whether a container of these services is waited for.
    fn any_live(&self, services: impl Fn(&str) -> bool) -> bool {
        self.all.iter().any(|member| member.live && services(&member.service))
    }

    /// Whether it is over for these services: none of their containers is waited for, and nobody who makes or restarts
    /// containers of the project is about to start one.
    pub(crate) fn is_over(&self, services: impl Fn(&str) -> bool) -> bool {
        if self.any_live(&services) || ProjectLock::is_held(&self.paths, &self.project) {
            return false;
        }
        // Between the last look and the lock one may have been started.
        !self.all.iter().filter(|member| services(&member.service)).any(|member| {
            let life = self.records.life(&member.id);
            life.is_ok_and(|life| life.state.status.is_running())
        })
    }

    /// What becomes readable when there is something to look at.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.watch.fd()
    }

    /// What was readable has been seen. To be called before looking.
    pub(crate) fn clear(&self) {
        self.watch.clear();
    }

    /// Waits until there may be something to look at.
    pub(crate) fn wait(&self, longest: Duration) -> std::io::Result<()> {
        self.watch.wait(self.watch.patience(longest))
    }
}

/// How a container ended last, by what was told of it since then.
fn last_exit(events: &Events, id: &str, since: Timestamp) -> Option<i32> {
    let span = Span { since: Some(since), until: Some(coracle_runtime::clock::now()) };
    let filter = Filter::new([("type", "container"), ("event", "die"), ("container", id)]).ok()?;
    let mut code = None;
    let read = events.read(span, &filter, &mut |event| {
        code = event.actor.attributes.get("exitCode").and_then(|text| text.parse().ok()).or(code);
        ControlFlow::Continue(())
    });
    read.ok()?;
    code
}
