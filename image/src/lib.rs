//! Images: names, registries, the content store, layers and archives.

pub mod archive;
mod artifact;
mod auth;
pub mod config;
pub mod digest;
mod distribution;
mod download;
pub mod error;
mod given_name;
mod gzip;
pub mod instruction;
mod kind;
pub mod limits;
pub mod media;
mod names;
pub mod pack;
mod platform;
mod progress;
mod pull;
mod push;
mod reference;
mod registry;
mod remove_tree;
pub mod store;
pub mod tar;
mod transfer;
pub mod unpack;
mod workers;

pub use artifact::{
    Artifact, ArtifactLayer, ArtifactPlace, FoundArtifact, fetch_artifact_layer, find_artifact,
    put_artifact,
};
pub use auth::{
    AuthError, AuthSettings, Credential, CredentialStore, HelperError, Secret, StoredIn,
};
pub use digest::{Digest, DigestError, short_id};
pub use distribution::{Distribution, distributions, manifest_digest};
pub use download::{Answer, Asked, Download, DownloadError, Head};
pub use error::ImageError;
pub use given_name::GivenName;
pub use names::NameRules;
pub use platform::{Platform, PlatformError};
pub use progress::{LayerEvent, ProgressEvent, ProgressSink, Silent};
pub use pull::{PullOptions, PullOutcome, pull, pull_all_tags};
pub use push::{PushOutcome, push};
pub use reference::{DEFAULT_DOMAIN, DEFAULT_TAG, Reference, ReferenceError};
pub use registry::{ManifestError, Refusal, RegistryError, RegistrySettings, RetryPolicy, login};
pub use store::{
    Compression, Hold, Image, Layer, LayerLock, LayerSource, NewImage, Progress, Store,
    StoreOptions, Variants,
};
pub use transfer::TransferError;
