//! Carrying out the steps of a plan, one after the other.

use std::collections::BTreeMap;

use coracle_runtime::Engine;
use coracle_runtime::engine::{Ending, ImageFacts, ProjectLock};
use coracle_runtime::model::Container;
use coracle_runtime::session::Session;
use coracle_runtime::watch::Watch;

use super::{ApplyError, Kind, Teardown, Watcher, seen};
use crate::container::{Defaults, Peer};
use crate::plan::{Action, Plan, Seen, Step};
use crate::project::{Project, found, labels};

/// A project and the engine that it is carried out with.
pub struct Apply<'a> {
    pub(super) engine: &'a Engine,
    pub(super) session: &'a mut Session,
    pub(super) watcher: &'a mut dyn Watcher,
    pub(super) project: &'a Project,
    pub(super) defaults: Defaults,
    pub(super) images: &'a BTreeMap<String, ImageFacts>,
    pub(super) environment: &'a BTreeMap<String, String>,
    pub(super) profiles: BTreeMap<String, String>,
    pub(super) settings: Settings,
    /// What changes of containers wake the loops.
    pub(super) watch: Watch,
    /// Nobody else makes containers of the project while they are made here.
    making: Option<ProjectLock>,
    /// Stops that were begun, by container.
    pub(super) endings: BTreeMap<String, Ending>,
    /// Containers that were made to take the place of another, by that one.
    pub(super) replacements: BTreeMap<String, String>,
}

/// What is carried out, and with what.
#[derive(Debug)]
pub struct Inputs<'a> {
    pub project: &'a Project,
    pub defaults: Defaults,
    /// The image of each service.
    pub images: &'a BTreeMap<String, ImageFacts>,
    /// Variables that secrets and configs come from.
    pub environment: &'a BTreeMap<String, String>,
    /// seccomp profiles by the path that a service names.
    pub profiles: BTreeMap<String, String>,
    pub settings: Settings,
}

impl std::fmt::Debug for Apply<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Apply").field("project", &self.project.name).finish_non_exhaustive()
    }
}

/// How it is to be carried out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Seconds between the stop signal and SIGKILL; `None` is each container's own.
    pub grace_s: Option<i64>,
    /// Anonymous volumes are made anew.
    pub renew_volumes: bool,
    /// Starts that go on at once; zero means any number.
    pub at_once: usize,
    /// Seconds that services may take to be as they are wanted; zero is no limit.
    pub wait_s: u64,
}

impl<'a> Apply<'a> {
    /// `making` is held until everything is made.
    pub fn new(
        engine: &'a Engine,
        session: &'a mut Session,
        watcher: &'a mut dyn Watcher,
        inputs: Inputs<'a>,
        making: Option<ProjectLock>,
    ) -> Self {
        let Inputs { project, defaults, images, environment, profiles, settings } = inputs;
        Self {
            engine,
            session,
            watcher,
            project,
            defaults,
            images,
            environment,
            profiles,
            settings,
            watch: Watch::empty(),
            making,
            endings: BTreeMap::new(),
            replacements: BTreeMap::new(),
        }
    }

    /// Wakes the loops when something changes about a container.
    pub fn follow(&mut self, id: &str) {
        self.watch.add(&self.engine.paths().container(id));
    }

    /// Carries out all steps.
    ///
    /// # Errors
    /// The first failure; what goes on at that moment is waited for.
    pub fn run(&mut self, plan: &Plan) -> Result<(), ApplyError> {
        self.make(plan)?;
        self.start(&plan.steps)
    }

    /// Everything but the starts.
    ///
    /// # Errors
    /// The first failure.
    pub fn make(&mut self, plan: &Plan) -> Result<(), ApplyError> {
        let made = self.make_locked(plan);
        // What is to be started next may depend on others for long.
        self.making = None;
        made
    }

    /// What only stops for a while is stopped first: it may be on a network that is replaced,
    /// or need one that is made anew. What takes another's place is made before anything is
    /// stopped for good, so that whatever cannot be made leaves everything running.
    fn make_locked(&mut self, plan: &Plan) -> Result<(), ApplyError> {
        let steps = &plan.steps;
        self.refuse_others_on_networks(steps)?;
        let project = self.project;
        let is_orphan = |step: &Step| !project.services.contains_key(&step.service);
        let mut begun = [false; 5];
        let mut first = |at: usize| !std::mem::replace(&mut begun[at], true);
        for step in steps {
            let orphan = is_orphan(step);
            let ends = matches!(step.action, Action::Remove | Action::Recreate) && !orphan;
            if ends && first(0) {
                self.replacements(steps)?;
            }
            match step.action {
                Action::Remove if first(if orphan { 1 } else { 2 }) => {
                    self.remove_all(steps, |step| is_orphan(step) == orphan)?;
                }
                // With the others.
                Action::Remove => {}
                Action::Stop | Action::Recreate => {
                    let action = step.action;
                    if first(if action == Action::Stop { 3 } else { 4 }) {
                        self.begin_stops(steps, |step| step.action == action)?;
                    }
                    self.step(step)?;
                }
                _ => self.step(step)?,
            }
        }
        Ok(())
    }

    /// Removes the containers of these steps, those first that others are needed by.
    fn remove_all(&mut self, steps: &[Step], of: impl Fn(&Step) -> bool) -> Result<(), ApplyError> {
        let gone = |id: &str| {
            steps.iter().any(|step| step.action == Action::Remove && step.id == id && of(step))
        };
        let all = self.engine.list()?;
        let gone: Vec<Seen> =
            all.iter().filter(|summary| gone(&summary.container.id)).map(seen).collect();
        self.tear_down(&gone, Teardown::Remove { volumes: false })
    }

    fn step(&mut self, step: &Step) -> Result<(), ApplyError> {
        match step.action {
            // Images were fetched before.
            Action::Pull | Action::Start => Ok(()),
            Action::CreateNetwork => self.create_network(&step.id, &step.object),
            Action::ReplaceNetwork => self.replace_network(&step.id, &step.object),
            Action::RenameNetwork => self.rename_network(step),
            Action::CreateVolume => self.create_volume(&step.id, &step.object),
            Action::ReplaceVolume => self.replace_volume(&step.id, &step.object),
            // All of them at once.
            Action::Remove => Ok(()),
            Action::Rename => Ok(self.engine.rename(&step.id, &step.object)?),
            Action::Create => self.create(step),
            Action::Recreate => self.recreate(step),
            Action::Stop => self.stop_one(&step.id, &step.object),
            Action::Keep => {
                self.watcher.tell(Kind::Container, &step.object, "Running");
                let project = self.project;
                if let Some(service) = project.services.get(&step.service) {
                    self.tell_of_other_values(service);
                }
                Ok(())
            }
        }
    }

    /// The containers of each service, by name, that are there now.
    pub(super) fn peers(&self) -> Result<BTreeMap<String, Vec<Peer>>, ApplyError> {
        let wanted = found::Wanted { stopped: true, ..Default::default() };
        let all = found::containers(self.engine.list()?, &self.project.name, &wanted);
        let mut peers: BTreeMap<String, Vec<Peer>> = BTreeMap::new();
        for summary in all {
            let service = found::label(&summary, labels::SERVICE).to_owned();
            let Container { id, name, .. } = summary.container;
            peers.entry(service).or_default().push(Peer { id, name });
        }
        Ok(peers)
    }
}
