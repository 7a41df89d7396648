//! Rolling updates and rollbacks.
//!
//! # How it works
//!
//! An update begins when slots hold tasks of another spec, or more than one task. Those slots queue up, the ones that serve
//! nobody first; as many *lanes* as the parallelism take one each. A lane makes the slot's new task, waits until that runs or has ended, waits for the
//! delay, and is free for the next slot. When the last lane is free, failures count for the monitor time more; then the
//! update is complete. Failures count within the monitor time of a task's start; too many pause the update or roll it back.
//!
//! How far it is stands in [`Progress`]. Another spec of the service ends it, and a new one begins with what it left.

use coracle_words::Timestamp;

use crate::model::service::{FailureAction, Order, UpdateState, UpdateStatus};
use crate::model::{Lane, Progress, Service, SlotKey, Task, TaskState, UpdateConfig};

use super::clock::{SECOND, after};
use super::draft::Draft;
use super::slots::Slots;
use super::{lanes, slots};

/// `--update-monitor` when it is not given.
const MONITOR: i64 = 5 * SECOND;

/// The settings of an update, with the defaults in.
pub(super) struct Rules {
    pub(super) order: Order,
    pub(super) delay: i64,
    pub(super) parallelism: u64,
    pub(super) monitor: i64,
    pub(super) action: FailureAction,
    ratio: f64,
}

impl Rules {
    pub(super) fn new(service: &Service) -> Self {
        let config = if state(service) == Some(UpdateState::RollbackStarted) {
            &service.spec.rollback_config
        } else {
            &service.spec.update_config
        };
        let default = UpdateConfig { parallelism: 1, ..UpdateConfig::default() };
        let config = config.as_ref().unwrap_or(&default);
        let monitor = if config.monitor == 0 { MONITOR } else { config.monitor };
        let late = monitor <= config.delay;
        Self {
            order: config.order.unwrap_or_default(),
            delay: config.delay,
            parallelism: config.parallelism,
            monitor: if late { config.delay + SECOND } else { monitor },
            action: config.failure_action.unwrap_or_default(),
            ratio: config.max_failure_ratio,
        }
    }
}

fn state(service: &Service) -> Option<UpdateState> {
    service.update_status.as_ref().map(|status| status.state)
}

/// Takes the update of a service as far as it goes now. These are the slots that it may change.
pub(super) fn roll(draft: &mut Draft<'_>, id: &str, slots: &Slots) {
    let Some(mut service) = draft.service(id).cloned() else { return };
    if matches!(state(&service), Some(UpdateState::Paused | UpdateState::RollbackPaused)) {
        service.own.progress = None;
        draft.put_service(service);
        return;
    }
    let version = service.own.spec_version;
    let found = service.own.progress.take().filter(|progress| progress.spec_version == version);
    let mut progress = match found {
        Some(progress) => *progress,
        None => {
            keep_fitting(draft, &service, slots);
            match begin(draft, &mut service, slots) {
                Some(progress) => progress,
                None => {
                    draft.put_service(service);
                    return;
                }
            }
        }
    };
    let rules = Rules::new(&service);
    if let Some(failure) = count_failures(draft, &mut progress, &rules) {
        fail(draft.now, &mut service, &failure, rules.action);
        draft.put_service(service);
        return;
    }
    if advance(draft, &service, &mut progress, &rules) {
        complete(draft.now, &mut service);
    } else {
        service.own.progress = Some(Box::new(progress));
    }
    draft.put_service(service);
}

/// Gives tasks the constraints that they meet and need not be replaced for: their nodes are held against these from
/// now on.
fn keep_fitting(draft: &mut Draft<'_>, service: &Service, slots: &Slots) {
    for number in slots.values().flatten() {
        let task = draft.task(*number);
        let is_old = task.own.spec_version != service.own.spec_version
            && task.spec.placement != service.spec.task_template.placement;
        if is_old && !task.node_id.is_empty() && !slots::is_dirty(draft, service, task) {
            draft.change(*number).spec.placement = service.spec.task_template.placement.clone();
        }
    }
}

/// Begins an update if there is something to change.
fn begin(draft: &Draft<'_>, service: &mut Service, slots: &Slots) -> Option<Progress> {
    let is_dirty = |tasks: &Vec<usize>| {
        tasks.len() > 1
            || tasks.iter().any(|number| slots::is_dirty(draft, service, draft.task(*number)))
    };
    let serves = |tasks: &Vec<usize>| {
        let wanted = |task: &Task| task.desired_state == TaskState::Running;
        let serves = |task: &Task| wanted(task) && task.status.state == TaskState::Running;
        tasks.iter().any(|number| serves(draft.task(*number)))
    };
    let mut dirty: Vec<_> = slots.iter().filter(|(_, tasks)| is_dirty(tasks)).collect();
    dirty.sort_by_key(|(_, tasks)| serves(tasks));
    let queue: Vec<SlotKey> = dirty.into_iter().map(|(key, _)| key.clone()).collect();
    if queue.is_empty() {
        if matches!(state(service), Some(UpdateState::Updating | UpdateState::RollbackStarted)) {
            complete(draft.now, service);
        }
        return None;
    }
    if service.update_status.is_none() {
        service.update_status = Some(UpdateStatus {
            state: UpdateState::Updating,
            started_at: Some(draft.now),
            completed_at: None,
            message: "update in progress".to_owned(),
        });
    }
    Some(Progress {
        spec_version: service.own.spec_version,
        total: u64::try_from(queue.len()).unwrap_or(u64::MAX),
        queue,
        ..Progress::default()
    })
}

