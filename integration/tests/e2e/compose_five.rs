//! Compose 5: networks and volumes that change under running containers, and `pre_start`.

use coracle_integration::{
    TestEnv, recorded,
    registry::{Door, Registry},
    skip,
    skip::program,
    wait,
};
use rustix::process::Signal;

recorded! {
    "compose-5.md":
    networks_that_change = "networks that change",
    networks_that_others_are_on = "networks that others are on",
    volumes_that_change = "volumes that change",
    pre_start = "pre_start",
    pre_start_that_fails = "pre_start that fails",
    hashes_and_labels = "hashes and labels",
    pull = "pull",
    versions_hooks_and_what_is_gone = "versions, hooks and what is gone",
}

fn down(env: TestEnv) {
    env.run(["compose", "-p", "t", "down", "-v", "-t", "0", "--remove-orphans"]).success();
    env.assert_nothing_left();
}

/// Containers of steps, running or not.
fn steps(env: &TestEnv) -> String {
    env.run(["ps", "-a", "--filter", "label=com.docker.compose.hook", "--format", "{{.Status}}"])
        .stdout()
}

#[test]
fn output_of_steps_is_shown_with_their_names() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  web:
    image: alpine
    command: echo main
    pre_start:
      - {command: [sh, -c, 'echo out; echo err >&2']}
      - {command: [printf, 'no end']}
",
    );
    let up = env.run(["compose", "-p", "t", "up"]).success();
    up.stdout_has("web pre_start[0] ->  | out\n")
        .stdout_has("web pre_start[0] ->  | err\n")
        .stdout_has("web pre_start[1] ->  | no end\n")
        .stdout_has(" | main\n");
    down(env);
}

#[test]
fn a_step_that_is_interrupted_leaves_nothing() {
    let env = TestEnv::new();
    let services = |step: &str| {
        format!(
            "services:
  web:
    image: alpine
    init: true
    command: sleep 1000
    volumes: ['data:/data']
    pre_start: [{{command: [sh, -c, '{step}']}}]
volumes: {{data: {{}}}}
"
        )
    };
    env.write("compose.yaml", services("echo begun; sleep 1000"));
    let up = env.coracle().args(["compose", "-p", "t", "up"]).start();
    wait::until("the step runs", || steps(&env).starts_with("Up"));
    up.signal(Signal::INT);
    up.finish().code(130);
    assert_eq!(steps(&env), "");
    // Killed, it is found by the next command.
    let up = env.coracle().args(["compose", "-p", "t", "up", "-d"]).start();
    wait::until("the step runs", || steps(&env).starts_with("Up"));
    up.signal(Signal::KILL);
    up.finish().code(137);
    env.write("compose.yaml", services("echo done > /data/done"));
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    assert_eq!(steps(&env), "");
    let shown = env.run(["compose", "-p", "t", "exec", "-T", "web", "cat", "/data/done"]);
    shown.success().stdout_is("done\n");
    down(env);
}

#[test]
fn steps_run_before_start_as_before_up_and_not_before_create() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  web:
    image: alpine
    init: true
    command: sleep 1000
    restart: on-failure
    volumes: ['data:/data']
    pre_start: [{command: [sh, -c, 'echo step >> /data/log']}]
volumes: {data: {}}
",
    );
    let log = || env.run(["run", "--rm", "-v", "t_data:/data", "alpine", "cat", "/data/log"]);
    env.run(["compose", "-p", "t", "create"]).success();
    log().code(1);
    env.run(["compose", "-p", "t", "start"]).success();
    log().success().stdout_is("step\n");
    env.run(["compose", "-p", "t", "restart", "-t", "0"]).success();
    env.run(["compose", "-p", "t", "stop", "-t", "0"]).success();
    env.run(["compose", "-p", "t", "start"]).success();
    log().success().stdout_is("step\n");
    // One that is written otherwise runs again, with the service.
    env.sh("sed -i 's/echo step/echo other/' compose.yaml").success();
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    log().success().stdout_is("step\nother\n");
    down(env);
}

