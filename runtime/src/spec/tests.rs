//! What [`super::build`] makes of whole containers.

use std::path::PathBuf;

use oci_spec::runtime::Spec;

use super::*;
use crate::model::{Container, ContainerMount, MountPoint, MountType};
use crate::start::users::User;

fn container() -> Container {
    let mut container = Container {
        path: "sleep".to_owned(),
        args: vec!["1000".to_owned()],
        ..Container::default()
    };
    container.config.hostname = "48fc025c0a4b".to_owned();
    container
}

fn inputs() -> Inputs {
    Inputs {
        rootfs: PathBuf::from("/c/rootfs"),
        user: User { uid: 0, gid: 0, groups: vec![0, 0, 1], home: "/root".to_owned() },
        etc: EtcPaths {
            resolv_conf: Some(PathBuf::from("/c/resolv.conf")),
            hostname: Some(PathBuf::from("/c/hostname")),
            hosts: Some(PathBuf::from("/c/hosts")),
        },
        init: PathBuf::from("/usr/bin/coracle"),
        ..Inputs::default()
    }
}

/// One line per mount: destination, type, source, options.
fn mounts(spec: &Spec) -> Vec<String> {
    let all = spec.mounts().as_ref().unwrap();
    all.iter()
        .map(|mount| {
            format!(
                "{} {} {} {}",
                mount.destination().display(),
                mount.typ().as_deref().unwrap(),
                mount.source().as_ref().unwrap().display(),
                mount.options().as_ref().unwrap().join(",")
            )
        })
        .collect()
}

fn mount_at(spec: &Spec, destination: &str) -> Option<String> {
    mounts(spec)
        .into_iter()
        .find_map(|line| line.strip_prefix(destination)?.strip_prefix(' ').map(str::to_owned))
}

fn namespaces(spec: &Spec) -> Vec<String> {
    let all = spec.linux().as_ref().unwrap().namespaces().as_ref().unwrap();
    all.iter()
        .map(|namespace| match namespace.path() {
            Some(path) => format!("{}={}", namespace.typ(), path.display()),
            None => namespace.typ().to_string(),
        })
        .collect()
}

#[test]
fn a_plain_container_gets_dockers_mounts() {
    let plan = build(&container(), &inputs()).unwrap();
    assert_eq!(
        mounts(&plan.spec),
        [
            "/proc proc proc nosuid,noexec,nodev",
            "/dev tmpfs tmpfs nosuid,strictatime,mode=755,size=65536k",
            "/dev/pts devpts devpts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
            "/sys sysfs sysfs nosuid,noexec,nodev,ro",
            "/sys/fs/cgroup cgroup2 cgroup nosuid,noexec,nodev,ro",
            "/dev/mqueue mqueue mqueue nosuid,noexec,nodev",
            "/dev/shm tmpfs shm nosuid,noexec,nodev,mode=1777,size=67108864",
            "/etc/resolv.conf bind /c/resolv.conf rbind,rw",
            "/etc/hostname bind /c/hostname rbind,rw",
            "/etc/hosts bind /c/hosts rbind,rw",
        ]
    );
}

#[test]
fn a_plain_container_gets_dockers_process() {
    let plan = build(&container(), &inputs()).unwrap();
    let process = plan.spec.process().as_ref().unwrap();
    assert_eq!(process.args().as_deref().unwrap(), ["sleep", "1000"]);
    assert_eq!(process.cwd(), &PathBuf::from("/"));
    assert_eq!(process.terminal(), Some(false));
    assert_eq!(process.user().additional_gids().as_deref(), Some(&[0, 0, 1][..]));
    assert_eq!(process.no_new_privileges(), None);
    assert_eq!(process.oom_score_adj(), None);
    assert_eq!(
        plan.env,
        [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOSTNAME=48fc025c0a4b",
            "HOME=/root"
        ]
    );
    assert_eq!(plan.final_caps.effective.bits(), 0xa804_25fb);
    assert_eq!(plan.final_caps.ambient.bits(), 0);
    let held = process.capabilities().as_ref().unwrap();
    let both = CapSet::DOCKER_DEFAULT.union(CapSet::TO_FINISH);
    assert_eq!(held.effective().as_ref().unwrap(), &both.to_oci());
    assert_ne!(both, CapSet::DOCKER_DEFAULT);
    assert!(held.ambient().as_ref().unwrap().is_empty());
    assert!(plan.filter.is_some());
    assert!(!plan.no_new_privs);
}

