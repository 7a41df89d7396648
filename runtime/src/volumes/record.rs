//! A volume on disk, and as `inspect` shows it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{SubsecRound, Utc};
use serde::{Deserialize, Serialize};

use super::VolumeError;
use crate::model::Timestamp;

/// The label of a volume that nobody gave a name.
pub const ANONYMOUS_LABEL: &str = "com.docker.volume.anonymous";

/// Version of the record this code writes.
pub(super) const RECORD_VERSION: u32 = 1;

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    pub name: String,
    pub created: Timestamp,
    pub labels: Option<BTreeMap<String, String>>,
    /// Options of the driver.
    pub options: Option<BTreeMap<String, String>>,
    /// What a container sees, unless the options ask for something else.
    pub data: PathBuf,
    /// The session of the Engine API that it was made in, and goes with.
    pub owner: Option<String>,
}

/// The content of `volume.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) version: u32,
    pub(super) created: Timestamp,
    pub(super) driver: String,
    #[serde(default)]
    pub(super) labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) options: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
}

/// What `volume inspect` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VolumeInspect {
    pub created_at: Timestamp,
    pub driver: &'static str,
    pub labels: Option<BTreeMap<String, String>>,
    pub mountpoint: String,
    pub name: String,
    pub options: Option<BTreeMap<String, String>>,
    pub scope: &'static str,
}

impl Volume {
    /// Whether nobody gave it a name.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.labels.as_ref().is_some_and(|labels| labels.contains_key(ANONYMOUS_LABEL))
    }

    /// As `inspect` shows it; times have whole seconds there.
    #[must_use]
    pub fn inspect(&self) -> VolumeInspect {
        VolumeInspect {
            created_at: self.created.datetime().trunc_subsecs(0).with_timezone(&Utc).into(),
            driver: "local",
            labels: self.labels.clone(),
            mountpoint: self.data.to_string_lossy().into_owned(),
            name: self.name.clone(),
            options: self.options.clone(),
            scope: "local",
        }
    }

    pub(super) fn from_record(
        name: &str,
        folder: &Path,
        record: Record,
    ) -> Result<Self, VolumeError> {
        if record.version > RECORD_VERSION {
            return Err(VolumeError::Newer {
                path: folder.join("volume.json"),
                found: record.version,
                known: RECORD_VERSION,
            });
        }
        Ok(Self {
            name: name.to_owned(),
            created: record.created,
            labels: record.labels,
            options: record.options,
            data: folder.join("_data"),
            owner: record.owner,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Volume;

    #[test]
    fn inspect_is_dockers() {
        let mut volume = Volume {
            name: "pv".to_owned(),
            created: "2026-11-20T23:54:39.9Z".parse().unwrap(),
            labels: None,
            options: None,
            data: "/var/lib/docker/volumes/pv/_data".into(),
            owner: None,
        };
        assert_eq!(
            serde_json::to_string(&volume.inspect()).unwrap(),
            r#"{"CreatedAt":"2026-11-20T23:54:39Z","Driver":"local","Labels":null,"Mountpoint":"/var/lib/docker/volumes/pv/_data","Name":"pv","Options":null,"Scope":"local"}"#
        );
        assert!(!volume.is_anonymous());
        volume.labels = Some([("com.docker.volume.anonymous".to_owned(), String::new())].into());
        assert!(volume.is_anonymous());
    }
}
