//! What `inspect` tells of a container.

use coracle_runtime::Home;
use serde_json::{Map, Value, json};

use super::find::{Known, size};
use super::seen;
use crate::document::value_of;
use crate::{Api, ViewError};

/// What Docker tells of a container, in its order; `with_size` adds what it takes.
///
/// # Errors
/// When its record cannot be read.
pub fn document(
    home: &mut Home,
    known: &Known,
    with_size: bool,
    api: Api,
) -> Result<Value, ViewError> {
    let mut document = home.engine()?.inspect(&known.container.id)?;
    seen::mounts(home.scope(), document.mounts.iter_mut());
    seen::host(home.scope(), &mut document.host_config);
    if with_size {
        let (own, whole) = size(home, known)?;
        document.size_rw = i64::try_from(own).ok();
        document.size_root_fs = i64::try_from(whole).ok();
    }
    let mut document = value_of(&document)?;
    if document["Config"]["Env"] == json!([]) {
        document["Config"]["Env"] = Value::Null;
    }
    Ok(match api {
        Api::V1_51 => document,
        Api::V1_55 => as_of_29(document),
    })
}

/// Members of the network settings that Docker 29 still has; the others are those of the first
/// network, which is among the networks.
const NETWORK_SETTINGS_OF_29: [&str; 4] = ["SandboxID", "SandboxKey", "Ports", "Networks"];

/// The document as API 1.55 has it.
///
/// # Limits
///
/// `ImageManifestDescriptor` is left out: the record of a container does not keep the manifest
/// that its image came with.
fn as_of_29(document: Value) -> Value {
    let Value::Object(document) = document else { return document };
    let mut out = Map::new();
    for (key, value) in document {
        match (key.as_str(), value) {
            ("Driver", Value::String(driver)) if driver == "overlay2" => {
                out.insert(key, "overlayfs".into());
            }
            ("GraphDriver", value) => {
                let name = match value["Name"].as_str() {
                    Some("overlay2") | None => "overlayfs",
                    Some(other) => other,
                };
                let storage = json!({ "RootFS": { "Snapshot": { "Name": name } } });
                out.insert("Storage".to_owned(), storage);
            }
            ("NetworkSettings", Value::Object(mut settings)) => {
                settings.retain(|key, _| NETWORK_SETTINGS_OF_29.contains(&key.as_str()));
                out.insert(key, settings.into());
            }
            ("Config", Value::Object(mut config)) => {
                config.retain(|key, value| key != "OnBuild" || !value.is_null());
                out.insert(key, config.into());
            }
            ("HostConfig", Value::Object(mut host)) => {
                if host.get("Dns") == Some(&json!([])) {
                    host.insert("Dns".to_owned(), Value::Null);
                }
                if let Some(Value::Array(paths)) = host.get_mut("MaskedPaths") {
                    paths.sort_unstable_by(|a, b| a.as_str().cmp(&b.as_str()));
                }
                out.insert(key, host.into());
            }
            (_, value) => {
                out.insert(key, value);
            }
        }
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The members of what Docker 28.5 tells of a container that change, shortened.
    fn of_28() -> Value {
        json!({
            "Id": "48fc025c0a4b",
            "Driver": "overlay2",
            "ExecIDs": null,
            "HostConfig": { "NetworkMode": "bridge", "Dns": [], "DnsOptions": [] },
            "GraphDriver": { "Data": { "UpperDir": "/c/diff" }, "Name": "overlay2" },
            "Mounts": [],
            "Config": { "Hostname": "48fc025c0a4b", "Env": null, "OnBuild": null, "Labels": {} },
            "NetworkSettings": {
                "Bridge": "",
                "SandboxID": "39",
                "SandboxKey": "/n/39",
                "Ports": {},
                "HairpinMode": false,
                "IPAddress": "172.17.0.2",
                "MacAddress": "d2:4e:a0:ed:2d:c3",
                "Networks": { "bridge": { "IPAddress": "172.17.0.2" } },
            },
        })
    }

    #[test]
    fn docker_29_has_other_members() {
        let expected = json!({
            "Id": "48fc025c0a4b",
            "Driver": "overlayfs",
            "ExecIDs": null,
            "HostConfig": { "NetworkMode": "bridge", "Dns": null, "DnsOptions": [] },
            "Storage": { "RootFS": { "Snapshot": { "Name": "overlayfs" } } },
            "Mounts": [],
            "Config": { "Hostname": "48fc025c0a4b", "Env": null, "Labels": {} },
            "NetworkSettings": {
                "SandboxID": "39",
                "SandboxKey": "/n/39",
                "Ports": {},
                "Networks": { "bridge": { "IPAddress": "172.17.0.2" } },
            },
        });
        let document = as_of_29(of_28());
        assert_eq!(document, expected);
        // The new member stands where the old one stood.
        let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
        assert_eq!(keys[3..6], ["HostConfig", "Storage", "Mounts"]);
    }

    #[test]
    fn a_copied_root_keeps_its_name() {
        let copied = json!({ "Driver": "copy", "GraphDriver": { "Data": null, "Name": "copy" } });
        let expected = json!({ "Driver": "copy", "Storage": { "RootFS": { "Snapshot": { "Name": "copy" } } } });
        assert_eq!(as_of_29(copied), expected);
    }

    #[test]
    fn what_is_set_stays() {
        let set = json!({
            "HostConfig": { "Dns": ["9.9.9.9"] },
            "Config": { "Env": ["A=b"], "OnBuild": ["RUN x"] },
        });
        assert_eq!(as_of_29(set.clone()), set);
    }
}
