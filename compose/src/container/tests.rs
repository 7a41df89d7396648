//! Services and the containers made of them.

use serde_json::json;

use super::*;
use crate::project::Source;

fn project(service: &serde_json::Value) -> Project {
    let canonical = json!({
        "name": "app",
        "services": {"web": service},
        "networks": {"default": {"name": "app_default", "ipam": {}}, "back": {"name": "app_back"}},
        "volumes": {"data": {"name": "app_data"}},
    });
    let source = Source {
        working_dir: "/srv/demo/app".to_owned(),
        config_files: vec!["/srv/demo/app/compose.yaml".to_owned()],
        ..Source::default()
    };
    Project::from_canonical(&canonical, source).unwrap()
}

fn made(service: &serde_json::Value) -> CreateRequest {
    let project = project(service);
    let image = ImageFacts { id: "sha256:d5f7".to_owned(), ..ImageFacts::default() };
    let facts = Facts {
        image,
        number: 1,
        peers: [("db".to_owned(), vec![Peer { id: "d".repeat(64), name: "app-db-1".to_owned() }])]
            .into(),
        ..Facts::default()
    };
    request(&project, &project.services["web"], facts, &Defaults::default()).unwrap()
}

#[test]
fn the_recorded_container() {
    let request = made(&json!({
        "command": ["sleep", "1000"], "entrypoint": null, "image": "alpine", "init": true,
        "depends_on": {"db": {"condition": "service_started", "required": true}},
        "environment": {"LVL": "3", "MODE": "prod"}, "labels": {"role": "front"},
        "networks": {"default": null},
        "ports": [
            {"mode": "ingress", "target": 80, "published": "8180", "protocol": "tcp"},
            {"mode": "ingress", "target": 81, "protocol": "tcp"}],
        "volumes": [
            {"type": "volume", "source": "data", "target": "/data", "volume": {}},
            {"type": "bind", "source": "/srv/demo/app/html", "target": "/html",
             "bind": {"create_host_path": true}}],
    }));
    assert_eq!(request.name.as_deref(), Some("app-web-1"));
    let host = &request.host_config;
    assert_eq!(
        host.binds.as_deref().unwrap(),
        ["app_data:/data:rw", "/srv/demo/app/html:/html:rw"]
    );
    assert_eq!((host.network_mode.as_str(), host.init), ("app_default", Some(true)));
    assert_eq!(
        serde_json::to_string(&host.port_bindings).unwrap(),
        r#"{"80/tcp":[{"HostIp":"","HostPort":"8180"}],"81/tcp":[{"HostIp":"","HostPort":""}]}"#
    );
    let (network, endpoint) = &request.networks[0];
    assert_eq!(network, "app_default");
    assert_eq!(endpoint.aliases.as_deref().unwrap(), ["app-web-1", "web"]);
    let mut labels = request.config.labels.clone();
    assert_eq!(labels.remove("com.docker.compose.config-hash").unwrap().len(), 64);
    insta::assert_snapshot!(
        labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("\n"), @r"
    com.docker.compose.container-number=1
    com.docker.compose.depends_on=db:service_started:false
    com.docker.compose.image=sha256:d5f7
    com.docker.compose.oneoff=False
    com.docker.compose.project=app
    com.docker.compose.project.config_files=/srv/demo/app/compose.yaml
    com.docker.compose.project.working_dir=/srv/demo/app
    com.docker.compose.service=web
    com.docker.compose.version=2.40.3
    role=front
    ");
}

#[test]
fn limits_come_from_the_service_or_from_deploy() {
    let host = made(&json!({
        "image": "x", "mem_limit": "5242880", "cpus": 0.5, "pids_limit": 20,
        "ulimits": {"nofile": 5, "nproc": {"soft": 3, "hard": 4}},
        "deploy": {"replicas": 2, "resources": {"limits": {"cpus": 2, "memory": "1024"},
            "reservations": {"memory": "512"}},
            "restart_policy": {"condition": "on-failure", "max_attempts": 3}},
    }))
    .host_config;
    let resources = &host.resources;
    assert_eq!((resources.memory, resources.nano_cpus), (5_242_880, 500_000_000));
    assert_eq!((resources.memory_reservation, resources.pids_limit), (512, Some(20)));
    let limits = resources.ulimits.as_deref().unwrap();
    assert_eq!((limits[0].hard, limits[1].soft), (5, 3));
    let policy = &host.restart_policy;
    assert_eq!((policy.name.as_str(), policy.maximum_retry_count), ("on-failure", 3));
}

#[test]
fn namespaces_of_other_services() {
    let host =
        made(&json!({"image": "x", "network_mode": "service:db", "pid": "service:db"})).host_config;
    assert_eq!(
        (host.network_mode.as_str(), host.pid_mode.as_str()),
        ("container:app-db-1", "container:app-db-1")
    );
    let project = project(&json!({"image": "x", "ipc": "service:gone"}));
    let error = request(&project, &project.services["web"], Facts::default(), &Defaults::default());
    assert_eq!(
        error.unwrap_err().to_string(),
        "cannot share IPC namespace with service gone: container missing"
    );
}

#[test]
fn mounts_of_every_kind() {
    let host = made(&json!({"image": "x", "tmpfs": ["/run", "/t:size=1m"], "volumes": [
        {"type": "volume", "target": "/anonymous", "volume": {}},
        {"type": "volume", "source": "data", "target": "/s", "volume": {"subpath": "in"}},
        {"type": "volume", "source": "data", "target": "/n", "read_only": true, "volume": {"nocopy": true}},
        {"type": "tmpfs", "target": "/x", "tmpfs": {"size": "1048576", "mode": 448}},
        {"type": "bind", "source": "/a", "target": "/b", "read_only": true},
        {"type": "bind", "source": "/c", "target": "/d", "bind": {"create_host_path": false}},
        {"type": "bind", "source": "/e:f", "target": "/g", "bind": {}}]}))
    .host_config;
    assert_eq!(host.binds.as_deref().unwrap(), ["app_data:/n:ro,nocopy", "/a:/b:ro"]);
    let targets: Vec<(&str, &str)> =
        host.mounts.iter().map(|m| (m.source.as_str(), m.target.as_str())).collect();
    assert_eq!(
        targets,
        [("", "/anonymous"), ("app_data", "/s"), ("", "/x"), ("/c", "/d"), ("/e:f", "/g")]
    );
    let made = |index: usize| {
        let options = host.mounts.get(index).and_then(|mount| mount.bind_options.as_ref());
        options.map(|options| options.create_mountpoint)
    };
    assert_eq!((made(3), made(4)), (Some(false), Some(true)));
    assert_eq!(host.mounts[1].volume_options.as_ref().unwrap().subpath, "in");
    assert_eq!(host.tmpfs["/t"], "size=1m");
}

#[test]
fn what_cannot_be_honoured_is_told() {
    let warned = |service: &serde_json::Value| honour(&project(service).services["web"]);
    assert_eq!(
        warned(&json!({"image": "x", "storage_opt": {"size": "1G"}})).unwrap(),
        ["services.web.storage_opt: ignored: the size of a container's files is not limited"]
    );
    assert_eq!(
        warned(&json!({"image": "x", "gpus": [{"count": -1}]})).unwrap_err().to_string(),
        "services.web.gpus: not supported: GPUs need a device driver of the host"
    );
    assert!(warned(&json!({"image": "x", "runtime": "runc"})).unwrap().is_empty());
    let swarm = json!({"image": "x", "deploy": {"placement": {}, "update_config": {"order": "start-first"}}});
    assert_eq!(
        warned(&swarm).unwrap(),
        ["services.web.deploy: update_config: ignored: there is no swarm"]
    );
    let swarm =
        json!({"image": "x", "deploy": {"mode": "global", "restart_policy": {"delay": "1s"}}});
    assert_eq!(
        warned(&swarm).unwrap(),
        ["services.web.deploy: mode, restart_policy.delay: ignored: there is no swarm"]
    );
    let usual = json!({"image": "x", "deploy": {"mode": "replicated", "replicas": 1}});
    assert_eq!(warned(&usual).unwrap(), [""; 0]);
    let swarm = json!({"image": "x", "deploy": {"resources": {"reservations": {"cpus": 0.5}}}});
    assert_eq!(
        warned(&swarm).unwrap(),
        ["services.web.deploy: resources.reservations.cpus: ignored: there is no swarm"]
    );
    assert_eq!(
        warned(&json!({"image": "x", "models": {"m": null}})).unwrap_err().to_string(),
        "services.web.models: not supported: no models are run here"
    );
    let templates = json!({"image": "x", "hostname": "{{ .Node.Hostname }}",
        "environment": {"A": "{{.Other}}", "B": "x{{.Task.Slot}}"}});
    assert_eq!(
        warned(&templates).unwrap(),
        [
            "services.web.environment.B: {{.Task.Slot}} stays as it is: only a swarm fills it in",
            "services.web.hostname: {{.Node.Hostname}} stays as it is: only a swarm fills it in",
        ]
    );
    let mut project = project(&json!({"image": "x"}));
    assert!(honour_networks(&project).is_ok());
    project.networks.get_mut("back").unwrap().ipam.driver = "dhcp".to_owned();
    assert_eq!(
        honour_networks(&project).unwrap_err().to_string(),
        "networks.back.ipam.driver: not supported: addresses are given by the default driver"
    );
}

#[test]
fn links_are_of_the_endpoint_or_of_the_default_network() {
    let links = ["app-db-1:database", "app-db-1:db-1", "app-db-1:app-db-1", "far:f"];
    let linked = json!({"image": "x", "networks": {"default": null, "back": null},
        "links": ["db:database"], "external_links": ["far:f"]});
    let request = made(&linked);
    assert_eq!(request.host_config.links, None);
    for (network, endpoint) in &request.networks {
        assert_eq!(endpoint.links.as_deref().unwrap(), links, "{network}");
    }
    let bridge = json!({"image": "x", "network_mode": "bridge", "links": ["db"]});
    let request = made(&bridge);
    let links = ["app-db-1:db", "app-db-1:db-1", "app-db-1:app-db-1"];
    assert_eq!(request.host_config.links.as_deref().unwrap(), links);
    assert_eq!(request.networks[0].1.links, None);
}

#[test]
fn a_variable_without_a_value_is_a_name_alone() {
    let request = made(&json!({"image": "x", "environment": {"A": "1", "B": "", "C": null}}));
    assert_eq!(request.config.env, ["A=1", "B=", "C"]);
}
