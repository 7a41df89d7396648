//! What of a service cannot be honoured: a warning where leaving it out is harmless, an
//! error where it is not.

use super::ContainerError;
use super::network::IF_NAME;
use crate::project::{Project, Service};

/// Why a warning is enough for what is passed over: nothing is less protected or less
/// isolated by it.
const HARMLESS: &[(&str, &str)] = &[
    ("credential_spec", "it is for Windows"),
    ("isolation", "it is for Windows"),
    ("cpu_count", "it is for Windows"),
    ("cpu_percent", "it is for Windows"),
    ("cpu_rt_period", "control groups of version 2 have no such setting"),
    ("cpu_rt_runtime", "control groups of version 2 have no such setting"),
    ("mem_swappiness", "control groups of version 2 have no such setting"),
    ("oom_kill_disable", "control groups of version 2 have no such setting"),
    ("cgroup_parent", "containers run below the control group that is delegated to this user"),
    ("storage_opt", "the size of a container's files is not limited"),
    ("pull_refresh_after", "pull_policy says when an image is fetched"),
];

/// What would run with less, or with more rights, than the file says.
const UNSAFE: &[(&str, &str)] = &[
    ("runtime", "containers are started by this program itself"),
    ("models", "no models are run here"),
    ("provider", "no external programs are run for a service"),
    ("use_api_socket", "there is no engine with a socket"),
    ("device_cgroup_rules", "only root can filter devices; name the device in `devices`"),
    ("gpus", "GPUs need a device driver of the host"),
];

/// What becomes of an attribute that the file format knows and this program does not honour as
/// Docker Compose does: for the documentation.
pub(crate) fn said_of(path: &str) -> Option<&'static str> {
    match path {
        "services.*.pre_start.*.per_replica" => return Some("false, else an error"),
        "services.*.build.isolation" => return Some("default, else an error"),
        "services.*.build.privileged" => return Some("error"),
        "services.*.build.provenance" | "services.*.build.sbom" => {
            return Some("false, else an error");
        }
        "services.*.build.entitlements" => return Some("network.host, else an error"),
        "networks.*.ipam.driver" => return Some("default, else an error"),
        "networks.*.ipam.options" | "networks.*.ipam.options.*" => return Some("ignored"),
        _ => {}
    }
    let key = path.strip_prefix("services.*.")?.split('.').next()?;
    let of = |list: &[(&str, &str)]| list.iter().any(|(name, _)| *name == key);
    if key == "runtime" {
        return Some("runc and crun, which do what is done here; else an error");
    }
    match (of(HARMLESS), of(UNSAFE)) {
        (true, _) => Some("ignored"),
        (_, true) => Some("error"),
        _ if path.contains(".link_local_ips") => Some("error"),
        _ if path.contains(".reservations.devices") => Some("error"),
        _ => None,
    }
}

