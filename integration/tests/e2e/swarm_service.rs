//! Services of a swarm: made, watched, changed, scaled, rolled back, read, removed.

use coracle_integration::TestEnv;

const SLEEP: &str = "alpine sh -c 'echo hello; echo err >&2; exec sleep 1000'";
const QUICK: &str = "--init --update-monitor 1s --stop-grace-period 1s --no-resolve-image";

fn leave(env: TestEnv) {
    env.sh("docker swarm leave --force").success();
    env.assert_nothing_left();
}

#[test]
fn a_service_is_watched_until_it_has_converged() {
    let env = TestEnv::new();
    env.sh("docker swarm init").success();
    env.sh(&format!("docker service create --name w --replicas 2 {QUICK} {SLEEP}"))
        .success()
        .stdout_has(
            "overall progress: 0 out of 2 tasks\n1/2:  \n2/2:  \n\
             overall progress: 0 out of 2 tasks\n",
        )
        .stdout_has(
            "overall progress: 2 out of 2 tasks\n\
             verify: Waiting 1 seconds to verify that tasks are stable...\nverify: Service ",
        );
    env.sh("docker service scale w=3")
        .success()
        .stdout_has("w scaled to 3\noverall progress: 0 out of 3");
    env.sh("docker service update -q --env-add A=1 --args 'sleep 1000' w")
        .success()
        .stdout_is("w\n");
    let look = "docker service inspect w --format '{{json .Spec.TaskTemplate.ContainerSpec}}'";
    env.sh(look).success().stdout_is(
        "{\"Image\":\"alpine:latest\",\"Args\":[\"sleep\",\"1000\"],\"Env\":[\"A=1\"],\"Init\":true,\
         \"StopGracePeriod\":1000000000,\"DNSConfig\":{},\"Isolation\":\"default\"}\n",
    );
    env.sh("docker service rollback w")
        .success()
        .stdout_has(
            "w\nrollback: manually requested rollback\noverall progress: rolling back update: 0",
        )
        .stdout_has("verify: Service w converged\n");
    env.sh(look).success().stdout_has("echo hello");
    // Interrupted, it goes on without whoever waited.
    env.sh("docker service create --name u --constraint node.labels.no==1 alpine true & pid=$!; \
            until docker service ps u 2> /dev/null | grep -q 'no suitable node'; do :; done; \
            kill -INT $pid; wait $pid")
        .success()
        .stdout_has("1/1: no suitable node (scheduling constraints not satisfied on 1 node)\n");
    env.sh("docker service rm w nosuch u")
        .code(1)
        .stdout_is("w\nu\n")
        .stderr_is("Error response from daemon: service nosuch not found\n");
    leave(env);
}

#[test]
fn a_job_ends_and_its_logs_stay() {
    let env = TestEnv::new();
    env.sh("docker swarm init").success();
    env.sh("docker service create --name j --mode replicated-job --replicas 3 --max-concurrent 2 \
            --no-resolve-image alpine sh -c 'echo done; echo err >&2'")
        .success()
        .stdout_has("active tasks: 0 out of 2 tasks\n1/3:  \n2/3:  \n3/3:  \n")
        .stdout_has("active tasks: 0 out of 0 tasks\njob complete\n");
    env.sh("docker service logs --raw j")
        .success()
        .stdout_is("done\ndone\ndone\n")
        .stderr_is("err\nerr\nerr\n");
    env.sh("docker service logs --no-task-ids --tail 1 j | grep -c '^j\\.'")
        .code(1)
        .stdout_is("0\n");
    env.sh("docker service logs $(docker service ps -q j | head -n 1) 2> /dev/null")
        .success()
        .stdout_has("    | done\n");
    env.sh("docker service update --replicas 2 j")
        .code(1)
        .stderr_is("replicas can only be used with replicated mode\n");
    env.sh("docker inspect $(docker service ps -q j | head -n 1) --format '{{.DesiredState}}'")
        .success()
        .stdout_is("complete\n");
    env.sh("docker service logs nosuch").code(1).stderr_is("no such task or service: nosuch\n");
    leave(env);
}

#[test]
fn what_is_wrong_is_said_as_recorded() {
    let env = TestEnv::new();
    env.sh("docker service rm x").code(1).stderr_has("This node is not a swarm manager. Use");
    env.sh("docker swarm init").success();
    let help = "\n\nUsage:  docker service create [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n\
                Run 'docker service create --help' for more information\n";
    for (flags, code, words) in [
        ("--mode bogus", 1, "unknown mode: bogus, only replicated and global supported"),
        (
            "--mode global --replicas 2",
            1,
            "replicas can only be used with replicated or replicated-job mode",
        ),
        ("--max-concurrent 2", 1, "max-concurrent can only be used with replicated-job mode"),
        ("--secret nosuch", 1, "secret not found: nosuch"),
        ("--network nosuch", 1, "Error response from daemon: network nosuch not found"),
        (
            "--restart-condition bogus",
            1,
            "Error response from daemon: invalid RestartCondition: \"bogus\"",
        ),
        (
            "--generic-resource gpu=1",
            1,
            "--generic-resource: not supported: nodes have no resources of that kind",
        ),
        (
            "--replicas -1",
            125,
            "invalid argument \"-1\" for \"--replicas\" flag: strconv.ParseUint: parsing \"-1\": \
             invalid syntax",
        ),
        (
            "-p bogus",
            125,
            "invalid argument \"bogus\" for \"-p, --publish\" flag: invalid containerPort: bogus",
        ),
        (
            "--secret bogus=1",
            125,
            "invalid argument \"bogus=1\" for \"--secret\" flag: invalid field in secret request: bogus",
        ),
    ] {
        let end = if code == 125 { help } else { "\n" };
        env.sh(&format!("docker service create {flags} alpine"))
            .code(code)
            .stderr_is(&format!("{words}{end}"));
    }
    env.sh("docker service inspect nosuch")
        .code(1)
        .stdout_is("[]\n")
        .stderr_is("no such service: nosuch\n");
    env.sh("docker service update nosuch")
        .code(1)
        .stderr_is("Error response from daemon: service nosuch not found\n");
    env.sh("docker service scale w=x").code(1).stderr_is(
        "w: invalid replicas value x: strconv.ParseUint: parsing \"x\": invalid syntax\n",
    );
    leave(env);
}
