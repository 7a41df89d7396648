use coracle_runtime::engine::{CreateRequest, ImageFacts};
use coracle_runtime::model::{Mount, MountType};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::payload::{Contents, Payload};
use super::*;
use crate::model::{Node, ServiceSpec, Task};

fn node(number: u8) -> Node {
    let mut node: Node = serde_json::from_value(json!({
        "ID": "n0de",
        "Description": {
            "Hostname": "host1",
            "Platform": { "Architecture": "x86_64", "OS": "linux" },
        },
        "Status": { "Addr": format!("127.77.0.{number}") },
    }))
    .unwrap();
    node.own.number = number;
    node
}

/// A task of service `web` with this container specification.
fn task(spec: Value) -> Task {
    let mut task = Task {
        id: "t4sk".to_owned(),
        service_id: "s3rvice".to_owned(),
        node_id: "n0de".to_owned(),
        slot: 2,
        ..Task::default()
    };
    task.spec.container_spec = serde_json::from_value(spec).unwrap();
    task.own.service_name = "web".to_owned();
    task.own.service_labels.insert("tier".to_owned(), "front".to_owned());
    task
}

fn made_of(task: &Task, number: u8) -> CreateRequest {
    request(task, &node(number), ImageFacts::default(), &Facts::default()).unwrap()
}

fn made(spec: Value) -> CreateRequest {
    made_of(&task(spec), 0)
}

fn refused(spec: Value) -> String {
    let mut service = ServiceSpec { name: "web".to_owned(), ..ServiceSpec::default() };
    service.task_template.container_spec = serde_json::from_value(spec).unwrap();
    check(&service).unwrap_err().to_string()
}

#[test]
fn a_container_says_whose_it_is_as_recorded() {
    let made = made(json!({ "Image": "alpine", "Labels": { "cl": "x" } }));
    assert_eq!(made.name.as_deref(), Some("web.2.t4sk"));
    assert_eq!(
        serde_json::to_string(&made.config.labels).unwrap(),
        r#"{"cl":"x","com.docker.swarm.node.id":"n0de","com.docker.swarm.service.id":"s3rvice","com.docker.swarm.service.name":"web","com.docker.swarm.task":"","com.docker.swarm.task.id":"t4sk","com.docker.swarm.task.name":"web.2.t4sk"}"#
    );
    let host = made.host_config;
    assert_eq!((host.restart_policy.name.as_str(), host.auto_remove), ("no", false));
    assert_eq!(host.network_mode, "bridge");
    assert_eq!(made.config.image, "alpine");
}

#[test]
fn a_global_task_has_the_node_in_its_name() {
    let mut global = task(json!({ "Hostname": "{{.Task.Slot}}" }));
    global.slot = 0;
    let made = made_of(&global, 0);
    assert_eq!(made.name.as_deref(), Some("web.n0de.t4sk"));
    assert_eq!(made.config.hostname, "n0de");
}

#[test]
fn templates_see_service_node_and_task() {
    let made = made(json!({
        "Hostname": "{{.Service.Name}}-{{.Task.Slot}}",
        "Env": [
            "SLOT={{.Task.Slot}}",
            "N={{.Node.ID}} {{.Node.Hostname}} {{.Node.Platform.OS}} {{.Node.Platform.Architecture}}",
            "T={{.Task.ID}} {{.Task.Name}} {{.Service.ID}} {{.Service.Labels.tier}}",
            "J={{join \"-\" .Service.Name .Task.Slot}}",
            "{{.Bogus}}",
        ],
        "Mounts": [{
            "Type": "volume",
            "Source": "data-{{.Task.Slot}}",
            "Target": "/{{.Service.Name}}",
            "VolumeOptions": {
                "Labels": { "of": "{{.Service.Name}}" },
                "DriverConfig": { "Options": { "o": "size={{.Task.Slot}}m" } },
            },
        }],
    }));
    assert_eq!(made.config.hostname, "web-2");
    assert_eq!(
        made.config.env,
        [
            "SLOT=2",
            "N=n0de host1 linux x86_64",
            "T=t4sk web.2.t4sk s3rvice front",
            "J=web-2",
            "{{.Bogus}}"
        ]
    );
    let mount = &made.host_config.mounts[0];
    assert_eq!((mount.source.as_str(), mount.target.as_str()), ("data-2", "/web"));
    let options = mount.volume_options.as_ref().unwrap();
    assert_eq!(options.labels["of"], "web");
    assert_eq!(options.driver_config.as_ref().unwrap().options["o"], "size=2m");
}

