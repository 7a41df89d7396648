//! `system service`: the Engine API, as it is on the wire.

mod build;
mod clients;
mod http;
mod of_29;
mod socket;
mod swarm;
mod terminal;
mod with_api;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;

use coracle_integration::{TestEnv, port::free_port, wait};
use http::{Service, read_answer, read_head, unframed};
use serde_json::{Value, json};

#[test]
fn it_is_found_negotiates_and_ends_without_a_trace() {
    let env = TestEnv::new();
    let line = env.run(["system", "service", "--print-env"]).success();
    let wanted =
        format!("export DOCKER_HOST=unix://{}/run/coracle/docker.sock\n", env.root().display());
    assert_eq!(line.stdout(), wanted);
    let service = Service::start(&env);
    let mode = std::fs::metadata(&service.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let path = service.socket.display().to_string();
    env.run(["system", "service", &path]).code(1).stderr_has("a service listens on");

    let ping = service.ask("GET /_ping", b"").is(200);
    assert_eq!((ping.text().as_str(), ping.header("api-version")), ("OK", Some("1.55")));
    assert_eq!((ping.header("builder-version"), ping.header("ostype")), (Some("1"), Some("linux")));
    let head = service.ask("HEAD /_ping", b"").is(200);
    assert_eq!((head.text().as_str(), head.header("swarm")), ("", Some("inactive")));
    let version = service.ask("GET /version", b"").is(200).json();
    assert_eq!(
        (&version["ApiVersion"], &version["MinAPIVersion"]),
        (&json!("1.55"), &json!("1.24"))
    );
    let info = service.get("/info").is(200).json();
    assert_eq!(info["OSType"], "linux");

    let message = |head: &str, status: u16| {
        let answer = service.ask(head, b"").is(status).json();
        answer["message"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(
        message("GET /v1.99/info", 400),
        "client version 1.99 is too new. Maximum supported API version is 1.55"
    );
    let old = service.ask("GET /v1.12/info", b"").is(400);
    assert!(old.text().starts_with("client version 1.12 is too old."), "{}", old.text());
    for missing in ["GET /nothing", "GET /vfoo/info", "POST /info", "GET /info/", "HEAD /version"] {
        let answer = service.ask(missing, b"").is(404);
        assert!(
            missing.starts_with("HEAD") || answer.text().contains("page not found"),
            "{missing}"
        );
    }
    let moved = service.ask("GET //containers//json", b"").is(301);
    assert_eq!(moved.header("location"), Some("/containers/json"));
    service.ask("OPTIONS /anything", b"").is(200);

    let socket = service.socket.clone();
    service.stop().success();
    assert!(!socket.exists(), "the socket goes with the service");
}

#[test]
fn it_ends_when_nobody_is_there() {
    let env = TestEnv::bare();
    let socket = env.root().join("run/s");
    let running = env
        .coracle()
        .args(["system", "service", "--time", "1", &socket.display().to_string()])
        .start();
    running.finish().success();
    assert!(!socket.exists());
}

/// Of two containers one gets the port.
#[track_caller]
fn port_in_use(service: &Service) {
    let port = free_port().to_string();
    let body = json!({
        "Image": "alpine", "Cmd": ["sleep", "1000"],
        "HostConfig": { "PortBindings": { "80/tcp": [{ "HostIp": "127.0.0.1", "HostPort": port }] } },
    });
    service.create("first", &body);
    service.create("second", &body);
    service.post("/containers/first/start", &Value::Null).is(204);
    let refused = service.post("/containers/second/start", &Value::Null).is(500).text();
    assert!(
        refused.contains("driver failed programming external connectivity on endpoint second"),
        "{refused}"
    );
    for name in ["first", "second"] {
        service.delete(&format!("/containers/{name}?force=1")).is(204);
    }
}

#[test]
fn a_container_lives_and_ends() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    let body = json!({
        "Image": "alpine", "Cmd": ["sh", "-c", "echo out; echo err >&2; read x; exit 7"], "OpenStdin": true,
        "Env": ["A=b"], "Labels": { "x": "y" }, "HostConfig": { "NetworkMode": "none", "RestartPolicy": { "Name": "" } },
    });
    let id = service.create("one", &body);
    service.post("/containers/create?name=one", &body).is(409);
    let seen = service.get("/containers/one/json").is(200).json();
    assert_eq!(
        (&seen["Id"], &seen["State"]["Status"], &seen["Config"]["Env"][0]),
        (&json!(id), &json!("created"), &json!("A=b"))
    );

    // Whoever has the head of `wait` misses nothing.
    let mut waiting = service.send(
        "POST /v1.51/containers/one/wait?condition=next-exit",
        &["Connection: close"],
        b"",
    );
    assert_eq!(read_head(&mut waiting).status, 200);
    service.post("/containers/one/start", &Value::Null).is(204);
    service.post("/containers/one/start", &Value::Null).is(304);
    let list = service
        .get("/containers/json?filters=%7B%22label%22%3A%5B%22x%3Dy%22%5D%7D")
        .is(200)
        .json();
    assert_eq!((&list[0]["Names"][0], list.as_array().unwrap().len()), (&json!("/one"), 1));
    service.delete("/containers/one").is(409);
    service.post("/containers/one/pause", &Value::Null).is(204);
    service.post("/containers/one/unpause", &Value::Null).is(204);
    service.post("/containers/one/unpause", &Value::Null).is(500);
    service.post("/containers/one/rename?name=two", &Value::Null).is(204);
    let processes = service.get("/containers/two/top").is(200).json();
    assert!(processes["Titles"].is_array(), "{processes}");

    // Input reaches it through a connection of its own.
    let mut attached = service.send(
        "POST /v1.51/containers/two/attach?stream=1&stdin=1&stdout=1",
        &["Connection: Upgrade", "Upgrade: tcp"],
        b"",
    );
    assert_eq!(read_head(&mut attached).status, 101);
    attached.write_all(b"go\n").unwrap();
    let mut ended = Vec::new();
    waiting.read_to_end(&mut ended).unwrap();
    assert!(String::from_utf8_lossy(&ended).contains("{\"StatusCode\":7}"), "{ended:?}");
    let logs = service.get("/containers/two/logs?stdout=1&stderr=1").is(200);
    assert_eq!(logs.header("content-type"), Some("application/vnd.docker.multiplexed-stream"));
    assert_eq!(unframed(&logs.body), ("out\n".to_owned(), "err\n".to_owned()));
    service.get("/containers/two/logs").is(400);
    assert_eq!(service.post("/containers/two/wait", &Value::Null).is(200).json()["StatusCode"], 7);
    service.post("/containers/two/stop", &Value::Null).is(304);
    service.post("/containers/two/kill", &Value::Null).is(409);
    service.delete("/containers/two").is(204);
    service.delete("/containers/two").is(404);
    service.get("/events?since=20&until=10").is(400);
    service.get("/events?since=x").is(500);
    let events = service.get("/events?since=1&until=0s").is(200).text();
    let old: Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    assert_eq!((&old["status"], &old["id"]), (&old["Action"], &old["Actor"]["ID"]), "{old}");
    let has = |action: &str| {
        events.lines().any(|line| line.contains(&format!("\"Action\":\"{action}\"")))
    };
    assert!(["create", "start", "die", "destroy"].iter().all(|action| has(action)), "{events}");
}

#[test]
fn who_attaches_before_the_start_misses_nothing() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    let body = json!({
        "Image": "alpine", "Cmd": ["sh", "-c", "echo first; cat"], "OpenStdin": true, "StdinOnce": true,
        "AttachStdin": true, "AttachStdout": true, "HostConfig": { "NetworkMode": "none", "AutoRemove": true },
    });
    service.create("early", &body);
    let mut attached = service.send(
        "POST /v1.51/containers/early/attach?stream=1&stdin=1&stdout=1&stderr=1",
        &["Connection: Upgrade", "Upgrade: tcp"],
        b"",
    );
    let head = read_head(&mut attached);
    assert_eq!((head.status, head.header("upgrade")), (101, Some("tcp")));
    let mut waiting = service.send(
        "POST /v1.51/containers/early/wait?condition=removed",
        &["Connection: close"],
        b"",
    );
    read_head(&mut waiting);
    service.post("/containers/early/start", &Value::Null).is(204);
    attached.write_all(b"echoed\n").unwrap();
    // The end of input is the end of `cat`; its output still comes.
    attached.shutdown(Shutdown::Write).unwrap();
    let mut output = Vec::new();
    attached.read_to_end(&mut output).unwrap();
    assert_eq!(unframed(&output).0, "first\nechoed\n");
    let mut ended = Vec::new();
    waiting.read_to_end(&mut ended).unwrap();
    assert!(String::from_utf8_lossy(&ended).contains("{\"StatusCode\":0}"));
    service.get("/containers/early/json").is(404);

    // One that cannot be started is told of by `start`; nobody hangs.
    service.create(
        "never",
        &json!({ "Image": "alpine", "Cmd": ["/nothing"], "HostConfig": { "NetworkMode": "none" } }),
    );
    let mut attached = service.send(
        "POST /v1.51/containers/never/attach?stream=1&stdout=1",
        &["Connection: Upgrade", "Upgrade: tcp"],
        b"",
    );
    read_head(&mut attached);
    service.post("/containers/never/start", &Value::Null).is(400);
    port_in_use(&service);
    attached.read_to_end(&mut Vec::new()).unwrap();
    service.delete("/containers/never").is(204);
}

#[test]
fn programs_run_in_a_container() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    service.create("ee", &json!({ "Image": "alpine", "Cmd": ["sleep", "1000"], "HostConfig": { "NetworkMode": "none" } }));
    let body = json!({ "Cmd": ["sh", "-c", "cat; echo err >&2; exit 3"], "AttachStdin": true, "AttachStdout": true, "AttachStderr": true });
    service.post("/containers/ee/exec", &body).is(409);
    service.post("/containers/ee/start", &Value::Null).is(204);
    let id = service.post("/containers/ee/exec", &body).is(201).json()["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = service.get(&format!("/exec/{id}/json")).is(200).json();
    assert_eq!((&before["ExitCode"], &before["Running"]), (&Value::Null, &json!(false)));
    let start = br#"{"Detach":false,"Tty":false}"#;
    let headers = ["Connection: Upgrade", "Upgrade: tcp", "Content-Type: application/json"];
    let mut stream = service.send(&format!("POST /v1.51/exec/{id}/start"), &headers, start);
    assert_eq!(read_head(&mut stream).status, 101);
    stream.write_all(b"in\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut output = Vec::new();
    stream.read_to_end(&mut output).unwrap();
    assert_eq!(unframed(&output), ("in\n".to_owned(), "err\n".to_owned()));
    wait::until("its exit code is known", || {
        service.get(&format!("/exec/{id}/json")).json()["ExitCode"] == 3
    });

    // Without an upgrade the output is the body of the answer.
    let run = |cmd: Value| {
        let body = json!({ "Cmd": cmd, "AttachStdout": true, "AttachStderr": true });
        let id = service.post("/containers/ee/exec", &body).is(201).json()["Id"]
            .as_str()
            .unwrap()
            .to_owned();
        let answer = service.post(&format!("/exec/{id}/start"), &json!({})).is(200);
        (id, answer)
    };
    let (_, answer) = run(json!(["echo", "hi"]));
    assert_eq!(unframed(&answer.body).0, "hi\n");
    let (id, answer) = run(json!(["/nothing"]));
    assert!(unframed(&answer.body).0.contains("unable to start container process"));
    assert_eq!(service.get(&format!("/exec/{id}/json")).is(200).json()["ExitCode"], 127);
    let again = service.post(&format!("/exec/{id}/start"), &json!({})).is(200);
    assert!(unframed(&again.body).1.contains("has already run"), "{}", again.text());
    service.get("/exec/0123/json").is(404);
    service.delete("/containers/ee?force=1").is(204);
    service.get(&format!("/exec/{id}/json")).is(404);
}

#[test]
fn files_go_in_and_out() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    service.create(
        "ff",
        &json!({ "Image": "alpine", "Cmd": ["true"], "HostConfig": { "NetworkMode": "none" } }),
    );
    env.write("in/a.txt", "content\n");
    env.sh("tar -C in -cf a.tar a.txt").success();
    let archive = std::fs::read(env.work().join("a.tar")).unwrap();
    service.ask("PUT /v1.51/containers/ff/archive?path=/tmp", &archive).is(200);
    let stat = service.ask("HEAD /v1.51/containers/ff/archive?path=/tmp/a.txt", b"").is(200);
    assert!(stat.header("x-docker-container-path-stat").is_some(), "{stat:?}");
    let out = service.get("/containers/ff/archive?path=/tmp/a.txt").is(200);
    assert_eq!(out.header("content-type"), Some("application/x-tar"));
    assert!(out.text().contains("content\n"));
    service.get("/containers/ff/archive?path=/nothing").is(404);
    service.ask("PUT /v1.51/containers/ff/archive?path=/nothing", &archive).is(404);
    // A path that climbs stays inside.
    service.get("/containers/ff/archive?path=/../../../../tmp/a.txt").is(200);
    let changes = service.get("/containers/ff/changes").is(200).json();
    let paths: Vec<&str> =
        changes.as_array().unwrap().iter().filter_map(|one| one["Path"].as_str()).collect();
    assert!(paths.contains(&"/tmp/a.txt"), "{paths:?}");
    service.delete("/containers/ff").is(204);
}

#[test]
fn images_networks_and_volumes() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    let images = service.get("/images/json").is(200).json();
    assert!(images.as_array().is_some_and(|all| !all.is_empty()), "{images}");
    let id = service.get("/images/alpine/json").is(200).json()["Id"].as_str().unwrap().to_owned();
    service.post("/images/alpine/tag?repo=other&tag=1", &Value::Null).is(201);
    assert_eq!(service.get("/images/other:1/json").is(200).json()["Id"], json!(id));
    service.get("/images/UPPER/json").is(400);
    let missing = service.get("/images/nothing/json").is(404).json();
    assert_eq!(missing["message"], "No such image: nothing:latest");
    service.delete("/images/other:1").is(200);
    let saved = service.get("/images/alpine/get").is(200);
    assert!(saved.body.len() > 1024);
    let loaded = service.ask("POST /v1.51/images/load?quiet=1", &saved.body).is(200);
    assert!(loaded.text().contains("Loaded image: alpine:latest"), "{}", loaded.text());
    let broken = service.ask("POST /v1.51/images/load?quiet=1", b"no archive").is(200);
    assert!(broken.json()["errorDetail"]["message"].is_string());
    service.get("/images/search?term=x").is(501);
    service.post("/containers/create", &json!({ "Image": "nothing" })).is(404);

    let made = service
        .post("/networks/create", &json!({ "Name": "n", "CheckDuplicate": true }))
        .is(201)
        .json();
    assert_eq!(made["Warning"], "");
    service.post("/networks/create", &json!({ "Name": "n" })).is(409);
    service.create("cc", &json!({ "Image": "alpine", "Cmd": ["sleep", "1000"], "HostConfig": { "NetworkMode": "n" } }));
    service.post("/containers/cc/start", &Value::Null).is(204);
    let seen = service.get("/networks/n").is(200).json();
    assert_eq!(seen["Containers"].as_object().map(serde_json::Map::len), Some(1), "{seen}");
    service.delete("/networks/n").is(403);
    service.post("/networks/bridge/connect", &json!({ "Container": "cc" })).is(200);
    service.post("/networks/bridge/connect", &json!({ "Container": "cc" })).is(403);
    service.post("/networks/bridge/disconnect", &json!({ "Container": "cc" })).is(200);
    service.delete("/containers/cc?force=true").is(204);
    service.delete("/networks/n").is(204);
    service.delete("/networks/bridge").is(403);

    let volume = service
        .post("/volumes/create", &json!({ "Name": "vv", "Labels": { "a": "b" } }))
        .is(201)
        .json();
    assert_eq!((&volume["Name"], &volume["Labels"]["a"]), (&json!("vv"), &json!("b")));
    assert_eq!(service.get("/volumes").is(200).json()["Volumes"][0]["Name"], "vv");
    service.delete("/volumes/vv").is(204);
    service.delete("/volumes/vv").is(404);
    service.delete("/volumes/vv?force=1").is(204);
    let pruned = service.post("/networks/prune", &Value::Null).is(200).json();
    assert_eq!(pruned["NetworksDeleted"], Value::Null);
}

