//! `info`: show what this host offers and what is stored.

use std::fmt::Write as _;
use std::io::Write as _;

use coracle_runtime::home::Machine;
use coracle_runtime::ladder::{Answer, Ladder};
use serde_json::{Value, json};

use super::version::{architecture, name};
use crate::app::App;
use crate::args::Runnable;
use crate::commands::container::rows::warn_of_large_logs;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{Data, Missing, Template, units};
use coracle_view::system::{self, InfoSettings};
use coracle_view::{FOLLOWED, ViewError, container};

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
        let text = template.apply(Data::Document { value: &document, missing });
        if text.is_err() {
            // Docker ends its empty output with a line feed.
            writeln!(app.ui.data())?;
        }
        let text = text?;
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

/// What is known of engine and host.
pub(crate) fn engine_document(app: &App, ladder: &Ladder) -> Result<Value, ViewError> {
    let (environment, file) = (&app.settings.environment, &app.settings.file);
    let proxy = |name: &str| environment.proxy(name).unwrap_or_default().to_owned();
    let settings = InfoSettings {
        version: FOLLOWED.to_owned(),
        api: app.settings.api,
        registry_mirrors: file.registry_mirrors.clone(),
        log_driver: file.log_driver.clone(),
        http_proxy: proxy("HTTP_PROXY"),
        https_proxy: proxy("HTTPS_PROXY"),
        no_proxy: proxy("NO_PROXY"),
        node: app.settings.node.clone(),
    };
    system::info(&app.home, ladder, &Machine::look(), &settings, &app.asked())
}

/// The same, and what Docker's client says of itself.
fn document(app: &App, ladder: &Ladder) -> Result<Value, CliError> {
    let mut document = engine_document(app, ladder)?;
    document["ClientInfo"] = json!({
        "Debug": false,
        "Platform": { "Name": name() },
        "Version": FOLLOWED,
        "Os": "linux",
        "Arch": architecture(),
        "Context": "default",
        "Plugins": [],
        "Warnings": null,
    });
    Ok(document)
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
        "Client: {}\n Version:    {FOLLOWED}\n Context:    default\n Debug Mode: false\n\nServer:\n",
        name()
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
    ] {
        // Writing to a String cannot fail.
        writeln!(out, " {indent}{title}: {}", field(name)).unwrap_or_default();
    }
    out.push_str(&plugins(&document["Plugins"]));
    for (title, name) in [("Network Path", "NetworkPath"), ("Swarm", "Swarm")] {
        // As above.
        writeln!(out, " {title}: {}", field(name)).unwrap_or_default();
    }
    out.push_str(&swarm_text(&document["Swarm"]));
    for (indent, title, name) in [
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
    let backend = document["FirewallBackend"]["Driver"].as_str().unwrap_or_default();
    out.push_str(&format!(" Firewall Backend: {backend}\n"));
    out.push_str("\nWhat this host offers:\n");
    out.push_str(&rungs(ladder));
    out.push_str(" (ok: it is here; partly: something else does most of it; no: it is not here)\n");
    out
}

/// What drivers there are, by their kind.
fn plugins(plugins: &Value) -> String {
    let mut out = " Plugins:\n".to_owned();
    for kind in ["Volume", "Network", "Log"] {
        let names = plugins[kind].as_array().into_iter().flatten().filter_map(Value::as_str);
        out.push_str(&format!("  {kind}: {}\n", names.collect::<Vec<_>>().join(" ")));
    }
    out
}

