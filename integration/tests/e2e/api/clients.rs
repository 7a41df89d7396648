//! What the clients' own tests (`scripts/clients`) look at, and met a fault in.

use std::io::Read;

use coracle_integration::TestEnv;
use serde_json::{Value, json};

use crate::api::http::{Service, read_answer, read_head, unframed};

fn sleeper(seconds: &str) -> Value {
    json!({ "Image": "alpine", "Cmd": ["sleep", seconds], "HostConfig": { "NetworkMode": "none" } })
}

/// docker-py: `exec_create(tty=True)`, then `exec_start()`.
#[test]
fn output_of_exec_has_headers_unless_its_start_says_terminal() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    service.create("ex", &sleeper("1000"));
    service.post("/containers/ex/start", &Value::Null).is(204);
    for (makes, starts) in [(true, true), (true, false), (false, false)] {
        let body = json!({ "Cmd": ["printf", "hi"], "Tty": makes, "AttachStdout": true });
        let made = service.post("/containers/ex/exec", &body).is(201).json();
        let path = format!("/exec/{}/start", made["Id"].as_str().unwrap());
        let output = service.post(&path, &json!({ "Tty": starts })).is(200).body;
        let text = match starts {
            true => String::from_utf8(output).unwrap(),
            false => unframed(&output).0,
        };
        assert_eq!(text, "hi", "made with {makes}, started with {starts}");
    }
}

/// dockerode waits for the next end and looks; Compose looks when an event tells of the end.
#[test]
fn who_hears_of_an_end_sees_it() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    service.create("end", &sleeper("0"));
    let id = service.get("/containers/end/json").is(200).json()["Id"].as_str().unwrap().to_owned();
    let filters =
        format!("%7B%22container%22%3A%5B%22{id}%22%5D%2C%22event%22%3A%5B%22die%22%5D%7D");
    for by_event in [true, false].repeat(3) {
        let head = match by_event {
            true => format!("GET /v1.51/events?filters={filters}"),
            false => "POST /v1.51/containers/end/wait?condition=next-exit".to_owned(),
        };
        let mut told = service.send(&head, &["Connection: close"], b"");
        assert_eq!(read_head(&mut told).status, 200);
        service.post("/containers/end/start", &Value::Null).is(204);
        told.read_exact(&mut [0; 20]).expect("it is told of the end");
        let state = service.get("/containers/end/json").is(200).json()["State"].clone();
        assert_eq!((&state["Running"], &state["Status"]), (&json!(false), &json!("exited")));
    }
}

#[test]
fn runtimes_and_links_that_are_not_there_are_refused() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    let with = |runtime: &str| json!({ "Image": "alpine", "HostConfig": { "Runtime": runtime } });
    let refused = service.post("/containers/create?name=rt", &with("crun")).is(400).json();
    assert_eq!(refused["message"], "unknown or invalid runtime name: crun");
    service.create("rt", &with("runc"));
    assert_eq!(service.get("/containers/rt/json").is(200).json()["HostConfig"]["Runtime"], "runc");
    let missing = service.delete("/containers/rt/mylink").is(404).json();
    assert_eq!(missing["message"], "No such container: rt/mylink");
    let refused = service.delete("/containers/rt/mylink?link=1").is(500).json();
    assert_eq!(refused["message"], "a link cannot be taken from its container");
    service.delete("/containers/rt").is(204);
}

#[test]
fn networks_are_found_by_their_scope() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    let plain = json!({ "Name": "plain", "IPAM": { "Driver": "default", "Options": null } });
    service.post("/networks/create", &plain).is(201);
    let named = json!({ "Name": "named", "IPAM": { "Options": {} } });
    service.post("/networks/create", &named).is(201);
    let options = |name: &str| {
        service.get(&format!("/networks/{name}")).is(200).json()["IPAM"]["Options"].clone()
    };
    assert_eq!((options("plain"), options("named")), (Value::Null, json!({})));
    let unknown = json!({ "Name": "x", "IPAM": { "Options": { "a": "b" } } });
    service.post("/networks/create", &unknown).is(501);
    service.get("/networks/plain?scope=local").is(200);
    service.get("/networks/plain?scope=swarm").is(404);
    let overlay = json!({ "Name": "over", "Driver": "overlay", "Scope": "swarm" });
    service.post("/networks/create", &overlay).is(503);

    service.post("/swarm/init", &json!({ "ListenAddr": "0.0.0.0:2377" })).is(200);
    service.post("/networks/create", &overlay).is(201);
    service.get("/networks/over?scope=swarm").is(200);
    service.get("/networks/over?scope=local").is(404);
    service.delete("/networks/ingress").is(204);
    let ingress = json!({ "Name": "in", "Driver": "overlay", "Ingress": true });
    service.post("/networks/create", &ingress).is(201);
    assert_eq!(service.get("/networks/in").is(200).json()["Ingress"], true);
    for name in ["plain", "named", "over", "in"] {
        service.delete(&format!("/networks/{name}")).is(204);
    }
    service.post("/swarm/leave?force=1", &Value::Null).is(200);
}

