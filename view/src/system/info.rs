//! What this host offers and what is stored: the document of `info`.

use coracle_runtime::home::Machine;
use coracle_runtime::ladder::{Answer, Ladder, Rung};
use coracle_runtime::model::Status;
use coracle_runtime::{Home, Storage};
use serde_json::{Map, Value, json};

use super::swarm;
use crate::document::value_of;
use crate::image::readable;
use crate::{Api, Now, ViewError, container};

/// What the settings and the environment say; plain values, read by whoever asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InfoSettings {
    /// Of the engine, as programs compare it.
    pub version: String,
    /// Whose names are wanted.
    pub api: Api,
    pub registry_mirrors: Vec<String>,
    /// Where the output of containers goes that do not say.
    pub log_driver: Option<String>,
    pub http_proxy: String,
    pub https_proxy: String,
    pub no_proxy: String,
    /// The node of the swarm that is asked, if it is not the machine itself.
    pub node: Option<String>,
}

/// What `GET /info` answers, in Docker's order; what its client adds about itself is not there.
///
/// # Errors
/// When records or the store cannot be read, or the network helper does not answer.
pub fn info(
    home: &Home,
    ladder: &Ladder,
    machine: &Machine,
    settings: &InfoSettings,
    now: &Now,
) -> Result<Value, ViewError> {
    let path = network_path(home, ladder)?;
    let parts = [
        counts(home, ladder, settings, &path)?,
        kernel_facts(ladder, machine, settings, now),
        settings_facts(home, machine, settings),
        engine_facts(home, ladder, settings, &path)?,
    ];
    let mut all = Map::new();
    for part in parts {
        if let Value::Object(map) = part {
            all.extend(map);
        }
    }
    Ok(Value::Object(all))
}

fn has(ladder: &Ladder, name: &str) -> bool {
    matches!(ladder.rung(name), Some(Rung { answer: Answer::Have(_), .. }))
}

fn counts(
    home: &Home,
    ladder: &Ladder,
    settings: &InfoSettings,
    path: &str,
) -> Result<Value, ViewError> {
    let known = container::list(home)?;
    let running = known.iter().filter(|known| known.state.status.is_running()).count();
    let paused = known.iter().filter(|known| known.state.status == Status::Paused).count();
    // Docker's names: of copies, and of overlays before 29 and since.
    let (driver, driver_status) = match home.settings().storage {
        Storage::Copy => ("vfs", json!([])),
        Storage::Auto if !has(ladder, "overlay") => ("vfs", json!([])),
        Storage::Auto | Storage::Overlay => {
            let name = if settings.api >= Api::V1_55 { "overlayfs" } else { "overlay2" };
            (name, json!([["userxattr", "true"]]))
        }
    };
    Ok(json!({
        "ID": "",
        "Containers": known.len(),
        "ContainersRunning": running - paused,
        "ContainersPaused": paused,
        "ContainersStopped": known.len() - running,
        "Images": readable(home, home.store()?.images())?.map_or(0, |images| images.len()),
        "Driver": driver,
        "DriverStatus": driver_status,
        "Plugins": {
            "Volume": ["local"],
            "Network": ["bridge", "host", "null", "overlay"],
            "Authorization": null,
            "Log": ["json-file", "local", "none"],
        },
        "NetworkPath": path,
    }))
}

/// How packets of containers' connections find their sockets: as the network helper says, or
/// as one would if it started now.
fn network_path(home: &Home, ladder: &Ladder) -> Result<String, ViewError> {
    if let Some(helper) = home.engine()?.network_helper()? {
        return Ok(helper.path);
    }
    let marks = has(ladder, "nf-tables") && !home.settings().packets;
    Ok(if marks { "nf_tables" } else { "packets" }.to_owned())
}

fn kernel_facts(ladder: &Ladder, machine: &Machine, settings: &InfoSettings, now: &Now) -> Value {
    let limits = has(ladder, "cgroup");
    json!({
        "MemoryLimit": limits,
        "SwapLimit": limits,
        "CpuCfsPeriod": limits,
        "CpuCfsQuota": limits,
        "CPUShares": limits,
        "CPUSet": limits,
        "PidsLimit": limits,
        "IPv4Forwarding": false,
        "Debug": false,
        "OomKillDisable": false,
        "SystemTime": now.time.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true),
        "LoggingDriver": settings.log_driver.as_deref().unwrap_or("json-file"),
        "CgroupDriver": if limits { "cgroupfs" } else { "none" },
        "CgroupVersion": "2",
        "KernelVersion": machine.kernel,
        "OperatingSystem": machine.operating_system,
        "OSVersion": "",
        "OSType": "linux",
        "Architecture": machine.architecture,
    })
}

