//! A container is made: the body of `create` becomes what the engine takes.
//!
//! # Limits
//!
//! The settings for new containers that the command line reads from its file (`log-driver`, `dns`) do not apply.

use std::path::Path;

use coracle_runtime::engine::CreateRequest;
use coracle_runtime::model::{
    Config, EndpointSettings, HealthConfig, HostConfig, LogConfig, MountType,
};
use coracle_runtime::mounts::volume_flags;
use serde_json::{Map, Value, json};

use super::containers::{host_keys, restart_policy};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::json::{keys, listed, read, read_or_default, spelled, take};
use crate::worker::Call;

pub(crate) fn create(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut body = call.request.object()?;
    let host = host_config(take(&mut body, "HostConfig"))?;
    let networking = take(&mut body, "NetworkingConfig");
    let config = config(body)?;
    if config.image.is_empty() {
        return Err(ApiError::bad("no image specified in the container's configuration"));
    }
    let networks = networks(&host.network_mode, networking)?;
    let platform = call.request.given("platform");
    let meant = call.host.meant(&config.image);
    let mut image = call.host.image(&meant, platform)?;
    image.name = config.image.as_str().into();
    for mount in host
        .mounts
        .iter()
        .filter(|mount| mount.kind == MountType::Image && !mount.source.is_empty())
    {
        let mounted = call.host.image(&mount.source, None)?;
        image.mounted.insert(mount.source.clone(), mounted);
    }
    let request = CreateRequest {
        name: call.request.given("name").map(|name| name.trim_start_matches('/').to_owned()),
        image,
        config,
        host_config: host,
        networks,
        ..CreateRequest::default()
    };
    let container = call.host.home().engine()?.create(request)?;
    Ok(Answer::Json(201, json!({ "Id": container.id, "Warnings": [] })))
}

/// What of it does not depend on the host.
pub(crate) fn config(body: Value) -> Result<Config, ApiError> {
    let left_out = [
        "ExposedPorts",
        "Healthcheck",
        "ArgsEscaped",
        "NetworkDisabled",
        "MacAddress",
        "StopSignal",
        "StopTimeout",
        "Shell",
    ];
    let mut members = spelled(body, &keys(&Config::default(), &left_out));
    for key in ["Cmd", "Entrypoint", "Shell", "OnBuild"] {
        listed(&mut members, key);
    }
    // Those of the client's command line; what is not said is not attached.
    for key in ["AttachStdout", "AttachStderr"] {
        members.entry(key).or_insert(json!(false));
    }
    if let Some(check) = members.remove("Healthcheck") {
        let keys = ["Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"]
            .map(str::to_owned);
        let mut check = spelled(check, &keys);
        listed(&mut check, "Test");
        let check: HealthConfig = read(Value::Object(check), "Healthcheck")?;
        members.insert("Healthcheck".to_owned(), serde_json::to_value(check)?);
    }
    read(Value::Object(members), "container configuration")
}

/// What of it does: an empty word means the default.
fn host_config(body: Value) -> Result<HostConfig, ApiError> {
    let mut members = spelled(body, &host_keys());
    members.retain(|key, value| match key.as_str() {
        "NetworkMode" | "IpcMode" | "CgroupnsMode" | "Runtime" | "ShmSize" => {
            *value != json!("") && *value != json!(0)
        }
        _ => true,
    });
    let policy = members.remove("RestartPolicy").unwrap_or_default();
    let log = members.remove("LogConfig").unwrap_or_default();
    let binds: Vec<String> = read_or_default(members.remove("Binds").unwrap_or_default(), "Binds")?;
    if let Some(ports) = members.get_mut("PortBindings").and_then(Value::as_object_mut) {
        ports.values_mut().for_each(any_port);
    }
    let mut host: HostConfig = read(Value::Object(members), "HostConfig")?;
    // Clients that name Docker's own mean the usual one.
    if !matches!(host.runtime.as_str(), "libcontainer" | "runc" | "io.containerd.runc.v2") {
        return Err(ApiError::bad(format!("unknown or invalid runtime name: {}", host.runtime)));
    }
    if let Some(policy) = restart_policy(policy)?.filter(|policy| !policy.name.is_empty()) {
        host.restart_policy = policy;
    }
    host.log_config = log_config(log)?;
    let volumes =
        volume_flags(&binds, Path::new("/")).map_err(|error| ApiError::bad(error.to_string()))?;
    if !volumes.anonymous.is_empty() {
        return Err(ApiError::bad(
            "invalid volume specification in Binds: a bind has a source and a target",
        ));
    }
    if host.network_mode == "default" {
        "bridge".clone_into(&mut host.network_mode);
    }
    host.binds = (!volumes.binds.is_empty()).then_some(volumes.binds);
    Ok(host)
}

