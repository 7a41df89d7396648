//! A plan as a value: steps with reasons, that can be kept and compared.

use serde::{Deserialize, Serialize};

/// The format of a plan that is kept in a file.
pub const PLAN_VERSION: u32 = 1;

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Fetch an image.
    Pull,
    CreateNetwork,
    /// Remove it while the containers on it do not run, and make it again: they are on it then.
    ReplaceNetwork,
    /// Make it under another name, move the containers there, and remove the old one if nobody
    /// else is on it.
    RenameNetwork,
    CreateVolume,
    /// Remove it with what is in it, and make it again.
    ReplaceVolume,
    /// Stop and remove a container.
    Remove,
    /// Finish what a killed command began: the container gets its name.
    Rename,
    Create,
    /// Make a container anew in the place of another.
    Recreate,
    /// Stop a container that will be started again.
    Stop,
    Start,
    /// It runs and is as wanted.
    Keep,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub action: Action,
    /// The name of the container, network, volume or image.
    pub object: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// The number of the container in its service.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub number: u32,
    /// The container that is there, or the key of a network or volume in the file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// What a network or volume was called before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Step {
    #[must_use]
    pub fn new(action: Action, object: &str) -> Self {
        Self {
            action,
            object: object.to_owned(),
            service: String::new(),
            number: 0,
            id: String::new(),
            from: String::new(),
            reasons: Vec::new(),
        }
    }

    #[must_use]
    pub fn service(mut self, service: &str) -> Self {
        service.clone_into(&mut self.service);
        self
    }

    #[must_use]
    pub fn number(mut self, number: u32) -> Self {
        self.number = number;
        self
    }

    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    #[must_use]
    pub fn from(mut self, name: &str) -> Self {
        name.clone_into(&mut self.from);
        self
    }

    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reasons.push(reason.into());
        self
    }
}

/// Everything to do, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub version: u32,
    pub project: String,
    pub steps: Vec<Step>,
    /// What the user should know; no part of what is compared.
    #[serde(skip)]
    pub warnings: Vec<String>,
    /// Volumes whose configuration changed, and that are left as they are.
    #[serde(skip)]
    pub stale_volumes: Vec<String>,
}

impl Plan {
    pub(super) fn new(project: &str) -> Self {
        Self {
            version: PLAN_VERSION,
            project: project.to_owned(),
            steps: Vec::new(),
            warnings: Vec::new(),
            stale_volumes: Vec::new(),
        }
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Keep)
    }

    /// The same steps, whatever the reasons are called.
    #[must_use]
    pub fn same_steps(&self, other: &Self) -> bool {
        let bare = |step: &Step| Step { reasons: Vec::new(), ..step.clone() };
        self.version == other.version
            && self.project == other.project
            && self.steps.iter().map(bare).eq(other.steps.iter().map(bare))
    }
}
