//! Specs as Docker's client makes them, from recordings.

use serde_json::json;

use super::*;
use crate::model::task::{NetworkUse, Preference, Spread};
use crate::model::{FileTarget, PortConfig, Secret, SecretUse, ServiceSpec};

fn network(name: &str) -> Result<String, EditError> {
    match name {
        "nosuch" => Err(EditError::Engine(format!("network {name} not found"))),
        name => Ok(format!("id-{name}")),
    }
}

fn state() -> State {
    let mut state = State::default();
    for name in ["s1", "s2"] {
        let mut secret = Secret { id: format!("id-{name}"), ..Secret::default() };
        secret.spec.name = name.to_owned();
        state.secrets.insert(secret.id.clone(), secret);
    }
    state
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn made(mode: &str, given: &Given, added: &Lists) -> Result<ServiceSpec, EditError> {
    let new = NewService { name: "s1".to_owned(), mode: mode.to_owned() };
    create(&new, given, added, &Known { state: &state(), network: &network })
}

fn sleep() -> Given {
    Given {
        image: Some("alpine:latest".to_owned()),
        args: Some(texts(&["sleep", "1000"])),
        ..Given::default()
    }
}

fn plain() -> ServiceSpec {
    made("replicated", &Given { replicas: Some(3), ..sleep() }, &Lists::default()).unwrap()
}

fn updated(
    spec: &mut ServiceSpec,
    given: &Given,
    added: &Lists,
    removed: &Removals,
) -> Result<(), EditError> {
    update(spec, given, added, removed, &Known { state: &state(), network: &network })
}

#[test]
fn what_is_not_said_stays_out() {
    let spec = serde_json::to_value(plain()).unwrap();
    let expected = json!({
        "Name": "s1",
        "Labels": {},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": "alpine:latest", "Args": ["sleep", "1000"], "Init": false, "DNSConfig": {},
            },
            "Resources": { "Limits": {}, "Reservations": {} },
            "Placement": {},
            "ForceUpdate": 0,
        },
        "Mode": { "Replicated": { "Replicas": 3 } },
        "EndpointSpec": { "Mode": "vip" },
    });
    assert_eq!(spec, expected);
}

fn most_options() -> Given {
    Given {
        replicas: Some(2),
        max_replicas: Some(5),
        update: GivenUpdate {
            delay: Some(1_000_000_000),
            monitor: Some(2_000_000_000),
            failure_action: Some("rollback".to_owned()),
            max_failure_ratio: Some(0.1),
            order: Some("start-first".to_owned()),
            ..GivenUpdate::default()
        },
        rollback: GivenUpdate {
            parallelism: Some(2),
            delay: Some(3_000_000_000),
            ..GivenUpdate::default()
        },
        restart: GivenRestart {
            condition: Some("on-failure".to_owned()),
            delay: Some(2_000_000_000),
            max_attempts: Some(3),
            window: Some(10_000_000_000),
        },
        cap_add: texts(&["net_admin"]),
        cap_drop: texts(&["CAP_CHOWN"]),
        health: GivenHealth {
            cmd: Some("true".to_owned()),
            interval: Some(5_000_000_000),
            ..GivenHealth::default()
        },
        log_driver: Some("json-file".to_owned()),
        log_opts: texts(&["max-size=1m"]),
        resources: GivenResources {
            limit_memory: Some(67_108_864),
            reserve_cpu: Some(100_000_000),
            reserve_memory: Some(16_777_216),
            ..GivenResources::default()
        },
        ..sleep()
    }
}

#[test]
fn the_recorded_service_with_most_options() {
    let spread =
        |by: &str| Preference { spread: Some(Spread { spread_descriptor: by.to_owned() }) };
    let added = Lists {
        constraints: texts(&["node.role==manager"]),
        preferences: vec![spread("node.labels.zone")],
        hosts: texts(&["h1:1.2.3.4"]),
        dns: texts(&["9.9.9.9"]),
        ..Lists::default()
    };
    let spec = serde_json::to_value(made("replicated", &most_options(), &added).unwrap()).unwrap();
    let task = &spec["TaskTemplate"];
    assert_eq!(
        task["RestartPolicy"],
        json!({ "Condition": "on-failure", "Delay": 2_000_000_000, "MaxAttempts": 3, "Window": 10_000_000_000_u64 })
    );
    assert_eq!(
        spec["UpdateConfig"],
        json!({ "Parallelism": 1, "Delay": 1_000_000_000, "FailureAction": "rollback",
            "Monitor": 2_000_000_000, "MaxFailureRatio": 0.1, "Order": "start-first" })
    );
    assert_eq!(
        spec["RollbackConfig"],
        json!({ "Parallelism": 2, "Delay": 3_000_000_000_u64, "FailureAction": "pause",
            "Monitor": 5_000_000_000_u64, "MaxFailureRatio": 0, "Order": "stop-first" })
    );
    assert_eq!(
        task["Placement"],
        json!({ "Constraints": ["node.role==manager"], "MaxReplicas": 5,
            "Preferences": [{ "Spread": { "SpreadDescriptor": "node.labels.zone" } }] })
    );
    assert_eq!(
        task["Resources"],
        json!({ "Limits": { "MemoryBytes": 67_108_864 },
            "Reservations": { "NanoCPUs": 100_000_000, "MemoryBytes": 16_777_216 } })
    );
    let container = &task["ContainerSpec"];
    assert_eq!(container["Hosts"], json!(["1.2.3.4 h1"]));
    assert_eq!(container["DNSConfig"], json!({ "Nameservers": ["9.9.9.9"] }));
    assert_eq!(container["CapabilityAdd"], json!(["CAP_NET_ADMIN"]));
    assert_eq!(container["CapabilityDrop"], json!(["CAP_CHOWN"]));
    assert_eq!(
        container["Healthcheck"],
        json!({ "Test": ["CMD-SHELL", "true"], "Interval": 5_000_000_000_u64 })
    );
    assert_eq!(task["LogDriver"], json!({ "Name": "json-file", "Options": { "max-size": "1m" } }));
}

