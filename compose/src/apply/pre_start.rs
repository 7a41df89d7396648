//! `pre_start`: steps that run before a service starts, each in a container of its own.
//!
//! # When they run
//!
//! After the service's containers are made and what it depends on is there, one after the other,
//! when none of its containers runs. As the specification has it, what succeeded is not run
//! again until it is written otherwise or the service is made anew: each container of the
//! service remembers which steps are done. (Docker Compose 5.5 forgets, and runs all of them
//! whenever the service starts from nothing.)
//!
//! # What is left
//!
//! A step that succeeded leaves nothing, also no anonymous volume. The container of one that
//! failed is kept to be looked at until the steps run again, or until `down`.

use std::os::fd::{AsFd as _, BorrowedFd};

use coracle_runtime::engine::{RemoveOptions, Starting, Summary};
use coracle_runtime::logs::{ReadOptions, Steps, Stream};
use coracle_runtime::model::{Attach, Status};
use coracle_runtime::short_id;
use sha2::{Digest as _, Sha256};

use super::start::Waiting;
use super::tail::{Tail, last_words};
use super::{Apply, ApplyError};
use crate::container::{Facts, step_image, step_request};
use crate::project::Service;
use crate::project::found::{self, Wanted};

/// A service whose steps are carried out; what is to be started comes after them.
pub(super) struct Preparing<'s> {
    pub(super) waiting: Waiting<'s>,
    /// The steps that are left, the next one last.
    left: Vec<usize>,
    running: Option<Running>,
}

/// The step that runs.
struct Running {
    index: usize,
    id: String,
    /// Until it runs.
    starting: Option<Starting>,
    log: Option<Steps>,
    heard: Heard,
}

/// What a step has said.
#[derive(Default)]
struct Heard {
    output: Tail,
    errors: Tail,
    /// What has no end of line yet, of either stream.
    open: [String; 2],
    /// Whole lines nobody has been shown yet.
    lines: Vec<String>,
}

impl Preparing<'_> {
    /// What says that the step runs now.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.running.as_ref()?.starting.as_ref().map(|starting| starting.as_fd())
    }
}

impl<'s> Preparing<'s> {
    /// Begins with the steps of a service that are to be run; gives back what is waiting when
    /// there are none.
    pub(super) fn begin(
        apply: &mut Apply<'_>,
        waiting: Waiting<'s>,
    ) -> Result<Result<Self, Waiting<'s>>, ApplyError> {
        let Some(service) = apply.project.services.get(waiting.service) else {
            return Ok(Err(waiting));
        };
        if service.pre_start.is_empty() || waiting.steps.is_empty() {
            return Ok(Err(waiting));
        }
        let members = apply.members_of(service)?;
        if members.iter().any(|member| member.life.state.status.is_running()) {
            return Ok(Err(waiting));
        }
        let is_done = |index: &usize| {
            let definition = definition(service, *index);
            members.iter().any(|member| member.container.done.contains(&definition))
        };
        let left: Vec<usize> =
            (0..service.pre_start.len()).rev().filter(|index| !is_done(index)).collect();
        if left.is_empty() {
            return Ok(Err(waiting));
        }
        apply.remove_failed_steps(std::slice::from_ref(&service.name))?;
        Ok(Ok(Self { waiting, left, running: None }))
    }

    /// Goes as far as it can without waiting; true when all steps have succeeded.
    pub(super) fn advance(
        &mut self,
        apply: &mut Apply<'_>,
        ready: bool,
    ) -> Result<bool, ApplyError> {
        let service = apply.project.services[self.waiting.service].clone();
        loop {
            let Some(running) = &mut self.running else {
                let Some(index) = self.left.pop() else { return Ok(true) };
                self.running = Some(apply.begin_step(&service, index)?);
                return Ok(false);
            };
            if let Some(starting) = running.starting.take_if(|starting| ready || starting.is_done())
            {
                match starting.finish() {
                    Ok(started) => {
                        started.warnings.iter().for_each(|text| apply.watcher.warn(text))
                    }
                    Err(error) => {
                        let id = running.id.clone();
                        self.running = None;
                        apply.remove_step(&id);
                        return Err(error.into());
                    }
                }
            }
            if running.starting.is_some() {
                return Ok(false);
            }
            let state = apply.engine.records.life(&running.id)?.state;
            let ended = matches!(state.status, Status::Exited | Status::Dead);
            running.listen(ended);
            let label = format!("{} pre_start[{}]", service.name, running.index);
            for line in running.heard.lines.drain(..) {
                apply.watcher.step_said(&label, &line);
            }
            if !ended {
                return Ok(false);
            }
            let Running { index, id, heard, .. } = match self.running.take() {
                Some(running) => running,
                None => return Ok(false),
            };
            if state.exit_code != 0 {
                return Err(ApplyError::PreStart {
                    service: service.name,
                    index,
                    code: state.exit_code,
                    output: last_words(&heard.errors, &heard.output),
                    container: short_id(&id).to_owned(),
                });
            }
            for member in apply.members_of(&service)? {
                apply.engine.note_done(&member.container.id, &definition(&service, index))?;
            }
            apply.remove_step(&id);
        }
    }

    /// Ends the step that runs, which nobody waits for any more.
    pub(super) fn give_up(self, apply: &mut Apply<'_>) {
        if let Some(running) = self.running {
            apply.remove_step(&running.id);
        }
    }
}