/// The paragraph below `Swarm`, as Docker's client writes it; nothing when there is no swarm.
fn swarm_text(swarm: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if ["inactive", "locked"].contains(&text(&swarm["LocalNodeState"]).as_str()) {
        return String::new();
    }
    let mut out = format!("  NodeID: {}\n", text(&swarm["NodeID"]));
    let error = text(&swarm["Error"]);
    if !error.is_empty() {
        out.push_str(&format!("  Error: {error}\n"));
    }
    out.push_str(&format!("  Is Manager: {}\n", swarm["ControlAvailable"]));
    for warning in swarm["Warnings"].as_array().into_iter().flatten() {
        out.push_str(&format!("  Nodes On This Machine: {}\n", text(warning)));
    }
    if swarm["ControlAvailable"] == true && error.is_empty() {
        out.push_str(&cluster_text(swarm));
    }
    out.push_str(&format!("  Node Address: {}\n", text(&swarm["NodeAddr"])));
    let mut managers: Vec<String> = swarm["RemoteManagers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| text(&one["Addr"]))
        .collect();
    managers.sort();
    if !managers.is_empty() {
        out.push_str("  Manager Addresses:\n");
        out.extend(managers.iter().map(|address| format!("   {address}\n")));
    }
    out
}

fn cluster_text(swarm: &Value) -> String {
    let cluster = &swarm["Cluster"];
    let spec = &cluster["Spec"];
    let id = cluster["ID"].as_str().unwrap_or_default();
    let mut out = format!(
        "  ClusterID: {id}\n  Managers: {}\n  Nodes: {}\n",
        swarm["Managers"], swarm["Nodes"]
    );
    if let Some(pools) = cluster["DefaultAddrPool"].as_array() {
        let pools: Vec<_> = pools.iter().filter_map(Value::as_str).collect();
        out.push_str(&format!(
            "  Default Address Pool: {}\n  SubnetSize: {}\n",
            pools.join("  "),
            cluster["SubnetSize"]
        ));
    }
    let heartbeat = spec["Dispatcher"]["HeartbeatPeriod"].as_i64().unwrap_or_default();
    let raft = &spec["Raft"];
    out.push_str(&format!(
        "  Data Path Port: {}\n  Orchestration:\n   Task History Retention Limit: {}\n  Raft:\n   Snapshot Interval: \
         {}\n   Number of Old Snapshots to Retain: {}\n   Heartbeat Tick: {}\n   Election Tick: {}\n  Dispatcher:\n   \
         Heartbeat Period: {}\n  Autolock Managers: {}\n  Root Rotation In Progress: false\n",
        cluster["DataPathPort"],
        spec["Orchestration"]["TaskHistoryRetentionLimit"],
        raft["SnapshotInterval"],
        raft["KeepOldSnapshots"],
        raft["HeartbeatTick"],
        raft["ElectionTick"],
        coracle_words::age::age(heartbeat / 1_000_000_000),
        spec["EncryptionConfig"]["AutoLockManagers"],
    ));
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
            Answer::FallBack { to, lost } => ("partly", format!("{to}; what is lost: {lost}")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_are_told_as_dockers_client_does() {
        let of = json!({ "Volume": ["local"], "Network": ["bridge", "host"], "Log": ["none"] });
        assert_eq!(
            plugins(&of),
            " Plugins:\n  Volume: local\n  Network: bridge host\n  Log: none\n"
        );
    }

    #[test]
    fn the_swarm_is_told_as_recorded() {
        let inactive = json!({ "LocalNodeState": "inactive" });
        assert_eq!(swarm_text(&inactive), "");
        let swarm = json!({
            "NodeID": "mhexz1rvopqi5yzfkua5pcurc",
            "NodeAddr": "192.168.90.2",
            "LocalNodeState": "active",
            "ControlAvailable": true,
            "Error": "",
            "RemoteManagers": [{ "NodeID": "x", "Addr": "192.168.90.2:2377" }],
            "Nodes": 1,
            "Managers": 1,
            "Cluster": {
                "ID": "ml3ac3wc5xnzxs2gto0t6xdh2",
                "Spec": {
                    "Orchestration": { "TaskHistoryRetentionLimit": 5 },
                    "Raft": {
                        "SnapshotInterval": 10000,
                        "KeepOldSnapshots": 0,
                        "ElectionTick": 10,
                        "HeartbeatTick": 1,
                    },
                    "Dispatcher": { "HeartbeatPeriod": 5_000_000_000_i64 },
                    "EncryptionConfig": { "AutoLockManagers": false },
                },
                "DefaultAddrPool": null,
                "SubnetSize": 24,
                "DataPathPort": 4789,
            },
        });
        assert_eq!(
            swarm_text(&swarm),
            "  NodeID: mhexz1rvopqi5yzfkua5pcurc\n  Is Manager: true\n  ClusterID: ml3ac3wc5xnzxs2gto0t6xdh2\n  \
             Managers: 1\n  Nodes: 1\n  Data Path Port: 4789\n  Orchestration:\n   Task History Retention Limit: 5\n  \
             Raft:\n   Snapshot Interval: 10000\n   Number of Old Snapshots to Retain: 0\n   Heartbeat Tick: 1\n   \
             Election Tick: 10\n  Dispatcher:\n   Heartbeat Period: 5 seconds\n  Autolock Managers: false\n  \
             Root Rotation In Progress: false\n  Node Address: 192.168.90.2\n  Manager Addresses:\n   \
             192.168.90.2:2377\n"
        );
        let worker = json!({
            "NodeID": "w",
            "NodeAddr": "127.77.0.2",
            "LocalNodeState": "active",
            "ControlAvailable": false,
            "Error": "",
            "RemoteManagers": [{ "NodeID": "x", "Addr": "127.0.0.1:2377" }],
            "Warnings": ["rehearsal, no consensus"],
        });
        assert_eq!(
            swarm_text(&worker),
            "  NodeID: w\n  Is Manager: false\n  Nodes On This Machine: rehearsal, no consensus\n  \
             Node Address: 127.77.0.2\n  Manager Addresses:\n   127.0.0.1:2377\n"
        );
    }
}
