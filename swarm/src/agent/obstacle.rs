//! What stands between a task and its container, for as long as it does.
//!
//! `service create` and `update` refuse what this machine cannot give. A stack file is written for other machines as
//! well, and Docker takes it whole: its tasks wait, say why, and begin when what was missing is there.

use chrono::TimeDelta;
use coracle_words::Timestamp;

use super::Agent;
use super::runs::set;
use crate::model::{ServiceSpec, Task};
use crate::stack::NAMESPACE;
use crate::{container, machine};

/// How soon the machine is asked again.
const AGAIN: TimeDelta = TimeDelta::seconds(10);

/// Whether a service came with a stack file.
pub(super) fn is_of_stack(spec: &ServiceSpec) -> bool {
    spec.labels.contains_key(NAMESPACE)
}

impl Agent<'_> {
    /// Whether a task has to wait; it says why.
    pub(super) fn waits(&mut self, task: &mut Task, now: Timestamp) -> bool {
        let Some(service) = self.journal.state.services.get(&task.service_id) else { return false };
        if !is_of_stack(&service.spec) {
            return false;
        }
        let answer = machine::check(&service.spec, self.host.home().settings());
        let refusal = answer.refusals.first().map(|refusal| {
            let hint = refusal.hint.iter().map(|hint| format!("; {hint}")).collect::<String>();
            format!("{refusal}{hint}")
        });
        let why = container::check(&service.spec).err().map(|error| error.to_string()).or(refusal);
        let Some(why) = why else { return false };
        if task.status.err != why {
            set(task, now, task.status.state, "waiting", &why);
        }
        let again = Timestamp::from(now.datetime() + AGAIN);
        self.wake = Some(self.wake.map_or(again, |wake| wake.min(again)));
        true
    }
}
