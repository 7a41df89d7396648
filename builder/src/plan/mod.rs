//! What is to be done for a target, worked out before anything is done.
//!
//! # How it works
//!
//! [`Plan::steps`] are in an order in which each needs only those before it; what the target does not need is not
//! among them. Steps that do not need each other may be carried out side by side. A step makes one layer on top of
//! what it stands on, but for images, which have theirs. What instructions such as `ENV` and `CMD` set is worked out
//! here, and is in [`Outcome::image`].
//!
//! [`plan`] is the same walk through the stages as a check ([`crate::check`]), so that findings come with it.
//!
//! # Cache
//!
//! Whether a step was done before is decided by its operation ([`Step::key`]), the step it stands on, and the content
//! of what it takes.
//!
//! # Not here
//!
//! Nothing is fetched, read or run: what an image says of itself, and the time of a source that
//! `SOURCE_DATE_EPOCH` names, comes from whoever asks ([`Images`]).

mod key;

use std::sync::Arc;

use coracle_image::config::ImageConfig;
use coracle_image::{Digest, Platform, Reference};

use crate::check::{Finding, Findings};
use crate::instruction::mount::Sharing;
use crate::request;
use crate::source::Span;
pub use crate::walk::{
    Argument, BaseImage, Dated, Given, Images, NoPlan, Outline, Request, Unavailable,
};
use crate::walk::{Purpose, read};

/// Index in [`Plan::steps`].
pub type StepId = usize;

/// A plan, and what is to be said of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub plan: Plan,
    /// As they were found, which is the order in which a build tells of them.
    pub findings: Vec<Finding>,
}

/// Why there is no plan, and what is to be said of the file all the same.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
pub struct NotPlanned {
    pub why: NoPlan,
    pub findings: Vec<Finding>,
}

/// Works out what is to be done for the text of a Dockerfile.
///
/// # Errors
/// The first fault of those parts of the file that the target needs, or an image that is not to be had.
pub fn plan(
    text: &str,
    request: &Request,
    images: &mut dyn Images,
) -> Result<Planned, Box<NotPlanned>> {
    let mut findings = Findings::default();
    match read(text, request, Purpose::Build, images, &mut findings) {
        Ok((plan, _)) => Ok(Planned { plan, findings: findings.in_order_found() }),
        Err(why) => Err(Box::new(NotPlanned { why, findings: findings.in_order_found() })),
    }
}

/// What can be given to a target. Images may be unknown.
///
/// # Errors
/// As for a plan.
pub fn outline(
    text: &str,
    request: &Request,
    images: &mut dyn Images,
) -> Result<(Outline, Vec<Finding>), Box<NotPlanned>> {
    let mut findings = Findings::default();
    match read(text, request, Purpose::Outline, images, &mut findings) {
        Ok((_, outline)) => Ok((outline, findings.in_order_found())),
        Err(why) => Err(Box::new(NotPlanned { why, findings: findings.in_order_found() })),
    }
}

/// A build of one target for one platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub outcome: Outcome,
    /// `SOURCE_DATE_EPOCH`, in seconds, where one counts: the time of the image, of its own history, and of folders that
    /// `WORKDIR` makes.
    pub epoch: Option<i64>,
}

/// What a target comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Whose files it has; those of no step for a `scratch` that nothing was put into.
    pub step: Option<StepId>,
    /// Configuration and history; `rootfs` is filled in when the layers are known, and so are the times of the image and
    /// of its own entries where no epoch gives them.
    pub image: ImageConfig,
    /// Entries of `history` that come from the base image.
    pub inherited: usize,
    pub platform: Platform,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// As progress shows it: `[build 2/3] RUN make`.
    pub name: String,
    pub span: Span,
    /// `--no-cache`, or a stage named by `--no-cache-filter`.
    pub ignores_cache: bool,
    pub platform: Platform,
    /// What its root filesystem begins with: nothing without.
    pub on: Option<StepId>,
    pub operation: Operation,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The layers of an image that is in the store, bottom first. Without a name it is what another request came to.
    Image {
        reference: Option<Reference>,
        layers: Vec<Digest>,
    },
    Run(Box<Run>),
    Copy(Box<Copy>),
    /// A folder with those above it, as `WORKDIR` makes one.
    Folder {
        path: String,
        owner: String,
    },
}

/// A command, with all variables replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub args: Vec<String>,
    pub env: Vec<String>,
    /// Proxy settings that were given and not declared: the command sees them, the cache does not.
    pub unkeyed_env: Vec<String>,
    pub user: String,
    pub working_dir: String,
    /// That of the instruction, or else of the request.
    pub network: request::Network,
    /// `--security=insecure`, and it is allowed.
    pub is_insecure: bool,
    pub mounts: Vec<Mount>,
    /// Scripts that the command names, by their paths: bodies of heredocs. They can be executed, and not written.
    pub scripts: Vec<(String, Arc<str>)>,
    pub hostname: Option<String>,
    /// `NAME:ADDRESS`.
    pub hosts: Vec<String>,
    pub shm_size: Option<u64>,
    pub ulimits: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Absolute.
    pub target: String,
    pub kind: MountKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountKind {
    /// What is written is thrown away.
    Bind {
        from: From,
        /// Absolute.
        source: String,
        writable: bool,
    },
    Cache {
        /// `NAMESPACE/ID`; the namespace is empty unless one was given.
        id: String,
        /// What a new one begins with.
        from: Option<(From, String)>,
        sharing: Sharing,
        owner: (u32, u32),
        mode: u32,
        read_only: bool,
    },
    Tmpfs {
        size: i64,
    },
    Secret {
        id: String,
        required: bool,
        owner: (u32, u32),
        mode: u32,
        /// A variable that has its value.
        env: Option<String>,
        /// Its file is there too.
        is_file: bool,
    },
    Ssh {
        id: String,
        required: bool,
        owner: (u32, u32),
        mode: u32,
    },
}

/// Where files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// The build context, or a further one by its name in the request.
    Context(Option<String>),
    Step(StepId),
    /// `scratch`.
    Nothing,
}

/// `COPY` and `ADD`, with all variables replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copy {
    pub is_add: bool,
    pub sources: Vec<Source>,
    /// Absolute; a slash at its end counts.
    pub destination: String,
    pub chown: String,
    pub chmod: String,
    /// The layer does not depend on what it lies on.
    pub link: bool,
    pub parents: bool,
    pub exclude: Vec<String>,
    /// Archives are unpacked: local ones of `ADD` unless told otherwise.
    pub unpack: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A path or a pattern, from the root: cleaned, but with a slash at its end and the `/./` of `--parents`.
    Files {
        from: From,
        pattern: String,
    },
    /// A file whose content stands in the Dockerfile.
    Content {
        name: String,
        text: Arc<str>,
    },
    Http {
        url: String,
        /// What the file is called where the destination is a folder.
        name: String,
        checksum: Option<String>,
    },
    Git {
        url: String,
        keeps_git_dir: bool,
        checksum: Option<String>,
    },
}

#[cfg(test)]
mod tests;
