//! How many tasks a service has, and how many it wants: the column REPLICAS.

use coracle_swarm::model::{Mode, Service, TaskState};
use coracle_swarm::state::State;

/// Tasks of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub running: u64,
    pub desired: u64,
    pub completed: u64,
}

/// Counts as Docker does: also what runs on a node that is lost.
#[must_use]
pub fn counts(state: &State, service: &Service) -> Counts {
    let mut counts = Counts::default();
    let iteration = service.job_status.map(|status| status.job_iteration);
    for task in state.tasks_of(&service.id) {
        if iteration.is_some() && task.job_iteration != iteration {
            continue;
        }
        counts.running += u64::from(task.status.state == TaskState::Running);
        counts.completed += u64::from(task.status.state == TaskState::Complete);
        counts.desired += u64::from(match service.spec.mode {
            Mode::Global {} => task.desired_state == TaskState::Running,
            Mode::GlobalJob {} => {
                task.desired_state == TaskState::Complete
                    && task.status.state != TaskState::Complete
            }
            Mode::Replicated(_) | Mode::ReplicatedJob(_) => false,
        });
    }
    match service.spec.mode {
        Mode::Replicated(mode) => counts.desired = mode.replicas.unwrap_or(1),
        Mode::ReplicatedJob(job) => {
            counts.desired = job.max_concurrent.or(job.total_completions).unwrap_or(1);
        }
        Mode::Global {} | Mode::GlobalJob {} => {}
    }
    counts
}

/// The column REPLICAS.
#[must_use]
pub fn replicas(service: &Service, counts: Counts) -> String {
    let Counts { running, desired, completed } = counts;
    let most =
        service.spec.task_template.placement.as_ref().map_or(0, |placement| placement.max_replicas);
    match service.spec.mode {
        Mode::ReplicatedJob(job) => {
            let total = job.total_completions.unwrap_or(1);
            format!("{running}/{desired} ({completed}/{total} completed)")
        }
        Mode::GlobalJob {} => {
            format!("{running}/{desired} ({completed}/{} completed)", desired + completed)
        }
        Mode::Replicated(_) if most > 0 => format!("{running}/{desired} (max {most} per node)"),
        Mode::Replicated(_) | Mode::Global {} => format!("{running}/{desired}"),
    }
}

/// The column MODE.
#[must_use]
pub fn mode_name(mode: &Mode) -> &'static str {
    match mode {
        Mode::Replicated(_) => "replicated",
        Mode::Global {} => "global",
        Mode::ReplicatedJob(_) => "replicated job",
        Mode::GlobalJob {} => "global job",
    }
}

#[cfg(test)]
mod tests {
    use coracle_swarm::model::service::{JobStatus, Replicated, ReplicatedJob};
    use coracle_swarm::model::{Placement, Task, Version};

    use super::*;

    fn told(mode: Mode, tasks: &[(TaskState, TaskState)]) -> String {
        let mut service = Service { id: "s".to_owned(), ..Service::default() };
        service.spec.mode = mode;
        let iteration = Version { index: 7 };
        service.job_status =
            mode.is_job().then(|| JobStatus { job_iteration: iteration, ..JobStatus::default() });
        let mut state = State::default();
        for (number, (desired_state, is)) in tasks.iter().enumerate() {
            let mut task =
                Task { id: number.to_string(), desired_state: *desired_state, ..Task::default() };
            task.service_id = "s".to_owned();
            task.status.state = *is;
            task.job_iteration = mode.is_job().then_some(iteration);
            state.tasks.insert(task.id.clone(), task);
        }
        let mut old = Task { id: "old".to_owned(), service_id: "s".to_owned(), ..Task::default() };
        old.status.state = TaskState::Complete;
        old.job_iteration = Some(Version { index: 1 });
        if mode.is_job() {
            state.tasks.insert("old".to_owned(), old);
        }
        replicas(&service, counts(&state, &service))
    }

    #[test]
    fn tasks_are_counted_as_recorded() {
        use TaskState::{Complete, Running, Shutdown};
        let replicated = |n| Mode::Replicated(Replicated { replicas: Some(n) });
        assert_eq!(told(replicated(3), &[]), "0/3");
        // A lost node: its tasks are not wanted and run on.
        let lost = [[(Running, Running); 6].as_slice(), &[(Shutdown, Running); 2]].concat();
        assert_eq!(told(replicated(6), &lost), "8/6");
        let lost = [[(Running, Running); 2].as_slice(), &[(Shutdown, Running); 1]].concat();
        assert_eq!(told(Mode::Global {}, &lost), "3/2");
        let job = |total, most| {
            Mode::ReplicatedJob(ReplicatedJob {
                max_concurrent: Some(most),
                total_completions: Some(total),
            })
        };
        assert_eq!(told(job(5, 5), &[(Complete, Complete); 5]), "0/5 (5/5 completed)");
        assert_eq!(told(job(4, 2), &[(Complete, Running); 2]), "2/2 (0/4 completed)");
        assert_eq!(told(job(4, 2), &[(Complete, Complete); 4]), "0/2 (4/4 completed)");
        assert_eq!(told(Mode::GlobalJob {}, &[(Complete, Complete); 3]), "0/0 (3/3 completed)");
        assert_eq!(told(Mode::GlobalJob {}, &[(Complete, Running); 3]), "3/3 (0/3 completed)");
    }

    #[test]
    fn a_limit_for_each_node_is_shown() {
        let mut service = Service::default();
        service.spec.task_template.placement =
            Some(Placement { max_replicas: 5, ..Placement::default() });
        assert_eq!(
            replicas(&service, Counts { running: 2, desired: 2, completed: 0 }),
            "2/2 (max 5 per node)"
        );
    }
}
