//! `HostConfig`: what of the container depends on the host.

use std::collections::BTreeMap;

use coracle_runtime::model::{HostConfig, LogConfig, RestartPolicy};
use coracle_words::{pair, pairs};

use super::CreateFlags;
use super::{ports, resources};
use crate::error::CliError;
use crate::settings::Settings;

pub(super) fn build(
    flags: &CreateFlags,
    network_mode: String,
    settings: &Settings,
) -> Result<HostConfig, CliError> {
    // The client compares the words before the engine looks at the policy.
    let asked = flags.restart.as_deref().unwrap_or("").split(':').next();
    if flags.rm && !matches!(asked, None | Some("" | "no")) {
        let text = "conflicting options: cannot specify both --restart and --rm";
        return Err(CliError::plain(text));
    }
    let restart_policy = restart_policy(flags.restart.as_deref())?;
    let defaults = HostConfig::default();
    let (security_opt, open_paths) = security(&flags.security_opt)?;
    let or_none = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    let shown = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut dns_options = flags.dns_option.clone();
    dns_options.extend(flags.dns_opt.iter().cloned());
    let file = &settings.file;
    let masked = if open_paths || flags.privileged { Some(vec![]) } else { defaults.masked_paths };
    let readonly =
        if open_paths || flags.privileged { Some(vec![]) } else { defaults.readonly_paths };
    Ok(HostConfig {
        container_id_file: shown(&flags.cidfile),
        log_config: log_config(flags, settings)?,
        network_mode,
        port_bindings: ports::published(&flags.publish)?,
        publish_all_ports: flags.publish_all,
        restart_policy,
        auto_remove: flags.rm,
        volume_driver: shown(&flags.volume_driver),
        volumes_from: or_none(&flags.volumes_from),
        annotations: pairs(&flags.annotation),
        cap_add: capabilities(&flags.cap_add),
        cap_drop: capabilities(&flags.cap_drop),
        cgroupns_mode: flags.cgroupns.clone().unwrap_or(defaults.cgroupns_mode),
        dns: Some(first_given(&flags.dns, &file.dns)),
        dns_options: Some(first_given(&dns_options, &file.dns_opts)),
        dns_search: Some(first_given(&flags.dns_search, &file.dns_search)),
        extra_hosts: or_none(&flags.add_host),
        group_add: or_none(&flags.group_add),
        ipc_mode: flags.ipc.clone().filter(|mode| !mode.is_empty()).unwrap_or(defaults.ipc_mode),
        oom_score_adj: oom_score(flags.oom_score_adj)?,
        pid_mode: pid_mode(flags.pid.as_deref())?,
        privileged: flags.privileged,
        readonly_rootfs: flags.read_only,
        security_opt: (!security_opt.is_empty()).then_some(security_opt),
        tmpfs: tmpfs(&flags.tmpfs),
        uts_mode: host_or_private(flags.uts.as_deref(), "--uts: invalid UTS mode")?,
        userns_mode: userns_mode(flags.userns.as_deref())?,
        shm_size: flags.shm_size.filter(|n| *n != 0).unwrap_or(defaults.shm_size),
        sysctls: pairs(&flags.sysctl),
        resources: resources::build(flags)?,
        masked_paths: masked,
        readonly_paths: readonly,
        init: flags.init.then_some(true).or(file.init),
        ..defaults
    })
}

fn first_given(flags: &[String], file: &[String]) -> Vec<String> {
    if flags.is_empty() { file.to_vec() } else { flags.to_vec() }
}

fn tmpfs(entries: &[String]) -> BTreeMap<String, String> {
    entries
        .iter()
        .map(|entry| entry.split_once(':').unwrap_or((entry, "")))
        .map(|(path, options)| (path.to_owned(), options.to_owned()))
        .collect()
}

/// Capabilities with their prefix, `ALL` as it is, sorted and once each.
fn capabilities(given: &[String]) -> Option<Vec<String>> {
    let mut names: Vec<String> = given
        .iter()
        .map(|name| {
            let upper = name.trim().to_uppercase();
            match upper.as_str() {
                "ALL" => upper,
                name if name.starts_with("CAP_") => upper,
                name => format!("CAP_{name}"),
            }
        })
        .collect();
    names.sort();
    names.dedup();
    (!names.is_empty()).then_some(names)
}

fn oom_score(given: Option<i64>) -> Result<i32, CliError> {
    let value = given.unwrap_or(0);
    i32::try_from(value).ok().filter(|v| (-1000..=1000).contains(v)).ok_or_else(|| {
        CliError::engine(format!("Invalid value {value}, range for oom score adj is [-1000, 1000]"))
    })
}