#[test]
fn what_is_no_request_harms_nobody() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    for bytes in [&b"\0\x01\x02\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"] {
        let mut stream = service.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        drop(stream.read_to_end(&mut Vec::new()));
    }
    // An empty Host is one, none is none.
    for (host, status) in [("Host: \r\n", 200), ("", 400)] {
        let mut stream = service.connect();
        let text = format!("GET /_ping HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        assert_eq!(read_answer(&mut stream).status, status, "{host:?}");
    }
    // Half a request.
    let mut half = service.connect();
    half.write_all(
        b"POST /v1.51/containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    )
    .unwrap();
    drop(half);
    for body in ["{", "[]", "\"x\"", "{\"Image\":1}", "{} {}", ""] {
        service.ask("POST /v1.51/containers/create", body.as_bytes()).is(400);
    }
    let deep = "[".repeat(100_000);
    service.ask("POST /v1.51/networks/create", deep.as_bytes()).is(400);
    service.get("/containers/%2e%2e%2f%2e%2e%2fetc/json").is(404);
    service.get("/exec/..%2f..%2fimages.json/json").is(404);
    // A client that leaves takes its worker with it.
    let mut events = service.send("GET /v1.51/events", &[], b"");
    assert_eq!(read_head(&mut events).status, 200);
    drop(events);
    wait::until("its worker is gone", || {
        let listed = env.sh("grep -lsz '^CORACLE_TEST_WORLD='\"$ROOT\"'$' /proc/[0-9]*/environ | cut -d/ -f3 | while read p; do tr '\\0' ' ' < /proc/$p/cmdline; echo; done");
        !listed.stdout().contains("coracle-api ")
    });
    let mut ping = service.send("GET /_ping", &["Connection: close"], b"");
    assert_eq!(read_answer(&mut ping).status, 200);
}
