//! The swarm through the Engine API.

use std::io::Read as _;

use coracle_integration::{TestEnv, wait};
use serde_json::{Value, json};

use crate::api::http::{Service, read_head, unframed};

fn filter(text: &str) -> String {
    text.replace('{', "%7B")
        .replace('}', "%7D")
        .replace('"', "%22")
        .replace('[', "%5B")
        .replace(']', "%5D")
}

#[test]
fn services_tasks_and_nodes() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    for path in ["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs"] {
        let message = service.get(path).is(503).json()["message"].as_str().unwrap().to_owned();
        assert!(
            message.starts_with("This node is not a swarm manager. Use \"docker swarm init\""),
            "{message}"
        );
    }
    service.post("/swarm/leave?force=1", &Value::Null).is(503);
    let body = json!({ "ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "", "Spec": { "Labels": null, "Raft": { "ElectionTick": 0 } }, "SubnetSize": 0 });
    let id = service.post("/swarm/init", &body).is(200).json().as_str().unwrap().to_owned();
    service.post("/swarm/init", &body).is(503);
    assert_eq!(service.ask("GET /_ping", b"").is(200).header("swarm"), Some("active/manager"));
    assert_eq!(service.ask("HEAD /_ping", b"").is(200).header("swarm"), Some("active/manager"));
    let swarm = service.get("/swarm").is(200).json();
    assert!(swarm["JoinTokens"]["Worker"].as_str().unwrap().starts_with("SWMTKN-1-"), "{swarm}");
    let nodes = service.get("/nodes").is(200).json();
    assert_eq!((&nodes[0]["ID"], nodes.as_array().unwrap().len()), (&json!(id), 1));
    assert_eq!(service.get(&format!("/nodes/{id}")).is(200).json()["Spec"]["Role"], "manager");
    service.get("/nodes/nosuch").is(404);
    service.post("/swarm/join", &json!({ "JoinToken": "x" })).is(503);
    service.ask("PUT /volumes/v?version=0", b"{}").is(503);
    service.post("/swarm/leave", &Value::Null).is(503);
    service.post("/swarm/leave?force=1", &Value::Null).is(200);
    service.get("/swarm").is(503);
    service.post("/swarm/join", &json!({ "JoinToken": "x" })).is(501);
}

/// A service `web` that is given a secret.
fn web(secret: &Value, replicas: u64) -> Value {
    json!({
        "Name": "web",
        "Labels": { "a": "b" },
        "TaskTemplate": { "ContainerSpec": {
            "Image": "alpine", "Command": ["sh", "-c", "cat /run/secrets/s > /seen; echo out; echo err >&2; sleep 1000"], "Env": null,
            "Secrets": [{ "SecretID": secret["ID"], "SecretName": "s", "File": { "Name": "s", "UID": "0", "GID": "0", "Mode": 292 } }],
        } },
        "Mode": { "Replicated": { "Replicas": replicas } },
        "EndpointSpec": { "Mode": "vip" },
    })
}

/// The logs of the service `web`, which has one task, and of the task.
#[track_caller]
fn logs_say_whose_they_are(service: &Service, id: &str, task: &str) {
    for path in ["/services/web".to_owned(), format!("/tasks/{task}")] {
        service.get(&format!("{path}/logs")).is(400);
        wait::until("both lines are there", || {
            let seen = service.get(&format!("{path}/logs?stdout=1&stderr=1")).is(200);
            unframed(&seen.body) == ("out\n".to_owned(), "err\n".to_owned())
        });
        let (out, err) =
            unframed(&service.get(&format!("{path}/logs?stdout=1&details=1")).is(200).body);
        let whose =
            format!("com.docker.swarm.service.id={id},com.docker.swarm.task.id={task} out\n");
        assert!(out.starts_with("com.docker.swarm.node.id=") && out.ends_with(&whose), "{out}");
        assert_eq!(err, "");
    }
    service.get("/services/nosuch/logs?stdout=1").is(404);
    service.get("/tasks/web/logs?stdout=1").is(404);
}

#[test]
fn what_a_service_is_given_lies_in_its_tasks() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    service.post("/swarm/init", &json!({ "ListenAddr": "0.0.0.0:2377" })).is(200);
    let secret = service
        .post("/secrets/create", &json!({ "Name": "s", "Data": "dmFsdWU=", "Labels": null }))
        .is(201)
        .json();
    service.post("/secrets/create", &json!({ "Name": "s", "Data": "dmFsdWU=" })).is(409);
    service.post("/configs/create", &json!({ "Name": "c", "Data": "dmFsdWU=" })).is(201);
    assert_eq!(service.get("/configs/c").is(200).json()["Spec"]["Data"], "dmFsdWU=");
    assert_eq!(service.get("/secrets/s").is(200).json()["Spec"]["Data"], Value::Null);
    let spec = |replicas: u64| web(&secret, replicas);
    let made = service.post("/services/create", &spec(1)).is(201).json();
    let id = made["ID"].as_str().unwrap().to_owned();
    service.post("/services/create", &spec(1)).is(409);
    let running = |count: u64| {
        let of = filter(
            "{\"service\":[\"web\"],\"desired-state\":[\"running\"],\"_up-to-date\":[\"true\"]}",
        );
        wait::until("its tasks run", || {
            let tasks = service.get(&format!("/tasks?filters={of}")).is(200).json();
            let tasks = tasks.as_array().unwrap();
            tasks.len() as u64 == count
                && tasks.iter().all(|task| task["Status"]["State"] == "running")
        });
    };
    running(1);
    service.delete("/secrets/s").is(400);
    let listed = service.get("/services?status=1").is(200).json();
    assert_eq!(
        (&listed[0]["ID"], &listed[0]["ServiceStatus"]["RunningTasks"]),
        (&json!(id), &json!(1))
    );
    let task = service.get("/tasks").is(200).json()[0].clone();
    let container = task["Status"]["ContainerStatus"]["ContainerID"].as_str().unwrap().to_owned();
    env.run(["exec", &container, "cat", "/run/secrets/s"]).success().stdout_is("value");
    assert_eq!(
        service.get(&format!("/tasks/{}", task["ID"].as_str().unwrap())).is(200).json()["ID"],
        task["ID"]
    );

    let task = task["ID"].as_str().unwrap();
    logs_say_whose_they_are(&service, &id, task);
    // One that follows goes on for as long as the service is there.
    let mut following = service.send(
        "GET /services/web/logs?stdout=1&follow=1&tail=0",
        &["Connection: close"],
        b"",
    );
    read_head(&mut following).is(200);
    let spec_of =
        |query: &str| service.get(&format!("/services/web{query}")).is(200).json()["Spec"].clone();
    assert_eq!(spec_of("").get("UpdateConfig"), None);
    assert_eq!(spec_of("?insertDefaults=true")["UpdateConfig"]["Parallelism"], 1);

    let index = service.get("/services/web").is(200).json()["Version"]["Index"].as_u64().unwrap();
    service.post(&format!("/services/web/update?version={}", index - 1), &spec(2)).is(500);
    service.post("/services/web/update", &spec(2)).is(400);
    let index = service.get("/services/web").is(200).json()["Version"]["Index"].as_u64().unwrap();
    service.post(&format!("/services/{id}/update?version={index}"), &spec(2)).is(200);
    running(2);
    service.delete("/services/web").is(200);
    service.delete("/services/web").is(404);
    // What the second task wrote came, and an end.
    let mut rest = String::new();
    following.read_to_string(&mut rest).expect("an end");
    assert!(rest.contains("out\n"), "{rest:?}");
    wait::until("its tasks are gone", || service.get("/tasks").is(200).json() == json!([]));
    service.delete("/secrets/s").is(204);
    service.delete("/configs/c").is(204);
    service.delete("/configs/c").is(404);
    service.post("/swarm/leave?force=1", &Value::Null).is(200);
}
