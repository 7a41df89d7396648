//! What runs is found by every command, whatever its environment is, and after the folder of sockets was removed.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use coracle_integration::{TestEnv, leak, skip, wait};
use rustix::process::{Pid, Signal, kill_process};

/// What a user does with containers that run, each command by `d`.
const COMMANDS: &str = r#"set -e
    d exec c1 echo exec
    d logs c1
    d pause c1; d unpause c1
    d cp c1:/etc/hostname - | tar x -O > /dev/null; echo cp
    d port n1 80/tcp | grep -c 127.0.0.1
    d run -d --network net --name n2 -p 127.0.0.1::81 alpine sleep 1000 > /dev/null
    d exec n2 ping -c1 -w5 n1 > /dev/null; echo ping
    d network create other > /dev/null; d network connect other n1
    d logs -f c1 > logged & d attach --no-stdin --sig-proxy=false c1 > attached & d wait c1 & sleep 0
    eventually 'grep -q tick attached && grep -q tick logged'
    d restart -t 0 c1
    wait
    d exec c1 echo again
    d ps --format '{{.Names}}' | sort | xargs
    d kill c1; d start c1; d stop -t 0 c1"#;

const EXPECTED: &str = "exec\none\nc1\nc1\ncp\n1\nping\n137\nc1\nagain\nc1 n1 n2\nc1\nc1\nc1\n";

/// A program of the world's own, `d`: the binary in another environment.
fn put_d(env: &TestEnv, way: &str) {
    let path = env.root().join("bin/d");
    fs::write(&path, format!("#!/bin/sh\n{way} \"$@\"\n")).expect("a file of ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod of our file");
}

fn start_two(env: &TestEnv, before: &str) {
    env.sh(&format!(
        "docker network create net > /dev/null
         {before} docker run -d --name c1 --network none alpine sh -c 'echo one; sleep 1; while :; do echo tick; sleep 0.1; done' > /dev/null
         {before} docker run -d --name n1 --network net -p 127.0.0.1::80 alpine sleep 1000 > /dev/null"
    ))
    .success();
    env.sh("eventually 'docker logs c1 | grep one'").success();
}

fn helpers(env: &TestEnv) -> usize {
    leak::processes_named(env.root(), "coracle-netd").len()
}

#[track_caller]
fn all_commands_work(env: &TestEnv, way: &str) {
    put_d(env, way);
    // What ticks is not told: only the first line of the log is the same each time.
    let commands = COMMANDS.replace("d logs c1\n", "d logs c1 | head -1\n");
    env.sh(&commands).success().stdout_is(EXPECTED);
    assert_eq!(helpers(env), 1, "network helpers with {way}");
    env.sh("d rm -f c1 n1 n2; d network rm net other").success();
    assert_eq!(env.containers().len(), 0);
}

#[test]
fn commands_with_another_runtime_folder_in_their_environment_reach_what_runs() {
    let env = TestEnv::new();
    start_two(&env, "env -u XDG_RUNTIME_DIR");
    all_commands_work(&env, "docker");
    env.sh("mkdir -m 700 $ROOT/other").success();
    start_two(&env, "");
    all_commands_work(&env, "XDG_RUNTIME_DIR=$ROOT/other docker");
    env.assert_nothing_left();
}

#[test]
fn commands_without_an_environment_reach_what_runs() {
    let env = TestEnv::new();
    start_two(&env, "");
    let bare =
        "env -i PATH=$PATH CORACLE_DATA_ROOT=$CORACLE_DATA_ROOT CORACLE_TEST_WORLD=$ROOT docker";
    all_commands_work(&env, bare);
    env.assert_nothing_left();
}

#[test]
fn commands_reach_what_runs_after_the_folder_of_the_session_was_removed() {
    let env = TestEnv::new();
    start_two(&env, "");
    env.sh("rm -rf $XDG_RUNTIME_DIR").success();
    all_commands_work(&env, "docker");
    env.sh("mkdir -m 700 $XDG_RUNTIME_DIR").success();
    env.assert_nothing_left();
}