#[test]
fn modes_and_what_goes_with_them() {
    let lists = Lists::default();
    let error = |mode: &str, given: Given| made(mode, &given, &lists).unwrap_err().to_string();
    let replicas = || Given { replicas: Some(2), ..sleep() };
    let words = "replicas can only be used with replicated or replicated-job mode";
    assert_eq!(error("global", replicas()), words);
    assert_eq!(error("global-job", replicas()), words);
    assert_eq!(
        error("bogus", sleep()),
        "unknown mode: bogus, only replicated and global supported"
    );
    assert_eq!(
        error("replicated", Given { max_concurrent: Some(2), ..sleep() }),
        "max-concurrent can only be used with replicated-job mode"
    );
    assert_eq!(
        error("global", Given { max_replicas: Some(1), ..sleep() }),
        "replicas-max-per-node can only be used with replicated or replicated-job mode"
    );
    let job = Given { replicas: Some(3), max_concurrent: Some(2), ..sleep() };
    let job = made("replicated-job", &job, &lists).unwrap();
    assert_eq!(
        serde_json::to_value(job.mode).unwrap(),
        json!({ "ReplicatedJob": { "MaxConcurrent": 2, "TotalCompletions": 3 } })
    );
    let update = GivenUpdate { parallelism: Some(2), ..GivenUpdate::default() };
    assert_eq!(
        error("global-job", Given { update, ..sleep() }),
        "update and rollback configuration is not supported for jobs"
    );
}

#[test]
fn words_that_the_engine_does_not_know() {
    let error = |given: Given| made("replicated", &given, &Lists::default()).unwrap_err();
    let bogus = || Some("bogus".to_owned());
    let restart = GivenRestart { condition: bogus(), ..GivenRestart::default() };
    let order = GivenUpdate { order: bogus(), ..GivenUpdate::default() };
    for (given, words) in [
        (Given { restart, ..sleep() }, "invalid RestartCondition: \"bogus\""),
        (Given { update: order, ..sleep() }, "unrecognized update order bogus"),
        (Given { endpoint_mode: bogus(), ..sleep() }, "invalid resolution mode: \"bogus\""),
    ] {
        assert_eq!(error(given), EditError::Engine(words.to_owned()));
    }
}

#[test]
fn an_update_merges_as_recorded() {
    let mut spec = plain();
    let added = Lists {
        env: texts(&["A=1", "B=2"]),
        labels: texts(&["l=1"]),
        container_labels: texts(&["c=1"]),
        ..Lists::default()
    };
    updated(&mut spec, &Given::default(), &added, &Removals::default()).unwrap();
    assert_eq!(spec.task_template.container_spec.env, ["A=1", "B=2"]);
    assert_eq!(spec.labels["l"], "1");
    let given = Given {
        args: Some(texts(&["sleep", "5000"])),
        hostname: Some("hh".to_owned()),
        user: Some("nobody".to_owned()),
        workdir: Some("/tmp".to_owned()),
        ..Given::default()
    };
    let removed = Removals { env: texts(&["A", "nosuch"]), ..Removals::default() };
    updated(&mut spec, &given, &Lists::default(), &removed).unwrap();
    assert_eq!(
        serde_json::to_value(&spec.task_template.container_spec).unwrap(),
        json!({ "Image": "alpine:latest", "Labels": { "c": "1" }, "Args": ["sleep", "5000"],
            "Hostname": "hh", "Env": ["B=2"], "Dir": "/tmp", "User": "nobody", "Init": false,
            "DNSConfig": {} })
    );
    let again = Lists { env: texts(&["C=3", "B=4"]), ..Lists::default() };
    updated(&mut spec, &Given::default(), &again, &Removals::default()).unwrap();
    assert_eq!(spec.task_template.container_spec.env, ["B=4", "C=3"]);
}

