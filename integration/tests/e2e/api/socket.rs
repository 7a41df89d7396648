//! The socket of the API itself: who may have it.

use std::os::unix::net::UnixStream;

use coracle_integration::{TestEnv, wait};
use serde_json::json;

use crate::api::http::Service;

const DOCKERS: &str = "/var/run/docker.sock";

/// Ends the service that a command started for containers.
fn end_service(env: &TestEnv) {
    for pid in coracle_integration::leak::processes_named(env.root(), "coracle") {
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap_or_default();
    }
    wait::until("the service is gone", || {
        coracle_integration::leak::processes_named(env.root(), "coracle").is_empty()
    });
}

#[test]
fn a_container_has_it_by_a_setting_alone() {
    if std::path::Path::new(DOCKERS).exists() {
        coracle_integration::skip!("this host has a docker.sock");
    }
    let env = TestEnv::new();
    let mount = format!("{DOCKERS}:/s.sock");
    env.run(["create", "-v", &mount, "alpine"])
        .code(125)
        .stderr_has("no Docker daemon listens there; CORACLE_DOCKER_SOCKET=own");
    let own = env.root().join("run/coracle/docker.sock");
    // Nor does the path of the user's own socket do.
    let service = env.coracle().args(["system", "service"]).start();
    wait::until("it listens", || UnixStream::connect(&own).is_ok());
    let direct = format!("{}:/s.sock", own.display());
    env.run(["create", "-v", &direct, "alpine"]).code(125).stderr_has("can do all that you can");
    let api = Service::at(own.clone());
    let made = api.post(
        "/containers/create",
        &json!({ "Image": "alpine", "HostConfig": { "Binds": [direct], "NetworkMode": "none" } }),
    );
    assert!(made.is(400).text().contains("docker-socket"));
    service.signal(rustix::process::Signal::TERM);
    drop(service.finish());

    // Allowed, it is served when a container starts.
    let allowed = env.coracle().env("CORACLE_DOCKER_SOCKET", "own");
    let ran = allowed
        .args([
            "run",
            "--rm",
            "--network",
            "none",
            "-v",
            &mount,
            "alpine",
            "sh",
            "-c",
            "test -S /s.sock && echo there",
        ])
        .run();
    ran.success().stdout_is("there\n");
    assert!(UnixStream::connect(&own).is_ok());
    let created = env
        .coracle()
        .env("CORACLE_DOCKER_SOCKET", "own")
        .args(["create", "--name", "cc", "-v", &mount, "alpine"])
        .run();
    created.success().stderr_has("/s.sock is your own Engine API");
    let source = env.run(["inspect", "-f", "{{(index .Mounts 0).Source}}", "cc"]).success().line();
    assert_eq!(source, own.display().to_string());
    env.run(["rm", "cc"]).success();
    end_service(&env);
    env.coracle()
        .env("CORACLE_DOCKER_SOCKET", "yes")
        .args(["ps"])
        .run()
        .code(1)
        .stderr_has("the only value is \"own\"");
}

#[test]
fn who_shows_a_swarm_is_shown_it() {
    if std::path::Path::new(DOCKERS).exists() {
        coracle_integration::skip!("this host has a docker.sock");
    }
    let env = TestEnv::new();
    let mount = "type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock";
    let viz = [
        "service", "create", "--name", "viz", "--detach", "--mount", mount, "alpine", "sleep",
        "1000",
    ];
    env.run(["swarm", "init"]).success();
    env.run(viz).code(1).stderr_has("CORACLE_DOCKER_SOCKET=own");
    env.run(["swarm", "leave", "--force"]).success();
    drop(env);

    // The agent has the settings of the command that starts it.
    let env = TestEnv::new();
    let allowed = |words: &[&str]| {
        env.coracle().env("CORACLE_DOCKER_SOCKET", "own").args(words.iter().copied()).run()
    };
    allowed(&["swarm", "init"]).success();
    allowed(&viz).success();
    wait::until("it runs", || {
        env.run([
            "service",
            "ps",
            "-f",
            "desired-state=running",
            "--format",
            "{{.CurrentState}}",
            "viz",
        ])
        .stdout()
        .starts_with("Running")
    });
    // What a visualizer asks, by the socket that it has.
    let id = env.run(["ps", "-q", "--no-trunc"]).success().line();
    let seen = env.run(["exec", &id, "ls", "-l", DOCKERS]).success();
    assert!(seen.stdout().starts_with('s'), "{}", seen.stdout());
    let own = env.root().join("run/coracle/docker.sock");
    let api = Service::at(own);
    for path in ["/nodes", "/services", "/tasks"] {
        let all = api.get(path).is(200).json();
        assert_eq!(all.as_array().map(Vec::len), Some(1), "{path}: {all}");
    }
    env.run(["service", "rm", "viz"]).success();
    wait::until("its task is gone", || env.run(["ps", "-aq"]).stdout().is_empty());
    env.run(["swarm", "leave", "--force"]).success();
    end_service(&env);
}

#[test]
fn standard_input_and_output_are_a_connection() {
    let env = TestEnv::new();
    // Whoever speaks through ssh keeps its end open.
    let dial = "exec 3<>pipe; printf 'GET /_ping HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' >&3; \
                coracle system dial-stdio <&3";
    env.sh("mkfifo pipe").success();
    let said = env.sh(dial).success();
    assert!(said.stdout().ends_with("OK"), "{}", said.stdout());
    // It has started a service, which the next one finds.
    let said = env.sh(dial).success();
    assert!(said.stdout().starts_with("HTTP/1.1 200 OK"), "{}", said.stdout());
    end_service(&env);
}