/// The user's own store, found by the home that /etc/passwd gives.
#[test]
fn the_default_store_is_found_with_nothing_but_a_path() {
    let env = TestEnv::bare();
    let home = env.sh("getent passwd $(id -u) | cut -d: -f6").success().line();
    let store = Path::new(&home).join(".local/share/coracle");
    if store.exists() || rustix::process::geteuid().is_root() {
        skip!("this user has a store of their own");
    }
    put_d(&env, "env -i PATH=$PATH docker");
    let run = "env -u CORACLE_DATA_ROOT HOME=$(getent passwd $(id -u) | cut -d: -f6) docker run -d --name c1 \
               --network none coracle.local/whoami > /dev/null";
    env.sh(&format!("{run}; d pause c1; d unpause c1; d stop -t 0 c1; d rm c1; d ps -aq"))
        .success()
        .stdout_is("c1\nc1\nc1\nc1\n");
    assert!(store.join("run").is_dir(), "no runtime folder in {}", store.display());
    env.sh("d system reset -f").success();
    assert!(!store.exists(), "{} is left", store.display());
    env.assert_nothing_left();
}

/// The runtime folder of this boot.
fn run_folder(env: &TestEnv) -> PathBuf {
    let mut found = fs::read_dir(env.data().join("run")).expect("a runtime folder");
    found.next().expect("one boot").expect("readable").path()
}

#[test]
fn a_runtime_folder_that_was_removed_is_made_anew() {
    let env = TestEnv::new();
    start_two(&env, "");
    fs::remove_dir_all(env.data().join("run")).expect("files of ours");
    all_commands_work(&env, "docker");
    // The last helper could not take its new door along; the next one does.
    env.sh("docker run --rm alpine true").success();
    env.assert_nothing_left();
}

/// Each command that is the first to find the folder missing, and only it, brings it back.
#[test]
fn whoever_misses_the_runtime_folder_has_it_made() {
    let env = TestEnv::new();
    start_two(&env, "");
    for first in [
        "docker exec n1 true",
        "docker run -d --name n2 --network net -p 127.0.0.1::81 alpine sleep 1000",
        "docker exec n2 ping -c1 -w5 n1",
        "docker pause c1",
        "docker unpause c1",
        "docker restart -t 0 n2",
        "docker kill n2",
        "docker start n2",
        "docker rm -f n2",
        "docker stop -t 0 c1",
    ] {
        fs::remove_dir_all(env.data().join("run")).expect("files of ours");
        env.sh(&format!("timeout 15 {first}")).success();
        env.sh("timeout 15 docker exec n1 true").success();
        assert_eq!(helpers(&env), 1, "network helpers after {first}");
    }
    env.sh("docker rm -f c1 n1; docker network rm net; docker run --rm alpine true").success();
    env.assert_nothing_left();
}

/// A monitor that is stopped takes connections and answers none.
#[test]
fn a_silent_monitor_is_told_and_can_be_ended() {
    let env = TestEnv::new();
    // The pids of the host: what it leaves behind does not end with it.
    env.sh(
        "docker run -d --network none --pid host --name c1 alpine sh -c 'sleep 1000 & sleep 1000'",
    )
    .success();
    for name in ["c2", "c3"] {
        env.run(["run", "-d", "--network", "none", "--name", name, "alpine", "sleep", "1000"])
            .success();
    }
    for pid in leak::processes_named(env.root(), "coracle-monitor") {
        kill_process(pid, Signal::STOP).expect("our own process");
    }
    // Together: each waits for its answer.
    env.sh("timeout 60 docker kill c1 & timeout 60 docker rm -f c2 & timeout 60 docker pause c3 2> said; wait; cat said")
        .success()
        .stdout_has("does not answer")
        .stdout_has("`rm -f ");
    env.sh("docker ps -a --format '{{.Names}} {{.State}}'")
        .success()
        .stdout_is("c3 running\nc1 exited\n");
    env.sh("docker inspect --format '{{.State.ExitCode}} {{.State.Pid}}' c1")
        .success()
        .stdout_is("137 0\n");
    for pid in leak::processes_named(env.root(), "coracle-monitor") {
        kill_process(pid, Signal::CONT).expect("our own process");
    }
    env.sh("docker pause c3; docker unpause c3; docker start c1; docker rm -f c1 c3").success();
    env.assert_nothing_left();
}

