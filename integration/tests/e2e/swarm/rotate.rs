//! `secret rotate` and `config rotate`: other content under the same name, or everything as it was.

use coracle_integration::{TestEnv, wait};

use super::{create, end, swarm, wait_replicas};

/// What the one running task of a service reads.
#[track_caller]
fn wait_read(env: &TestEnv, service: &str, file: &str, content: &str) {
    wait::until(&format!("{service} reads {content}"), || {
        let filter = format!("name=^{service}.1.");
        let id = env.run(["ps", "-q", "--filter", &filter]).success().stdout();
        env.run(["exec", id.trim(), "cat", file]).stdout() == content
    });
}

fn names(env: &TestEnv, kind: &str) -> Vec<String> {
    env.run([kind, "ls", "--format", "{{.Name}} {{.Labels}}"]).success().lines()
}

/// Sleeps, and is stopped and watched no longer than it must be.
const QUICK: [&str; 8] = [
    "--stop-grace-period",
    "0s",
    "--update-monitor",
    "100ms",
    "--update-failure-action",
    "rollback",
    "--rollback-monitor",
    "100ms",
];
const SLEEP: [&str; 3] = ["alpine", "sleep", "100000"];

#[test]
fn a_rotated_secret_is_read_by_the_tasks_that_use_it() {
    let env = swarm();
    for content in ["one", "two", "three", "four"] {
        env.write(content, content);
    }
    env.run(["secret", "create", "-l", "k=v", "pw", "one"]).success();
    env.run(["config", "create", "site", "one"]).success();
    let uses = ["--secret", "source=pw,mode=0400", "--config", "source=site,target=/etc/site"];
    create(&env, "a", &[&QUICK[..], &uses, &SLEEP].concat());
    create(&env, "b", &[&QUICK[..], &["--secret", "source=pw,target=key"], &SLEEP].concat());
    wait_replicas(&env, "a", "1/1");
    wait_replicas(&env, "b", "1/1");

    env.run(["secret", "rotate", "-q", "pw", "two"]).success().stdout_is("pw.v2\n");
    wait_read(&env, "a", "/run/secrets/pw", "two");
    wait_read(&env, "b", "/run/secrets/key", "two");
    assert_eq!(names(&env, "secret"), ["pw.v2 coracle.version-of=pw,k=v"]);
    // The name goes on to stand for it.
    create(&env, "c", &[&QUICK[..], &["--secret", "pw"], &SLEEP].concat());
    wait_read(&env, "c", "/run/secrets/pw", "two");
    env.run(["secret", "rotate", "pw", "three"])
        .success()
        .stdout_has("a\noverall progress: ")
        .stdout_has("verify: Service c converged\npw.v3\n");
    for (service, file) in [("a", "pw"), ("b", "key"), ("c", "pw")] {
        wait_read(&env, service, &format!("/run/secrets/{file}"), "three");
    }
    assert_eq!(names(&env, "secret"), ["pw.v3 coracle.version-of=pw,k=v"]);

    env.run(["config", "rotate", "-q", "site", "four"]).success().stdout_is("site.v2\n");
    wait_read(&env, "a", "/etc/site", "four");
    env.run(["service", "update", "-d", "--secret-rm", "pw", "c"]).success();
    env.run(["secret", "rm", "pw"]).code(1).stderr_has("following services: a, b");
    env.run(["service", "rm", "a", "b", "c"]).success();
    env.run(["secret", "rm", "pw"]).success();
    assert!(names(&env, "secret").is_empty());
    env.run(["secret", "rotate", "nosuch", "one"])
        .code(1)
        .stderr_is("Error response from daemon: secret nosuch not found\n");
    end(env);
}

#[test]
fn a_secret_that_a_service_fails_with_is_put_back() {
    let env = swarm();
    env.write("good", "good");
    env.write("bad", "bad");
    env.run(["secret", "create", "pw", "good"]).success();
    let picky = ["alpine", "sh", "-c", "grep good /run/secrets/pw && exec sleep 100000"];
    create(&env, "a", &[&QUICK[..], &["--secret", "pw"], &SLEEP].concat());
    create(&env, "b", &[&QUICK[..], &["--secret", "pw"], &picky].concat());
    wait_replicas(&env, "a", "1/1");
    wait_replicas(&env, "b", "1/1");
    env.run(["secret", "rotate", "-q", "pw", "bad"])
        .code(1)
        .stdout_is("")
        .stderr_has("secret pw was not rotated: service b: ");
    assert_eq!(names(&env, "secret"), ["pw "]);
    wait_read(&env, "a", "/run/secrets/pw", "good");
    wait_read(&env, "b", "/run/secrets/pw", "good");
    env.run(["service", "why", "a", "b"]).success();
    end(env);
}
