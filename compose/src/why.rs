//! Why a service is not up: from what is seen to what is behind it.
//!
//! Pure: states of containers, names of images that are here and last lines of logs go in,
//! lines come out, each with how deep in the chain it is.

use std::collections::{BTreeMap, BTreeSet};

use coracle_runtime::engine::Summary;
use coracle_runtime::model::{HealthStatus, State, Status};

use crate::apply::conditions::{Goal, Verdict, last_probe, verdict};
use crate::project::found::{self, label};
use crate::project::{Condition, Project, Service, labels};

/// What is known of a project.
#[derive(Debug, Default)]
pub struct Known {
    pub containers: Vec<Summary>,
    /// Services whose image is here.
    pub images: BTreeSet<String>,
    /// The last lines of containers that are not well, by id.
    pub last_lines: BTreeMap<String, Vec<String>>,
}

/// One line, and how deep in the chain it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub depth: usize,
    pub text: String,
}

/// The chain for one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub is_up: bool,
    pub lines: Vec<Line>,
}

impl Answer {
    fn say(&mut self, depth: usize, text: impl Into<String>) {
        self.lines.push(Line { depth, text: text.into() });
    }
}

/// Explains a service.
#[must_use]
pub fn why(project: &Project, service: &Service, known: &Known) -> Answer {
    let mut answer = Answer::default();
    answer.is_up = explain(project, service, known, 0, &mut BTreeSet::new(), &mut answer);
    answer
}

/// Adds what there is to say of a service; true when it is up.
fn explain(
    project: &Project,
    service: &Service,
    known: &Known,
    depth: usize,
    met: &mut BTreeSet<String>,
    answer: &mut Answer,
) -> bool {
    let name = &service.name;
    if !met.insert(name.clone()) {
        return false;
    }
    let mut own: Vec<&Summary> = known
        .containers
        .iter()
        .filter(|one| label(one, labels::SERVICE) == name && !found::is_one_off(one))
        .collect();
    own.sort_by_key(|one| found::number(one));
    if own.is_empty() {
        answer.say(depth, format!("{name} is not up: it has no container"));
        if !known.images.contains(name) {
            let image = project.image_name(service);
            answer.say(
                depth + 1,
                format!("its image {image} is not here; `compose pull {name}` fetches it"),
            );
        } else {
            dependencies(project, service, known, depth + 1, met, answer);
        }
        return false;
    }
    let mut up = true;
    for summary in own {
        up &= container(project, service, summary, known, depth, met, answer);
    }
    up
}

fn container(
    project: &Project,
    service: &Service,
    summary: &Summary,
    known: &Known,
    depth: usize,
    met: &mut BTreeSet<String>,
    answer: &mut Answer,
) -> bool {
    let (name, container) = (&service.name, &summary.container.name);
    let state = &summary.life.state;
    let health = state.health.as_ref().map_or(HealthStatus::None, |health| health.status);
    let story = match (state.status, health) {
        (Status::Running, HealthStatus::Unhealthy) => format!("{container} runs and is unhealthy"),
        (Status::Running, HealthStatus::Starting) => {
            format!("{container} runs, and no health check has succeeded yet")
        }
        (Status::Running, _) => {
            answer.say(depth, format!("{name} is up: {container} runs"));
            return true;
        }
        (Status::Paused, _) => {
            format!("{container} is paused; `compose unpause {name}` resumes it")
        }
        (Status::Created, _) => format!("{container} was made and did not start"),
        (Status::Restarting, _) => format!(
            "{container} ends again and again: {}, restarted {} times",
            code(state),
            summary.life.restart_count
        ),
        (Status::Exited, _) if state.exit_code == 0 && is_job(project, name) => {
            answer.say(depth, format!("{name} is done: {container} ended with exit code 0"));
            return true;
        }
        _ => format!("{container} ended: {}", code(state)),
    };
    answer.say(depth, format!("{name} is not up: {story}"));
    if !state.error.is_empty() {
        answer.say(depth + 1, state.error.clone());
    }
    if let Some(probe) = last_probe(state).filter(|_| state.status == Status::Running) {
        answer.say(depth + 1, probe);
    }
    if summary.life.stopped_by_user && state.status == Status::Exited {
        answer.say(depth + 1, "it was stopped by a command");
    }
    if state.status == Status::Created && state.error.is_empty() {
        dependencies(project, service, known, depth + 1, met, answer);
    }
    if let Some(lines) = known.last_lines.get(&summary.container.id).filter(|l| !l.is_empty()) {
        answer.say(depth + 1, "its last lines:");
        for line in lines {
            answer.say(depth + 2, line.clone());
        }
    }
    false
}

fn code(state: &State) -> String {
    let why = match state.exit_code {
        _ if state.oom_killed => ", it had used up its memory",
        126 => ", its command cannot be executed",
        127 => ", its command was not found",
        137 => ", SIGKILL ended it",
        139 => ", it crashed with SIGSEGV",
        143 => ", SIGTERM ended it",
        _ => "",
    };
    format!("exit code {}{why}", state.exit_code)
}