#[test]
fn a_plain_container_gets_dockers_isolation() {
    let plan = build(&container(), &inputs()).unwrap();
    assert_eq!(namespaces(&plan.spec), ["mnt", "net", "uts", "pid", "ipc", "cgroup"]);
    let linux = plan.spec.linux().as_ref().unwrap();
    assert_eq!(linux.masked_paths().as_ref().unwrap().len(), 12);
    assert_eq!(linux.readonly_paths().as_ref().unwrap().len(), 5);
    assert_eq!(linux.rootfs_propagation().as_deref(), Some("private"));
    assert!(linux.seccomp().is_none());
    assert!(linux.resources().is_none());
    assert!(linux.uid_mappings().is_none());
    assert_eq!(plan.spec.hostname().as_deref(), Some("48fc025c0a4b"));
    assert_eq!(plan.spec.domainname(), &None);
}

#[test]
fn host_modes_bind_what_cannot_be_mounted() {
    let mut container = container();
    container.host_config.pid_mode = "host".to_owned();
    container.host_config.ipc_mode = "host".to_owned();
    container.host_config.uts_mode = "host".to_owned();
    container.host_config.cgroupns_mode = "host".to_owned();
    let inputs = Inputs { network: NetworkSource::Host, ..inputs() };
    let spec = build(&container, &inputs).unwrap().spec;
    assert_eq!(namespaces(&spec), ["mnt"]);
    assert_eq!(spec.hostname(), &None);
    assert!(spec.linux().as_ref().unwrap().sysctl().is_none());
    assert_eq!(mount_at(&spec, "/proc").unwrap(), "bind /proc rbind,nosuid,noexec,nodev");
    assert_eq!(mount_at(&spec, "/sys").unwrap(), "bind /sys rbind,nosuid,noexec,nodev,ro,rro");
    assert_eq!(
        mount_at(&spec, "/sys/fs/cgroup").unwrap(),
        "bind /sys/fs/cgroup rbind,nosuid,noexec,nodev,ro,rro"
    );
    assert_eq!(mount_at(&spec, "/dev/shm").unwrap(), "bind /dev/shm rbind");
}

#[test]
fn containers_namespaces_are_joined_by_path() {
    let mut container = container();
    container.host_config.pid_mode = "container:db".to_owned();
    container.host_config.ipc_mode = "container:db".to_owned();
    let mut inputs = Inputs {
        network: NetworkSource::Join(PathBuf::from("/proc/7/ns/net")),
        join_pid: Some(PathBuf::from("/proc/7/ns/pid")),
        join_ipc: Some(PathBuf::from("/proc/7/ns/ipc")),
        shm_dir: Some(PathBuf::from("/c/db/shm")),
        ..inputs()
    };
    let spec = build(&container, &inputs).unwrap().spec;
    assert_eq!(
        namespaces(&spec),
        ["mnt", "net=/proc/7/ns/net", "uts", "pid=/proc/7/ns/pid", "ipc=/proc/7/ns/ipc", "cgroup"]
    );
    assert_eq!(mount_at(&spec, "/dev/shm").unwrap(), "bind /c/db/shm rbind");
    inputs.join_pid = None;
    assert!(matches!(
        build(&container, &inputs).unwrap_err(),
        SpecError::NothingToJoin { option: "--pid" }
    ));
}

#[test]
fn privileged_lifts_what_it_may() {
    let mut container = container();
    container.host_config.privileged = true;
    let mut inputs = inputs();
    inputs.host.devices = vec![PathBuf::from("/dev/fuse")];
    let plan = build(&container, &inputs).unwrap();
    assert_eq!(plan.final_caps.bounding.bits(), 0x1ff_ffff_ffff);
    assert!(plan.filter.is_none());
    assert_eq!(mount_at(&plan.spec, "/sys").unwrap(), "sysfs sysfs nosuid,noexec,nodev");
    assert_eq!(mount_at(&plan.spec, "/dev/fuse").unwrap(), "bind /dev/fuse bind");
    let linux = plan.spec.linux().as_ref().unwrap();
    assert!(linux.masked_paths().as_ref().unwrap().is_empty());
    assert!(linux.readonly_paths().as_ref().unwrap().is_empty());
}

fn volume(destination: &str, rw: bool) -> ContainerMount {
    ContainerMount {
        point: MountPoint {
            kind: MountType::Volume,
            source: "/v".to_owned(),
            destination: destination.to_owned(),
            rw,
            ..MountPoint::default()
        },
        ..ContainerMount::default()
    }
}

