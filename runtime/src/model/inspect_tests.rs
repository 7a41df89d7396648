//! `inspect` compared with what Docker prints for such a container.

use std::collections::BTreeMap;

use super::super::{ContainerMount, Empty, EndpointSettings, MountType, PortBinding, Status};
use super::*;

/// A running container with two published ports, a volume and labels.
const RUNNING: &str = r#"{"Id":"48fc025c0a4b42c1",
"Created":"2026-11-20T23:54:39.907517755Z",
"Path":"sleep",
"Args":["1000"],
"State":{"Status":"running","Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":62,"ExitCode":0,"Error":"","StartedAt":"2026-11-20T23:54:39.919705412Z","FinishedAt":"0001-01-01T00:00:00Z"},
"Image":"sha256:f08f",
"ResolvConfPath":"/c/resolv.conf",
"HostnamePath":"/c/hostname",
"HostsPath":"/c/hosts",
"LogPath":"/c/json.log",
"Name":"/p1",
"RestartCount":0,
"Driver":"overlay2",
"Platform":"linux",
"MountLabel":"",
"ProcessLabel":"",
"AppArmorProfile":"",
"ExecIDs":null,
"HostConfig":{
"Binds":["pv:/pv"],
"ContainerIDFile":"",
"LogConfig":{"Type":"json-file","Config":{}},
"NetworkMode":"bridge",
"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8081"}],"81/udp":[{"HostIp":"127.0.0.1","HostPort":"8082"}]},
"RestartPolicy":{"Name":"no","MaximumRetryCount":0},
"AutoRemove":false,
"VolumeDriver":"",
"VolumesFrom":null,
"ConsoleSize":[0,0],
"CapAdd":null,
"CapDrop":null,
"CgroupnsMode":"private",
"Dns":[],
"DnsOptions":[],
"DnsSearch":[],
"ExtraHosts":null,
"GroupAdd":null,
"IpcMode":"private",
"Cgroup":"",
"Links":null,
"OomScoreAdj":0,
"PidMode":"",
"Privileged":false,
"PublishAllPorts":false,
"ReadonlyRootfs":false,
"SecurityOpt":null,
"UTSMode":"",
"UsernsMode":"",
"ShmSize":67108864,
"Runtime":"libcontainer",
"Isolation":"",
"CpuShares":0,
"Memory":0,
"NanoCpus":0,
"CgroupParent":"",
"BlkioWeight":0,
"BlkioWeightDevice":[],
"BlkioDeviceReadBps":[],
"BlkioDeviceWriteBps":[],
"BlkioDeviceReadIOps":[],
"BlkioDeviceWriteIOps":[],
"CpuPeriod":0,
"CpuQuota":0,
"CpuRealtimePeriod":0,
"CpuRealtimeRuntime":0,
"CpusetCpus":"",
"CpusetMems":"",
"Devices":[],
"DeviceCgroupRules":null,
"DeviceRequests":null,
"MemoryReservation":0,
"MemorySwap":0,
"MemorySwappiness":null,
"OomKillDisable":null,
"PidsLimit":null,
"Ulimits":[],
"CpuCount":0,
"CpuPercent":0,
"IOMaximumIOps":0,
"IOMaximumBandwidth":0,
"MaskedPaths":["/proc/asound","/proc/acpi","/proc/interrupts","/proc/kcore","/proc/keys","/proc/latency_stats","/proc/timer_list","/proc/timer_stats","/proc/sched_debug","/proc/scsi","/sys/firmware","/sys/devices/virtual/powercap"],
"ReadonlyPaths":["/proc/bus","/proc/fs","/proc/irq","/proc/sys","/proc/sysrq-trigger"]},
"GraphDriver":{"Data":{"UpperDir":"/c/diff"},"Name":"overlay2"},
"Mounts":[{"Type":"volume","Name":"pv","Source":"/v/pv/_data","Destination":"/pv","Driver":"local","Mode":"z","RW":true,"Propagation":""}],
"Config":{
"Hostname":"48fc025c0a4b",
"Domainname":"",
"User":"",
"AttachStdin":false,
"AttachStdout":false,
"AttachStderr":false,
"ExposedPorts":{"80/tcp":{},"81/udp":{}},
"Tty":false,
"OpenStdin":false,
"StdinOnce":false,
"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
"Cmd":["sleep","1000"],
"Image":"alpine",
"Volumes":null,
"WorkingDir":"",
"Entrypoint":null,
"OnBuild":null,
"Labels":{"tier":"web","x":"1"}},
"NetworkSettings":{
"Bridge":"",
"SandboxID":"39",
"SandboxKey":"/n/39",
"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8081"},{"HostIp":"::","HostPort":"8081"}],"81/udp":[{"HostIp":"127.0.0.1","HostPort":"8082"}]},
"HairpinMode":false,
"LinkLocalIPv6Address":"",
"LinkLocalIPv6PrefixLen":0,
"SecondaryIPAddresses":null,
"SecondaryIPv6Addresses":null,
"EndpointID":"46",
"Gateway":"172.17.0.1",
"GlobalIPv6Address":"",
"GlobalIPv6PrefixLen":0,
"IPAddress":"172.17.0.2",
"IPPrefixLen":16,
"IPv6Gateway":"",
"MacAddress":"d2:4e:a0:ed:2d:c3",
"Networks":{"bridge":{"IPAMConfig":null,"Links":null,"Aliases":null,"MacAddress":"d2:4e:a0:ed:2d:c3","DriverOpts":null,"GwPriority":0,"NetworkID":"8e","EndpointID":"46","Gateway":"172.17.0.1","IPAddress":"172.17.0.2","IPPrefixLen":16,"IPv6Gateway":"","GlobalIPv6Address":"","GlobalIPv6PrefixLen":0,"DNSNames":null}}}}"#;