fn settings_facts(home: &Home, machine: &Machine, settings: &InfoSettings) -> Value {
    json!({
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": {
            "IndexConfigs": {
                "docker.io": {
                    "Mirrors": settings.registry_mirrors,
                    "Name": "docker.io",
                    "Official": true,
                    "Secure": true,
                },
            },
            "InsecureRegistryCIDRs": ["::1/128", "127.0.0.0/8"],
            "Mirrors": if settings.registry_mirrors.is_empty() { Value::Null } else { json!(settings.registry_mirrors) },
        },
        "NCPU": machine.cpus,
        "MemTotal": machine.memory,
        "GenericResources": null,
        "DockerRootDir": home.settings().data_root.display().to_string(),
        "HttpProxy": settings.http_proxy,
        "HttpsProxy": settings.https_proxy,
        "NoProxy": settings.no_proxy,
        "Name": settings.node.as_deref().unwrap_or(&machine.name),
        "Labels": [],
        "ExperimentalBuild": false,
    })
}

/// Docker's words for what cannot be limited.
const WITHOUT_CGROUP: [&str; 6] = [
    "WARNING: No memory limit support",
    "WARNING: No swap limit support",
    "WARNING: No cpu cfs quota support",
    "WARNING: No cpu cfs period support",
    "WARNING: No cpu shares support",
    "WARNING: No cpuset support",
];

fn engine_facts(
    home: &Home,
    ladder: &Ladder,
    settings: &InfoSettings,
    path: &str,
) -> Result<Value, ViewError> {
    Ok(json!({
        "ServerVersion": settings.version,
        "Runtimes": { "libcontainer": { "path": "libcontainer" } },
        "DefaultRuntime": "libcontainer",
        "Swarm": swarm::swarm(home, settings.node.as_deref())?,
        "LiveRestoreEnabled": true,
        "Isolation": "",
        "InitBinary": "docker-init",
        // There is no containerd, and runtime and init are parts of this program.
        "ContainerdCommit": { "ID": "" },
        "RuncCommit": { "ID": "" },
        "InitCommit": { "ID": "" },
        "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"],
        // What leads connections to their sockets; nothing is filtered by the host's own tables.
        "FirewallBackend": { "Driver": path },
        "CDISpecDirs": [],
        "Ladder": value_of(ladder)?,
        "Warnings": if has(ladder, "cgroup") { Value::Null } else { json!(WITHOUT_CGROUP) },
    }))
}

#[cfg(test)]
mod tests {
    use coracle_runtime::HomeSettings;

    use super::*;
    use crate::image::tests::now;

    /// The members that Docker 28.5 sends, but for those of what is not here: counts of the
    /// daemon's insides, and containerd.
    const OF_28: &[&str] = &[
        "ID",
        "Containers",
        "ContainersRunning",
        "ContainersPaused",
        "ContainersStopped",
        "Images",
        "Driver",
        "DriverStatus",
        "Plugins",
        "MemoryLimit",
        "SwapLimit",
        "CpuCfsPeriod",
        "CpuCfsQuota",
        "CPUShares",
        "CPUSet",
        "PidsLimit",
        "IPv4Forwarding",
        "Debug",
        "OomKillDisable",
        "SystemTime",
        "LoggingDriver",
        "CgroupDriver",
        "CgroupVersion",
        "KernelVersion",
        "OperatingSystem",
        "OSVersion",
        "OSType",
        "Architecture",
        "IndexServerAddress",
        "RegistryConfig",
        "NCPU",
        "MemTotal",
        "GenericResources",
        "DockerRootDir",
        "HttpProxy",
        "HttpsProxy",
        "NoProxy",
        "Name",
        "Labels",
        "ExperimentalBuild",
        "ServerVersion",
        "Runtimes",
        "DefaultRuntime",
        "Swarm",
        "LiveRestoreEnabled",
        "Isolation",
        "InitBinary",
        "ContainerdCommit",
        "RuncCommit",
        "InitCommit",
        "SecurityOptions",
        // Since 29.
        "FirewallBackend",
        "CDISpecDirs",
        "Warnings",
    ];

    #[test]
    fn info_is_dockers() {
        let folder = tempfile::tempdir().unwrap();
        let data_root = folder.path().join("data");
        let home = Home::new(HomeSettings { data_root, ..HomeSettings::default() });
        let ladder = Ladder { rungs: Vec::new() };
        let machine = Machine { name: "host1".to_owned(), cpus: 2, ..Machine::default() };
        let settings = InfoSettings {
            registry_mirrors: vec!["https://m.example".to_owned()],
            ..InfoSettings::default()
        };
        let document = info(&home, &ladder, &machine, &settings, &now()).unwrap();
        let ours: Vec<&str> = document
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            // Ours alone.
            .filter(|key| !["NetworkPath", "Ladder"].contains(key))
            .collect();
        assert_eq!(ours, OF_28);
        assert_eq!((&document["Name"], &document["NCPU"]), (&json!("host1"), &json!(2)));
        assert_eq!(document["SystemTime"], "2026-11-20T23:54:42.000000000Z");
        assert_eq!(document["LoggingDriver"], "json-file");
        // Nothing was found on this host: copies, no limits.
        assert_eq!(
            (&document["Driver"], &document["CgroupDriver"]),
            (&json!("vfs"), &json!("none"))
        );
        assert_eq!(document["RegistryConfig"]["Mirrors"], json!(["https://m.example"]));
    }
}
