//! What a file makes of services, networks, secrets and configs, and the refusals.

use serde_json::{Value, json};

use super::images::Resolve;
use super::*;
use crate::model::{Service, ServiceSpec};
use crate::state::State;

fn id_of(name: &str) -> Option<(String, String)> {
    (!name.starts_with("gone")).then(|| (format!("id-{name}"), name.to_owned()))
}

fn convert(config: &Value) -> Result<Vec<WantedService>, StackError> {
    services(config, "s", &Known { secret: &id_of, config: &id_of })
}

/// The spec of a service `w` with these attributes, as the API shows it.
fn spec(attributes: Value) -> Value {
    let config = json!({"services": {"w": attributes}, "volumes": {"v": {"labels": {"a": "b"}}, "x": {"name": "y", "external": true}},
        "networks": {"n": {"name": "own"}, "host": {"name": "host", "external": true}},
        "secrets": {"k": {"file": "/k"}}, "configs": {"c": {"name": "cc", "file": "/c"}}});
    let spec = convert(&config).unwrap().remove(0).spec.unwrap();
    serde_json::to_value(spec).unwrap()
}

fn refusal(attributes: Value) -> String {
    let config = json!({"services": {"w": attributes}, "configs": {"c": {}}});
    match convert(&config) {
        Err(error) => error.to_string(),
        Ok(mut services) => services.remove(0).spec.unwrap_err().to_string(),
    }
}

#[test]
fn the_parts_of_a_spec() {
    let task = |attributes: Value, part: &str| {
        spec(attributes).pointer(&format!("/TaskTemplate{part}")).cloned().unwrap_or(Value::Null)
    };
    for (attributes, part, expected) in [
        (json!({"image": "alpine"}), "/ContainerSpec/Image", json!("alpine:latest")),
        (json!({"environment": {"B": "1", "A": null}}), "/ContainerSpec/Env", json!(["A", "B=1"])),
        (json!({"extra_hosts": ["b:::1"]}), "/ContainerSpec/Hosts", json!(["::1 b"])),
        (
            json!({"cap_add": ["sys_time", "all"], "cap_drop": ["CHOWN"]}),
            "/ContainerSpec/CapabilityDrop",
            json!(["CAP_CHOWN"]),
        ),
        (
            json!({"stop_grace_period": "1m5s"}),
            "/ContainerSpec/StopGracePeriod",
            json!(65_000_000_000_i64),
        ),
        (
            json!({"healthcheck": {"disable": true}}),
            "/ContainerSpec/Healthcheck",
            json!({"Test": ["NONE"]}),
        ),
        (
            json!({"ulimits": {"b": {"soft": 1, "hard": 2}, "a": 3}}),
            "/ContainerSpec/Ulimits",
            json!([{"Name": "a", "Hard": 3, "Soft": 3}, {"Name": "b", "Hard": 2, "Soft": 1}]),
        ),
        (json!({}), "/Networks", json!([{"Target": "s_default", "Aliases": ["w"]}])),
        (
            json!({"networks": {"n": {"aliases": ["x"]}, "host": null}}),
            "/Networks",
            json!([{"Target": "host"}, {"Target": "own", "Aliases": ["x", "w"]}]),
        ),
        (
            json!({"volumes": [{"type": "volume", "source": "v", "target": "/v"}]}),
            "/ContainerSpec/Mounts",
            json!([{"Type": "volume", "Source": "s_v", "Target": "/v",
                "VolumeOptions": {"Labels": {"a": "b", NAMESPACE: "s"}}}]),
        ),
        (
            json!({"volumes": [{"type": "volume", "source": "x", "target": "/x"}]}),
            "/ContainerSpec/Mounts",
            json!([{"Type": "volume", "Source": "y", "Target": "/x", "VolumeOptions": {}}]),
        ),
        (
            json!({"secrets": [{"source": "k", "mode": 256}]}),
            "/ContainerSpec/Secrets",
            json!([{"File": {"Name": "k", "UID": "0", "GID": "0", "Mode": 256}, "SecretID": "id-s_k", "SecretName": "s_k"}]),
        ),
        (
            json!({"deploy": {"resources": {"limits": {"cpus": "0.5", "memory": "1024"}}}}),
            "/Resources",
            json!({"Limits": {"NanoCPUs": 500_000_000, "MemoryBytes": 1024}}),
        ),
        (
            json!({"restart": "on-failure:3"}),
            "/RestartPolicy",
            json!({"Condition": "on-failure", "MaxAttempts": 3}),
        ),
        (json!({"restart": "no"}), "/RestartPolicy", Value::Null),
        (
            json!({"restart": "always", "deploy": {"restart_policy": {"condition": "none", "delay": "0s"}}}),
            "/RestartPolicy",
            json!({"Condition": "none", "Delay": 0}),
        ),
    ] {
        assert_eq!(task(attributes.clone(), part), expected, "{attributes}");
    }
}

