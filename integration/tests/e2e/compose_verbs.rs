//! The verbs of Compose besides `up` and `down`.

use coracle_integration::{TestEnv, recorded, wait};
use rustix::process::Signal;

recorded! {
    "compose-verbs.md":
    exec = "exec",
    run = "run",
    containers_looked_at = "containers looked at",
    files = "files",
    events_and_wait = "events and wait",
    images = "images",
}

fn down(env: TestEnv) {
    env.run(["compose", "-p", "t", "down", "-v", "-t", "0", "--remove-orphans"]).success();
    env.assert_nothing_left();
}

/// What a container has in a file; empty when there is none.
fn content(env: &TestEnv, path: &str) -> String {
    let script = format!("cat {path} 2>/dev/null; true");
    env.run(["compose", "-p", "t", "exec", "-T", "web", "sh", "-c", &script]).stdout()
}

#[test]
fn watch_copies_removes_restarts_and_runs() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  web:
    image: alpine
    init: true
    command: [sh, -c, 'echo begun >> /begun; sleep 1000']
    develop:
      watch:
        - {action: sync, path: ./src, target: /app, ignore: ['*.tmp'], initial_sync: true}
        - {action: sync+restart, path: ./etc/web.conf, target: /etc/web.conf}
        - {action: sync+exec, path: ./sql, target: /sql, exec: {command: [sh, -c, 'cat /sql/* >> /ran']}}
",
    );
    env.write("src/first", "1");
    let watch = env.coracle().args(["compose", "-p", "t", "watch"]).start();
    wait::until("what was there is copied", || content(&env, "/app/first") == "1");
    env.write("src/a/b", "2");
    env.write("src/no.tmp", "3");
    wait::until("a new folder is copied", || content(&env, "/app/a/b") == "2");
    assert_eq!(content(&env, "/app/no.tmp"), "");
    std::fs::remove_file(env.work().join("src/first")).expect("the file that was written");
    wait::until("what is gone is removed", || content(&env, "/app/first").is_empty());
    env.write("etc/web.conf", "4");
    wait::until("it is restarted with the file", || {
        // On a slow machine writing it may be seen as two changes.
        content(&env, "/begun").lines().count() > 1 && content(&env, "/etc/web.conf") == "4"
    });
    env.write("sql/x", "5");
    wait::until("the command has run", || content(&env, "/ran") == "5");
    watch.signal(Signal::INT);
    let ended = watch.finish().code(130);
    ended.stdout_has("Watch enabled").stdout_has("service(s) [\"web\"] restarted");
    down(env);
}

#[test]
fn run_waits_for_what_the_service_depends_on() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  init: {image: alpine, command: touch /shared/done, volumes: ['shared:/shared']}
  web:
    image: alpine
    volumes: ['shared:/shared']
    depends_on: {init: {condition: service_completed_successfully}}
    post_start: [{command: [touch, /hooked]}]
volumes: {shared: {}}
",
    );
    // The hook must have ended by itself before the container does.
    let script = "ls /shared; until test -e /hooked && ! pidof touch; do usleep 10000; done > /dev/null; echo hooked";
    let run = env.run(["compose", "-p", "t", "run", "--rm", "web", "sh", "-c", script]);
    run.success().stdout_is("done\nhooked\n");
    down(env);
}

#[test]
fn attach_shows_the_output_and_passes_the_exit_code_on() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  web: {image: alpine, command: [sh, -c, 'until test -e /go; do usleep 10000; done; echo seen; exit 6']}
",
    );
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    let attach = env.coracle().args(["compose", "-p", "t", "attach", "--no-stdin", "web"]).start();
    wait::until("somebody is attached", || {
        let events = ["compose", "-p", "t", "events", "--since", "1h", "--until", "0s"];
        env.run(events).stdout().contains("container attach")
    });
    // Detached: the end of the container may be that of the command which brings it about.
    env.run(["compose", "-p", "t", "exec", "-d", "web", "touch", "/go"]).success();
    attach.finish().code(6).stdout_is("seen\n");
    down(env);
}

#[test]
fn services_of_profiles_are_meant_when_named_or_enabled_only() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  app: {image: alpine, network_mode: none, init: true, command: sleep 1000}
  debug: {image: alpine, network_mode: none, init: true, command: sleep 1000, profiles: [dbg]}
",
    );
    let compose = |line: &str| env.sh(&format!("docker compose -p t -f compose.yaml {line}"));
    compose("--profile dbg up -d").success();
    let running = || {
        let mut names = compose("ps --services --status running").success().lines();
        names.sort();
        names.join(" ")
    };
    for (stop, start) in [("stop -t 0", "start"), ("kill", "start"), ("pause", "unpause")] {
        compose(stop).success();
        assert_eq!(running(), "debug", "{stop}");
        compose(start).success();
        assert_eq!(running(), "app debug", "{start}");
        // A name enables its profile.
        compose(&format!("{stop} debug")).success();
        assert_eq!(running(), "app", "{stop} debug");
        compose(&format!("{start} debug")).success();
        assert_eq!(running(), "app debug", "{start} debug");
    }
    let started = |name: &str| env.run(["inspect", "-f", "{{.State.StartedAt}}", name]).line();
    let before = [started("t-app-1"), started("t-debug-1")];
    compose("restart -t 0").success();
    assert_ne!(started("t-app-1"), before[0]);
    assert_eq!(started("t-debug-1"), before[1], "restart");
    compose("restart -t 0 debug").success();
    assert_ne!(started("t-debug-1"), before[1], "restart debug");
    compose("--profile dbg stop -t 0").success();
    compose("rm -f").success().stdout_is("Going to remove t-app-1\n");
    compose("rm -f debug").success().stdout_is("Going to remove t-debug-1\n");
    // `down` leaves them too, even with --remove-orphans: they are in the file.
    compose("--profile dbg up -d").success();
    compose("down -t 0 --remove-orphans").success();
    assert_eq!(running(), "debug");
    compose("--profile dbg down -t 0").success();
    env.assert_nothing_left();
}