impl Running {
    fn listen(&mut self, ended: bool) {
        let Some(log) = &mut self.log else { return };
        let heard = &mut self.heard;
        // A log that cannot be read changes nothing about the step.
        let read = log.next(&mut |entry| heard.add(entry.stream, &entry.text));
        if read.is_err() {
            self.log = None;
        }
        if ended {
            self.heard.end();
        }
    }
}

impl Heard {
    fn add(&mut self, stream: Stream, text: &str) {
        let (at, tail) = match stream {
            Stream::Stderr => (1, &mut self.errors),
            Stream::Stdout => (0, &mut self.output),
        };
        tail.add(text);
        self.open[at].push_str(text);
        while let Some(end) = self.open[at].find('\n') {
            let rest = self.open[at].split_off(end + 1);
            let mut line = std::mem::replace(&mut self.open[at], rest);
            line.truncate(end);
            self.lines.push(line);
        }
    }

    fn end(&mut self) {
        let open = self.open.iter_mut().map(std::mem::take);
        self.lines.extend(open.filter(|line| !line.is_empty()));
    }
}

/// What a step is, as long as it is written in the same way at the same place.
fn definition(service: &Service, index: usize) -> String {
    let step = &service.raw["pre_start"][index];
    hex::encode(Sha256::digest(format!("{index} {step}")))
}

impl Apply<'_> {
    fn members_of(&self, service: &Service) -> Result<Vec<Summary>, ApplyError> {
        let services = vec![service.name.clone()];
        let wanted = Wanted { services, stopped: true, ..Wanted::default() };
        Ok(found::containers(self.engine.list()?, &self.project.name, &wanted))
    }

    fn begin_step(&mut self, service: &Service, index: usize) -> Result<Running, ApplyError> {
        let step = &service.pre_start[index];
        let name = step_image(self.project, service, step);
        let missing = || ApplyError::NoImage { name: super::create::with_tag(&name) };
        let own = self.images.get(&service.name).ok_or_else(missing)?;
        let image = match name == self.project.image_name(service) {
            true => own,
            false => own.mounted.get(&name).ok_or_else(missing)?,
        };
        let members = self.members_of(service)?;
        let gone = || {
            coracle_runtime::EngineError::Refuse(format!(
                "the containers of service {:?} were removed while it was started",
                service.name
            ))
        };
        let beside = &members.first().ok_or_else(gone)?.container;
        let facts = Facts { image: image.clone(), peers: self.peers()?, ..Facts::default() };
        let request = step_request(self.project, service, step, facts, beside, &self.defaults)?;
        let container = self.engine.create(request)?;
        let id = container.id.clone();
        self.follow(&id);
        // Where no log is kept, nothing is shown of it.
        let log = self.engine.log_steps(&container, ReadOptions::default()).ok();
        let starting = match self.engine.begin_start(self.session, &id, Attach::default()) {
            Ok(starting) => starting,
            Err(error) => {
                self.remove_step(&id);
                return Err(error.into());
            }
        };
        Ok(Running { index, id, starting: Some(starting), log, heard: Heard::default() })
    }

    fn remove_step(&mut self, id: &str) {
        let options = RemoveOptions { force: true, volumes: true };
        if let Err(error) = self.engine.remove(self.session, id, options) {
            let id = short_id(id);
            self.watcher.warn(&format!("cannot remove the container {id} of pre_start: {error}"));
        }
    }

    /// Removes what failed steps of these services, or of all, have left.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn remove_failed_steps(&mut self, services: &[String]) -> Result<(), ApplyError> {
        let services = services.to_vec();
        let wanted =
            Wanted { services, stopped: true, one_off: true, steps: true, ..Wanted::default() };
        for step in found::containers(self.engine.list()?, &self.project.name, &wanted) {
            self.remove_step(&step.container.id);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_and_errors_come_first() {
        let mut heard = Heard::default();
        heard.add(Stream::Stdout, "one\ntw");
        heard.add(Stream::Stderr, "bad\n");
        heard.add(Stream::Stdout, "o\nrest");
        assert_eq!(heard.lines, ["one", "bad", "two"]);
        heard.end();
        assert_eq!(heard.lines.last().unwrap(), "rest");
        assert_eq!(last_words(&heard.errors, &heard.output), "bad");
    }

    #[test]
    fn a_step_is_another_one_when_it_is_written_otherwise_or_elsewhere() {
        let steps = |text: &str| Service {
            raw: serde_json::json!({"pre_start": [{"command": [text]}, {"command": [text]}]}),
            ..Service::default()
        };
        let (a, b) = (steps("a"), steps("b"));
        assert_eq!(definition(&a, 0), definition(&steps("a"), 0));
        assert_ne!(definition(&a, 0), definition(&a, 1));
        assert_ne!(definition(&a, 0), definition(&b, 0));
    }
}
