//! An environment that means another engine: it is said, and nothing is changed by mistake.

use coracle_integration::{Output, TestEnv};

const SAID: &str = "coracle is an engine of its own and does not connect to others";

fn docker_config(env: &TestEnv, name: &str, text: &str) {
    let path = env.root().join("home/.docker").join(name);
    std::fs::create_dir_all(path.parent().expect("in our home")).expect("a folder of ours");
    std::fs::write(path, text).expect("a file of ours");
}

fn context(env: &TestEnv, name: &str, host: &str) {
    let text = format!(r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#);
    docker_config(env, &format!("contexts/meta/{name}/meta.json"), &text);
}

/// Warned of in one line, and done.
#[track_caller]
fn told(output: Output, what: &str) {
    let output = output.success();
    let said = output.stderr();
    assert!(said.contains(&format!("WARNING: {what}: {SAID}")), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[track_caller]
fn refused(output: Output, code: i32, what: &str) {
    let said = output.code(code).stdout_is("").stderr();
    assert!(said.contains(&format!("{what}: {SAID}; nothing was changed")), "{said}");
    assert!(said.contains("hint: ") && said.contains("CORACLE_DOCKER_HOST=local"), "{said}");
}

/// Something of each kind that is there, and must still be there at the end.
fn world() -> TestEnv {
    let env = TestEnv::new();
    env.write("compose.yaml", "services: {a: {image: alpine, init: true, command: sleep 1000}}\n");
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    env.run(["volume", "create", "data"]).success();
    env
}

fn end(env: TestEnv) {
    env.run(["compose", "-p", "t", "down", "-t", "0"]).success();
    env.run(["volume", "rm", "data"]).success();
    env.assert_nothing_left();
}

#[test]
fn docker_host_of_another_engine_is_told_and_changes_are_refused() {
    let env = world();
    let far = |line: &str| env.sh(&format!("export DOCKER_HOST=ssh://prod; {line}"));
    let what = "DOCKER_HOST is ssh://prod";
    for line in ["ps", "images", "version", "info", "volume ls", "compose -p t ps", "logs t-a-1"] {
        told(far(&format!("docker {line}")), what);
    }
    std::os::unix::fs::symlink(
        env.root().join("bin/docker"),
        env.root().join("bin/docker-compose"),
    )
    .unwrap();
    for (line, code) in [
        ("docker-compose -p t down", 1),
        ("docker compose -p t up -d", 1),
        ("docker compose -p t exec a true", 1),
        ("docker rm -f t-a-1", 1),
        ("docker stop t-a-1", 1),
        ("docker exec t-a-1 true", 1),
        ("docker rmi alpine", 1),
        ("docker tag alpine other", 1),
        ("docker volume rm data", 1),
        ("docker network create n", 1),
        ("docker system prune -af --volumes", 1),
        ("docker run --rm alpine true", 125),
        ("docker create alpine", 125),
        ("docker container run --rm alpine true", 125),
    ] {
        refused(far(line), code, what);
    }
    far("docker run alpine")
        .stderr_has("docker: DOCKER_HOST is")
        .stderr_has("Run 'docker run --help' for more information");
    // Help and completions have nothing to do with an engine.
    far("docker run --help; docker completion bash").success().stderr_is("");
    env.wait_status("t-a-1", "running");
    end(env);
}

#[test]
fn contexts_and_flags_likewise_in_dockers_order() {
    let env = world();
    context(&env, "prod", "ssh://prod");
    docker_config(&env, "config.json", r#"{"currentContext": "prod"}"#);
    let file = env.root().join("home/.docker/config.json");
    let current = format!("currentContext in {} is \"prod\" (ssh://prod)", file.display());
    told(env.sh("docker ps"), &current);
    refused(env.sh("docker stop t-a-1"), 1, &current);
    let variable = "DOCKER_CONTEXT is \"stage\"";
    told(env.sh("DOCKER_CONTEXT=stage docker ps"), variable);
    refused(env.sh("DOCKER_CONTEXT=stage docker rm -f t-a-1"), 1, variable);
    // What names this engine, or none, wins over the file.
    let own = format!("unix://{}", env.root().join("run/coracle/docker.sock").display());
    for chosen in ["DOCKER_CONTEXT=default".to_owned(), format!("DOCKER_HOST={own}")] {
        env.sh(&format!("{chosen} docker volume create data")).success().stderr_is("");
    }
    env.sh("docker --context default volume create data").success().stderr_is("");
    env.run(["-H", &own, "volume", "create", "data"]).success().stderr_is("");
    // DOCKER_HOST wins over contexts that are not given as a flag.
    let host = "DOCKER_HOST is tcp://far:2375";
    told(env.sh("DOCKER_HOST=tcp://far:2375 DOCKER_CONTEXT=default docker ps"), host);
    told(env.sh("DOCKER_HOST=tcp://far:2375 docker --context default ps"), host);
    let flag = "--context is \"prod\" (ssh://prod)";
    told(env.sh("DOCKER_HOST=tcp://far:2375 docker --context prod ps"), flag);
    told(env.sh("docker -H tcp://127.0.0.1:1 ps"), "-H is tcp://127.0.0.1:1");
    refused(env.sh("docker -c prod compose -p t down"), 1, flag);
    refused(
        env.sh("docker -H unix:///var/run/docker.sock rm -f t-a-1"),
        1,
        "-H is unix:///var/run/docker.sock",
    );
    // A context of our own socket is ours.
    context(&env, "mine", &own);
    docker_config(&env, "config.json", r#"{"currentContext": "mine"}"#);
    env.sh("docker volume create data").success().stderr_is("");
    docker_config(&env, "config.json", r#"{"currentContext": "default"}"#);
    env.sh("docker volume create data").success().stderr_is("");
    end(env);
}

#[test]
fn a_setting_says_that_this_machine_is_meant() {
    let env = world().with("DOCKER_HOST", "ssh://prod");
    env.sh("CORACLE_DOCKER_HOST=local docker stop -t 0 t-a-1").success().stderr_is("");
    env.sh("CORACLE_DOCKER_HOST=prod docker ps")
        .code(1)
        .stderr_is("CORACLE_DOCKER_HOST is \"prod\": the only value is \"local\"\n");
    refused(env.run(["start", "t-a-1"]), 1, "DOCKER_HOST is ssh://prod");
    let settings = env.root().join("home/.config/coracle/config.json");
    std::fs::create_dir_all(settings.parent().unwrap()).unwrap();
    std::fs::write(&settings, r#"{"docker-host": "local"}"#).unwrap();
    env.run(["start", "t-a-1"]).success().stderr_is("");
    end(env);
}