/// Kills everything of the world, and has what is left say that it was another boot.
fn reboot(env: &TestEnv) {
    let all = |name| leak::processes_named(env.root(), name);
    wait::until("nothing runs", || {
        let alive: Vec<Pid> =
            ["coracle-monitor", "coracle-netd", "sleep"].into_iter().flat_map(all).collect();
        for pid in &alive {
            kill_process(*pid, Signal::KILL).ok();
        }
        alive.is_empty()
    });
    let now = run_folder(env);
    let mark = now.file_name().expect("a name").to_string_lossy().into_owned();
    let (_, namespace) = mark.split_once('.').expect("boot and namespace");
    let other = format!("0c0ffee0-0000-4000-8000-000000000000.{namespace}");
    fs::rename(&now, now.with_file_name(&other)).expect("a folder of ours");
    env.sh(&format!("sed -i 's/{mark}/{other}/g' $CORACLE_DATA_ROOT/containers/*/state.json"))
        .success();
}

#[test]
fn after_a_reboot_nothing_that_was_left_is_believed() {
    let env = TestEnv::new();
    env.sh("docker network create net > /dev/null
            run='docker run -d --network none'
            $run --name plain alpine sleep 1000; $run --name failing --restart on-failure alpine sleep 1000
            docker run -d --network net --name kept --restart always -p 127.0.0.1::80 alpine sleep 1000
            $run --name stopped --restart unless-stopped alpine sleep 1000; docker stop -t 0 stopped
            $run --rm --name gone alpine sleep 1000")
        .success();
    let port = env.sh("docker port kept").success().line();
    reboot(&env);
    let shown = "docker ps -a --format '{{.Names}} {{.State}}' | sort";
    let expected = "failing exited\nkept running\nplain exited\nstopped exited\n";
    env.sh(shown).success().stdout_is(expected);
    let boots = fs::read_dir(env.data().join("run")).expect("a folder").count();
    assert_eq!(boots, 1, "what the other boot left is swept");
    env.sh("docker inspect --format '{{.State.ExitCode}} {{.State.Error}}' plain failing")
        .success()
        .stdout_is("255 the machine was restarted\n255 the machine was restarted\n");
    assert_eq!(env.sh("docker port kept").success().line().is_empty(), port.is_empty());
    env.sh("docker start plain failing && docker exec plain true && docker exec kept true")
        .success();
    env.sh("docker run --rm --network net alpine ping -c1 -w5 kept").success();
    assert_eq!(helpers(&env), 1);
    env.sh("docker rm -f plain failing kept stopped; docker network rm net").success();
    env.assert_nothing_left();
}

/// As when a link in place of the folder leads to a `/tmp` that a reboot emptied.
#[test]
fn a_runtime_folder_elsewhere_is_made_anew_when_it_is_gone() {
    let env = TestEnv::new();
    let elsewhere = env.root().join("elsewhere");
    fs::remove_dir_all(env.data().join("run")).expect("files of ours");
    std::os::unix::fs::symlink(&elsewhere, env.data().join("run")).expect("a link of ours");
    start_two(&env, "");
    assert!(elsewhere.is_dir(), "made where the link leads");
    fs::remove_dir_all(&elsewhere).expect("files of ours");
    all_commands_work(&env, "env -u XDG_RUNTIME_DIR docker");
    env.sh("docker run --rm alpine true").success();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o777)).expect("a folder of ours");
    env.sh("docker ps").code(1).stderr_has("may be written by others");
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o700)).expect("a folder of ours");
    env.assert_nothing_left();
}

/// Anybody of the network namespace can connect to an abstract socket.
#[test]
fn no_socket_is_abstract() {
    let env = TestEnv::new();
    let before = abstract_sockets();
    start_two(&env, "");
    let new: Vec<String> = abstract_sockets().into_iter().filter(|s| !before.contains(s)).collect();
    let ours: Vec<&String> =
        new.iter().filter(|line| line.contains("coracle") || line.contains("netd")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    env.sh("docker rm -f c1 n1; docker network rm net").success();
    env.assert_nothing_left();
}

fn abstract_sockets() -> Vec<String> {
    let text = fs::read_to_string("/proc/net/unix").expect("a list of sockets");
    text.lines().filter(|line| line.contains(" @")).map(ToOwned::to_owned).collect()
}