#[test]
fn each_volume_is_asked_for_by_itself() {
    let env = TestEnv::new();
    let services = |label: &str| {
        format!(
            "services:
  web: {{image: alpine, init: true, command: sleep 1000, volumes: ['one:/a', 'two:/b']}}
volumes: {{one: {{labels: {{v: '{label}'}}}}, two: {{labels: {{v: '{label}'}}}}}}
"
        )
    };
    env.write("compose.yaml", services("1"));
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    env.sh("docker exec t-web-1 sh -c 'echo x > /a/f; echo x > /b/f'").success();
    env.write("compose.yaml", services("2"));
    let mut terminal = env.terminal(["compose", "-p", "t", "up", "-d"]);
    terminal.expect("Volume \"t_one\" exists");
    terminal.send("y\n");
    terminal.expect("Volume \"t_two\" exists");
    terminal.send("n\n");
    let (code, text) = terminal.finish();
    assert_eq!(code, 0, "{text}");
    env.sh("docker exec t-web-1 sh -c 'ls /a /b'").success().stdout_is("/a:\n\n/b:\nf\n");
    down(env);
}

/// A question holds the command between its plan and what it does.
#[test]
fn a_network_that_somebody_made_first_is_there() {
    let env = TestEnv::new();
    let services = |label: &str| {
        format!(
            "services: {{web: {{image: alpine, init: true, command: sleep 1000, volumes: ['one:/a']}}}}
volumes: {{one: {{labels: {{v: '{label}'}}}}}}
"
        )
    };
    env.write("compose.yaml", services("1"));
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    env.run(["compose", "-p", "t", "down", "-t", "0"]).success();
    env.write("compose.yaml", services("2"));
    let mut terminal = env.terminal(["compose", "-p", "t", "--progress", "plain", "up", "-d"]);
    terminal.expect("Volume \"t_one\" exists");
    env.run(["network", "create", "t_default"]).success();
    terminal.send("n\n");
    let (code, text) = terminal.finish();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(" Network t_default Created"), "{text}");
    let networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}";
    env.run(["inspect", "-f", networks, "t-web-1"]).success().stdout_is("t_default\n");
    env.run(["compose", "-p", "t", "down", "-v", "-t", "0"]).success();
    env.run(["network", "rm", "t_default"]).success();
    env.assert_nothing_left();
}

#[test]
fn what_cannot_be_made_anew_goes_on_as_it_is() {
    let env = TestEnv::new();
    let services = |more: &str| {
        format!("services: {{a: {{image: alpine, init: true, command: sleep 1000{more}}}}}\n")
    };
    env.write("compose.yaml", services(""));
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    let before = env.run(["ps", "-q", "--no-trunc"]).stdout();
    let bind =
        ", volumes: [{type: bind, source: ./nowhere, target: /x, bind: {create_host_path: false}}]";
    env.write("compose.yaml", services(bind));
    env.run(["compose", "-p", "t", "up", "-d"]).code(1).stderr_has("nowhere");
    assert_eq!(env.run(["ps", "-q", "--no-trunc"]).stdout(), before, "it was not stopped");
    assert_eq!(env.run(["ps", "-aq", "--no-trunc"]).stdout(), before, "and nothing was left");
    down(env);
}

#[test]
fn a_default_platform_makes_nothing_anew() {
    let env = TestEnv::new();
    env.write("compose.yaml", "services: {a: {image: alpine, init: true, command: sleep 1000}}\n");
    let compose = |line: &str| {
        let words = ["compose", "-p", "t"].into_iter().chain(line.split(' '));
        let platform = if cfg!(target_arch = "aarch64") { "linux/arm64" } else { "linux/amd64" };
        env.coracle().args(words).env("DOCKER_DEFAULT_PLATFORM", platform).run().success()
    };
    compose("up -d");
    let before = env.run(["ps", "-q", "--no-trunc"]).stdout();
    compose("scale a=1");
    compose("run --rm a true");
    compose("up -d");
    assert_eq!(env.run(["ps", "-q", "--no-trunc"]).stdout(), before);
    down(env);
}

