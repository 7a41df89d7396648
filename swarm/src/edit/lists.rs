//! What is added to a service's lists, and what is taken from them.

use std::collections::{BTreeMap, BTreeSet};

use coracle_runtime::model::{Mount, Ulimit};
use coracle_words::pair;

use super::EditError;
use crate::model::task::{NetworkUse, Preference};
use crate::model::{ConfigUse, PortConfig, SecretUse};

/// `--label` of `create`, `--label-add` of `update`, and so on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// `KEY=VALUE`, as all maps.
    pub labels: Vec<String>,
    pub container_labels: Vec<String>,
    pub env: Vec<String>,
    pub sysctls: Vec<String>,
    pub ulimits: Vec<Ulimit>,
    pub mounts: Vec<Mount>,
    pub groups: Vec<String>,
    pub constraints: Vec<String>,
    pub preferences: Vec<Preference>,
    pub ports: Vec<PortConfig>,
    /// Targets as typed.
    pub networks: Vec<NetworkUse>,
    pub dns: Vec<String>,
    pub dns_search: Vec<String>,
    pub dns_options: Vec<String>,
    /// `NAME:ADDRESS`.
    pub hosts: Vec<String>,
    /// Without ids.
    pub secrets: Vec<SecretUse>,
    pub configs: Vec<ConfigUse>,
}

/// `--label-rm` and so on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removals {
    pub labels: Vec<String>,
    pub container_labels: Vec<String>,
    pub env: Vec<String>,
    pub sysctls: Vec<String>,
    /// Their names; a value is not looked at.
    pub ulimits: Vec<String>,
    /// Targets.
    pub mounts: Vec<String>,
    pub groups: Vec<String>,
    pub constraints: Vec<String>,
    pub preferences: Vec<Preference>,
    pub ports: Vec<PortConfig>,
    pub networks: Vec<String>,
    pub dns: Vec<String>,
    pub dns_search: Vec<String>,
    pub dns_options: Vec<String>,
    /// `NAME` or `NAME:ADDRESS`.
    pub hosts: Vec<String>,
    pub secrets: Vec<String>,
    pub configs: Vec<String>,
}

/// Labels and the like.
pub(super) fn map(map: &mut BTreeMap<String, String>, add: &[String], remove: &[String]) {
    for key in remove {
        map.remove(key);
    }
    for entry in add {
        let (key, value) = pair(entry);
        map.insert(key.to_owned(), value.to_owned());
    }
}

/// Variables: what is added takes the place of one of the same name.
pub(super) fn env(list: &mut Vec<String>, add: &[String], remove: &[String]) {
    let key = |entry: &str| entry.split('=').next().unwrap_or_default().to_owned();
    list.retain(|entry| !remove.contains(&key(entry)));
    for entry in add {
        let name = key(entry);
        match list.iter_mut().find(|known| key(known) == name) {
            Some(known) => known.clone_from(entry),
            None => list.push(entry.clone()),
        }
    }
}

/// A list without order: added, then removed, then sorted.
pub(super) fn sorted(list: &mut Vec<String>, add: &[String], remove: &[String]) {
    if add.is_empty() && remove.is_empty() {
        return;
    }
    let all: BTreeSet<String> = list.drain(..).chain(add.iter().cloned()).collect();
    *list = all.into_iter().filter(|entry| !remove.contains(entry)).collect();
}

pub(super) fn ulimits(list: &mut Vec<Ulimit>, add: &[Ulimit], remove: &[String]) {
    if add.is_empty() && remove.is_empty() {
        return;
    }
    list.retain(|limit| !remove.contains(&limit.name));
    for limit in add {
        list.retain(|known| known.name != limit.name);
        list.push(limit.clone());
    }
    list.sort_by(|a, b| a.name.cmp(&b.name));
}

/// One mount for each target.
pub(super) fn mounts(
    list: &mut Vec<Mount>,
    add: &[Mount],
    remove: &[String],
) -> Result<(), EditError> {
    if add.is_empty() && remove.is_empty() {
        return Ok(());
    }
    for (at, mount) in add.iter().enumerate() {
        if add[..at].iter().any(|other| other.target == mount.target) {
            return EditError::client("duplicate mount target");
        }
    }
    list.retain(|known| !add.iter().any(|mount| mount.target == known.target));
    list.extend(add.iter().cloned());
    list.retain(|mount| !remove.contains(&mount.target));
    list.sort_by(|a, b| (&a.source, &a.target).cmp(&(&b.source, &b.target)));
    Ok(())
}

pub(super) fn preferences(list: &mut Vec<Preference>, add: &[Preference], remove: &[Preference]) {
    list.retain(|known| !remove.contains(known));
    list.extend(add.iter().cloned());
}

pub(super) fn ports(list: &mut Vec<PortConfig>, add: &[PortConfig], remove: &[PortConfig]) {
    if add.is_empty() && remove.is_empty() {
        return;
    }
    let before = list.clone();
    list.retain(|port| {
        let goes = |gone: &PortConfig| {
            (protocol(gone), gone.target_port, gone.mode())
                == (protocol(port), port.target_port, port.mode())
        };
        !remove.iter().any(goes)
    });
    let new = |port: &&PortConfig| !before.iter().any(|known| text(known) == text(port));
    list.extend(add.iter().filter(new).cloned());
    list.sort_by_key(text);
    list.dedup_by_key(|port| text(port));
}

fn protocol(port: &PortConfig) -> &str {
    if port.protocol.is_empty() { "tcp" } else { &port.protocol }
}

/// What two ports are the same by, and sorted by.
fn text(port: &PortConfig) -> String {
    format!("{}:{}/{}/{}", port.published_port, port.target_port, protocol(port), port.mode())
}

/// `ADDRESS NAME`, the form of `/etc/hosts`.
pub(super) fn host(entry: &str) -> String {
    let (name, address) = entry.split_once(':').unwrap_or((entry, ""));
    format!("{address} {name}")
}

pub(super) fn hosts(list: &mut Vec<String>, add: &[String], remove: &[String]) {
    if add.is_empty() && remove.is_empty() {
        return;
    }
    let gone = |address: &str, name: &str| {
        remove.iter().any(|entry| match entry.split_once(':') {
            Some((host, only)) => host == name && only == address,
            None => entry == name,
        })
    };
    let mut kept: Vec<String> = Vec::new();
    for line in list.drain(..) {
        let mut words = line.split_whitespace();
        let address = words.next().unwrap_or_default();
        let names: Vec<_> = words.filter(|name| !gone(address, name)).collect();
        if !names.is_empty() {
            kept.push(format!("{address} {}", names.join(" ")));
        }
    }
    kept.extend(add.iter().map(|entry| host(entry)));
    for line in kept {
        if !list.contains(&line) {
            list.push(line);
        }
    }
}
