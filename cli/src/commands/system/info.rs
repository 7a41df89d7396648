//! `info`: show what this host offers and what is stored.

use std::fmt::Write as _;
use std::io::Write as _;

use coracle_runtime::Storage;
use coracle_runtime::ladder::{Answer, Ladder, Rung};
use coracle_runtime::model::Status;
use serde_json::{Value, json};

use super::version::architecture;
use crate::VERSION;
use crate::app::App;
use crate::args::Runnable;
use crate::commands::container::rows::warn_of_large_logs;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{Data, Missing, Template, units};
use coracle_view::container;
use coracle_view::image::readable;
use coracle_view::value_of;

/// Show what this host offers and what is stored
#[derive(Debug, clap::Args)]
pub(crate) struct InfoArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Fail unless this feature is there (can be repeated)
    #[arg(long, value_name = "feature")]
    pub(crate) require: Vec<String>,
}

impl Runnable for InfoArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let ladder = Ladder::probe(&app.home.ladder_inputs()?);
        check(&ladder, &self.require)?;
        let document = document(app, &ladder)?;
        let source = match self.format.as_deref() {
            None | Some("") => {
                let text = text(&document, &ladder);
                app.ui.data().write_all(text.as_bytes())?;
                let unused: Vec<String> = app.settings.client.unused().collect();
                app.warn(&unused);
                let known = container::list(&app.home)?;
                warn_of_large_logs(app, &known)?;
                return Ok(ExitStatus::Success);
            }
            Some("json") => "{{json .}}",
            Some(source) => source,
        };
        let template = Template::parse("", source).map_err(|e| {
            CliError::plain(format!("template parsing error: {e}")).status(ExitStatus::BadTemplate)
        })?;
        let missing = Missing::Type("system.dockerInfo");
        let text = template.apply(Data::Document { value: &document, missing })?;
        writeln!(app.ui.data(), "{text}")?;
        Ok(ExitStatus::Success)
    }
}

/// Fails unless the host has each of these features itself. Namespaces must not have been
/// entered yet.
pub(crate) fn require(app: &App, names: &[String]) -> Result<(), CliError> {
    if names.is_empty() {
        return Ok(());
    }
    check(&Ladder::probe(&app.home.ladder_inputs()?), names)
}

fn check(ladder: &Ladder, names: &[String]) -> Result<(), CliError> {
    names.iter().try_for_each(|name| ladder.require(name)).map_err(|error| {
        let mut out = CliError::plain(error.to_string());
        out.hint = error.hint();
        out
    })
}

fn document(app: &App, ladder: &Ladder) -> Result<Value, CliError> {
    let known = container::list(&app.home)?;
    let count = |status: Status| known.iter().filter(|k| k.state.status == status).count();
    let running = known.iter().filter(|known| known.state.status.is_running()).count();
    let paused = count(Status::Paused);
    let overlay = matches!(ladder.rung("overlay"), Some(Rung { answer: Answer::Have(_), .. }));
    // Docker's name for copies.
    let (driver, driver_status) = match app.settings.storage {
        Storage::Copy => ("vfs", json!([])),
        Storage::Auto if !overlay => ("vfs", json!([])),
        Storage::Auto | Storage::Overlay => ("overlay2", json!([["userxattr", "true"]])),
    };
    let counts = json!({
        "ID": "",
        "Containers": known.len(),
        "ContainersRunning": running - paused,
        "ContainersPaused": paused,
        "ContainersStopped": known.len() - running,
        "Images": readable(&app.home, app.store()?.images())?.map_or(0, |images| images.len()),
        "Driver": driver,
        "DriverStatus": driver_status,
        "Plugins": {
            "Volume": ["local"],
            "Network": ["bridge", "host", "null", "overlay"],
            "Authorization": null,
            "Log": ["json-file", "local", "none"],
        },
        "NetworkPath": network_path(app, ladder)?,
    });
    Ok(joined([counts, kernel_facts(app, ladder), settings_facts(app), engine_facts(ladder)?]))
}

/// How packets of containers' connections find their sockets: as the network helper says, or
/// as one would if it started now.
fn network_path(app: &App, ladder: &Ladder) -> Result<String, CliError> {
    if let Some(helper) = app.engine()?.network_helper()? {
        return Ok(helper.path);
    }
    let marks = matches!(ladder.rung("nf-tables"), Some(Rung { answer: Answer::Have(_), .. }));
    let path = if marks && !app.settings.packets { "nf_tables" } else { "packets" };
    Ok(path.to_owned())
}

/// One document of several.
fn joined(parts: [Value; 4]) -> Value {
    let mut all = serde_json::Map::new();
    for part in parts {
        if let Value::Object(map) = part {
            all.extend(map);
        }
    }
    Value::Object(all)
}

fn words(text: &std::ffi::CStr) -> String {
    text.to_string_lossy().into_owned()
}

fn kernel_facts(app: &App, ladder: &Ladder) -> Value {
    let uname = rustix::system::uname();
    let rung = ladder.rung("cgroup").map(|rung| &rung.answer);
    let limits = matches!(rung, Some(Answer::Have(_)));
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
        "SystemTime": app.now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true),
        "LoggingDriver": app.settings.file.log_driver.as_deref().unwrap_or("json-file"),
        "CgroupDriver": if limits { "cgroupfs" } else { "none" },
        "CgroupVersion": "2",
        "KernelVersion": words(uname.release()),
        "OperatingSystem": operating_system(),
        "OSVersion": "",
        "OSType": "linux",
        "Architecture": words(uname.machine()),
    })
}