/// Notes failures; gives the task with which they became too many.
fn count_failures(draft: &Draft<'_>, progress: &mut Progress, rules: &Rules) -> Option<String> {
    let mut culprit = None;
    let (total, tolerates) = (progress.total, rules.action == FailureAction::Continue);
    let failed = &mut progress.failed;
    progress.made.retain(|id| {
        let Some(number) = draft.find(id) else { return false };
        match within(draft.task(number), rules.monitor, draft.now) {
            Count::NotYet => true,
            Count::Never => false,
            Count::Failed => {
                failed.push(id.clone());
                if culprit.is_none() && as_ratio(failed.len(), total) > rules.ratio {
                    culprit = Some(id.clone());
                }
                false
            }
        }
    });
    culprit.filter(|_| !tolerates)
}

/// What a task means for its update.
enum Count {
    /// It may fail still.
    NotYet,
    /// It is past the monitor time.
    Never,
    Failed,
}

fn within(task: &Task, monitor: i64, now: Timestamp) -> Count {
    let end = task.own.running_since.map(|since| after(since, monitor));
    match end {
        Some(end) if task.status.state.is_over() && task.status.timestamp > end => Count::Never,
        _ if task.status.state.is_over() => Count::Failed,
        Some(end) if end < now => Count::Never,
        _ => Count::NotYet,
    }
}

fn as_ratio(failed: usize, total: u64) -> f64 {
    let failed = u32::try_from(failed).unwrap_or(u32::MAX);
    f64::from(failed) / f64::from(u32::try_from(total).unwrap_or(u32::MAX))
}

/// Frees and fills lanes; true when the update is complete.
fn advance(
    draft: &mut Draft<'_>,
    service: &Service,
    progress: &mut Progress,
    rules: &Rules,
) -> bool {
    let width = if rules.parallelism == 0 { progress.total } else { rules.parallelism };
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    let mut freed: Option<Timestamp> = None;
    loop {
        let mut waiting: Vec<Lane> = Vec::new();
        for mut lane in std::mem::take(&mut progress.lanes) {
            lanes::look(draft, service, &mut lane, rules);
            match lane.free_at {
                Some(moment) if moment <= draft.now => freed = freed.max(Some(moment)),
                Some(moment) => {
                    draft.wake_at(moment);
                    waiting.push(lane);
                }
                None => waiting.push(lane),
            }
        }
        progress.lanes = waiting;
        if progress.queue.is_empty() || progress.lanes.len() >= width {
            break;
        }
        let key = progress.queue.remove(0);
        let lane = lanes::fill(draft, service, key, rules);
        if !lane.task.is_empty() && !lane.found {
            progress.made.push(lane.task.clone());
        }
        progress.lanes.push(lane);
    }
    if !progress.queue.is_empty() || !progress.lanes.is_empty() {
        return false;
    }
    let now = draft.now;
    let until =
        *progress.monitor_until.get_or_insert_with(|| after(freed.unwrap_or(now), rules.monitor));
    if until > now {
        draft.wake_at(until);
    }
    until <= now
}

/// Too many tasks failed.
fn fail(now: Timestamp, service: &mut Service, task: &str, action: FailureAction) {
    let rolls_back = state(service) == Some(UpdateState::RollbackStarted);
    let previous = if rolls_back { None } else { service.previous_spec.take() };
    let Some(status) = &mut service.update_status else { return };
    match (action, previous) {
        (FailureAction::Rollback, Some(previous)) => {
            status.state = UpdateState::RollbackStarted;
            status.message =
                format!("update rolled back due to failure or early termination of task {task}");
            service.spec = *previous;
            service.own.spec_version = service.own.previous_spec_version;
            service.own.previous_spec_version = 0;
        }
        (action, previous) => {
            service.previous_spec = service.previous_spec.take().or(previous);
            let what = if rolls_back && action == FailureAction::Rollback {
                "rollback paused"
            } else {
                "update paused"
            };
            status.state =
                if rolls_back { UpdateState::RollbackPaused } else { UpdateState::Paused };
            status.message = format!("{what} due to failure or early termination of task {task}");
        }
    }
    status.started_at.get_or_insert(now);
}

fn complete(now: Timestamp, service: &mut Service) {
    let Some(status) = &mut service.update_status else { return };
    let (state, message) = match status.state {
        UpdateState::Updating => (UpdateState::Completed, "update completed"),
        UpdateState::RollbackStarted => (UpdateState::RollbackCompleted, "rollback completed"),
        _ => return,
    };
    status.state = state;
    status.completed_at = Some(now);
    message.clone_into(&mut status.message);
}