#[test]
fn a_swarm_has_its_defaults_and_new_keys() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    let spec = json!({
        "CAConfig": { "NodeCertExpiry": 6_000_000_000_000_000_i64, "ForceRotate": 3 },
        "EncryptionConfig": { "AutoLockManagers": true },
    });
    let body = json!({ "ListenAddr": "0.0.0.0:2377", "DefaultAddrPool": null, "SubnetSize": null, "Spec": spec });
    service.post("/swarm/init", &body).is(200);
    let swarm = service.get("/swarm").is(200).json();
    assert_eq!(
        (&swarm["DefaultAddrPool"], &swarm["SubnetSize"]),
        (&json!(["10.0.0.0/8"]), &json!(24))
    );
    assert_eq!(swarm["Spec"]["CAConfig"], spec["CAConfig"]);
    let key = || service.get("/swarm/unlockkey").is(200).json()["UnlockKey"].clone();
    let (before, version) = (key(), swarm["Version"]["Index"].as_u64().unwrap());
    let rotated = format!("/swarm/update?version={version}&rotateManagerUnlockKey=true");
    service.post(&rotated, &json!({})).is(200);
    assert_ne!(key(), before);
    service.post("/swarm/leave?force=1", &Value::Null).is(200);
}

#[test]
fn services_are_kept_as_they_are_written() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    service.post("/swarm/init", &json!({ "ListenAddr": "0.0.0.0:2377" })).is(200);
    let overlay = json!({ "Name": "over", "Driver": "overlay" });
    let network = service.post("/networks/create", &overlay).is(201).json()["Id"].clone();
    let spec = |target: &str| {
        json!({
            "Name": "s",
            "TaskTemplate": {
                "ContainerSpec": { "Image": "alpine", "Args": ["sleep", "1000"], "Labels": { "small": "kept" } },
                "Networks": [{ "Target": target }],
            },
            "Mode": { "replicated": { "replicas": 0 } },
            "RollbackConfig": { "order": "start-first" },
        })
    };
    let bridge = json!({ "Name": "here" });
    service.post("/networks/create", &bridge).is(201);
    service.post("/services/create", &spec("nosuch")).is(404);
    service.post("/services/create", &spec("here")).is(403);
    service.post("/services/create", &spec("over")).is(201);
    let bare = service.get("/services/s").is(200).json()["Spec"].clone();
    assert_eq!(bare["TaskTemplate"]["Networks"], json!([{ "Target": network }]));
    assert_eq!(bare["RollbackConfig"]["Order"], "start-first");
    assert_eq!(bare["TaskTemplate"]["ContainerSpec"]["Labels"], json!({ "small": "kept" }));
    assert_eq!(bare.get("UpdateConfig"), None, "{bare}");
    let full = service.get("/services/s?insertDefaults=true").is(200).json()["Spec"].clone();
    assert_eq!(full["UpdateConfig"]["Order"], "stop-first");
    let config = json!({ "Name": "c", "Data": "dmFsdWU=", "Templating": { "name": "golang" } });
    service.post("/configs/create", &config).is(201);
    let config = service.get("/configs/c").is(200).json();
    assert_eq!(config["Spec"]["Templating"]["Name"], "golang");
    service.delete("/services/s").is(200);
    service.post("/swarm/leave?force=1", &Value::Null).is(200);
    service.delete("/networks/here").is(204);
}

/// docker-py sends no folders where `.dockerignore` leaves out all but a file in them; Docker's client leaves out what
/// follows the last file where the Dockerfile lies outside.
#[test]
fn a_context_is_what_its_files_are() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    env.write("c/Dockerfile", "FROM alpine\nCOPY . /c\nRUN echo wrong >&2\n");
    env.write("c/deep/er/f", "kept\n");
    env.sh("tar -C c -cf c.tar Dockerfile deep/er/f").success();
    let mut archive = std::fs::read(env.work().join("c.tar")).unwrap();
    let end = archive.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    archive.truncate(end);
    let headers = ["Connection: close", "Content-Type: application/x-tar"];
    let head = "POST /v1.51/build?t=ctx:1&nocache=1";
    let said = read_answer(&mut service.send(head, &headers, &archive)).is(200).text();
    // Docker's classic builder marks what is written to standard error.
    assert!(said.contains(r#"{"stream":"\u001b[91mwrong\n\u001b[0m"}"#), "{said}");
    env.run(["run", "--rm", "ctx:1", "cat", "/c/deep/er/f"]).success().stdout_is("kept\n");
}
