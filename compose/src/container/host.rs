//! `HostConfig` of a service's container.

use std::collections::BTreeMap;

use coracle_runtime::model::{
    DeviceMapping, HostConfig, LogConfig, PortBinding, PortMap, Resources, RestartPolicy,
    ThrottleDevice, Ulimit, WeightDevice,
};
use coracle_words::port::PortKey;

use super::{ContainerError, Defaults, Facts};
use crate::project::{Port, Project, Service};

pub(super) fn build(
    project: &Project,
    service: &Service,
    facts: &Facts,
    defaults: &Defaults,
    network_mode: String,
) -> Result<HostConfig, ContainerError> {
    let plain = HostConfig::default();
    let restart = service.restart_policy();
    let (security_opt, open_paths) = security(service, facts);
    let open = open_paths || service.privileged;
    // In networks of the user's they belong to the endpoints.
    let users = service.network_mode.as_deref().is_none_or(str::is_empty);
    let default_links = if users { Vec::new() } else { links(project, service, facts) };
    let or_none = |list: Vec<String>| (!list.is_empty()).then_some(list);
    let chosen = |own: &Vec<String>, other: &Vec<String>| {
        Some(if own.is_empty() { other.clone() } else { own.clone() })
    };
    Ok(HostConfig {
        log_config: logging(service, defaults),
        network_mode,
        port_bindings: ports(service),
        restart_policy: RestartPolicy { name: restart.name, maximum_retry_count: restart.attempts },
        annotations: service.annotations.clone(),
        cap_add: capabilities(&service.cap_add),
        cap_drop: capabilities(&service.cap_drop),
        cgroupns_mode: if service.cgroup.is_empty() {
            plain.cgroupns_mode
        } else {
            service.cgroup.clone()
        },
        dns: chosen(&service.dns, &defaults.dns),
        dns_options: chosen(&service.dns_opt, &defaults.dns_options),
        dns_search: chosen(&service.dns_search, &defaults.dns_search),
        extra_hosts: Some(extra_hosts(service)),
        group_add: or_none(service.group_add.clone()),
        ipc_mode: shared("IPC namespace", facts, &service.ipc)?.unwrap_or(plain.ipc_mode),
        links: or_none(default_links),
        oom_score_adj: service.oom_score_adj.and_then(|v| i32::try_from(v).ok()).unwrap_or(0),
        pid_mode: shared("PID namespace", facts, &service.pid)?.unwrap_or_default(),
        privileged: service.privileged,
        readonly_rootfs: service.read_only,
        security_opt: or_none(security_opt),
        uts_mode: service.uts.clone(),
        userns_mode: service.userns_mode.clone(),
        shm_size: if service.shm_size.0 == 0 { plain.shm_size } else { service.shm_size.0 },
        sysctls: service.sysctls.clone(),
        resources: resources(service),
        masked_paths: if open { Some(Vec::new()) } else { plain.masked_paths },
        readonly_paths: if open { Some(Vec::new()) } else { plain.readonly_paths },
        init: service.init.or(defaults.init),
        ..HostConfig::default()
    })
}

fn logging(service: &Service, defaults: &Defaults) -> LogConfig {
    let own = &service.logging;
    let Some(driver) = own.driver.clone() else {
        let mut log = defaults.log.clone();
        log.config.extend(own.options.clone());
        return log;
    };
    LogConfig { driver, config: own.options.clone() }
}

/// `80/tcp`.
pub(super) fn port_key(port: &Port) -> PortKey {
    PortKey::new(port.target, port.protocol.as_deref().unwrap_or("tcp"))
}

fn ports(service: &Service) -> PortMap {
    let mut all = PortMap::new();
    for port in &service.ports {
        let binding = PortBinding {
            host_ip: port.host_ip.clone().unwrap_or_default(),
            host_port: port.published.clone().unwrap_or_default(),
        };
        all.entry(port_key(port)).or_default().get_or_insert_default().push(binding);
    }
    all
}

fn capabilities(given: &[String]) -> Option<Vec<String>> {
    let full = |name: &String| match name.to_uppercase() {
        name if name == "ALL" || name.starts_with("CAP_") => name,
        name => format!("CAP_{name}"),
    };
    let names: Vec<String> = given.iter().map(full).collect();
    (!names.is_empty()).then_some(names)
}

/// `NAME=ADDRESS` as the engine takes it: `NAME:ADDRESS`.
fn extra_hosts(service: &Service) -> Vec<String> {
    service
        .extra_hosts
        .iter()
        .map(|entry| match entry.split_once('=') {
            Some((name, address)) => format!("{name}:{address}"),
            None => entry.clone(),
        })
        .collect()
}

