//! What the Engine API of Docker 29 answers otherwise than that of 28, as recorded from 29.7.2.

use coracle_integration::TestEnv;
use serde_json::{Value, json};

use super::http::{Service, read_answer};

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> =
        value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_version_chooses_the_members() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    let get = |path: &str| service.ask(&format!("GET {path}"), b"").is(200);

    let ping = get("/_ping");
    assert_eq!(ping.header("api-version"), Some("1.55"));
    let new = service.ask("GET /v1.99/version", b"").is(400).json();
    let words = "client version 1.99 is too new. Maximum supported API version is 1.55";
    assert_eq!(new["message"], words);

    let old = ["BuildCache", "Containers", "Images", "LayersSize", "Volumes"];
    let new = ["BuildCacheUsage", "ContainerUsage", "ImageUsage", "VolumeUsage"];
    assert_eq!(keys(&get("/v1.44/system/df").json()), old);
    assert_eq!(keys(&get("/system/df?verbose=1").json()), new);
    let mut both = [&old[..], &new[..]].concat();
    both.sort_unstable();
    assert_eq!(keys(&get("/system/df").json()), both);

    let image = get("/v1.44/images/alpine/json").json();
    assert!(image["Parent"] == "" && image.get("GraphDriver").is_some(), "{image}");
    let image = get("/images/alpine/json").json();
    assert!(image.get("GraphDriver").is_none() && image.get("Parent").is_none(), "{image}");
    assert_eq!(image["Descriptor"]["mediaType"], "application/vnd.oci.image.manifest.v1+json");

    let body = json!({
        "Image": "alpine", "Cmd": ["sleep", "1000"],
        "Healthcheck": { "Test": ["CMD", "true"], "Interval": 3_600_000_000_000_u64, "StartPeriod": 3_600_000_000_000_u64 },
    });
    service.create("l1", &body);
    service.post("/containers/l1/start", &Value::Null).is(204);
    let list = get("/containers/json").json();
    assert_eq!(list[0]["Health"], json!({ "Status": "starting", "FailingStreak": 0 }));
    let list = get("/v1.51/containers/json").json();
    assert!(list[0].get("Health").is_none(), "{list}");
    let refused = service.ask("GET /containers/l1/logs", b"").is(400).json();
    assert_eq!(refused["message"], "must specify at least one of 'stdout' or 'stderr'");
    let stats = get("/containers/l1/stats?stream=false&one-shot=true").json();
    assert_eq!((&stats["os_type"], &stats["name"]), (&json!("linux"), &json!("/l1")));

    let network = json!({ "Name": "n2", "IPAM": { "Config": [{ "Subnet": "10.99.0.0/24", "IPRange": "10.99.0.128/25" }] } });
    service.post("/networks/create", &network).is(201);
    let status = get("/networks/n2").json()["Status"].clone();
    let numbers = json!({ "IPsInUse": 3, "DynamicIPsAvailable": 127 });
    assert_eq!(status["IPAM"]["Subnets"]["10.99.0.0/24"], numbers, "{status}");
    let one = &get("/networks?filters=%7B%22name%22%3A%5B%22n2%22%5D%7D").json()[0];
    assert!(one["Name"] == "n2" && one.get("Status").is_none(), "{one}");
    let wish =
        json!({ "Container": "l1", "EndpointConfig": { "MacAddress": "02:42:ac:11:00:99" } });
    service.ask("POST /networks/n2/connect", wish.to_string().as_bytes()).is(200);
    let networks = get("/containers/l1/json").json()["NetworkSettings"]["Networks"].clone();
    assert_eq!(networks["n2"]["MacAddress"], "02:42:ac:11:00:99", "{networks}");
    service.delete("/containers/l1?force=true").is(204);
    service.delete("/networks/n2").is(204);

    let events = get("/events?since=1&until=2");
    assert_eq!(events.header("content-type"), Some("application/jsonl"));
    for kind in ["application/x-ndjson", "application/json-seq", "application/json"] {
        let accept = format!("Accept: {kind}, */*");
        let headers = ["Connection: close", accept.as_str()];
        let head = "GET /events?since=1&until=0s&filters=%7B%22event%22%3A%5B%22destroy%22%5D%7D";
        let events = read_answer(&mut service.send(head, &headers, b"")).is(200);
        assert_eq!(events.header("content-type"), Some(kind));
        assert_eq!(events.text().starts_with('\x1e'), kind == "application/json-seq", "{kind}");
    }
    let missing = service.post("/images/create?fromImage=127.0.0.1:1/p/nosuch&tag=1", &Value::Null);
    assert!(missing.text().contains("failed to resolve reference"), "{}", missing.text());
}
