//! A swarm: begun, told of, locked, ended; its nodes and what it keeps, as recorded.

use coracle_integration::{TestEnv, leak, recorded, wait};
use rustix::process::{Signal, kill_process};

recorded! {
    "swarm-cluster.md":
    before_init = "Before init",
    choices_that_cannot_be = "Choices that cannot be",
    init = "init",
    one_node = "One node",
    secrets_and_configs = "Secrets and configs",
}

/// The agent is killed where there is one: its next life has no key.
fn lose_agent(env: &TestEnv) {
    for agent in leak::processes_named(env.root(), "coracle-swarm") {
        // It may have ended by itself.
        kill_process(agent, Signal::KILL).unwrap_or_default();
    }
    wait::until("the agent is gone", || {
        leak::processes_named(env.root(), "coracle-swarm").is_empty()
    });
}

#[test]
fn a_locked_swarm_asks_for_its_key() {
    let env = TestEnv::new();
    let told = env.sh("docker swarm init --autolock").success().stdout();
    let key = told.lines().find(|line| line.contains("SWMKEY-1-")).unwrap().trim().to_owned();
    env.sh("echo s3cret | docker secret create pw -").success();
    lose_agent(&env);
    let locked = "Swarm is encrypted and needs to be unlocked before it can be used. Please use \"docker swarm \
                  unlock\" to unlock it.";
    env.sh("docker node ls").code(1).stderr_is(&format!("Error response from daemon: {locked}\n"));
    env.sh("docker service ls").code(1).stderr_has(locked);
    env.sh("docker swarm unlock-key")
        .code(1)
        .stderr_is(&format!("could not fetch unlock key: Error response from daemon: {locked}\n"));
    env.sh("docker swarm update --autolock=false").code(1).stderr_has(locked);
    env.sh("docker swarm leave").code(1).stderr_is(
        "Error response from daemon: Swarm is encrypted and locked. Please unlock it first or use `--force` to ignore \
         this message.\n",
    );
    env.sh("docker swarm init").code(1).stderr_has("already part of a swarm");
    env.sh("docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Error}}'")
        .success()
        .stdout_is(&format!("locked false {locked}\n"));
    env.sh("docker swarm unlock < /dev/null")
        .code(1)
        .stderr_is("Error response from daemon: invalid key string\n");
    env.sh("echo wrong | docker swarm unlock")
        .code(1)
        .stderr_is("Error response from daemon: invalid key string\n");
    env.sh("echo SWMKEY-1-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA | docker swarm unlock")
        .code(1)
        .stderr_is(
            "Error response from daemon: swarm could not be unlocked: invalid key provided\n",
        );
    env.sh(&format!("echo {key} | docker swarm unlock")).success().stdout_is("");
    env.sh("docker secret ls --format '{{.Name}}'").success().stdout_is("pw\n");
    env.sh("docker swarm leave --force").success();
    env.assert_nothing_left();
}

#[test]
fn without_docker_s_name_the_words_are_ours() {
    let env = TestEnv::new();
    env.run(["node", "ls"])
        .code(1)
        .stderr_has("Use \"coracle swarm init\" or \"coracle swarm join\"");
    env.run(["swarm", "init", "--cert-expiry", "1h"])
        .code(1)
        .stderr_has("--cert-expiry: not supported");
    env.run(["swarm", "init"]).success().stdout_has("    coracle swarm join --token SWMTKN-1-");
    env.run(["swarm", "ca"]).code(1).stderr_has("swarm ca: not supported");
    env.run(["swarm", "join", "10.0.0.1:2377"]).code(1).stderr_has("hint: `coracle node add NAME`");
    env.run(["swarm", "leave", "--force"]).success();
    env.assert_nothing_left();
}
