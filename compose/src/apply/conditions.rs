//! Whether a container is as far as somebody waits for.

use coracle_runtime::Engine;
use coracle_runtime::model::{HealthStatus, State, Status};

use super::ApplyError;
use crate::project::Condition;

/// How it stands with a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    NotYet,
    /// The word for the progress line.
    Met(&'static str),
    /// It will not come; why, and the culprit's last words.
    Failed {
        word: String,
        message: String,
        detail: Option<String>,
    },
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    Depends(Condition),
    /// Healthy where there is a check, running where there is none: `--wait`.
    RunningOrHealthy,
}

/// Looks at a container.
pub(super) fn judge(
    engine: &Engine,
    service: &str,
    name: &str,
    id: &str,
    goal: Goal,
) -> Result<Verdict, ApplyError> {
    let state = engine.records.life(id)?.state;
    Ok(verdict(service, name, &state, goal))
}

/// The same, of a state.
pub(crate) fn verdict(service: &str, name: &str, state: &State, goal: Goal) -> Verdict {
    let dead = matches!(state.status, Status::Exited | Status::Dead);
    let failed = |word: &str, message: String| Verdict::Failed {
        word: word.to_owned(),
        message,
        detail: last_probe(state),
    };
    match goal {
        Goal::Depends(Condition::ServiceStarted) => Verdict::Met("Started"),
        Goal::Depends(Condition::ServiceCompletedSuccessfully) if dead => match state.exit_code {
            0 => Verdict::Met("Exited"),
            code => {
                let text = format!("service {service:?} didn't complete successfully: exit {code}");
                failed(&text, text.clone())
            }
        },
        Goal::Depends(Condition::ServiceCompletedSuccessfully) => Verdict::NotYet,
        Goal::Depends(Condition::ServiceHealthy) => match health(name, state, dead) {
            Ok(Some(true)) => Verdict::Met("Healthy"),
            Ok(Some(false)) => Verdict::NotYet,
            Ok(None) => failed(
                "Error",
                format!(
                    "dependency failed to start: container {name} has no healthcheck configured"
                ),
            ),
            Err(message) => failed("Error", format!("dependency failed to start: {message}")),
        },
        Goal::RunningOrHealthy => match health(name, state, dead) {
            Ok(None) if state.status == Status::Running => Verdict::Met("Healthy"),
            Ok(Some(true)) => Verdict::Met("Healthy"),
            Ok(_) => Verdict::NotYet,
            Err(message) => failed("Error", message),
        },
    }
}

/// Whether it is healthy; `None` when nothing checks that.
fn health(name: &str, state: &State, dead: bool) -> Result<Option<bool>, String> {
    if dead {
        return Err(format!("container {name} exited ({})", state.exit_code));
    }
    match state.health.as_ref().map(|health| health.status) {
        None | Some(HealthStatus::None) => Ok(None),
        Some(HealthStatus::Healthy) => Ok(Some(true)),
        Some(HealthStatus::Starting) => Ok(Some(false)),
        Some(HealthStatus::Unhealthy) => Err(format!("container {name} is unhealthy")),
    }
}

/// What the last probe said.
pub(crate) fn last_probe(state: &State) -> Option<String> {
    let probe = state.health.as_ref()?.log.last()?;
    let output = probe.output.trim();
    let output = if output.is_empty() { "it said nothing" } else { output };
    Some(format!("the last probe ended with exit code {}: {output}", probe.exit_code))
}

#[cfg(test)]
mod tests {
    use coracle_runtime::model::{Health, HealthLog};

    use super::*;

    fn state(status: Status, code: i32, health: Option<HealthStatus>) -> State {
        let log = vec![HealthLog { exit_code: 1, output: "no\n".into(), ..HealthLog::default() }];
        let health = health.map(|status| Health { status, log, ..Health::default() });
        State { status, exit_code: code, health, ..State::default() }
    }

    fn told(state: &State, condition: Condition) -> String {
        match verdict("db", "p-db-1", state, Goal::Depends(condition)) {
            Verdict::NotYet => "not yet".to_owned(),
            Verdict::Met(word) => word.to_owned(),
            Verdict::Failed { message, detail, .. } => {
                [Some(message), detail].into_iter().flatten().collect::<Vec<_>>().join(" | ")
            }
        }
    }

    #[test]
    fn verdicts_in_the_recorded_words() {
        use Condition::{ServiceCompletedSuccessfully as Completed, ServiceHealthy as Healthy};
        let running = |health| state(Status::Running, 0, health);
        assert_eq!(told(&running(Some(HealthStatus::Starting)), Healthy), "not yet");
        assert_eq!(told(&running(Some(HealthStatus::Healthy)), Healthy), "Healthy");
        assert_eq!(
            told(&running(None), Healthy),
            "dependency failed to start: container p-db-1 has no healthcheck configured"
        );
        assert_eq!(
            told(&running(Some(HealthStatus::Unhealthy)), Healthy),
            "dependency failed to start: container p-db-1 is unhealthy | the last probe ended \
             with exit code 1: no"
        );
        assert_eq!(told(&running(None), Completed), "not yet");
        assert_eq!(told(&state(Status::Exited, 0, None), Completed), "Exited");
        assert_eq!(
            told(&state(Status::Exited, 3, None), Completed),
            "service \"db\" didn't complete successfully: exit 3"
        );
        assert_eq!(
            told(&state(Status::Exited, 3, None), Healthy),
            "dependency failed to start: container p-db-1 exited (3)"
        );
    }
}