fn settings_facts(app: &App) -> Value {
    let uname = rustix::system::uname();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let environment = &app.settings.environment;
    let file = &app.settings.file;
    let proxy = |name: &str| environment.proxy(name).unwrap_or_default().to_owned();
    json!({
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": {
            "IndexConfigs": {
                "docker.io": {
                    "Mirrors": file.registry_mirrors,
                    "Name": "docker.io",
                    "Official": true,
                    "Secure": true,
                },
            },
            "InsecureRegistryCIDRs": ["::1/128", "127.0.0.0/8"],
            "Mirrors": file.registry_mirrors,
        },
        "NCPU": cpus,
        "MemTotal": memory_total(),
        "DockerRootDir": app.settings.data_root.display().to_string(),
        "HttpProxy": proxy("HTTP_PROXY"),
        "HttpsProxy": proxy("HTTPS_PROXY"),
        "NoProxy": proxy("NO_PROXY"),
        "Name": words(uname.nodename()),
        "Labels": [],
        "ExperimentalBuild": false,
    })
}

fn engine_facts(ladder: &Ladder) -> Result<Value, CliError> {
    Ok(json!({
        "ServerVersion": VERSION,
        "Runtimes": { "libcontainer": { "path": "libcontainer" } },
        "DefaultRuntime": "libcontainer",
        "Swarm": {
            "NodeID": "",
            "NodeAddr": "",
            "LocalNodeState": "inactive",
            "ControlAvailable": false,
            "Error": "",
            "RemoteManagers": null,
        },
        "LiveRestoreEnabled": true,
        "Isolation": "",
        "InitBinary": "docker-init",
        "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"],
        "Ladder": value_of(ladder)?,
        "Warnings": null,
        "ClientInfo": {
            "Debug": false,
            "Version": VERSION,
            "Os": "linux",
            "Arch": architecture(),
            "Context": "default",
            "Plugins": [],
            "Warnings": null,
        },
    }))
}

/// The name of the distribution.
fn operating_system() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map(|name| name.trim_matches('"').to_owned())
        .unwrap_or_default()
}

/// Bytes of memory of the machine.
fn memory_total() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn text(document: &Value, ladder: &Ladder) -> String {
    let field = |name: &str| match &document[name] {
        Value::String(text) => text.clone(),
        // Of the swarm one says whether it is there.
        Value::Object(map) if name == "Swarm" => {
            map["LocalNodeState"].as_str().unwrap_or_default().to_owned()
        }
        other => other.to_string(),
    };
    let mut out = format!(
        "Client:\n Version:    {VERSION}\n Context:    default\n Debug Mode: false\n\nServer:\n"
    );
    for (indent, title, name) in [
        ("", "Containers", "Containers"),
        (" ", "Running", "ContainersRunning"),
        (" ", "Paused", "ContainersPaused"),
        (" ", "Stopped", "ContainersStopped"),
        ("", "Images", "Images"),
        ("", "Server Version", "ServerVersion"),
        ("", "Storage Driver", "Driver"),
        ("", "Logging Driver", "LoggingDriver"),
        ("", "Cgroup Driver", "CgroupDriver"),
        ("", "Cgroup Version", "CgroupVersion"),
        ("", "Network Path", "NetworkPath"),
        ("", "Swarm", "Swarm"),
        ("", "Default Runtime", "DefaultRuntime"),
        ("", "Kernel Version", "KernelVersion"),
        ("", "Operating System", "OperatingSystem"),
        ("", "OSType", "OSType"),
        ("", "Architecture", "Architecture"),
        ("", "CPUs", "NCPU"),
    ] {
        // Writing to a String cannot fail.
        writeln!(out, " {indent}{title}: {}", field(name)).unwrap_or_default();
    }
    let memory = units::binary_size(document["MemTotal"].as_u64().unwrap_or(0));
    out.push_str(&format!(" Total Memory: {memory}\n"));
    out.push_str(&format!(" Name: {}\n", field("Name")));
    out.push_str(&format!(" Docker Root Dir: {}\n", field("DockerRootDir")));
    out.push_str("\nWhat this host offers:\n");
    out.push_str(&rungs(ladder));
    out
}

/// The ladder, one paragraph for each rung that is missing.
fn rungs(ladder: &Ladder) -> String {
    let widest = ladder.rungs.iter().map(|rung| rung.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rung in &ladder.rungs {
        let name = rung.name;
        let (mark, said) = match &rung.answer {
            Answer::Have(what) => ("ok", what.clone()),
            Answer::FallBack { to, lost } => ("instead", format!("{to}; without it: {lost}")),
            Answer::Refused(why) => ("no", why.clone()),
        };
        out.push_str(&format!(" {mark:<8}{name:<widest$}  {said}\n"));
        if let Some(remedy) = &rung.remedy {
            let indent = " ".repeat(widest + 11);
            out.push_str(&format!("{indent}remedy: {remedy}\n"));
        }
    }
    out
}