#[test]
fn nothing_said_changes_nothing() {
    let mut spec = plain();
    spec.task_template.placement.get_or_insert_default().constraints = texts(&["b==1", "a==1"]);
    let before = spec.clone();
    updated(&mut spec, &Given::default(), &Lists::default(), &Removals::default()).unwrap();
    assert_eq!(spec, before);
}

#[test]
fn ports_are_the_same_by_all_they_have() {
    let port = |published: u16, target: u16| PortConfig {
        protocol: "tcp".to_owned(),
        target_port: target,
        published_port: published,
        publish_mode: Some(crate::model::PublishMode::Ingress),
        ..PortConfig::default()
    };
    let mut spec = plain();
    let added = Lists { ports: vec![port(8200, 80), port(8100, 81)], ..Lists::default() };
    updated(&mut spec, &Given::default(), &added, &Removals::default()).unwrap();
    updated(&mut spec, &Given::default(), &added, &Removals::default()).unwrap();
    let endpoint = spec.endpoint_spec.clone().unwrap();
    assert_eq!(endpoint.ports, [port(8100, 81), port(8200, 80)]);
    let removed = Removals { ports: vec![port(0, 80)], ..Removals::default() };
    updated(&mut spec, &Given::default(), &Lists::default(), &removed).unwrap();
    assert_eq!(spec.endpoint_spec.unwrap().ports, [port(8100, 81)]);
}

#[test]
fn networks_and_secrets_become_ids() {
    let wanted = |name: &str| NetworkUse { target: name.to_owned(), ..NetworkUse::default() };
    let secret = |name: &str, target: &str| SecretUse {
        file: Some(FileTarget { name: target.to_owned(), ..FileTarget::default() }),
        secret_name: name.to_owned(),
        ..SecretUse::default()
    };
    let error = |added: Lists| made("replicated", &sleep(), &added).unwrap_err().to_string();
    let nets = |name: &str| Lists { networks: vec![wanted(name)], ..Lists::default() };
    assert_eq!(error(nets("nosuch")), "network nosuch not found");
    let secrets = |uses: &[SecretUse]| Lists { secrets: uses.to_vec(), ..Lists::default() };
    assert_eq!(error(secrets(&[secret("nosuch", "x")])), "secret not found: nosuch");
    assert_eq!(
        error(secrets(&[secret("s2", "s2"), secret("s2", "s2")])),
        "duplicate secret target for s2 not allowed"
    );
    let mut spec = made("replicated", &sleep(), &nets("ov1")).unwrap();
    let added = Lists { secrets: vec![secret("s2", "s1")], ..nets("ov2") };
    let removed = Removals {
        networks: texts(&["ov1"]),
        secrets: texts(&["s1", "nosuch"]),
        ..Removals::default()
    };
    updated(&mut spec, &Given::default(), &added, &removed).unwrap();
    assert_eq!(spec.task_template.networks, [wanted("id-ov2")]);
    assert_eq!(spec.task_template.container_spec.secrets[0].secret_id, "id-s2");
    assert_eq!(
        updated(&mut spec, &Given::default(), &nets("ov2"), &Removals::default())
            .unwrap_err()
            .to_string(),
        "service is already attached to network ov2"
    );
}

#[test]
fn replicas_of_a_job_are_for_scale() {
    let mut job = made("replicated-job", &sleep(), &Lists::default()).unwrap();
    let given = Given { replicas: Some(5), ..Given::default() };
    assert_eq!(
        updated(&mut job, &given, &Lists::default(), &Removals::default()).unwrap_err().to_string(),
        "replicas can only be used with replicated mode"
    );
    scale(&mut job.mode, 5).unwrap();
    assert_eq!(
        serde_json::to_value(job.mode).unwrap(),
        json!({ "ReplicatedJob": { "MaxConcurrent": 1, "TotalCompletions": 5 } })
    );
    let mut global = made("global", &sleep(), &Lists::default()).unwrap();
    assert_eq!(
        scale(&mut global.mode, 2).unwrap_err().to_string(),
        "scale can only be used with replicated or replicated-job mode"
    );
}

#[test]
fn capabilities_that_are_added_are_not_dropped() {
    let mut spec = plain();
    let given = Given {
        cap_add: texts(&["net_admin", "sys_ptrace"]),
        cap_drop: texts(&["all", "NET_ADMIN"]),
        ..Given::default()
    };
    updated(&mut spec, &given, &Lists::default(), &Removals::default()).unwrap();
    let container = &spec.task_template.container_spec;
    assert_eq!(container.capability_add, ["CAP_NET_ADMIN", "CAP_SYS_PTRACE"]);
    assert_eq!(container.capability_drop, ["ALL"]);
}
