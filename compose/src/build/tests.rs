//! What comes of `build` sections.

use serde_json::{Value, json};

use super::*;
use crate::project::{Source, labels};

fn project(services: &Value) -> Project {
    let document = json!({
        "name": "p", "services": services,
        "secrets": {"s1": {"file": "/p/s1.txt"}, "s2": {"environment": "S2"}, "s3": {"external": true}},
    });
    Project::from_canonical(&document, Source::default()).unwrap()
}

fn print(services: &Value, chosen: &[&str], wish: &Wish) -> Value {
    let chosen: Vec<String> = chosen.iter().map(|name| (*name).to_owned()).collect();
    match definition(&project(services), &chosen, wish) {
        Ok(definition) => serde_json::to_value(Printed::new(&definition.selected)).unwrap(),
        Err(error) => json!(error.to_string()),
    }
}

#[test]
fn all_attributes() {
    let services = json!({
        "web": {"image": "example/web", "build": {
            "context": "/p/dir", "dockerfile": "../alt.Dockerfile", "args": {"A": "1", "B": null, "C": null},
            "ssh": ["default"], "labels": {"a": "b"}, "cache_from": ["alpine:latest", "type=local,src=c"],
            "cache_to": ["user/app:cache"], "no_cache": true, "network": "host", "pull": true, "target": "prod",
            "additional_contexts": {"base": "service:base.x", "src": "/p/src"}, "shm_size": "134217728",
            "extra_hosts": ["h=1.2.3.4", "h=::1"], "tags": ["mine:1"], "platforms": ["linux/amd64"],
            "ulimits": {"nproc": 5, "nofile": {"soft": 1, "hard": 2}}, "provenance": "false",
            "secrets": [{"source": "s1"}, {"source": "s2", "target": "cert"}]}},
        "base.x": {"build": {"context": "/p", "dockerfile_inline": "FROM a\nRUN echo ${X}\n"}},
        "other": {"image": "x"},
    });
    let wish = Wish {
        args: vec!["A=2".to_owned()],
        environment: BTreeMap::from([("B".to_owned(), "b".to_owned())]),
        ssh: Some("k=/key".to_owned()),
        ..Wish::default()
    };
    let label = |service: &str| {
        json!({"com.docker.compose.project": "p", "com.docker.compose.service": service,
        "com.docker.compose.version": labels::COMPOSE_VERSION})
    };
    let mut web = label("web");
    web["a"] = json!("b");
    assert_eq!(
        print(&services, &["web", "other"], &wish),
        json!({
            "group": {"default": {"targets": ["base_x", "web"]}},
            "target": {
                "web": {
                    "context": "/p/dir", "contexts": {"base": "target:base_x", "src": "/p/src"},
                    "dockerfile": "/p/alt.Dockerfile", "args": {"A": "2", "B": "b"}, "labels": web,
                    "tags": ["mine:1", "example/web"],
                    "cache-from": ["type=registry,ref=alpine:latest", "type=local,src=c"],
                    "cache-to": ["type=registry,ref=user/app:cache"], "target": "prod",
                    "secret": ["id=s1,type=file,src=/p/s1.txt", "id=cert,type=env,env=S2"],
                    "ssh": ["default", "k=/key"], "platforms": ["linux/amd64"], "pull": true, "no-cache": true,
                    "network": "host", "shm-size": "134217728", "ulimits": ["nofile=1:2", "nproc=5"],
                    "extra-hosts": {"h": "1.2.3.4,::1"}, "output": ["type=docker"],
                },
                "base_x": {
                    "context": "/p", "dockerfile-inline": "FROM a\nRUN echo $${X}\n", "args": {"A": "2"},
                    "labels": label("base.x"), "tags": ["p-base.x"], "ssh": ["k=/key"], "output": ["type=docker"],
                },
            },
        })
    );
}

#[test]
fn what_cannot_be_built() {
    let build = |build: Value| {
        print(&json!({"w": {"build": build}, "i": {"image": "i"}}), &["w"], &Wish::default())
    };
    for (attributes, part) in [
        (json!({"isolation": "hyperv"}), "services.w.build.isolation: not supported"),
        (json!({"privileged": true}), "services.w.build.privileged: not supported"),
        (
            json!({"additional_contexts": {"x": "service:i"}}),
            "service \"i\" is not built in this project",
        ),
        (json!({"additional_contexts": {"x": "service:w"}}), "in a circle"),
        (json!({"secrets": [{"source": "s9"}]}), "there is no secret \"s9\""),
        (json!({"secrets": [{"source": "s3"}]}), "neither from a file"),
        (json!({"cache_to": ["mode=max"]}), "services.w.build.cache_to: type required"),
    ] {
        let found = build(attributes);
        assert!(found.as_str().unwrap_or_default().contains(part), "{found}");
    }
}

#[test]
fn where_images_go_and_for_what() {
    let services = json!({
        "a": {"image": "a", "build": {"context": "/a", "platforms": ["linux/amd64", "linux/arm64"]}},
        "b": {"platform": "linux/arm64", "build": {"context": "https://h/r.git", "dockerfile": "x/D"}},
    });
    let wish = Wish { push: true, one_platform: true, ..Wish::default() };
    let printed = print(&services, &["a", "b"], &wish);
    let target = |name: &str, key: &str| printed["target"][name][key].clone();
    assert_eq!(
        (target("a", "output"), target("b", "output")),
        (json!(["type=registry"]), json!(["type=docker"]))
    );
    assert_eq!(
        (target("a", "platforms"), target("b", "platforms")),
        (Value::Null, json!(["linux/arm64"]))
    );
    assert_eq!(target("b", "dockerfile"), "x/D");
    let checked = print(&services, &["a"], &Wish { check: true, ..Wish::default() });
    assert_eq!(
        (&checked["target"]["a"]["call"], &checked["target"]["a"]["output"]),
        (&json!("lint"), &Value::Null)
    );
}
