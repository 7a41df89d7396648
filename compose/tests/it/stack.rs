//! Stack files: what Docker's own loader makes of them, and what is read as a Compose file because it refuses it.

#![expect(clippy::unwrap_used, reason = "a broken case is a broken test")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use coracle_compose::{StackFile, StackOptions, load_stack};
use serde_json::{Value, json};

use crate::support::Memory;

const FOLDER: &str = "/above/shop";

fn load(files: &[(&str, &str)], named: &[&str]) -> Result<StackFile, String> {
    let path = |name: &str| PathBuf::from(FOLDER).join(name);
    let memory = Memory {
        files: files.iter().map(|(name, text)| (path(name), (*text).to_owned())).collect(),
        stdin: files.first().map(|(_, text)| (*text).to_owned()).unwrap_or_default(),
    };
    let environment = [("SET", "val"), ("N", "3"), ("HOME", "/home/u"), ("FROM", "shell")];
    let options = StackOptions {
        files: named.iter().map(|name| (*name).to_owned()).collect(),
        skip_interpolation: false,
        environment: environment.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        current_dir: FOLDER.into(),
    };
    load_stack(&options, &memory).map_err(|error| error.to_string())
}

fn one(text: &str) -> StackFile {
    load(&[("stack.yml", text)], &["stack.yml"]).unwrap()
}

/// The service `w` of a file with only these attributes.
fn service(attributes: &str) -> Value {
    one(&format!("services:\n  w:\n    {attributes}\n")).config["services"]["w"].clone()
}

#[test]
fn attributes_in_the_form_that_docker_prints() {
    for (given, printed) in [
        ("command: sh -c 'a; b' # no", json!({"command": ["sh", "-c", "a; b"]})),
        ("command: []", json!({})),
        ("deploy: {replicas: $N}", json!({"deploy": {"replicas": 3}})),
        ("deploy: {}", json!({})),
        ("deploy: {update_config: {}}", json!({"deploy": {"update_config": {}}})),
        (
            "deploy: {resources: {limits: {memory: 16M, cpus: '0.5'}}}",
            json!({"deploy": {"resources": {"limits": {"cpus": "0.5", "memory": "16777216"}}}}),
        ),
        (
            "environment: [A=1, FROM, Z]",
            json!({"environment": {"A": "1", "FROM": "shell", "Z": null}}),
        ),
        ("extra_hosts: [\"b:::1\", a=1.2.3.4]", json!({"extra_hosts": ["b:::1", "a:1.2.3.4"]})),
        (
            "healthcheck: {test: x, interval: 90s}",
            json!({"healthcheck": {"test": ["CMD-SHELL", "x"], "interval": "1m30s"}}),
        ),
        ("networks: [b, a]", json!({"networks": {"a": null, "b": null}})),
        (
            "ports: ['8090-8091:90', {target: 1, published: 2, mode: host}]",
            json!({"ports": [
                {"mode": "ingress", "target": 90, "published": 8090, "protocol": "tcp"},
                {"mode": "ingress", "target": 90, "published": 8091, "protocol": "tcp"},
                {"mode": "host", "target": 1, "published": 2},
            ]}),
        ),
        ("stop_grace_period: 1m5s", json!({"stop_grace_period": "1m5s"})),
        (
            "ulimits: {z: 1, a: 0, b: 5, c: {soft: 0, hard: 1}}",
            json!({"ulimits": {"a": {}, "z": 1, "b": 5, "c": {"hard": 1}}}),
        ),
        (
            "volumes: ['./a:/a:ro,z', 'dd:/d:nocopy', '~/h:/h']",
            json!({"volumes": [
                {"type": "bind", "source": "/above/shop/a", "target": "/a", "read_only": true},
                {"type": "volume", "source": "dd", "target": "/d", "volume": {"nocopy": true}},
                {"type": "bind", "source": "/home/u/h", "target": "/h"},
            ]}),
        ),
    ] {
        assert_eq!(service(given), printed, "{given}");
    }
}

