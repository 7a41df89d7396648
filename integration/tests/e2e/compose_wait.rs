//! `compose up --wait`: what counts as up, and what is said of the rest.

use std::time::{Duration, Instant};

use coracle_integration::{Output, TestEnv, wait::slow};

fn up(env: &TestEnv, services: &str, more: &[&str]) -> Output {
    env.write("compose.yaml", services);
    env.run(["compose", "-p", "t", "up", "--wait"].iter().chain(more))
}

fn down(env: TestEnv) {
    env.run(["compose", "-p", "t", "down", "-v", "-t", "0", "--remove-orphans"]).success();
    env.assert_nothing_left();
}

#[test]
fn what_ends_at_once_is_not_healthy() {
    let env = TestEnv::new();
    for (command, code) in [("exit 1", 1), ("exit 0", 0), ("sleep .2; exit 7", 7)] {
        let services = format!(
            "services: {{a: {{image: alpine, network_mode: none, command: [sh, -c, '{command}']}}}}\n"
        );
        let output = up(&env, &services, &[]).code(1);
        output.stderr_has(&format!("\ncontainer t-a-1 exited ({code})\n"));
    }
    // Beside what is up: that is said, and the failure counts.
    let services = "services:
  a: {image: alpine, network_mode: none, command: [sh, -c, 'exit 3']}
  b: {image: alpine, network_mode: none, init: true, command: sleep 1000}
";
    up(&env, services, &[]).code(1).stderr_has("container t-a-1 exited (3)");
    // One of several containers of a service is enough.
    let services = "services:
  a:
    image: alpine
    scale: 2
    network_mode: none
    init: true
    volumes: [vv:/v]
    command: [sh, -c, 'mkdir /v/first 2>/dev/null && exit 4; sleep 1000']
volumes: {vv: {}}
";
    up(&env, services, &[]).code(1).stderr_has(" exited (4)");
    down(env);
}

#[test]
fn a_restart_policy_ends_in_a_failure_or_in_the_timeout() {
    let env = TestEnv::new();
    let services = |policy: &str, command: &str| {
        format!(
            "services: {{a: {{image: alpine, network_mode: none, init: true, restart: '{policy}', \
             volumes: ['vv:/v'], command: [sh, -c, '{command}']}}}}\nvolumes: {{vv: {{}}}}\n"
        )
    };
    let output = up(&env, &services("always", "exit 1"), &["--wait-timeout", "2"]).code(1);
    let said = output.stderr();
    assert!(said.ends_with("\napplication not healthy after 2s\n"), "{said}");
    assert!(!said.contains("Healthy"), "{said}");
    up(&env, &services("on-failure:2", "exit 9"), &[]).code(1).stderr_has("t-a-1 exited (9)");
    // What stays up in the end is up.
    let command = "[ -e /v/b ] && exec sleep 1000; [ -e /v/a ] && touch /v/b; touch /v/a; exit 1";
    let output = up(&env, &services("always", command), &[]).success();
    output.stderr_has("Container t-a-1 Healthy");
    down(env);
}

#[test]
fn one_shots_that_somebody_needs_may_end() {
    let env = TestEnv::new();
    let services = "services:
  init: {image: alpine, network_mode: none, command: 'true'}
  app:
    image: alpine
    network_mode: none
    init: true
    command: sleep 1000
    depends_on: {init: {condition: service_completed_successfully}}
";
    let said = up(&env, services, &[]).success().stderr();
    assert!(said.contains("Container t-init-1 Exited"), "{said}");
    assert!(said.contains("Container t-app-1 Healthy"), "{said}");
    // Nothing has to be waited for a second time: it has run for longer than that.
    let begun = Instant::now();
    up(&env, services, &[]).success();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(20) * slow(), "{took:?}");
    let failing = services.replace("'true'", "[sh, -c, 'exit 5']");
    up(&env, &failing, &[])
        .code(1)
        .stderr_has("service \"init\" didn't complete successfully: exit 5");
    down(env);
}

#[test]
fn the_timeout_bounds_what_dependencies_take_too() {
    let env = TestEnv::new();
    let services = "services:
  db:
    image: alpine
    network_mode: none
    init: true
    command: sleep 1000
    healthcheck: {test: [CMD, 'false'], interval: 1s, start_period: 10m}
  app:
    image: alpine
    network_mode: none
    init: true
    command: sleep 1000
    depends_on: {db: {condition: service_healthy}}
";
    let output = up(&env, services, &["--wait-timeout", "2"]).code(1);
    let said = output.stderr();
    assert!(said.ends_with("\napplication not healthy after 2s\n"), "{said}");
    env.run(["compose", "-p", "t", "start", "--wait", "--wait-timeout", "1", "db"])
        .code(1)
        .stderr_has("application not healthy after 1s");
    down(env);
}