#[test]
fn modes_updates_and_ports() {
    let it = spec(json!({"image": "i", "deploy": {"labels": {"l": "m"}, "endpoint_mode": "dnsrr",
        "update_config": {"delay": "5s", "order": "start-first"}},
        "ports": [{"target": 2, "published": 9}, {"mode": "host", "target": 1, "published": 8, "protocol": "tcp"}]}));
    assert_eq!(it["Labels"], json!({"l": "m", NAMESPACE: "s", IMAGE: "i"}));
    assert_eq!(it["Mode"], json!({"Replicated": {"Replicas": 1}}));
    assert_eq!(it["UpdateConfig"]["Parallelism"], 1);
    assert_eq!(it["UpdateConfig"]["Delay"], 5_000_000_000_i64);
    assert_eq!(it["EndpointSpec"]["Ports"][0]["PublishMode"], "host");
    let jobs = spec(json!({"deploy": {"mode": "replicated-job", "replicas": 2}}));
    assert_eq!(jobs["Mode"], json!({"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 2}}));
}

#[test]
fn refusals_in_the_recorded_words() {
    for (attributes, words) in [
        (json!({"deploy": {"mode": "bogus"}}), "service w: unknown mode: bogus"),
        (
            json!({"deploy": {"mode": "global", "replicas": 1}}),
            "service w: replicas can only be used with replicated or replicated-job mode",
        ),
        (json!({"networks": {"zz": null}}), "service w: undefined network \"zz\""),
        (json!({"configs": [{"source": "no"}]}), "service w: undefined config \"no\""),
        (
            json!({"configs": [{"source": "c"}, {"source": "c"}]}),
            "service w: duplicate config target for s_c not allowed",
        ),
        (
            json!({"healthcheck": {"test": ["CMD", "x"], "disable": true}}),
            "service w: test and disable can't be set at the same time",
        ),
        (
            json!({"restart": "bogus"}),
            "service w: invalid restart policy: unknown policy 'bogus' (must be one of 'no', \
             'always', 'on-failure', or 'unless-stopped')",
        ),
        (
            json!({"restart": "on-failure:x"}),
            "service w: invalid restart policy format: maximum retry count must be an integer",
        ),
        (
            json!({"credential_spec": {"file": "a", "registry": "b"}}),
            "service w: invalid credential spec: cannot specify both \"File\" and \"Registry\"",
        ),
        (
            json!({"volumes": [{"type": "bind", "source": "/a", "target": "/b", "volume": {}}]}),
            "service w: volume options are incompatible with type bind",
        ),
        (
            json!({"deploy": {"restart_policy": {"condition": "bogus"}}}),
            "invalid RestartCondition: \"bogus\"",
        ),
        (
            json!({"deploy": {"update_config": {"failure_action": "bogus"}}}),
            "unrecognized update failure action bogus",
        ),
    ] {
        assert_eq!(refusal(attributes), words);
    }
    assert!(check_name("\" '").is_err() && check_name("a").is_ok());
}

#[test]
fn networks_that_services_are_on() {
    let config = json!({"services": {"a": {}, "b": {"networks": {"n": null, "e": null}}},
        "networks": {"n": {"driver": "overlay", "attachable": true, "ipam": {"config": [{"subnet": "10.9.0.0/24"}]}},
            "e": {"name": "other", "external": true}, "unused": {}}});
    let (wanted, external) = networks(&config, "s");
    assert_eq!(external, ["other"]);
    let names: Vec<&str> = wanted.iter().map(|network| network.name.as_str()).collect();
    assert_eq!(names, ["s_default", "s_n"]);
    assert!(wanted[1].attachable && wanted[1].subnets == ["10.9.0.0/24"]);
}

#[test]
fn where_secrets_come_from() {
    let config = json!({"secrets": {"f": {"file": "/f"}, "e": {"environment": "V"}, "x": {"external": true},
        "d": {"driver": "vault", "template_driver": "golang"}}});
    let given = |key: &str| (key == "e").then(|| "value".to_owned());
    let all = secrets(&config, "s", &given);
    let contents: Vec<&Content> = all.iter().map(|wanted| &wanted.content).collect();
    assert_eq!(
        contents,
        [&Content::Elsewhere, &Content::Given("value".to_owned()), &Content::File("/f".to_owned())]
    );
    assert_eq!(all[0].spec.templating.as_ref().unwrap().name, "golang");
    assert_eq!(all[2].spec.name, "s_f");
}

fn service(name: &str, image: &str) -> Service {
    let mut service = Service { id: format!("id-{name}"), ..Service::default() };
    service.spec.name = name.to_owned();
    service.spec.labels =
        [(NAMESPACE, "s"), (IMAGE, image)].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    service.spec.task_template.container_spec.image = format!("{image}:latest@sha256:abc");
    service
}

#[test]
fn a_service_keeps_its_image_unless_the_registry_is_asked() {
    let known = service("s_w", "i");
    let mut spec = ServiceSpec { labels: known.spec.labels.clone(), ..ServiceSpec::default() };
    assert!(Resolve::Always.asks(Some(&known), &mut spec) && !Resolve::Never.asks(None, &mut spec));
    assert!(spec.task_template.container_spec.image.is_empty());
    assert!(!Resolve::Changed.asks(Some(&known), &mut spec));
    assert_eq!(spec.task_template.container_spec.image, "i:latest@sha256:abc");
    spec.labels.insert(IMAGE.to_owned(), "j".to_owned());
    assert!(Resolve::Changed.asks(Some(&known), &mut spec));
    assert!("bogus".parse::<Resolve>().is_err());
}

#[test]
fn members_of_a_stack() {
    let mut state = State::default();
    for name in ["s_b", "s_a"] {
        state.services.insert(name.to_owned(), service(name, "i"));
    }
    let mut removed = service("s_c", "i");
    removed.own.removed = true;
    state.services.insert("c".to_owned(), removed);
    assert_eq!(members::stacks(&state).into_iter().collect::<Vec<_>>(), [("s".to_owned(), 2)]);
    let left = members::left_over(&state, "s", &json!({"services": {"a": {}}}));
    assert_eq!(left.iter().map(|it| it.spec.name.as_str()).collect::<Vec<_>>(), ["s_b"]);
}
