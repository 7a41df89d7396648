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
        failure: Failure,
        detail: Option<String>,
    },
}

/// Why what is waited for will not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Not done: it ended with this code.
    Incomplete(i32),
    /// A dependency is not ready, because of this.
    NotReady(String),
    /// What `--wait` is for is not up, because of this.
    NotUp(String),
}

impl Failure {
    /// What ends the command.
    pub(crate) fn message(&self, service: &str) -> String {
        match self {
            Self::Incomplete(code) => format!("service {}", incomplete(service, *code)),
            Self::NotReady(why) => format!("dependency failed to start: {why}"),
            Self::NotUp(why) => why.clone(),
        }
    }

    /// What stands on its line, where Docker Compose has one.
    pub(crate) fn line(&self, service: &str) -> Option<String> {
        match self {
            Self::Incomplete(_) => Some(self.message(service)),
            Self::NotReady(_) => Some(format!("dependency {service} failed to start")),
            Self::NotUp(_) => None,
        }
    }

    /// What is said of a service that only may be there: on its line, and in a warning.
    pub(crate) fn skipped(&self, service: &str) -> (String, String) {
        let (text, why) = match self {
            Self::Incomplete(code) => {
                let text = format!("optional dependency {}", incomplete(service, *code));
                return (text.clone(), text);
            }
            Self::NotReady(why) => ("failed to start", why),
            Self::NotUp(why) => ("is not running or is unhealthy", why),
        };
        let text = format!("optional dependency {service:?} {text}");
        (text.clone(), format!("{text}: {why}"))
    }
}

fn incomplete(service: &str, code: i32) -> String {
    format!("{service:?} didn't complete successfully: exit {code}")
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
pub(crate) fn verdict(name: &str, state: &State, goal: Goal, ran: Duration) -> Verdict {
    let dead = matches!(state.status, Status::Exited | Status::Dead);
    let failed = |failure| Verdict::Failed { failure, detail: last_probe(state) };
    match goal {
        Goal::Depends(Condition::ServiceStarted) => Verdict::Met("Started"),
        Goal::Depends(Condition::ServiceCompletedSuccessfully) if dead => match state.exit_code {
            0 => Verdict::Met("Exited"),
            code => failed(Failure::Incomplete(code)),
        },
        Goal::Depends(Condition::ServiceCompletedSuccessfully) => Verdict::NotYet,
        Goal::Depends(Condition::ServiceHealthy) => match health(name, state, dead) {
            Ok(Some(true)) => Verdict::Met("Healthy"),
            Ok(Some(false)) => Verdict::NotYet,
            // What has ended by then is told as that.
            Ok(None) if state.status == Status::Running && ran < SETTLED => Verdict::NotYet,
            Ok(None) => {
                let why = format!("container {name} has no healthcheck configured");
                failed(Failure::NotReady(why))
            }
            Err(why) => failed(Failure::NotReady(why)),
        },
        Goal::RunningOrHealthy => match health(name, state, dead) {
            Ok(None) if state.status == Status::Running && ran >= SETTLED => {
                Verdict::Met("Healthy")
            }
            Ok(Some(true)) => Verdict::Met("Healthy"),
            Ok(_) => Verdict::NotYet,
            Err(why) => failed(Failure::NotUp(why)),
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
        match verdict("p-db-1", state, goal, ran) {
            Verdict::NotYet => "not yet".to_owned(),
            Verdict::Met(word) => word.to_owned(),
            Verdict::Failed { failure, detail } => [Some(failure.message("db")), detail]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" | "),
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
    fn failures_in_the_words_of_compose() {
        let failure = Failure::NotReady("container p-db-1 is unhealthy".into());
        assert_eq!(failure.line("db").as_deref(), Some("dependency db failed to start"));
        let (short, long) = failure.skipped("db");
        assert_eq!(short, "optional dependency \"db\" failed to start");
        assert_eq!(long, format!("{short}: container p-db-1 is unhealthy"));
        let failure = Failure::Incomplete(3);
        let text = "\"db\" didn't complete successfully: exit 3";
        assert_eq!(failure.line("db"), Some(format!("service {text}")));
        let (short, long) = failure.skipped("db");
        assert_eq!(short, format!("optional dependency {text}"));
        assert_eq!(long, short);
        let failure = Failure::NotUp("container p-db-1 exited (1)".into());
        assert_eq!(failure.line("db"), None);
        let (short, long) = failure.skipped("db");
        assert_eq!(short, "optional dependency \"db\" is not running or is unhealthy");
        assert_eq!(long, format!("{short}: container p-db-1 exited (1)"));
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
