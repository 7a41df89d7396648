//! Networks, volumes and containers nobody asks for.

use super::make::Work;
use super::resources::{Found, Ours, Sought};
use super::{Action, PlanError, Seen, Step};
use crate::project::{Service, labels};

impl Work<'_> {
    pub(super) fn networks(&mut self) -> Result<(), PlanError> {
        let project = self.desired.project;
        for (key, network) in &project.networks {
            let mut services = project.services.values();
            let used = services.any(|service| service.networks.contains_key(key));
            if !used && !self.options.all_resources {
                continue;
            }
            let name = project.network_name(key);
            if network.external {
                // The three that are always there need not be listed.
                let there = self.observed.networks.contains_key(&name);
                if !there && !matches!(name.as_str(), "host" | "none" | "bridge") {
                    return Err(PlanError::NoNetwork { name });
                }
                continue;
            }
            let sought =
                Sought { project: &project.name, label: labels::NETWORK, key, name: &name };
            let all = self.observed.networks.iter().map(|(name, seen)| (name, &seen.labels));
            match sought.among(all) {
                Found::Nothing => {
                    let step = Step::new(Action::CreateNetwork, &name).id(key);
                    self.plan.steps.push(step.because("it is not there"));
                }
                Found::Other { project: owner } => self.tell_of_foreign_network(&name, &owner),
                Found::Ours(ours) => {
                    self.tell_of_more("network", key, &ours.name, &ours.more);
                    self.network(key, &name, &ours, &network.hash());
                }
            }
        }
        Ok(())
    }

    fn network(&mut self, key: &str, name: &str, ours: &Ours, hash: &str) {
        if ours.name != name {
            // Its containers are moved; nobody has to be asked, there is no data in it.
            let reason = format!("network {} is called {name} now", ours.name);
            self.stop_members(key, &reason);
            self.renamed.insert(name.to_owned(), ours.name.clone());
            let step = Step::new(Action::RenameNetwork, name).id(key).from(&ours.name);
            self.plan.steps.push(step.because(format!("it was called {}", ours.name)));
        } else if !ours.hash.is_empty() && ours.hash != hash {
            self.stop_members(key, &format!("network {name} is made anew"));
            let step = Step::new(Action::ReplaceNetwork, name).id(key);
            self.plan.steps.push(step.because("its configuration changed"));
        }
    }

    /// Stops the containers of the services that are on a network. Those that need others come
    /// first.
    fn stop_members(&mut self, key: &str, reason: &str) {
        let project = self.desired.project;
        let mut members: Vec<&Seen> = Vec::new();
        for name in self.waves.iter().flatten().rev() {
            if project.services[name].networks.contains_key(key) {
                members.extend(self.observed.of_service(name));
            }
        }
        for seen in members {
            if seen.status.is_running() && !self.stopped.contains_key(&seen.id) {
                self.stopped.insert(seen.id.clone(), reason.to_owned());
                let step = Step::new(Action::Stop, &seen.name).service(&seen.service);
                let step = step.number(seen.number).id(&seen.id);
                self.plan.steps.push(step.because(reason));
            }
        }
    }

    fn tell_of_foreign_network(&mut self, name: &str, owner: &str) {
        let whose = match owner {
            "" => "was not created by compose".to_owned(),
            _ => format!("was not created for project {:?}", self.desired.project.name),
        };
        self.plan.warnings.push(format!(
            "a network with name {name} exists but {whose}.\n\
             Set `external: true` to use an existing network"
        ));
    }

    /// Of what the project made earlier for the same key: it stays, and that is said each time.
    fn tell_of_more(&mut self, kind: &str, key: &str, used: &str, more: &[String]) {
        for name in more {
            let id = self.observed.networks.get(name).filter(|_| kind == "network");
            let id = id.map(|seen| format!(" (id {})", seen.id)).unwrap_or_default();
            self.plan.warnings.push(format!(
                "{kind} {name:?}{id} carries the compose label {key:?} but does not match the \
                 compose file (using {used:?}); it is left untouched — remove it manually if it \
                 is no longer needed"
            ));
        }
    }

    pub(super) fn volumes(&mut self) -> Result<(), PlanError> {
        let project = self.desired.project;
        for (key, volume) in &project.volumes {
            let used = project.services.values().any(|service| mounts(service, key));
            if !used && !self.options.all_resources {
                continue;
            }
            let name = project.volume_name(key);
            if volume.external {
                if !self.observed.volumes.contains_key(&name) {
                    return Err(PlanError::NoVolume { name });
                }
                continue;
            }
            let sought = Sought { project: &project.name, label: labels::VOLUME, key, name: &name };
            let all = self.observed.volumes.iter().map(|(name, seen)| (name, &seen.labels));
            match sought.among(all) {
                Found::Nothing => {
                    let step = Step::new(Action::CreateVolume, &name).id(key);
                    self.plan.steps.push(step.because("it is not there"));
                }
                Found::Other { project: owner } => self.tell_of_foreign_volume(&name, &owner),
                Found::Ours(mut ours) if ours.name != name => {
                    // The data stay where they are. Docker Compose says so only from the next
                    // time on.
                    let step = Step::new(Action::CreateVolume, &name).id(key).from(&ours.name);
                    let reason = format!("it was called {}", ours.name);
                    self.plan.steps.push(step.because(reason));
                    ours.more.insert(0, ours.name);
                    self.tell_of_more("volume", key, &name, &ours.more);
                }
                Found::Ours(ours) => {
                    self.tell_of_more("volume", key, &name, &ours.more);
                    self.volume(key, &name, &ours, &volume.hash());
                }
            }
        }
        Ok(())
    }

    fn volume(&mut self, key: &str, name: &str, ours: &Ours, hash: &str) {
        if ours.hash.is_empty() || ours.hash == hash {
            return;
        }
        if self.options.replace_volumes.contains(name) {
            self.fresh.insert(name.to_owned());
            let step = Step::new(Action::ReplaceVolume, name).id(key);
            self.plan.steps.push(step.because("its configuration changed"));
        } else {
            self.plan.stale_volumes.push(name.to_owned());
        }
    }

    fn tell_of_foreign_volume(&mut self, name: &str, owner: &str) {
        let whose = match owner {
            "" => "was not created by Docker Compose".to_owned(),
            other => {
                let own = &self.desired.project.name;
                format!("was created for project {other:?} (expected {own:?})")
            }
        };
        let advice = "Use `external: true` to use an existing volume";
        self.plan.warnings.push(format!("volume {name:?} already exists but {whose}. {advice}"));
    }

    /// Containers of services that the file does not have any more, and those of `run` that have ended.
    pub(super) fn orphans(&mut self) {
        let known = self.desired.known;
        let orphans: Vec<_> = self
            .observed
            .containers
            .iter()
            .filter(|seen| seen.is_orphan(|service| known.contains(service)))
            .collect();
        if self.options.remove_orphans {
            for seen in orphans {
                let reason = match seen.one_off {
                    true => "it is of `run`, and has ended".to_owned(),
                    false => format!("the file has no service {:?}", seen.service),
                };
                let step = Step::new(Action::Remove, &seen.name).service(&seen.service);
                self.plan.steps.push(step.id(&seen.id).because(reason));
            }
        } else if !orphans.is_empty() {
            let names: Vec<&str> = orphans.iter().map(|seen| seen.name.as_str()).collect();
            self.plan.warnings.push(format!(
                "Found orphan containers ({}) for this project. If you removed or renamed this \
                 service in your compose file, you can run this command with the \
                 --remove-orphans flag to clean it up.",
                names.join(", ")
            ));
        }
    }
}

/// Whether a service has a volume of the file mounted by itself.
fn mounts(service: &Service, key: &str) -> bool {
    service.volumes.iter().any(|one| one.kind == "volume" && one.source == key)
}