#[test]
fn a_template_that_asks_for_what_is_not_there_is_refused_in_dockers_words() {
    assert_eq!(
        refused(json!({ "Hostname": "{{.Bogus}}" })),
        "expanding hostname failed: template: expansion:1:2: executing \"expansion\" at \
         <.Bogus>: can't evaluate field Bogus in type *template.Context"
    );
    assert_eq!(
        refused(json!({ "Env": ["A={{.Bogus}}"] })),
        "expanding env failed: expanding env \"A={{.Bogus}}\": template: expansion:1:2: executing \
         \"expansion\" at <.Bogus>: can't evaluate field Bogus in type *template.Context"
    );
    let below = refused(json!({ "Hostname": "{{.Service.Bogus}}" }));
    assert!(below.ends_with(
        "can't evaluate field Bogus in type struct { ID string; Name string; Labels map[string]string }"
    ));
    let label = refused(json!({ "Hostname": "{{.Service.Labels.none}}" }));
    assert!(label.ends_with("map has no entry for key \"none\""), "{label}");
    let broken = refused(json!({ "Mounts": [{ "Type": "tmpfs", "Target": "/a{{" }] }));
    assert!(broken.starts_with("expanding mounts failed: expanding mount target"), "{broken}");
}

#[test]
fn everything_a_service_says_gets_into_the_container() {
    let mut all = task(json!({
        "Command": ["/entry"], "Args": ["serve"], "Dir": "/srv", "User": "app",
        "Groups": ["audio"], "Init": true, "StopSignal": "SIGQUIT", "TTY": true,
        "OpenStdin": true, "ReadOnly": true, "StopGracePeriod": 1_500_000_000,
        "Hosts": ["10.0.0.1 a b"],
        "DNSConfig": { "Nameservers": ["1.1.1.1"], "Search": ["x"], "Options": ["ndots:1"] },
        "Sysctls": { "net.core.somaxconn": "1" },
        "CapabilityAdd": ["CAP_NET_ADMIN"], "CapabilityDrop": ["CAP_CHOWN"],
        "Ulimits": [{ "Name": "nofile", "Hard": 2, "Soft": 1 }],
        "OomScoreAdj": 7,
        "Privileges": { "NoNewPrivileges": true, "CredentialSpec": null },
        "Healthcheck": { "Test": ["NONE"] },
    }));
    all.spec.resources = serde_json::from_value(json!({
        "Limits": { "NanoCPUs": 500_000_000, "MemoryBytes": 1_048_576, "Pids": 9 },
        "Reservations": { "MemoryBytes": 5 },
        "SwapBytes": 1,
    }))
    .unwrap();
    all.spec.log_driver = serde_json::from_value(json!({ "Name": "local" })).unwrap();
    let made = made_of(&all, 0);
    let (config, host) = (made.config, made.host_config);
    assert_eq!(config.entrypoint.unwrap(), ["/entry"]);
    assert_eq!(config.cmd.unwrap(), ["serve"]);
    assert_eq!((config.working_dir.as_str(), config.user.as_str()), ("/srv", "app"));
    assert_eq!((config.stop_signal.as_str(), config.stop_timeout), ("SIGQUIT", Some(2)));
    assert!(config.tty && config.open_stdin && host.readonly_rootfs);
    assert_eq!(config.healthcheck.unwrap().test, ["NONE"]);
    assert_eq!(host.extra_hosts.unwrap(), ["a:10.0.0.1", "b:10.0.0.1"]);
    assert_eq!((host.init, host.oom_score_adj), (Some(true), 7));
    assert_eq!(host.security_opt.unwrap(), ["no-new-privileges"]);
    assert_eq!(host.group_add.unwrap(), ["audio"]);
    assert_eq!(host.log_config.driver, "local");
    assert_eq!(host.dns.unwrap(), ["1.1.1.1"]);
    let limits = host.resources;
    assert_eq!((limits.cpu_period, limits.cpu_quota), (100_000, 50_000));
    assert_eq!((limits.memory, limits.memory_swap), (1_048_576, 1_048_577));
    assert_eq!((limits.pids_limit, limits.memory_reservation), (Some(9), 0));
    assert_eq!(limits.ulimits.unwrap().len(), 1);
}

