//! What is to be done for a target, worked out before anything is done.
//!
//! # How it works
//!
//! [`Plan::steps`] are in an order in which each needs only those before it; what the target does not need is not
//! among them. Steps that do not need each other may be carried out side by side. A step makes one layer on top of
//! what it stands on, but for images, which have theirs. What instructions such as `ENV` and `CMD` set is worked out
//! here, and is in [`Outcome::image`].
//!
//! # Cache
//!
//! Whether a step was done before is decided by its operation, the key of the step it stands on, and the content of
//! what it takes.

use std::sync::Arc;

use coracle_image::config::ImageConfig;
use coracle_image::{Digest, Platform, Reference};

use crate::instruction::mount::Sharing;
use crate::source::Span;

/// Index in [`Plan::steps`].
pub type StepId = usize;

/// A build of one target for one platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub outcome: Outcome,
    /// `SOURCE_DATE_EPOCH`, in seconds, where one counts.
    pub epoch: Option<i64>,
}

/// What a target comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Whose files it has; those of no step for a `scratch` that nothing was put into.
    pub step: Option<StepId>,
    /// Configuration and history; `rootfs` and times of its own entries are filled in when the layers are known.
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
    /// The layers of an image that is in the store, bottom first.
    Image {
        reference: Reference,
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
    pub network: crate::instruction::Network,
    pub mounts: Vec<Mount>,
    /// Scripts that the command names, by their paths: bodies of heredocs.
    pub scripts: Vec<(String, Arc<str>)>,
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
        source: String,
        writable: bool,
    },
    Cache {
        id: String,
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
        env: Option<String>,
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
    /// The build context, or a further one by its name.
    Context(Option<String>),
    Step(StepId),
    /// `scratch`.
    Nothing,
}

/// `COPY` and `ADD`, with all variables replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// A path or a pattern.
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
        checksum: Option<String>,
    },
    Git {
        url: String,
        keeps_git_dir: bool,
        checksum: Option<String>,
    },
}
