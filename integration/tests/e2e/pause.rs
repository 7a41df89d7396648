//! pause and unpause, beyond what was recorded: by the freezer or by signals, all of a container stops.

use coracle_integration::{TestEnv, wait};

/// Counts in a file, with new processes all the time.
const COUNT: &str =
    "i=0; while :; do i=$((i+1)); (echo $i > /m/$NAME.new; mv /m/$NAME.new /m/$NAME); done";

/// Starts a container that counts in `work/m/NAME`.
fn counting(env: &TestEnv, name: &str, flags: &str) {
    env.sh(&format!(
        "mkdir -p m; docker run -d --network none --name {name} -e NAME={name} -v $ROOT/work/m:/m {flags} \
         alpine sh -c '{COUNT}'"
    ))
    .success();
    wait::until("it counts", || count(env, name) > 0);
}

fn count(env: &TestEnv, name: &str) -> u64 {
    let text = std::fs::read_to_string(env.work().join("m").join(name)).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

/// Long enough that a process that runs would have counted: another container comes and goes.
fn a_while(env: &TestEnv) {
    env.sh("docker run --rm --network none alpine true").success();
}

#[track_caller]
fn assert_still(env: &TestEnv, names: &[&str]) {
    let counts = || names.iter().map(|name| count(env, name)).collect::<Vec<_>>();
    let before = counts();
    a_while(env);
    assert_eq!(counts(), before, "{names:?} did not stop");
}

#[track_caller]
fn assert_counting(env: &TestEnv, name: &str) {
    let before = count(env, name);
    wait::until(&format!("{name} counts"), || count(env, name) > before);
}

#[test]
fn everything_in_the_container_stops_and_goes_on() {
    let env = TestEnv::new();
    counting(&env, "c1", "");
    env.sh(&format!("docker exec -d -e NAME=second c1 sh -c '{COUNT}'")).success();
    wait::until("the second counts", || count(&env, "second") > 0);
    env.sh("docker pause c1").success().stdout_is("c1\n");
    assert_still(&env, &["c1", "second"]);
    env.sh("docker inspect c1 --format '{{.State.Status}} {{.State.Running}} {{.State.Paused}}'")
        .success()
        .stdout_is("paused true true\n");
    env.sh("docker attach c1")
        .code(1)
        .stderr_is("cannot attach to a paused container, unpause it first\n");
    env.sh("docker top c1").success().stdout_has("while :");
    env.sh("docker unpause c1").success();
    assert_counting(&env, "c1");
    assert_counting(&env, "second");
    env.sh("docker exec c1 true").success();
    env.sh("docker rm -f c1").success();
    env.assert_nothing_left();
}

#[test]
fn a_signal_waits_and_the_stop_signal_ends_the_pause() {
    let env = TestEnv::new();
    let script = "trap \"echo hup\" HUP; trap \"echo term; exit 5\" TERM; echo ready; while :; do sleep .05; done";
    env.sh(&format!("docker run -d --network none --name c1 alpine sh -c '{script}'")).success();
    // The first process ignores what it has no trap for yet.
    let again =
        "docker restart c1; eventually 'docker logs c1 | tail -1 | grep ready'; docker stop c1";
    for end in ["docker stop c1", "docker kill -s TERM c1", again] {
        env.sh("docker start c1; eventually 'docker logs c1 | tail -1 | grep ready'").success();
        env.sh("docker pause c1 && docker kill -s HUP c1").success();
        a_while(&env);
        env.sh("docker logs c1 | tail -1; docker inspect c1 --format '{{.State.Status}}'")
            .success()
            .stdout_is("ready\npaused\n");
        env.sh("docker unpause c1; eventually 'docker logs c1 | tail -1 | grep hup'").success();
        env.sh("docker pause c1").success();
        env.sh(&format!("{end}; docker wait c1; docker logs c1 | tail -1"))
            .success()
            .stdout_has("\n5\nterm\n");
    }
    env.sh("docker start c1 && docker pause c1 && docker kill c1 && docker wait c1")
        .success()
        .stdout_has("\n137\n");
    env.sh("docker start c1 && docker pause c1 && docker rm -f c1").success();
    env.assert_nothing_left();
}

#[test]
fn what_had_stopped_by_itself_stays_stopped() {
    let env = TestEnv::new();
    let script = format!("(eval \"$LOOP\") & echo $! > /m/pid; kill -STOP $!; {COUNT}");
    env.sh(&format!(
        "mkdir m; docker run -d --network none --name c1 -e NAME=c1 -e LOOP='while :; do sleep .05; done' \
         -v $ROOT/work/m:/m alpine sh -c '{script}'"
    ))
    .success();
    wait::until("it counts", || count(&env, "c1") > 0);
    let state = "docker exec c1 sh -c 'grep State: /proc/$(cat /m/pid)/status'";
    env.sh(state).success().stdout_is("State:\tT (stopped)\n");
    env.sh("docker pause c1 && docker unpause c1").success();
    assert_counting(&env, "c1");
    env.sh(state).success().stdout_is("State:\tT (stopped)\n");
    env.sh("docker rm -f c1").success();
    env.assert_nothing_left();
}

#[test]
fn a_neighbour_in_the_same_pid_namespace_goes_on() {
    let env = TestEnv::new();
    counting(&env, "c1", "");
    counting(&env, "c2", "--pid container:c1");
    env.sh("docker pause c2").success();
    assert_still(&env, &["c2"]);
    assert_counting(&env, "c1");
    env.sh("docker unpause c2").success();
    env.sh("docker pause c1").success();
    assert_still(&env, &["c1"]);
    assert_counting(&env, "c2");
    env.sh("docker unpause c1").success();
    assert_counting(&env, "c1");
    env.sh("docker rm -f c2 c1").success().stdout_is("c2\nc1\n");
    env.assert_nothing_left();
}