#[test]
fn objects_that_others_made_get_their_names() {
    let stack = one("{version: '3.8', services: {w: {image: i}}, networks: {a: {external: {name: b}}, c: {external: true}, d: },
        secrets: {s: {file: ./f, x-y: 1}}, x-top: {a: $SET}}");
    assert_eq!(
        stack.config,
        json!({"version": "3.8", "services": {"w": {"image": "i"}}, "x-top": {"a": "val"},
            "networks": {"a": {"name": "b", "external": true}, "c": {"name": "c", "external": true}, "d": {}},
            "secrets": {"s": {"file": "/above/shop/f", "x-y": 1}}})
    );
    assert_eq!(
        stack.warnings,
        ["network a: network.external.name is deprecated in favor of network.name"]
    );
}

#[test]
fn what_has_no_effect_is_named() {
    let stack = one("services: {w: {restart: always, build: ., expose: ['1']}, v: {pid: host}}");
    assert_eq!(stack.unsupported, ["build", "pid", "restart"]);
    assert_eq!(stack.deprecated[0].0, "expose");
    let stack = one("services: {w: {image: i, gpus: all, restart: always}}");
    assert_eq!(stack.unsupported, ["gpus", "restart"]);
}

#[test]
fn several_files_and_standard_input() {
    let files = [
        ("a.yml", "services: {w: {image: i, env_file: e.env, dns: 1.1.1.1}}"),
        ("sub/b.yml", "services: {w: {dns: 2.2.2.2}, v: {image: j}}"),
        ("e.env", "Q=\"x\"\nFROM=\n"),
    ];
    let stack = load(&files, &["a.yml", "sub/b.yml"]).unwrap();
    assert_eq!(
        stack.config["services"],
        json!({"v": {"image": "j"}, "w": {"image": "i", "env_file": ["e.env"],
            "dns": ["1.1.1.1", "2.2.2.2"], "environment": {"Q": "\"x\"", "FROM": "shell"}}})
    );
    let stack = load(&files[..1], &["-"]);
    assert_eq!(
        stack.unwrap_err(),
        "-:1:26: services.w.env_file: env file /above/shop/e.env not found"
    );
    let stack = load(&[("x", "{name: n, services: {w: {image: i}}}")], &["-"]).unwrap();
    assert_eq!(stack.config["services"], json!({"w": {"image": "i"}}));
}

#[test]
fn what_docker_refuses_is_read_as_a_compose_file() {
    let stack = one("
name: shop
services:
  w:
    image: ${U:+x}i
    depends_on: {v: {condition: service_healthy}}
    ports: [{target: 80, published: '8080'}]
    env_file: [{path: no.env, required: false}]
    secrets: [s, c]
    scale: 2
    mem_limit: 1k
    restart: 'no'
  v: {image: j}
  x: {image: j, profiles: [later]}
  u: {image: k}
networks: {default: {name: shop_default}}
secrets: {s: {environment: SET}, c: {file: ./c}}
");
    let mut expected = json!({"image": "i", "depends_on": [], "networks": null, "restart": "no",
        "ports": [{"mode": "ingress", "target": 80, "protocol": "tcp", "published": 8080}],
        "secrets": [{"source": "s"}, {"source": "c"}],
        "deploy": {"replicas": 2, "restart_policy": {"condition": "none"}, "resources": {"limits": {"memory": "1024"}}}});
    let w = &stack.config["services"]["w"];
    expected["depends_on"] = w["depends_on"].clone();
    expected.as_object_mut().unwrap().remove("networks");
    assert_eq!(*w, expected);
    assert_eq!(stack.secrets, BTreeMap::from([("s".to_owned(), "val".to_owned())]));
    assert_eq!(stack.config["networks"], json!({"default": {"name": "shop_default"}}));
}

#[test]
fn what_neither_reads_is_told_in_the_words_of_compose() {
    for (text, word) in [
        ("services: {w: {image: i, bogus: 1}}", "bogus"),
        ("services: {w: {image: i, labels: [1]}}", "labels"),
        ("services: {w: {image: i, deploy: {replicas: many}}}", "replicas"),
        ("services: {w: {image: i, ports: ['70000']}}", "ports"),
        ("services: {w: {image: i, deploy: {replicas: -1}}}", "replicas"),
        ("[]", "top-level object must be a mapping"),
    ] {
        let error = load(&[("s.yml", text)], &["s.yml"]).unwrap_err();
        assert!(error.contains(word), "{text}: {error}");
    }
}