#[test]
fn the_users_mounts_come_in_order_of_depth() {
    let mut container = container();
    container.mounts =
        vec![volume("/a/b/c", true), volume("/dev/shm", true), volume("/etc", false)];
    container.host_config.readonly_rootfs = true;
    let spec = build(&container, &inputs()).unwrap().spec;
    assert_eq!(
        mounts(&spec)[6..],
        [
            "/etc bind /v rbind,ro,rro",
            "/dev/shm bind /v rbind,rw",
            "/etc/resolv.conf bind /c/resolv.conf rbind,ro",
            "/etc/hostname bind /c/hostname rbind,ro",
            "/etc/hosts bind /c/hosts rbind,ro",
            "/a/b/c bind /v rbind,rw",
        ]
    );
    assert_eq!(spec.root().as_ref().unwrap().readonly(), Some(true));
}

#[test]
fn tmpfs_replaces_what_lies_there() {
    let mut container = container();
    container.host_config.tmpfs = [
        ("/run".to_owned(), "size=1m,mode=700".to_owned()),
        ("/dev/shm".to_owned(), String::new()),
    ]
    .into();
    let spec = build(&container, &inputs()).unwrap().spec;
    assert_eq!(
        mount_at(&spec, "/run").unwrap(),
        "tmpfs tmpfs noexec,nosuid,nodev,size=1m,mode=700"
    );
    assert_eq!(mount_at(&spec, "/dev/shm").unwrap(), "tmpfs tmpfs noexec,nosuid,nodev");
    assert_eq!(mounts(&spec).iter().filter(|line| line.starts_with("/dev/shm")).count(), 1);
}

#[test]
fn an_own_hosts_file_replaces_ours() {
    let mut container = container();
    container.mounts = vec![volume("/etc/hosts", true)];
    let spec = build(&container, &inputs()).unwrap().spec;
    assert_eq!(mount_at(&spec, "/etc/hosts").unwrap(), "bind /v rbind,rw");
    assert_eq!(mounts(&spec).iter().filter(|line| line.contains("/etc/hosts")).count(), 1);
}

#[test]
fn propagation_follows_the_mounts() {
    let mut container = container();
    container.mounts = vec![volume("/m", true)];
    container.mounts[0].point.propagation = "rslave".to_owned();
    let spec = build(&container, &inputs()).unwrap().spec;
    assert_eq!(spec.linux().as_ref().unwrap().rootfs_propagation(), &None);
    container.mounts[0].point.propagation = "rshared".to_owned();
    assert!(matches!(
        build(&container, &inputs()).unwrap_err(),
        SpecError::SharedPropagation { .. }
    ));
}

#[test]
fn a_bind_over_dev_is_refused() {
    let mut container = container();
    container.mounts = vec![volume("/dev", true)];
    assert!(matches!(build(&container, &inputs()).unwrap_err(), SpecError::BindOverDev));
}

#[test]
fn init_runs_the_words_below_it() {
    let mut container = container();
    container.host_config.init = Some(true);
    let spec = build(&container, &inputs()).unwrap().spec;
    let process = spec.process().as_ref().unwrap();
    assert_eq!(process.args().as_deref().unwrap(), ["/sbin/docker-init", "--", "sleep", "1000"]);
    assert_eq!(mount_at(&spec, "/sbin/docker-init").unwrap(), "bind /usr/bin/coracle bind,ro");
}

#[test]
fn limits_need_a_cgroup() {
    let mut container = container();
    container.host_config.resources.memory = 64 << 20;
    let error = build(&container, &inputs()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no cgroup is delegated to this user, so memory cannot be limited"
    );
    let inputs = Inputs { cgroups_path: Some(PathBuf::from("/user/x")), ..inputs() };
    let spec = build(&container, &inputs).unwrap().spec;
    let resources = spec.linux().as_ref().unwrap().resources().clone().unwrap();
    assert_eq!(resources.memory().unwrap().limit(), Some(64 << 20));
}

#[test]
fn dockers_refusals_have_dockers_texts() {
    let text = |change: fn(&mut Container)| {
        let mut container = container();
        change(&mut container);
        build(&container, &inputs()).unwrap_err().to_string()
    };
    assert_eq!(
        text(|c| c.config.working_dir = "relative".to_owned()),
        "the working directory 'relative' is invalid, it needs to be an absolute path"
    );
    assert_eq!(text(|c| c.host_config.ipc_mode = "bogus".to_owned()), "invalid IPC mode: bogus");
    assert_eq!(
        text(|c| c.host_config.oom_score_adj = 5000),
        "Invalid value 5000, range for oom score adj is [-1000, 1000]"
    );
}