/// The namespace of another service's container.
pub(super) fn shared(
    what: &'static str,
    facts: &Facts,
    mode: &str,
) -> Result<Option<String>, ContainerError> {
    if mode.is_empty() {
        return Ok(None);
    }
    let Some(name) = mode.strip_prefix("service:") else { return Ok(Some(mode.to_owned())) };
    let peer = facts.peers.get(name).and_then(|peers| peers.first());
    let missing = || ContainerError::NoPeer { what, name: name.to_owned() };
    let peer = peer.ok_or_else(missing)?;
    Ok(Some(format!("container:{peer}")))
}

/// What the container calls others: `CONTAINER:ALIAS`. Each container of a service that is linked
/// to has the alias, or else the name of the service, and names with its number.
pub(super) fn links(project: &Project, service: &Service, facts: &Facts) -> Vec<String> {
    let mut all = Vec::new();
    for link in &service.links {
        let (name, alias) = link.split_once(':').unwrap_or((link, link));
        for (number, peer) in (1..).zip(facts.peers.get(name).into_iter().flatten()) {
            let numbered = [name, &number.to_string()].join(project.separator());
            let names = [alias, &numbered, &peer.name];
            all.extend(names.map(|alias| format!("{peer}:{alias}")));
        }
    }
    for link in &service.external_links {
        let (name, alias) = link.split_once(':').unwrap_or((link, link));
        all.push(format!("{name}:{alias}"));
    }
    all
}

/// Security options as the engine takes them, and whether system paths stay open.
fn security(service: &Service, facts: &Facts) -> (Vec<String>, bool) {
    let mut options = Vec::new();
    let mut open_paths = false;
    for option in &service.security_opt {
        let (key, value) = match option.find(['=', ':']) {
            Some(at) => (&option[..at], &option[at + 1..]),
            None => (option.as_str(), ""),
        };
        match (key, value) {
            ("systempaths", "unconfined") => open_paths = true,
            ("seccomp", path) if facts.profiles.contains_key(path) => {
                options.push(format!("seccomp={}", facts.profiles[path]));
            }
            (key, "") => options.push(key.to_owned()),
            (key, value) => options.push(format!("{key}={value}")),
        }
    }
    (options, open_paths)
}

fn resources(service: &Service) -> Resources {
    let (limits, reserved) =
        (&service.deploy.resources.limits, &service.deploy.resources.reservations);
    let first = |own: i64, other: i64| if own == 0 { other } else { own };
    let pids = service.pids_limit.or(limits.pids);
    Resources {
        cpu_shares: service.cpu_shares.unwrap_or(0),
        memory: first(service.mem_limit.0, limits.memory.0),
        nano_cpus: service.cpus.or(limits.cpus).unwrap_or(0),
        cpu_period: service.cpu_period.unwrap_or(0),
        cpu_quota: service.cpu_quota.unwrap_or(0),
        cpuset_cpus: service.cpuset.clone(),
        devices: Some(devices(service)),
        memory_reservation: first(service.mem_reservation.0, reserved.memory.0),
        memory_swap: service.memswap_limit.0,
        pids_limit: pids,
        ulimits: Some(ulimits(service)),
        ..block_io(service)
    }
}

fn devices(service: &Service) -> Vec<DeviceMapping> {
    let mapping = |device: &crate::project::DeviceUse| DeviceMapping {
        path_on_host: device.source.clone(),
        path_in_container: device.target.clone(),
        cgroup_permissions: device.permissions.clone(),
    };
    service.devices.iter().map(mapping).collect()
}

fn ulimits(service: &Service) -> Vec<Ulimit> {
    let limit = |(name, limit): (&String, &crate::project::Ulimit)| Ulimit {
        name: name.clone(),
        hard: limit.hard,
        soft: limit.soft,
    };
    service.ulimits.iter().map(limit).collect()
}

fn block_io(service: &Service) -> Resources {
    let Some(blkio) = &service.blkio_config else { return Resources::default() };
    let rates = |list: &[crate::project::Rate]| {
        let one = |rate: &crate::project::Rate| ThrottleDevice {
            path: rate.path.clone(),
            rate: rate.rate,
        };
        Some(list.iter().map(one).collect())
    };
    let weight = |device: &crate::project::Weight| WeightDevice {
        path: device.path.clone(),
        weight: device.weight,
    };
    Resources {
        blkio_weight: blkio.weight,
        blkio_weight_device: Some(blkio.weight_device.iter().map(weight).collect()),
        blkio_device_read_bps: rates(&blkio.device_read_bps),
        blkio_device_write_bps: rates(&blkio.device_write_bps),
        blkio_device_read_iops: rates(&blkio.device_read_iops),
        blkio_device_write_iops: rates(&blkio.device_write_iops),
        ..Resources::default()
    }
}

/// `--tmpfs`: path to options.
pub(super) fn tmpfs(service: &Service) -> BTreeMap<String, String> {
    service
        .tmpfs
        .iter()
        .map(|entry| entry.split_once(':').unwrap_or((entry, "")))
        .map(|(path, options)| (path.to_owned(), options.to_owned()))
        .collect()
}
