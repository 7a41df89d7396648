//! What a logout or a shutdown ends, by SIGTERM to every process of the user, and what commands start again
//! afterwards.

use coracle_integration::{TestEnv, leak, monitor, wait};
use rustix::process::{Pid, Signal, kill_process};

const PROGRAM: &str = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done";

const STATES: &str = "docker ps -a --format '{{.Names}} {{.State}}' | sort | xargs";

fn start(env: &TestEnv, name: &str, flags: &[&str]) {
    let words = ["run", "-d", "--network", "none", "--name", name];
    let words = words.iter().chain(flags).chain(&["alpine", "sh", "-c", PROGRAM]);
    env.run(words).success();
    env.sh(&format!("eventually 'docker logs {name} | grep ready'")).success();
}

/// Tells every process of these names to end, and waits until no monitor is left.
fn shut_down(env: &TestEnv, order: [&str; 2]) {
    let all: Vec<Pid> =
        order.iter().flat_map(|name| leak::processes_named(env.root(), name)).collect();
    for pid in all {
        // One may have ended with another.
        kill_process(pid, Signal::TERM).ok();
    }
    wait::until("nothing runs", || leak::processes_named(env.root(), "coracle-monitor").is_empty());
}

#[test]
fn what_a_shutdown_ended_is_started_again() {
    let env = TestEnv::new();
    for order in [["sh", "coracle-monitor"], ["coracle-monitor", "sh"]] {
        start(&env, "always", &["--restart", "always"]);
        start(&env, "failing", &["--restart", "on-failure"]);
        start(&env, "gone", &["--rm"]);
        start(&env, "kept", &["--restart", "unless-stopped"]);
        start(&env, "plain", &[]);
        start(&env, "stopped", &["--restart", "unless-stopped"]);
        env.run(["stop", "stopped"]).success();
        shut_down(&env, order);
        let expected = "always running failing exited kept running plain exited stopped exited\n";
        env.sh(STATES).success().stdout_is(expected);
        env.run(["exec", "kept", "true"]).success();
        shut_down(&env, order);
        // What a command is about it does not start first.
        env.sh("docker rm always").success();
        shut_down(&env, order);
        env.sh(&format!("docker stop kept && {STATES}"))
            .success()
            .stdout_is("kept\nfailing exited kept exited plain exited stopped exited\n");
        env.run(["start", "kept"]).success();
        shut_down(&env, order);
        env.run(["start", "kept"]).success();
        env.sh("docker rm -f failing kept plain stopped").success();
    }
    env.assert_nothing_left();
}

/// What systemd's user manager, or cron, gives when the machine starts.
#[test]
fn a_unit_and_a_line_for_cron_bring_containers_back() {
    let env = TestEnv::new();
    let unit = |flag: &[&str]| {
        let words = [&["system", "unit", "containers"][..], flag].concat();
        let cmd = env.coracle().args(words).env("USER", "nobody");
        cmd.env("XDG_CONFIG_HOME", env.root().join("config"))
            .env("XDG_RUNTIME_DIR", env.root().join("session"))
            .run()
    };
    start(&env, "kept", &["--restart", "unless-stopped"]);
    start(&env, "plain", &[]);
    let line = unit(&["--install"]).code(1).stdout();
    let by_cron = line.strip_prefix("@reboot ").expect("a line for cron").trim_end();
    std::fs::create_dir_all(env.root().join("session/systemd")).expect("a folder");
    std::fs::write(env.root().join("session/systemd/private"), "")
        .expect("what stands for its socket");
    unit(&["--install"]).success().stdout_has("Lingering is off for you: containers with");
    let file = env.root().join("config/systemd/user/coracle-containers.service");
    let text = std::fs::read_to_string(&file).expect("the unit");
    let by_unit = text.lines().find_map(|line| line.strip_prefix("ExecStart="));
    for command in [by_cron, by_unit.expect("what it runs")] {
        shut_down(&env, ["sh", "coracle-monitor"]);
        env.sh(command).success();
        env.sh(STATES).success().stdout_is("kept running plain exited\n");
    }
    match coracle_integration::skip::program("systemd-analyze") {
        Some(program) => {
            let words = ["--user", "verify", file.to_str().expect("UTF-8")];
            let verify = env.program(&program).args(words);
            let session = env.root().join("session");
            verify.env("XDG_RUNTIME_DIR", session).run().success().stderr_is("");
        }
        None => coracle_integration::skip::record("systemd-analyze is not installed"),
    }
    unit(&["--remove"]).success();
    env.run(["rm", "-f", "kept", "plain"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_start_that_failed_after_a_crash_is_tried_again() {
    let env = TestEnv::new();
    env.sh("mkdir source").success();
    start(&env, "kept", &["--restart", "always", "--mount", "type=bind,src=./source,dst=/mnt"]);
    monitor::kill(&env, "kept");
    env.sh("mv source away; docker ps -aq")
        .success()
        .stderr_has("WARNING: container kept was not recovered: ");
    env.sh(&format!("eventually 'docker ps 2>&1 | grep -q recovered' && {STATES}"))
        .success()
        .stdout_is("kept exited\n");
    env.sh("mv away source; eventually 'docker ps -q | grep .'; docker exec kept true").success();
    env.sh("docker rm -f kept").success();
    env.assert_nothing_left();
}