#[test]
fn networks_have_the_address_of_the_task_and_no_aliases() {
    let mut on = task(json!({}));
    on.networks_attachments = serde_json::from_value(json!([
        { "Network": "net1", "Addresses": ["10.0.1.4/24"] },
        { "Network": "net2" },
    ]))
    .unwrap();
    let made = made_of(&on, 0);
    assert_eq!(made.host_config.network_mode, "net1");
    let (name, first) = &made.networks[0];
    assert_eq!(name, "net1");
    assert_eq!(first.ipam_config.as_ref().unwrap().ipv4_address, "10.0.1.4");
    assert_eq!(first.aliases, None);
    assert_eq!(made.networks[1].1.ipam_config, None);
    on.networks_attachments.truncate(1);
    let networks = [("net1".to_owned(), "host".to_owned())].into();
    let facts = Facts { networks, ..Facts::default() };
    let made = request(&on, &node(0), ImageFacts::default(), &facts).unwrap();
    assert_eq!(made.host_config.network_mode, "host");
}

#[test]
fn ports_of_the_host_mode_are_bound_on_the_node() {
    let mut with = task(json!({}));
    with.own.ports = serde_json::from_value(json!([
        { "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "host" },
        { "TargetPort": 81, "PublishedPort": 8081, "Protocol": "tcp" },
        { "TargetPort": 53, "Protocol": "udp", "PublishMode": "host" },
    ]))
    .unwrap();
    let ports = |number, shared_machine| {
        let facts = Facts { shared_machine, ..Facts::default() };
        let made = request(&with, &node(number), ImageFacts::default(), &facts).unwrap();
        assert_eq!(made.config.exposed_ports.len(), 2);
        serde_json::to_value(made.host_config.port_bindings).unwrap()
    };
    assert_eq!(
        ports(0, false),
        json!({
            "53/udp": [{ "HostIp": "", "HostPort": "" }],
            "80/tcp": [{ "HostIp": "", "HostPort": "8080" }],
        })
    );
    assert_eq!(ports(2, false)["80/tcp"][0]["HostIp"], "127.77.0.2");
    assert_eq!(ports(0, true)["80/tcp"][0]["HostIp"], "127.77.0.0");
}

#[test]
fn a_rehearsal_node_has_volumes_and_a_host_name_of_its_own() {
    let mounts = json!({ "Mounts": [
        { "Type": "volume", "Source": "data", "Target": "/data" },
        { "Type": "volume", "Target": "/anon" },
        { "Type": "bind", "Source": "/etc/hostname", "Target": "/h" },
    ] });
    let facts = Facts { hostname_file: Some("/x/hostname".to_owned()), ..Facts::default() };
    let mounts_on = |number| {
        let task = task(mounts.clone());
        let made = request(&task, &node(number), ImageFacts::default(), &facts).unwrap();
        made.host_config.mounts
    };
    let sources = |mounts: &[Mount]| -> Vec<String> {
        mounts.iter().map(|mount| mount.source.clone()).collect()
    };
    assert_eq!(sources(&mounts_on(0)), ["data", "", "/etc/hostname"]);
    let own = mounts_on(2);
    assert_eq!(sources(&own), ["node-2.data", "", "/x/hostname"]);
    let labels = &own[0].volume_options.as_ref().unwrap().labels;
    assert_eq!(volumes::on_node(labels), Some((2, "data")));
    assert_eq!(own[1].kind, MountType::Volume);
}

#[test]
fn what_can_never_be_is_refused_in_words() {
    let mount = |kind: &str, source: &str, target: &str| {
        refused(json!({ "Mounts": [{ "Type": kind, "Source": source, "Target": target }] }))
    };
    for (said, begin) in [
        (mount("volume", "d", "d:/d"), "invalid mount target, must be an absolute path: d:/d"),
        (mount("bind", "x", "/x"), "invalid bind mount source, must be an absolute path: x"),
        (mount("volume", "/x", "/x"), "invalid volume mount source, must not be an absolute path"),
        (mount("tmpfs", "x", "/x"), "invalid tmpfs source, source must be empty"),
        (mount("cluster", "x", "/x"), "mount of type cluster at /x: not supported"),
        (mount("npipe", "x", "/x"), "mount of type npipe at /x: not supported"),
        (refused(json!({ "Isolation": "hyperv" })), "isolation \"hyperv\": not supported"),
        (
            refused(json!({ "Privileges": { "CredentialSpec": { "File": "x" } } })),
            "credential spec: not supported",
        ),
        (
            refused(json!({ "Privileges": { "AppArmor": { "Mode": "disabled" } } })),
            "privileges: AppArmor: not supported",
        ),
    ] {
        assert!(said.starts_with(begin), "{said}");
    }
    let mut service = ServiceSpec::default();
    assert_eq!(check(&service), Ok(()));
    service.endpoint_spec =
        serde_json::from_value(json!({ "Ports": [{ "TargetPort": 1, "Protocol": "sctp" }] }))
            .unwrap();
    assert!(check(&service).unwrap_err().to_string().starts_with("port 1/sctp: not supported"));
}

/// As recorded: `--secret s1 --secret source=s2,target=other,uid=5,gid=6,mode=0400 …`.
fn with_files() -> Value {
    let file = |name: &str, uid: &str, mode: u32| json!({ "Name": name, "UID": uid, "GID": "0", "Mode": mode });
    json!({
        "Env": ["A={{.Task.Slot}}"],
        "Secrets": [
            { "File": file("s1", "0", 0o444), "SecretID": "id1", "SecretName": "s1" },
            { "File": file("other", "5", 0o400), "SecretID": "id2", "SecretName": "s2" },
            { "File": file("/etc/abs", "0", 0o444), "SecretID": "id2", "SecretName": "s2" },
        ],
        "Configs": [
            { "File": file("c1", "0", 0o444), "ConfigID": "id3", "ConfigName": "c1" },
            { "File": file("/tpl", "0", 0o444), "ConfigID": "id4", "ConfigName": "ct" },
        ],
    })
}

#[test]
fn secrets_and_configs_are_files_at_their_targets() {
    let files = made(with_files()).delivered;
    let targets: Vec<&str> = files.iter().map(|file| file.target.as_str()).collect();
    assert_eq!(targets, ["/c1", "/tpl", "/run/secrets/s1", "/run/secrets/other", "/etc/abs"]);
    assert_eq!((files[3].uid, files[3].mode), (5, 0o400));
    let mut same = with_files();
    same["Secrets"][1]["File"]["Name"] = json!("s1");
    let said = refused(same);
    assert!(
        said.starts_with("secret references 's1' and 's2' have a conflicting target"),
        "{said}"
    );
    let mut named = with_files();
    named["Secrets"][1]["File"]["UID"] = json!("nobody");
    assert!(refused(named).contains("uid \"nobody\" is no number"));
    let mut outside = with_files();
    outside["Configs"][0]["File"]["Name"] = json!("../x");
    assert!(refused(outside).contains("is not the path of a file"));
}

struct Stored;

impl Contents for Stored {
    fn secret(&self, id: &str) -> Option<Payload> {
        let content = Zeroizing::new(format!("secret {id}").into_bytes());
        Some(Payload { content, template: false })
    }

    fn config(&self, id: &str) -> Option<Payload> {
        let text = match id {
            "id4" => {
                "svc={{.Service.Name}} slot={{.Task.Slot}} env={{env \"A\"}}{{env \"none\"}} \
                 sec={{secret \"s1\"}} con={{config \"c1\"}}"
            }
            _ => "{{no template}}",
        };
        let content = Zeroizing::new(text.as_bytes().to_vec());
        Some(Payload { content, template: id == "id4" })
    }
}

#[test]
fn a_payload_that_is_a_template_is_expanded() {
    let files = payload::files(&task(with_files()), &node(0), &Stored).unwrap();
    let text = |number: usize| std::str::from_utf8(&files[number].content).unwrap().to_owned();
    assert_eq!(text(0), "{{no template}}");
    assert_eq!(text(1), "svc=web slot=2 env=2 sec=secret id1 con={{no template}}");
    assert_eq!(text(2), "secret id1");
    let sensitive: Vec<bool> = files.iter().map(|file| file.sensitive).collect();
    assert_eq!(sensitive, [false, true, true, true, true]);
}

#[test]
fn a_payload_asks_only_for_what_its_task_has() {
    let mut without = with_files();
    without["Secrets"] = json!([]);
    let said = payload::files(&task(without), &node(0), &Stored).unwrap_err().to_string();
    assert_eq!(
        said,
        "failed to expand templated config \"ct\": template: expansion:1:78: executing \
         \"expansion\" at <secret \"s1\">: error calling secret: secret target s1 not found"
    );
}
