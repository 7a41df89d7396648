//! The labs of courses on swarm, typed as a course types them: each is asked for what it promises.
//!
//! Those on real services share worlds, because it takes longer to unpack their image than to do a lab: each makes its
//! swarm and leaves it. Nothing here looks at how long something takes.

mod ask;
mod constraints;
mod database;
mod drupal;
mod galera;
mod hello;
mod leaving;
mod mesh;
mod proxy;
mod rollback;
mod tasks;
mod voting;

use std::time::Duration;

use coracle_integration::{Output, TestEnv, wait};

use crate::compose_apps::{need_apps, world};

/// For what waits for a database to be made, on a machine under load.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn voting_application_and_a_site_with_secrets() {
    let env = world(need_apps!(), &["polls", "voting", "drupal"]);
    voting::votes_arrive(&env);
    drupal::a_secret_is_rotated_under_load(&env);
    env.assert_nothing_left();
}

#[test]
fn nginx_before_replicas_and_on_nodes() {
    let env = world(need_apps!(), &["proxy"]);
    proxy::replicas_answer_in_turn(&env);
    leaving::no_request_fails_while_nodes_leave(&env);
    env.assert_nothing_left();
}

#[test]
fn databases_on_nodes() {
    let env = world(need_apps!(), &["galera"]);
    galera::drained_and_reactivated(&env);
    database::a_task_that_moves_finds_an_empty_volume(&env);
    env.assert_nothing_left();
}

/// Runs a line, which succeeds.
#[track_caller]
fn type_in(env: &TestEnv, line: &str) -> Output {
    env.program(std::path::Path::new("/bin/bash"))
        .args(["-c", line])
        .deadline(PATIENCE)
        .run()
        .success()
}

/// Waits until a line prints that.
#[track_caller]
fn shows(env: &TestEnv, line: &str, expected: &str) {
    let mut seen = None;
    let met = wait::poll(PATIENCE, || {
        let output = env.sh(line);
        let met = output.stdout() == expected;
        seen = Some(output);
        met.then_some(())
    });
    if let (None, Some(seen)) = (met, seen) {
        let tasks =
            "docker service ls; docker service ls -q | xargs -r docker service ps --no-trunc";
        panic!("`{line}` does not print {expected:?}, but\n{seen}\n{}", env.sh(tasks));
    }
}

/// Waits until that many tasks of the service run, of as many as there are to be.
#[track_caller]
fn runs(env: &TestEnv, service: &str, tasks: usize) {
    let line = format!(
        "docker service ls --format '{{{{.Name}}}} {{{{.Replicas}}}}' | grep '^{service} '"
    );
    shows(env, &line, &format!("{service} {tasks}/{tasks}\n"));
}

/// Ends the swarm, when it has no container any more.
#[track_caller]
fn leave(env: &TestEnv) {
    type_in(env, "docker swarm leave --force");
    shows(env, "docker ps -aq", "");
}
