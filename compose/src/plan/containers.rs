//! The containers of one service.

use coracle_runtime::short_id;

use super::make::Work;
use super::{Action, PlanError, Recreate, Seen, Step, changes};
use crate::project::Service;

impl<'a> Work<'a> {
    pub(super) fn service(&mut self, name: &str) -> Result<(), PlanError> {
        let project = self.desired.project;
        let service = &project.services[name];
        let wanted = self.replicas(service);
        if let Some(custom) = service.container_name.as_ref().filter(|_| wanted > 1) {
            return Err(PlanError::NamedAndScaled {
                service: name.to_owned(),
                name: custom.clone(),
            });
        }
        if wanted > 0 {
            self.check_shared(service)?;
        }
        let hash = self.hash_of(service);
        let mut there: Vec<(&Seen, Vec<String>)> = self
            .settle(service)
            .into_iter()
            .map(|seen| (seen, self.reasons(service, seen, &hash)))
            .collect();
        // Those that would be made anew go first, then those with the highest numbers.
        there.sort_by_key(|(seen, reasons)| (!reasons.is_empty(), seen.number));
        let keep = usize::try_from(wanted).unwrap_or(usize::MAX);
        for (seen, _) in there.iter().skip(keep).rev() {
            let step = Step::new(Action::Remove, &seen.name).service(name).number(seen.number);
            let reason = format!("{wanted} of this service are wanted");
            self.plan.steps.push(step.id(&seen.id).because(reason));
        }
        there.truncate(keep);
        let missing = keep - there.len();
        let highest = there.iter().map(|(seen, _)| seen.number).max().unwrap_or(0);
        let none = there.is_empty();
        for (seen, reasons) in there {
            self.existing(service, seen, reasons);
        }
        for number in (highest + 1..).take(missing) {
            let container = project.container_name(service, number);
            if self.observed.other_names.contains(&container) {
                return Err(PlanError::NameTaken { service: name.to_owned(), name: container });
            }
            if none {
                // Others may have shared with one that is gone.
                self.restarted.insert(name.to_owned());
            }
            let step = Step::new(Action::Create, &container).service(name).number(number);
            self.plan.steps.push(step.because("it is not there"));
            self.start(service, &container, number, "", "it is new");
        }
        Ok(())
    }

    /// Whose namespaces and volumes it takes part in is there, or is going to be.
    fn check_shared(&self, service: &Service) -> Result<(), PlanError> {
        let missing = |name: &str| {
            !self.desired.project.services.contains_key(name)
                && self.observed.of_service(name).is_empty()
        };
        for (what, name) in shared_with(service) {
            if missing(name) {
                return Err(PlanError::NoPeer { what, name: name.to_owned() });
            }
        }
        Ok(())
    }

