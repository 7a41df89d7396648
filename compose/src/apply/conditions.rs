//! Whether a container is as far as somebody waits for.

use std::time::Duration;

use coracle_runtime::model::{HealthStatus, State, Status};

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

/// What nothing checks is up when it has run for so long without an end: as long as Docker
/// Compose waits before its first look.
pub(super) const SETTLED: Duration = Duration::from_millis(500);

/// Looks at the state of a container that has run for `ran`.
pub(crate) fn verdict(
    service: &str,
    name: &str,
    state: &State,
    goal: Goal,
    ran: Duration,
) -> Verdict {
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
            // What has ended by then is told as that.
            Ok(None) if state.status == Status::Running && ran < SETTLED => Verdict::NotYet,
            Ok(None) => failed(
                "Error",
                format!(
                    "dependency failed to start: container {name} has no healthcheck configured"
                ),
            ),
            Err(message) => failed("Error", format!("dependency failed to start: {message}")),
        },
        Goal::RunningOrHealthy => match health(name, state, dead) {
            Ok(None) if state.status == Status::Running && ran >= SETTLED => {
                Verdict::Met("Healthy")
            }
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
        told_of(state, Goal::Depends(condition), Duration::ZERO)
    }

    fn told_of(state: &State, goal: Goal, ran: Duration) -> String {
        match verdict("db", "p-db-1", state, goal, ran) {
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
        assert_eq!(told(&running(None), Healthy), "not yet");
        assert_eq!(
            told_of(&running(None), Goal::Depends(Healthy), SETTLED),
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

    #[test]
    fn what_nothing_checks_must_run_for_a_while() {
        let told = |status, code, ran| {
            told_of(&state(status, code, None), Goal::RunningOrHealthy, Duration::from_millis(ran))
        };
        assert_eq!(told(Status::Running, 0, 499), "not yet");
        assert_eq!(told(Status::Running, 0, 500), "Healthy");
        assert_eq!(told(Status::Restarting, 1, 500), "not yet");
        assert_eq!(told(Status::Exited, 1, 500), "container p-db-1 exited (1)");
        assert_eq!(told(Status::Exited, 0, 0), "container p-db-1 exited (0)");
        let checked = state(Status::Running, 0, Some(HealthStatus::Healthy));
        assert_eq!(told_of(&checked, Goal::RunningOrHealthy, Duration::ZERO), "Healthy");
    }
}