/// No binding is one to a port of our choice, and so is port 0.
fn any_port(bindings: &mut Value) {
    let spelled_out = |binding: Value| {
        let mut binding = spelled(binding, &["HostIp".to_owned(), "HostPort".to_owned()]);
        if binding.get("HostPort") == Some(&json!("0")) {
            binding.insert("HostPort".to_owned(), json!(""));
        }
        Value::Object(binding)
    };
    let all = match bindings.take() {
        Value::Array(all) if !all.is_empty() => all,
        _ => vec![json!({})],
    };
    *bindings = all.into_iter().map(spelled_out).collect();
}

fn log_config(value: Value) -> Result<LogConfig, ApiError> {
    let mut members = spelled(value, &["Type".to_owned(), "Config".to_owned()]);
    if members.get("Type").is_none_or(|kind| *kind == json!("")) {
        members.shift_remove("Type");
    }
    read(Value::Object(members), "LogConfig")
}

/// The networks to join, that of the mode first.
fn networks(mode: &str, mut body: Value) -> Result<Vec<(String, EndpointSettings)>, ApiError> {
    let given = take(&mut body, "EndpointsConfig");
    let given = given.as_object().cloned().unwrap_or_default();
    let mut all = Vec::new();
    for (name, settings) in given {
        all.push((name, endpoint(settings)?));
    }
    let is_of_mode = |name: &str| name == mode || mode == "bridge" && name == "default";
    match all.iter().position(|(name, _)| is_of_mode(name)) {
        Some(at) => {
            let first = all.remove(at);
            all.insert(0, (mode.to_owned(), first.1));
        }
        None => all.insert(0, (mode.to_owned(), EndpointSettings::default())),
    }
    Ok(all)
}

/// What a container asks of a network.
pub(crate) fn endpoint(body: Value) -> Result<EndpointSettings, ApiError> {
    if body.is_null() {
        return Ok(EndpointSettings::default());
    }
    let wanted = ["IPAMConfig", "Links", "Aliases", "MacAddress", "DriverOpts", "GwPriority"]
        .map(str::to_owned);
    let mut members: Map<String, Value> = spelled(body, &wanted);
    if let Some(ipam) = members.remove("IPAMConfig") {
        let keys = ["IPv4Address", "IPv6Address", "LinkLocalIPs"].map(str::to_owned);
        let ipam = spelled(ipam, &keys);
        if !ipam.is_empty() {
            members.insert("IPAMConfig".to_owned(), ipam.into());
        }
    }
    read(Value::Object(members), "EndpointsConfig")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_write_bodies_in_many_ways() {
        let body = json!({
            "image": "alpine", "Cmd": "ls", "Entrypoint": null, "Env": null, "tty": true,
            "Labels": { "a": "b" }, "ExposedPorts": { "80/tcp": {} }, "unknown": 1,
            "Healthcheck": { "test": ["CMD", "true"], "retries": 3 },
        });
        let config = config(body).unwrap();
        assert_eq!((config.image.as_str(), config.cmd), ("alpine", Some(vec!["ls".to_owned()])));
        assert!(config.tty && !config.attach_stdout && config.entrypoint.is_none());
        assert_eq!(config.healthcheck.unwrap().retries, 3);
        assert_eq!(config.exposed_ports.len(), 1);
    }

    #[test]
    fn empty_words_of_the_host_are_defaults() {
        let body = json!({
            "NetworkMode": "", "ShmSize": 0, "RestartPolicy": { "Name": "", "MaximumRetryCount": 0 },
            "LogConfig": { "Type": "", "Config": null }, "Memory": 67108864, "Dns": null,
            "PortBindings": { "80/tcp": [{ "HostPort": "0" }], "81": [] },
            "Binds": ["/a:/b:ro"],
        });
        let host = host_config(body).unwrap();
        let default = HostConfig::default();
        assert_eq!(host.network_mode, "bridge");
        assert_eq!(
            (host.shm_size, &host.restart_policy),
            (default.shm_size, &default.restart_policy)
        );
        assert_eq!(
            (host.resources.memory, host.binds),
            (67_108_864, Some(vec!["/a:/b:ro".to_owned()]))
        );
        for bindings in host.port_bindings.values() {
            assert_eq!(bindings.as_ref().map(Vec::len), Some(1));
        }
        let bad = json!({ "RestartPolicy": { "Name": "sometimes" } });
        assert_eq!(host_config(bad).unwrap_err().status, 400);
    }

    #[test]
    fn the_network_of_the_mode_comes_first() {
        let body = json!({ "EndpointsConfig": { "b": null, "a": { "aliases": ["x"] } } });
        let all = networks("a", body).unwrap();
        assert_eq!(all[0].1.aliases, Some(vec!["x".to_owned()]));
        assert_eq!(all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let body = json!({ "EndpointsConfig": { "default": {} } });
        assert_eq!(networks("bridge", body).unwrap().len(), 1);
    }
}