fn pid_mode(given: Option<&str>) -> Result<String, CliError> {
    match given {
        None | Some("" | "private") => Ok(String::new()),
        Some(mode) if mode == "host" || named_container(mode) => Ok(mode.to_owned()),
        Some(_) => Err(CliError::plain("--pid: invalid PID mode")),
    }
}

fn named_container(mode: &str) -> bool {
    mode.strip_prefix("container:").is_some_and(|name| !name.is_empty())
}

fn host_or_private(given: Option<&str>, error: &str) -> Result<String, CliError> {
    match given {
        None | Some("") => Ok(String::new()),
        Some("host") => Ok("host".to_owned()),
        Some(_) => Err(CliError::plain(error)),
    }
}

/// The engine says why it does not keep ids.
fn userns_mode(given: Option<&str>) -> Result<String, CliError> {
    match given {
        Some(mode) if mode == "keep-id" || mode.starts_with("keep-id:") => Ok(mode.to_owned()),
        other => host_or_private(other, "--userns: invalid USER mode"),
    }
}

pub(crate) fn restart_policy(given: Option<&str>) -> Result<RestartPolicy, CliError> {
    let text = given.unwrap_or("");
    let (name, count) = match text.split_once(':') {
        Some((name, count)) => (name, Some(count)),
        None => (text, None),
    };
    let count: i64 = match count {
        None => 0,
        Some(count) => count.parse().map_err(|_| {
            CliError::plain("invalid restart policy format: maximum retry count must be an integer")
        })?,
    };
    let refuse = |why: &str| Err(CliError::engine(format!("invalid restart policy: {why}")));
    match name {
        "" | "no" | "always" | "unless-stopped" if count != 0 => {
            refuse("maximum retry count can only be used with 'on-failure'")
        }
        "" | "no" => Ok(RestartPolicy::default()),
        "always" | "unless-stopped" | "on-failure" => match u32::try_from(count) {
            Ok(count) => Ok(RestartPolicy { name: name.to_owned(), maximum_retry_count: count }),
            Err(_) => refuse("maximum retry count cannot be negative"),
        },
        _ => refuse(&format!(
            "unknown policy '{name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
        )),
    }
}

fn log_config(flags: &CreateFlags, settings: &Settings) -> Result<LogConfig, CliError> {
    let file = &settings.file;
    let driver = flags
        .log_driver
        .clone()
        .filter(|driver| !driver.is_empty())
        .or_else(|| file.log_driver.clone())
        .unwrap_or_else(|| "json-file".to_owned());
    // The file's options belong to the file's driver.
    let same = flags.log_driver.as_ref().is_none_or(|d| Some(d) == file.log_driver.as_ref());
    let mut config = if same { file.log_opts.clone() } else { BTreeMap::new() };
    for entry in &flags.log_opt {
        let (key, value) = pair(entry);
        config.insert(key.to_owned(), value.to_owned());
    }
    let config = LogConfig { driver, config };
    coracle_runtime::logs::validate(&config)
        .map_err(|error| CliError::library(&error, error.hint()))?;
    Ok(config)
}

/// Security options with profiles read in, and whether system paths stay open.
fn security(given: &[String]) -> Result<(Vec<String>, bool), CliError> {
    let mut options = Vec::new();
    let mut open_paths = false;
    for option in given {
        let (key, value) = pair(option);
        let split = match option.contains('=') {
            true => Some(value),
            false => option.split_once(':').map(|(_, value)| value),
        };
        // The only one that needs no value.
        if key != "no-new-privileges" && split.is_none_or(str::is_empty) {
            return Err(CliError::plain(format!("invalid --security-opt: {option:?}")));
        }
        match (key, value) {
            ("systempaths", "unconfined") => open_paths = true,
            ("seccomp", "unconfined" | "builtin") => options.push(option.clone()),
            ("seccomp", path) => options.push(format!("seccomp={}", profile(path)?)),
            _ => options.push(option.clone()),
        }
    }
    Ok((options, open_paths))
}

pub(crate) fn profile(path: &str) -> Result<String, CliError> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        let why = match e.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            _ => e.to_string(),
        };
        CliError::plain(format!("opening seccomp profile ({path}) failed: open {path}: {why}"))
    })?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|e| {
        CliError::plain(format!("compacting json for seccomp profile ({path}) failed: {e}"))
    })?;
    Ok(value.to_string())
}
