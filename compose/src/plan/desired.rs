//! What is wanted of a project, and how the user wants it.

use std::collections::{BTreeMap, BTreeSet};

use crate::project::Project;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Desired<'a> {
    pub project: &'a Project,
    /// The id of each service's image; a service without one has to have it fetched.
    pub images: &'a BTreeMap<String, String>,
    /// The ids of images that services mount, by the names that their volumes have for them.
    pub mounted: &'a BTreeMap<String, String>,
    /// All services of the file, also those that are not part of this.
    pub known: &'a BTreeSet<String>,
}

/// When a container is made anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recreate {
    #[default]
    Changed,
    Never,
    Always,
}

/// How the user wants it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub recreate: Recreate,
    /// The same for services that are only depended on.
    pub recreate_dependencies: Recreate,
    /// The services that were named; none means all.
    pub targets: Vec<String>,
    pub scale: BTreeMap<String, u32>,
    pub remove_orphans: bool,
    /// Networks and volumes are made that no service uses.
    pub all_resources: bool,
    /// Containers are started, not only made.
    pub start: bool,
    /// Anonymous volumes are made anew.
    pub renew_volumes: bool,
    /// These volumes are made anew if their configuration changed, and lose what is in them.
    pub replace_volumes: BTreeSet<String>,
}

impl Options {
    pub(super) fn is_target(&self, service: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|name| name == service)
    }

    pub(super) fn recreate_of(&self, service: &str) -> Recreate {
        if self.is_target(service) { self.recreate } else { self.recreate_dependencies }
    }
}
