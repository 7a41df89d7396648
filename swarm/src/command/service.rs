//! Services: made, changed, rolled back, removed.

use coracle_words::Timestamp;

use crate::model::service::{JobStatus, UpdateState, UpdateStatus};
use crate::model::{Mode, Service, ServiceSpec};
use crate::state::{Change, State};

use super::{Code, CommandError, endpoint, spec};

/// What an update brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollback {
    /// The spec that is given.
    No,
    /// The one before; the given one is not looked at.
    Previous,
}

/// The services that a user has not removed.
pub(super) fn there(state: &State) -> impl Iterator<Item = &Service> {
    state.services.values().filter(|service| !service.own.removed)
}

fn find<'a>(state: &'a State, id: &str) -> Result<&'a Service, CommandError> {
    let found = state.services.get(id).filter(|service| !service.own.removed);
    found.ok_or_else(|| CommandError::not_found("service", id))
}

/// Whether a spec makes sense at all, whoever asks for it.
///
/// # Errors
/// In Docker's words.
pub fn check_service(state: &State, spec: &ServiceSpec) -> Result<(), CommandError> {
    super::spec::check(state, spec)
}

/// A new service.
///
/// # Errors
/// When the spec makes no sense, or collides with another service.
pub fn create_service(
    state: &State,
    spec: ServiceSpec,
    id: String,
    now: Timestamp,
) -> Result<Vec<Change>, CommandError> {
    spec::check(state, &spec)?;
    endpoint::check_others(state, &spec, &id)?;
    if there(state).any(|service| service.spec.name.eq_ignore_ascii_case(&spec.name)) {
        let words =
            format!("name conflicts with an existing object: service {} already exists", spec.name);
        return Err(CommandError::rpc(Code::AlreadyExists, words));
    }
    let mut service = Service { id, ..Service::default() };
    service.own.spec_version = state.index + 1;
    if spec.mode.is_job() {
        service.job_status = Some(JobStatus { last_execution: now, ..JobStatus::default() });
    }
    service.spec = spec;
    Ok(vec![Change::from(service)])
}

/// Another spec for a service. A job runs again.
///
/// # Errors
/// When the spec makes no sense or collides with another service, and when the service is not the one that was seen.
pub fn update_service(
    state: &State,
    id: &str,
    version: u64,
    spec: ServiceSpec,
    rollback: Rollback,
    now: Timestamp,
) -> Result<Vec<Change>, CommandError> {
    let mut service = find(state, id)?.clone();
    if rollback == Rollback::Previous {
        let Some(previous) = service.previous_spec.take() else {
            let words = format!("service {id} does not have a previous spec");
            return Err(CommandError::rpc(Code::FailedPrecondition, words));
        };
        service.previous_spec = Some(Box::new(std::mem::replace(&mut service.spec, *previous)));
        let own = &mut service.own;
        std::mem::swap(&mut own.spec_version, &mut own.previous_spec_version);
        service.update_status = Some(UpdateStatus {
            state: UpdateState::RollbackStarted,
            started_at: Some(now),
            completed_at: None,
            message: "manually requested rollback".to_owned(),
        });
    } else {
        spec::check(state, &spec)?;
        endpoint::check_others(state, &spec, id)?;
        if service.spec.name != spec.name {
            let words = "renaming services is not supported";
            return Err(CommandError::rpc(Code::Unimplemented, words));
        }
        if kind(&service.spec.mode) != kind(&spec.mode) {
            let words = "service mode change is not allowed";
            return Err(CommandError::rpc(Code::Unimplemented, words));
        }
        service.previous_spec = Some(Box::new(std::mem::replace(&mut service.spec, spec)));
        service.own.previous_spec_version = service.own.spec_version;
        service.own.spec_version = state.index + 1;
        service.update_status = None;
    }
    if service.meta.version.index != version {
        return Err(CommandError::out_of_sequence());
    }
    if let Some(status) = &mut service.job_status {
        status.job_iteration.index += 1;
        status.last_execution = now;
    }
    Ok(vec![Change::from(service)])
}

fn kind(mode: &Mode) -> std::mem::Discriminant<Mode> {
    std::mem::discriminant(mode)
}

/// The service goes when its tasks have; its name and ports are free at once.
///
/// # Errors
/// When there is no such service.
pub fn remove_service(state: &State, id: &str) -> Result<Vec<Change>, CommandError> {
    let mut service = find(state, id)?.clone();
    service.own.removed = true;
    service.own.progress = None;
    Ok(vec![Change::from(service)])
}
