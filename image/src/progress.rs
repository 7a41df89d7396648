//! What pull and push tell about their progress, for someone else to show.
//!
//! Events carry data only. [`LayerEvent`] prints the status word Docker uses.

use std::fmt;
use std::time::Duration;

use crate::digest::Digest;

/// Receives events, from several threads.
pub trait ProgressSink: Sync {
    fn event(&self, event: &ProgressEvent<'_>);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl ProgressSink for Silent {
    fn event(&self, _event: &ProgressEvent<'_>) {}
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgressEvent<'a> {
    /// A pull has found its manifest: `latest: Pulling from library/alpine`.
    PullingFrom { what: &'a str, repository: &'a str },
    /// A push begins: `The push refers to repository [docker.io/user/app]`.
    PushingTo { repository: &'a str },
    /// One layer changed state; `id` is the short name it is shown by.
    Layer { id: &'a str, event: LayerEvent },
    /// A pull is complete.
    Digest { digest: Digest },
    /// Something does not work, and the transfer goes on without it.
    Warning { text: &'a str },
}

/// The state of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerEvent {
    // Pulling.
    PullingFsLayer,
    /// Also of a push.
    Waiting,
    Downloading {
        current: u64,
        total: u64,
    },
    DownloadComplete,
    Extracting {
        current: u64,
        total: u64,
    },
    PullComplete,
    AlreadyExists,
    // Pushing.
    /// Of a layer that was made here; bytes before compression.
    Compressing {
        current: u64,
        total: u64,
    },
    Pushing {
        current: u64,
        total: u64,
    },
    Pushed,
    LayerAlreadyExists,
    MountedFrom {
        repository: String,
    },
    // Both.
    Retrying {
        after: Duration,
    },
}

impl LayerEvent {
    /// Whether this is a state that lasts, and so is worth a line of its own where
    /// lines cannot be rewritten.
    pub fn is_milestone(&self) -> bool {
        !matches!(
            self,
            Self::Downloading { .. }
                | Self::Extracting { .. }
                | Self::Compressing { .. }
                | Self::Pushing { .. }
                | Self::Waiting
        )
    }
}

impl fmt::Display for LayerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::PullingFsLayer => "Pulling fs layer",
            Self::Waiting => "Waiting",
            Self::Downloading { .. } => "Downloading",
            Self::DownloadComplete => "Download complete",
            Self::Extracting { .. } => "Extracting",
            Self::PullComplete => "Pull complete",
            Self::AlreadyExists => "Already exists",
            Self::Compressing { .. } => "Compressing",
            Self::Pushing { .. } => "Pushing",
            Self::Pushed => "Pushed",
            Self::LayerAlreadyExists => "Layer already exists",
            Self::MountedFrom { repository } => return write!(f, "Mounted from {repository}"),
            Self::Retrying { after } => {
                let seconds = after.as_secs().max(1);
                let plural = if seconds == 1 { "" } else { "s" };
                return write!(f, "Retrying in {seconds} second{plural}");
            }
        };
        f.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_as_docker_names_them() {
        let mounted = LayerEvent::MountedFrom { repository: "library/alpine".to_owned() };
        assert_eq!(mounted.to_string(), "Mounted from library/alpine");
        assert_eq!(LayerEvent::PullingFsLayer.to_string(), "Pulling fs layer");
        let retrying = |ms| LayerEvent::Retrying { after: Duration::from_millis(ms) }.to_string();
        assert_eq!(retrying(10), "Retrying in 1 second");
        assert_eq!(retrying(5000), "Retrying in 5 seconds");
        assert!(!LayerEvent::Downloading { current: 1, total: 2 }.is_milestone());
        assert!(LayerEvent::DownloadComplete.is_milestone());
    }
}
