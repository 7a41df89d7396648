//! Files of the swarm that are another's: a state of a newer version, a key of another swarm. They are refused in words,
//! nothing is changed, and with the right file all goes on.

use std::path::PathBuf;

use coracle_integration::{TestEnv, wait};
use rustix::process::{Pid, Signal, kill_process};

use super::{agent, create, end, swarm, wait_replicas};

/// Kills the agent, which has its files open and read.
fn kill_agent(env: &TestEnv) {
    let Some(pid) = agent(env) else { return };
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).ok();
    wait::until("it is gone", || agent(env) != Some(pid));
}

fn file(env: &TestEnv, name: &str) -> PathBuf {
    env.data().join("swarm").join(name)
}

#[test]
fn a_state_of_a_newer_version_is_refused_and_stays_as_it_is() {
    let env = swarm();
    create(&env, "s", &["--stop-grace-period", "0s", "alpine", "sleep", "100000"]);
    wait_replicas(&env, "s", "1/1");
    let running = env.run(["ps", "-q"]).success().line();
    kill_agent(&env);
    let journal = file(&env, "journal.jsonl");
    let state = std::fs::read_to_string(&journal).expect("the state");
    let newer = state.replacen("\"version\":1", "\"version\":2", 1);
    assert_ne!(newer, state);
    std::fs::write(&journal, &newer).expect("our file");
    for command in
        ["service ls", "service rm s", "secret create s1 /etc/hostname", "swarm leave --force"]
    {
        env.sh(&format!("docker {command}"))
            .code(1)
            .stderr_has("was written by a newer version of this program (format 2, known is 1)");
    }
    // Containers are no business of it.
    env.run(["ps", "-q"]).success().stdout_is(&format!("{running}\n"));
    assert_eq!(std::fs::read_to_string(&journal).expect("the state"), newer);
    std::fs::write(&journal, &state).expect("our file");
    wait_replicas(&env, "s", "1/1");
    env.run(["ps", "-q"]).success().stdout_is(&format!("{running}\n"));
    env.run(["service", "rm", "s"]).success();
    end(env);
}

#[test]
fn a_key_of_another_swarm_opens_nothing() {
    let other = swarm();
    let env = swarm();
    env.sh("echo content | docker config create c1 - && echo content | docker secret create s1 -")
        .success();
    // The agent ends when nobody asks.
    wait::until("the agent has ended", || agent(&env).is_none());
    let key = std::fs::read(file(&env, "key")).expect("the key");
    std::fs::copy(file(&other, "key"), file(&env, "key")).expect("our file");
    let words = "what is sealed cannot be opened with the key of this swarm";
    env.run(["config", "inspect", "c1"]).code(1).stderr_has(words);
    for given in ["--secret=s1", "--config=c1"] {
        let more = ["--restart-condition", "none", given, "alpine", "sleep", "100000"];
        create(&env, "s", &more);
        wait::until("the task says why", || {
            env.run(["service", "ps", "s", "--no-trunc"]).success().stdout().contains(words)
        });
        env.run(["service", "rm", "s"]).success();
    }
    wait::until("the agent has ended", || agent(&env).is_none());
    std::fs::write(file(&env, "key"), key).expect("our file");
    create(&env, "s", &["--secret", "s1", "alpine", "sleep", "100000"]);
    wait_replicas(&env, "s", "1/1");
    env.sh("docker exec $(docker ps -q) cat /run/secrets/s1").success().stdout_is("content\n");
    env.run(["service", "rm", "s"]).success();
    end(env);
    end(other);
}
