//! Networks, volumes and containers nobody asks for.

use std::collections::BTreeMap;

use super::make::Work;
use super::{Action, PlanError, Step};
use crate::project::labels;

fn label<'a>(labels: &'a BTreeMap<String, String>, key: &str) -> &'a str {
    labels.get(key).map_or("", String::as_str)
}

impl Work<'_> {
    pub(super) fn networks(&mut self) -> Result<(), PlanError> {
        let project = self.desired.project;
        for (key, network) in &project.networks {
            if !self.is_network_used(key) {
                continue;
            }
            let name = project.network_name(key);
            let seen = self.observed.networks.get(&name);
            if network.external {
                // The three that are always there need not be listed.
                if seen.is_none() && !matches!(name.as_str(), "host" | "none" | "bridge") {
                    return Err(PlanError::NoNetwork { name });
                }
                continue;
            }
            let Some(seen) = seen else {
                let step = Step::new(Action::CreateNetwork, &name).id(key);
                self.plan.steps.push(step.because("it is not there"));
                continue;
            };
            let found = label(&seen.labels, labels::NETWORK);
            if found != key {
                return Err(PlanError::ForeignNetwork {
                    name,
                    found: found.to_owned(),
                    expected: key.clone(),
                });
            }
            if label(&seen.labels, labels::CONFIG_HASH) != network.hash() {
                self.fresh.insert(name.clone());
                let step = Step::new(Action::ReplaceNetwork, &name).id(key);
                self.plan.steps.push(step.because("its configuration changed"));
            }
        }
        Ok(())
    }

    fn is_network_used(&self, key: &str) -> bool {
        let uses = |service: &crate::project::Service| service.networks.contains_key(key);
        self.desired.project.services.values().any(uses)
    }

    pub(super) fn volumes(&mut self) -> Result<(), PlanError> {
        let project = self.desired.project;
        for (key, volume) in &project.volumes {
            let used = |service: &crate::project::Service| {
                service.volumes.iter().any(|one| one.kind == "volume" && one.source == *key)
            };
            if !project.services.values().any(used) {
                continue;
            }
            let name = project.volume_name(key);
            let Some(seen) = self.observed.volumes.get(&name) else {
                if volume.external {
                    return Err(PlanError::NoVolume { name });
                }
                let step = Step::new(Action::CreateVolume, &name).id(key);
                self.plan.steps.push(step.because("it is not there"));
                continue;
            };
            if volume.external {
                continue;
            }
            let owner = label(&seen.labels, labels::PROJECT);
            if owner != project.name {
                let whose = match owner {
                    "" => "was not created by Docker Compose".to_owned(),
                    other => {
                        format!("was created for project {other:?} (expected {:?})", project.name)
                    }
                };
                let advice = "Use `external: true` to use an existing volume";
                self.plan
                    .warnings
                    .push(format!("volume {name:?} already exists but {whose}. {advice}"));
                continue;
            }
            if label(&seen.labels, labels::CONFIG_HASH) == volume.hash() {
                continue;
            }
            if self.options.replace_volumes {
                self.fresh.insert(name.clone());
                let step = Step::new(Action::ReplaceVolume, &name).id(key);
                self.plan.steps.push(step.because("its configuration changed"));
            } else {
                self.plan.stale_volumes.push(name);
            }
        }
        Ok(())
    }

    /// Containers of services that the file does not have any more.
    pub(super) fn orphans(&mut self) {
        let known = self.desired.known;
        let orphans: Vec<_> = self
            .observed
            .containers
            .iter()
            .filter(|seen| !seen.one_off && !known.contains(&seen.service))
            .collect();
        if self.options.remove_orphans {
            for seen in orphans {
                let reason = format!("the file has no service {:?}", seen.service);
                let step = Step::new(Action::Remove, &seen.name).service(&seen.service);
                self.plan.steps.push(step.id(&seen.id).because(reason));
            }
        } else if !orphans.is_empty() {
            let names: Vec<&str> = orphans.iter().map(|seen| seen.name.as_str()).collect();
            self.plan.warnings.push(format!(
                "Found orphan containers ([{}]) for this project. If you removed or renamed this \
                 service in your compose file, you can run this command with the \
                 --remove-orphans flag to clean it up.",
                names.join(" ")
            ));
        }
    }
}