fn binding(ip: &str, port: &str) -> PortBinding {
    PortBinding { host_ip: ip.to_owned(), host_port: port.to_owned() }
}

fn container() -> Container {
    let mut container = Container {
        id: "48fc025c0a4b42c1".to_owned(),
        name: "p1".to_owned(),
        created: "2026-11-20T23:54:39.907517755Z".parse().unwrap(),
        path: "sleep".to_owned(),
        args: vec!["1000".to_owned()],
        image: "sha256:f08f".to_owned(),
        image_name: "alpine".into(),
        platform: "linux/amd64".to_owned(),
        config: config(),
        network_settings: network(),
        ..Container::default()
    };
    container.host_config.binds = Some(vec!["pv:/pv".to_owned()]);
    container.host_config.network_mode = "bridge".to_owned();
    container.host_config.port_bindings = [
        ("80/tcp".into(), Some(vec![binding("", "8081")])),
        ("81/udp".into(), Some(vec![binding("127.0.0.1", "8082")])),
    ]
    .into();
    container.mounts = vec![ContainerMount {
        point: MountPoint {
            kind: MountType::Volume,
            name: "pv".to_owned(),
            source: "/v/pv/_data".to_owned(),
            destination: "/pv".to_owned(),
            driver: "local".to_owned(),
            mode: "z".to_owned(),
            rw: true,
            propagation: String::new(),
        },
        ..ContainerMount::default()
    }];
    container
}

fn config() -> Config {
    Config {
        hostname: "48fc025c0a4b".to_owned(),
        attach_stdout: false,
        attach_stderr: false,
        exposed_ports: [("80/tcp".into(), Empty {}), ("81/udp".into(), Empty {})].into(),
        env: vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()],
        cmd: Some(vec!["sleep".to_owned(), "1000".to_owned()]),
        image: "alpine".to_owned(),
        labels: [("x".to_owned(), "1".to_owned()), ("tier".to_owned(), "web".to_owned())].into(),
        ..Config::default()
    }
}

fn network() -> NetworkSettings {
    let endpoint = EndpointSettings {
        mac_address: "d2:4e:a0:ed:2d:c3".to_owned(),
        network_id: "8e".to_owned(),
        endpoint_id: "46".to_owned(),
        gateway: "172.17.0.1".to_owned(),
        ip_address: "172.17.0.2".to_owned(),
        ip_prefix_len: 16,
        ..EndpointSettings::default()
    };
    NetworkSettings {
        sandbox_id: "39".to_owned(),
        sandbox_key: "/n/39".to_owned(),
        ports: [
            ("80/tcp".into(), Some(vec![binding("0.0.0.0", "8081"), binding("::", "8081")])),
            ("81/udp".into(), Some(vec![binding("127.0.0.1", "8082")])),
        ]
        .into(),
        endpoint_id: "46".to_owned(),
        gateway: "172.17.0.1".to_owned(),
        ip_address: "172.17.0.2".to_owned(),
        ip_prefix_len: 16,
        mac_address: "d2:4e:a0:ed:2d:c3".to_owned(),
        networks: BTreeMap::from([("bridge".to_owned(), endpoint)]),
        ..NetworkSettings::default()
    }
}

fn inspect(container: &Container) -> ContainerInspect {
    let state = State {
        status: Status::Running,
        pid: 62,
        started_at: "2026-11-20T23:54:39.919705412Z".parse().unwrap(),
        ..State::default()
    };
    let paths = InspectPaths {
        resolv_conf: "/c/resolv.conf".to_owned(),
        hostname: "/c/hostname".to_owned(),
        hosts: "/c/hosts".to_owned(),
        log: "/c/json.log".to_owned(),
        graph_driver: GraphDriver {
            data: Some([("UpperDir".to_owned(), "/c/diff".to_owned())].into()),
            name: "overlay2".to_owned(),
        },
    };
    ContainerInspect::new(container, &state, paths, None)
}

/// The literal without the line breaks that keep it readable.
fn compact(text: &str) -> String {
    text.lines().map(str::trim_start).collect()
}

#[test]
fn inspect_has_dockers_keys_in_dockers_order() {
    let json = serde_json::to_string(&inspect(&container())).unwrap();
    assert_eq!(json, compact(RUNNING));
}

#[test]
fn inspect_and_record_can_be_read_back() {
    let expected = inspect(&container());
    let read: ContainerInspect = serde_json::from_str(RUNNING).unwrap();
    assert_eq!(read, expected);

    let text = serde_json::to_string(&container()).unwrap();
    assert_eq!(serde_json::from_str::<Container>(&text).unwrap(), container());
}