    /// The containers of a service after what killed commands left is put right.
    fn settle(&mut self, service: &Service) -> Vec<&'a Seen> {
        let mut settled: Vec<&Seen> = Vec::new();
        for seen in self.observed.of_service(&service.name) {
            let Some(name) = &seen.replaces else {
                settled.push(seen);
                continue;
            };
            let step = |action, object| {
                let step = Step::new(action, object).service(&service.name).number(seen.number);
                step.id(&seen.id)
            };
            // The one it was to take the place of comes first.
            if settled.iter().any(|other| other.number == seen.number) {
                let reason = "a command that made it was killed";
                self.plan.steps.push(step(Action::Remove, &seen.name).because(reason));
            } else {
                let reason = "a command that put it here was killed";
                self.plan.steps.push(step(Action::Rename, name).because(reason));
                settled.push(seen);
            }
        }
        settled
    }

    fn existing(&mut self, service: &Service, seen: &Seen, reasons: Vec<String>) {
        // A container that takes another's place has the other's name by now.
        let name = seen.replaces.as_ref().unwrap_or(&seen.name);
        let step = |action| {
            Step::new(action, name).service(&service.name).number(seen.number).id(&seen.id)
        };
        if !reasons.is_empty() {
            self.restarted.insert(service.name.clone());
            let mut step = step(Action::Recreate);
            step.object = self.desired.project.container_name(service, seen.number);
            step.reasons = reasons;
            let name = step.object.clone();
            self.plan.steps.push(step);
            self.start(service, &name, seen.number, "", "it is made anew");
            return;
        }
        if let Some(reason) = self.stopped.get(&seen.id).cloned() {
            self.paused.insert(service.name.clone());
            self.start(service, name, seen.number, &seen.id, &reason);
            return;
        }
        if seen.status.is_running() {
            match self.pause(service) {
                Some(reason) => {
                    self.paused.insert(service.name.clone());
                    self.plan.steps.push(step(Action::Stop).because(&reason));
                    self.start(service, name, seen.number, &seen.id, &reason);
                }
                None => self.plan.steps.push(step(Action::Keep)),
            }
            return;
        }
        let reason = format!("it is {}", seen.status);
        self.start(service, name, seen.number, &seen.id, &reason);
    }

    /// Why a container that runs and is as wanted has to be started again.
    fn pause(&self, service: &Service) -> Option<String> {
        if !self.options.start {
            return None;
        }
        let waits = |(on, dependency): (&String, &crate::project::Dependency)| {
            dependency.restart && self.restarted.contains(on)
        };
        if service.depends_on.iter().any(waits) {
            return Some("a service it depends on is made anew".to_owned());
        }
        // What it shares ends with the other's processes.
        let (_, shares) = shared_namespaces(service).find(|(_, on)| self.paused.contains(*on))?;
        Some(format!("it shares with service {shares}, which is started again"))
    }

    /// The hash a container of a service has to have, with the containers it shares with.
    fn hash_of(&self, service: &Service) -> String {
        let first = |name: &str| Some(self.observed.of_service(name).first()?.id.clone());
        service.hash(&first)
    }

    fn start(&mut self, service: &Service, name: &str, number: u32, id: &str, reason: &str) {
        if self.options.start {
            let step = Step::new(Action::Start, name).service(&service.name).number(number);
            self.plan.steps.push(step.id(id).because(reason));
        }
    }

    /// Why a container has to be made anew; nothing when it may stay.
    fn reasons(&self, service: &Service, seen: &Seen, hash: &str) -> Vec<String> {
        match self.options.recreate_of(&service.name) {
            Recreate::Never => return Vec::new(),
            Recreate::Always => return vec!["it was asked for".to_owned()],
            Recreate::Changed => {}
        }
        let mut reasons = Vec::new();
        if seen.hash != hash && !seen.origin.is_null() {
            reasons = changes(&seen.origin, &service.raw);
        }
        if let Some(image) = self.desired.images.get(&service.name)
            && *image != seen.image
        {
            let name = self.desired.project.image_name(service);
            reasons.push(format!("image {name}: {} → {}", short_id(&seen.image), short_id(image)));
        } else if !self.desired.images.contains_key(&service.name) {
            reasons.push("its image is fetched again".to_owned());
        }
        self.surroundings(service, seen, &mut reasons);
        if seen.hash != hash && reasons.is_empty() {
            let shares = shared_with(service).next().is_some();
            let reason = match shares && !seen.origin.is_null() {
                true => "a container it shares with is another one",
                false => "its configuration changed",
            };
            reasons.push(reason.to_owned());
        }
        reasons
    }

    /// What around a container makes a new one necessary.
    fn surroundings(&self, service: &Service, seen: &Seen, reasons: &mut Vec<String>) {
        if service.network_mode.is_none() {
            let wanted = service.networks.keys().map(|key| self.desired.project.network_name(key));
            for name in wanted {
                let now = self.renamed.get(&name).unwrap_or(&name);
                if !seen.networks.contains(now) && !seen.networks.contains(&name) {
                    reasons.push(format!("it is not in network {name}"));
                }
            }
        }
        let named = service.volumes.iter().filter(|volume| volume.kind == "volume");
        for volume in named.filter(|volume| !volume.source.is_empty()) {
            let name = self.desired.project.volume_name(&volume.source);
            if !seen.volumes.contains(&name) {
                reasons.push(format!("volume {name} is not mounted"));
            }
        }
        for volume in &seen.volumes {
            if self.fresh.contains(volume) {
                reasons.push(format!("volume {volume} is made anew"));
            }
        }
        for volume in service.volumes.iter().filter(|volume| volume.kind == "image") {
            let place = volume.target.trim_end_matches('/');
            if let Some(wanted) = self.desired.mounted.get(&volume.source)
                && let Some(now) = seen.mounted.get(place)
                && wanted != now
            {
                let source = &volume.source;
                reasons.push(format!(
                    "image {source} at {place}: {} → {}",
                    short_id(now),
                    short_id(wanted)
                ));
            }
        }
        for (_, on) in shared_with(service) {
            if self.restarted.contains(on) {
                reasons.push(format!("it shares with service {on}, which is made anew"));
            }
        }
        let known = |id: &String| self.observed.containers.iter().any(|other| other.id == *id);
        let by_service = shared_with(service).next().is_some();
        if by_service && !seen.shares.iter().all(known) {
            reasons.push("the container it shares with is gone".to_owned());
        }
        if self.options.renew_volumes && self.options.is_target(&service.name) {
            reasons.push("anonymous volumes are to be made anew".to_owned());
        }
    }
}

/// The services that a service takes part in, with what of them it takes part in.
fn shared_with(service: &Service) -> impl Iterator<Item = (&'static str, &str)> {
    let from = service.volumes_from.iter().map(|entry| entry.split(':').next().unwrap_or(entry));
    let volumes = from.filter(|name| *name != "container").map(|name| ("volume", name));
    volumes.chain(shared_namespaces(service))
}

/// The services whose namespaces a service takes part in, with which.
fn shared_namespaces(service: &Service) -> impl Iterator<Item = (&'static str, &str)> {
    let modes = [
        ("network namespace", service.network_mode.as_deref().unwrap_or_default()),
        ("IPC namespace", service.ipc.as_str()),
        ("PID namespace", service.pid.as_str()),
    ];
    modes.into_iter().filter_map(|(what, mode)| Some((what, mode.strip_prefix("service:")?)))
}
