//! One command for several containers: they are worked on at the same time, and named in the order given.

use coracle_integration::TestEnv;

/// Two containers that end well only if both have their signal: each waits for what the other
/// writes when it gets its own. One after the other, the first would be killed after its grace.
fn waiting_for_each_other(env: &TestEnv) {
    let script = "trap \"touch /m/$ME; until [ -e /m/$OTHER ]; do sleep .02; done; exit 3\" TERM; touch /m/ready.$ME; while :; do sleep .02; done";
    for (me, other) in [("c1", "c2"), ("c2", "c1")] {
        env.sh(&format!(
            "mkdir -p m; docker run -d --network none --name {me} -e ME={me} -e OTHER={other} -v $ROOT/work/m:/m alpine sh -c '{script}'"
        ))
        .success();
    }
    env.sh("eventually 'test -e m/ready.c1 -a -e m/ready.c2'").success();
}

fn exit_codes(env: &TestEnv) -> String {
    env.sh("docker inspect c1 c2 --format '{{.State.ExitCode}}'").success().stdout()
}

#[test]
fn stop_gives_each_the_whole_grace_at_the_same_time() {
    let env = TestEnv::new();
    waiting_for_each_other(&env);
    env.sh("docker stop -t 20 c2 nosuch c1")
        .code(1)
        .stdout_is("c2\nc1\n")
        .stderr_is("Error response from daemon: No such container: nosuch\n");
    assert_eq!(exit_codes(&env), "3\n3\n");
    env.sh("docker events --since 5m --until 0s --filter event=stop --format '{{.Actor.Attributes.name}}' | sort")
        .success()
        .stdout_is("c1\nc2\n");
    env.sh("docker rm c1 c2").success();
    env.assert_nothing_left();
}

#[test]
fn restart_stops_them_at_the_same_time() {
    let env = TestEnv::new();
    waiting_for_each_other(&env);
    env.sh("docker restart -t 20 c1 c2").success().stdout_is("c1\nc2\n");
    env.sh("docker events --since 5m --until 0s --filter event=die --format '{{.Actor.Attributes.exitCode}}'")
        .success()
        .stdout_is("3\n3\n");
    env.sh("docker ps -q --filter status=running | wc -l").success().stdout_is("2\n");
    env.sh("docker rm -f c1 c2").success();
    env.assert_nothing_left();
}

#[test]
fn kill_and_rm_name_them_in_order_with_their_errors() {
    let env = TestEnv::new();
    for name in ["c1", "c2", "c3"] {
        env.sh(&format!("docker run -d --network none --name {name} alpine sleep 1000")).success();
    }
    env.sh("docker kill c2 c1").success().stdout_is("c2\nc1\n");
    assert_eq!(exit_codes(&env), "137\n137\n");
    env.sh("docker kill c3 c1").code(1).stdout_is("c3\n").stderr_has("c1: container");
    env.sh("docker start c3 c1").success();
    env.sh("docker rm c3 c2 c1").code(1).stdout_is("c2\n").stderr_has("container is running");
    // With -f nobody hears of a container that is not there.
    env.sh("docker rm -f c3 nosuch c1").success().stdout_is("c3\nc1\n").stderr_is("");
    env.assert_nothing_left();
}