#[test]
fn what_is_needed_is_removed_last() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  db: {image: alpine, init: true, command: sleep 1000}
  web: {image: alpine, init: true, command: sleep 1000, depends_on: [db]}
",
    );
    let before = |said: &str, first: &str, then: &str| {
        let at = |line: &str| said.find(line).unwrap_or_else(|| panic!("no {line:?} in {said}"));
        assert!(at(first) < at(then), "{said}");
    };
    env.run(["compose", "-p", "t", "up", "-d", "--scale", "db=2"]).success();
    let scaled = ["--scale", "web=0", "--scale", "db=0"];
    let said = env.run(["compose", "-p", "t", "up", "-d"].into_iter().chain(scaled)).success();
    before(&said.stderr(), "t-web-1 Removed", "t-db-1 Stopping");
    before(&said.stderr(), "t-web-1 Removed", "t-db-2 Stopping");
    // Orphans too, by their labels.
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    env.write(
        "compose.yaml",
        "services: {other: {image: alpine, network_mode: none, command: 'true'}}\n",
    );
    let said = env.run(["compose", "-p", "t", "up", "-d", "--remove-orphans"]).success();
    before(&said.stderr(), "t-web-1 Removed", "t-db-1 Stopping");
    down(env);
}

#[test]
fn images_of_steps_are_fetched_and_pinned_as_those_of_services() {
    if program("docker-registry").is_none() {
        skip!("docker-registry is not installed");
    }
    let env = TestEnv::new();
    let registry = Registry::start(&env, Door::Plain);
    let name = |name: &str| format!("{}/{name}:1", registry.address());
    for one in ["web", "tool"] {
        env.run(["tag", "alpine", &name(one)]).success();
        env.run(["push", &name(one)]).success();
    }
    let services = |more: &str| {
        format!(
            "services:
  web:
    image: {}
    init: true
    command: sleep 1000
    {more}
    pre_start: [{{image: '{}', command: 'true'}}]
",
            name("web"),
            name("tool")
        )
    };
    env.write("compose.yaml", services(""));
    let digests = |flag: &str| env.run(["compose", "-p", "t", "config", flag]).success();
    let whole = digests("--resolve-image-digests").stdout();
    assert_eq!(whole.matches(":1@sha256:").count(), 2, "{whole}");
    let locked = digests("--lock-image-digests");
    assert_eq!(locked.stdout().matches("@sha256:").count(), 1, "{locked}");
    locked.stderr_has("pre_start hook images are not pinned in the override file");
    // With `tag@digest` the second `up` finds what the first one fetched.
    for one in ["web", "tool"] {
        env.run(["rmi", &name(one)]).success();
    }
    env.write("compose.yaml", &whole);
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    let again = env.run(["compose", "-p", "t", "up", "-d"]).success();
    again.stderr_is(" Container t-web-1 Running \n");
    env.run(["compose", "-p", "t", "down", "-t", "0"]).success();
    // Each policy is that of the step's image, too.
    env.sh("docker image prune -af").success();
    for (policy, fetched) in [("never", false), ("missing", true), ("always", true)] {
        env.write("compose.yaml", services(&format!("pull_policy: {policy}")));
        let pulled = env.run(["compose", "-p", "t", "pull"]).success().stderr();
        let there = env.sh(&format!("docker image inspect {} > /dev/null 2>&1", name("tool")));
        assert_eq!(there.status() == 0, fetched, "{policy}: {pulled}");
    }
    env.sh("docker image prune -af").success();
    env.write("compose.yaml", services("pull_policy: build"));
    env.run(["compose", "-p", "t", "pull"]).success();
    env.run(["image", "inspect", &name("tool")]).success();
    env.run(["image", "inspect", &name("web")]).code(1);
    down(env);
}