/// Checks a service; the answer is what the user is to be told.
///
/// # Errors
/// For what would be unsafe to leave out.
pub fn honour(service: &Service) -> Result<Vec<String>, ContainerError> {
    let given = |key: &str| {
        service.raw.get(key).is_some_and(|value| {
            !value.is_null()
                && value.as_array().is_none_or(|list| !list.is_empty())
                && !matches!(value.as_str(), Some("" | "default"))
                && value.as_bool() != Some(false)
        })
    };
    if let Some(index) = service.pre_start.iter().position(|step| step.per_replica) {
        return Err(ContainerError::PerReplica { service: service.name.clone(), index });
    }
    let refuse = |attribute: &str, why| ContainerError::Unsupported {
        service: service.name.clone(),
        attribute: attribute.to_owned(),
        why,
    };
    if let Some((key, why)) = UNSAFE.iter().find(|(key, _)| given(key)) {
        // The runtimes of Docker that do what this one does.
        let usual = matches!(
            service.raw.get("runtime").and_then(serde_json::Value::as_str),
            Some("runc" | "crun")
        );
        if *key != "runtime" || !usual {
            return Err(refuse(key, why));
        }
    }
    let check = service.healthcheck.as_ref();
    if check.is_some_and(|check| check.start_interval.is_some() && check.start_period.is_none()) {
        return Err(ContainerError::NoStartPeriod);
    }
    if !service.deploy.resources.reservations.devices.is_empty() {
        let why = "devices need a driver of the host; name them in `devices`";
        return Err(refuse("deploy.resources.reservations.devices", why));
    }
    let tell = |key: &str, why: &str| format!("services.{}.{key}: ignored: {why}", service.name);
    let mut warnings: Vec<String> =
        HARMLESS.iter().filter(|(key, _)| given(key)).map(|(key, why)| tell(key, why)).collect();
    let swarm = of_a_swarm(service);
    if !swarm.is_empty() {
        warnings.push(tell(&format!("deploy: {}", swarm.join(", ")), "there is no swarm"));
    }
    warnings.extend(templates(service));
    for (key, settings) in &service.networks {
        let Some(settings) = settings else { continue };
        if !settings.link_local_ips.is_empty() {
            let why = "an endpoint has one address of each family";
            return Err(refuse(&format!("networks.{key}.link_local_ips"), why));
        }
        let name = &settings.interface_name;
        if !name.is_empty() && settings.driver_opts.get(IF_NAME).is_some_and(|other| other != name)
        {
            let (service, option) = (&service.name, IF_NAME);
            warnings.push(format!(
                "ignoring services.{service}.networks.{key}.interface_name as {option} driver_opts \
                 is already declared"
            ));
        }
    }
    Ok(warnings)
}

/// Values with placeholders that a swarm fills in for each task: here they stay as they are.
fn templates(service: &Service) -> Vec<String> {
    let placeholder = |text: &str| {
        let inside = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
        let mut names = inside.map(str::trim).filter(|inside| {
            [".Service.", ".Node.", ".Task."].iter().any(|kind| inside.starts_with(kind))
        });
        names.next().map(|name| format!("{{{{{name}}}}}"))
    };
    let environment = service.environment.iter().filter_map(|(key, value)| {
        Some((format!("environment.{key}"), placeholder(value.as_deref()?)?))
    });
    let hostname = placeholder(&service.hostname).map(|found| ("hostname".to_owned(), found));
    let sources = service.volumes.iter().enumerate().filter_map(|(index, volume)| {
        Some((format!("volumes[{index}].source"), placeholder(&volume.source)?))
    });
    environment
        .chain(hostname)
        .chain(sources)
        .map(|(key, found)| {
            let name = &service.name;
            format!("services.{name}.{key}: {found} stays as it is: only a swarm fills it in")
        })
        .collect()
}

/// What of `deploy` only a swarm can honour.
fn of_a_swarm(service: &Service) -> Vec<&'static str> {
    const KEYS: [&str; 10] = [
        "endpoint_mode",
        "labels",
        "mode",
        "placement",
        "resources.reservations.cpus",
        "resources.reservations.generic_resources",
        "restart_policy.delay",
        "restart_policy.window",
        "rollback_config",
        "update_config",
    ];
    let deploy = service.raw.get("deploy");
    let given = |key: &&str| {
        let value = key.split('.').try_fold(deploy?, |value, part| value.get(part))?;
        let says_something = value.as_object().is_none_or(|map| !map.is_empty())
            && !value.is_null()
            // The mode that is meant without a swarm too.
            && value.as_str() != Some("replicated");
        says_something.then_some(())
    };
    let given = |key: &&str| given(key).is_some();
    KEYS.into_iter().filter(given).collect()
}

/// Checks the networks of a project.
///
/// # Errors
/// For ways of giving addresses that there are not.
pub fn honour_networks(project: &Project) -> Result<(), ContainerError> {
    for (key, network) in &project.networks {
        let refuse = |attribute: &str, why| ContainerError::UnsupportedNetwork {
            network: key.clone(),
            attribute: attribute.to_owned(),
            why,
        };
        if !matches!(network.ipam.driver.as_str(), "" | "default") {
            return Err(refuse("ipam.driver", "addresses are given by the default driver"));
        }
    }
    Ok(())
}
