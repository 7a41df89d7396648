//! `service why`: the chain from a service to what keeps it from running.

use coracle_integration::{TestEnv, wait};

use super::{create, end, swarm, wait_replicas};

/// Waits until the answer has that in it, with the code of a service that has not converged.
#[track_caller]
fn wait_told(env: &TestEnv, name: &str, words: &str) {
    wait::until(&format!("{name}: {words}"), || {
        let output = env.run(["service", "why", name]);
        output.status() == 1 && output.stdout().contains(words)
    });
}

#[test]
fn what_keeps_a_service_from_running_is_told() {
    let env = swarm();
    create(&env, "good", &["--stop-grace-period", "0s", "alpine", "sleep", "100000"]);
    wait_replicas(&env, "good", "1/1");
    env.run(["service", "why", "good"])
        .success()
        .stdout_is("good is converged: 1 of 1 tasks run\n");

    create(
        &env,
        "nowhere",
        &["--replicas", "2", "--constraint", "node.labels.zone==b", "alpine", "true"],
    );
    wait_told(
        &env,
        "nowhere",
        "nowhere is not converged: 0 of 2 tasks run\n  nowhere.1 and 1 more: it is pending: no suitable node \
         (scheduling constraints not satisfied on 1 node)\n    it asks for node.labels.zone==b\n",
    );

    let fails = ["--restart-condition", "none", "alpine", "sh", "-c", "echo broken; exit 3"];
    create(&env, "fails", &fails);
    wait_told(
        &env,
        "fails",
        "  fails.1: it failed with exit code 3\n    its last lines:\n      broken\n    \
         its restart condition is none\n",
    );

    let sick = [
        "--restart-condition",
        "none",
        "--health-cmd",
        "echo refused; exit 1",
        "--health-interval",
        "100ms",
        "--health-retries",
        "1",
        "--stop-grace-period",
        "0s",
        "alpine",
        "sleep",
        "100000",
    ];
    create(&env, "sick", &sick);
    wait_told(
        &env,
        "sick",
        "  sick.1: it was stopped, as its health check failed\n    \
         the last probe ended with exit code 1: refused\n",
    );
    env.run(["service", "why", "good", "nosuch"])
        .code(1)
        .stderr_is("Error response from daemon: service nosuch not found\n");
    end(env);
}