/// Whether somebody expects the service to come to an end.
fn is_job(project: &Project, name: &str) -> bool {
    project.services.values().any(|service| {
        service.depends_on.get(name).is_some_and(|dependency| {
            dependency.condition == Condition::ServiceCompletedSuccessfully
        })
    })
}

/// What a service waits for.
fn dependencies(
    project: &Project,
    service: &Service,
    known: &Known,
    depth: usize,
    met: &mut BTreeSet<String>,
    answer: &mut Answer,
) {
    for (on, dependency) in &service.depends_on {
        let Some(other) = project.services.get(on) else { continue };
        let goal = Goal::Depends(dependency.condition);
        let mut containers =
            known.containers.iter().filter(|one| label(one, labels::SERVICE) == on).peekable();
        let there = containers.peek().is_some();
        let unmet = containers.find_map(|one| {
            let state = &one.life.state;
            let started =
                dependency.condition != Condition::ServiceStarted || state.status.is_running();
            match verdict(&one.container.name, state, goal, std::time::Duration::ZERO) {
                Verdict::Met(_) if started => None,
                Verdict::Met(_) | Verdict::NotYet => Some(()),
                Verdict::Failed { .. } => Some(()),
            }
        });
        if there && unmet.is_none() {
            continue;
        }
        let wanted = match dependency.condition {
            Condition::ServiceStarted => "to run",
            Condition::ServiceHealthy => "to be healthy",
            Condition::ServiceCompletedSuccessfully => "to end with exit code 0",
        };
        answer.say(depth, format!("it waits for {on} {wanted}"));
        explain(project, other, known, depth + 1, met, answer);
    }
}

#[cfg(test)]
mod tests {
    use coracle_runtime::model::{Container, Health, HealthLog};
    use coracle_runtime::records::Life;
    use serde_json::json;

    use super::*;
    use crate::project::Source;

    fn project() -> Project {
        let canonical = json!({"name": "app", "services": {
            "web": {"image": "web:1", "depends_on": {
                "db": {"condition": "service_healthy"},
                "mig": {"condition": "service_completed_successfully"}}},
            "mig": {"image": "mig:1"}, "db": {"image": "db:1"}}});
        Project::from_canonical(&canonical, Source::default()).unwrap()
    }

    fn seen(service: &str, state: State) -> Summary {
        let mut container = Container {
            id: format!("id-{service}"),
            name: format!("app-{service}-1"),
            ..Container::default()
        };
        let own = [(labels::SERVICE, service), (labels::NUMBER, "1")];
        container.config.labels = own.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        Summary { container, life: Life { state, ..Life::default() } }
    }

    fn told(known: &Known) -> String {
        let project = project();
        let answer = why(&project, &project.services["web"], known);
        let lines =
            answer.lines.iter().map(|line| format!("{}{}", "  ".repeat(line.depth), line.text));
        let up = format!("up: {}", answer.is_up);
        std::iter::once(up).chain(lines).collect::<Vec<_>>().join("\n")
    }

    fn status(status: Status, exit_code: i32) -> State {
        State { status, exit_code, ..State::default() }
    }

    #[test]
    fn the_chain_goes_down_to_the_probe() {
        let log =
            vec![HealthLog { exit_code: 1, output: "refused\n".into(), ..HealthLog::default() }];
        let health = Health { status: HealthStatus::Unhealthy, log, ..Health::default() };
        let unhealthy = State { health: Some(health), ..status(Status::Running, 0) };
        let mut known = Known {
            containers: vec![
                seen("web", status(Status::Created, 0)),
                seen("db", unhealthy),
                seen("mig", status(Status::Exited, 0)),
            ],
            ..Known::default()
        };
        known.last_lines.insert("id-db".to_owned(), vec!["cannot open /data".to_owned()]);
        insta::assert_snapshot!(told(&known), @r"
        up: false
        web is not up: app-web-1 was made and did not start
          it waits for db to be healthy
            db is not up: app-db-1 runs and is unhealthy
              the last probe ended with exit code 1: refused
              its last lines:
                cannot open /data
        ");
    }

    #[test]
    fn no_container_and_no_image() {
        insta::assert_snapshot!(told(&Known::default()), @r"
        up: false
        web is not up: it has no container
          its image web:1 is not here; `compose pull web` fetches it
        ");
    }

    #[test]
    fn what_ended_says_how() {
        let known = Known {
            containers: vec![seen("web", status(Status::Exited, 127))],
            ..Known::default()
        };
        insta::assert_snapshot!(told(&known), @r"
        up: false
        web is not up: app-web-1 ended: exit code 127, its command was not found
        ");
        let known =
            Known { containers: vec![seen("web", status(Status::Running, 0))], ..Known::default() };
        insta::assert_snapshot!(told(&known), @r"
        up: true
        web is up: app-web-1 runs
        ");
    }
}
