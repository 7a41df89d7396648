//! What is there of a project, as far as a plan has to know.

use std::collections::BTreeMap;

use coracle_runtime::model::Status;
use serde_json::Value;

/// What is there.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The containers of the project, those of `run` too.
    pub containers: Vec<Seen>,
    /// Names of all other containers.
    pub other_names: Vec<String>,
    /// All networks by name.
    pub networks: BTreeMap<String, SeenNetwork>,
    /// All volumes by name.
    pub volumes: BTreeMap<String, SeenVolume>,
}

/// A container of the project.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub id: String,
    pub name: String,
    pub service: String,
    pub number: u32,
    pub one_off: bool,
    /// The hash of the service it was made of.
    pub hash: String,
    pub image: String,
    pub status: Status,
    /// The service it was made of.
    pub origin: Value,
    pub networks: Vec<String>,
    pub volumes: Vec<String>,
    /// The ids of images that it mounts, by path.
    pub mounted: BTreeMap<String, String>,
    /// Ids of containers whose namespaces it shares.
    pub shares: Vec<String>,
    /// The name it is to get: it was made by a command that was killed.
    pub replaces: Option<String>,
    /// What it depends on, by its label.
    pub depends_on: Vec<crate::container::DependencyLabel>,
}

/// A network.
#[derive(Clone, Debug, Default)]
pub struct SeenNetwork {
    pub id: String,
    pub labels: BTreeMap<String, String>,
}

/// A volume.
#[derive(Clone, Debug, Default)]
pub struct SeenVolume {
    pub labels: BTreeMap<String, String>,
}

impl Seen {
    /// Whether nothing keeps it: it is of a service that nobody knows, or of `run` and has ended.
    #[must_use]
    pub fn is_orphan(&self, known: impl FnOnce(&str) -> bool) -> bool {
        match self.one_off {
            true => matches!(self.status, Status::Exited | Status::Dead),
            false => !known(&self.service),
        }
    }
}

impl Observed {
    /// The containers of a service that are not of `run`, lowest number first.
    pub fn of_service(&self, service: &str) -> Vec<&Seen> {
        let mut all: Vec<&Seen> = self
            .containers
            .iter()
            .filter(|seen| seen.service == service && !seen.one_off)
            .collect();
        all.sort_by_key(|seen| (seen.number, seen.replaces.is_some()));
        all
    }
}
