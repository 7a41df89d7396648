//! Registries over the network: where they are, how they are asked, what they answer.

mod challenge;
mod connection;
mod download;
mod endpoint;
mod error;
mod http;
mod login;
mod manifest;
mod pace;
mod retry;
mod settings;
mod tags;
mod tls;
mod token;
mod upload;

pub(crate) use connection::{Connection, FetchedManifest};
pub(crate) use download::{PipeReader, pipe, small_blob};
pub(crate) use endpoint::{Endpoint, pull_endpoints, push_endpoint};
pub use error::{Refusal, RegistryError};
pub(crate) use http::{Http, retry_after, send};
pub use login::login;
pub use manifest::ManifestError;
pub(crate) use manifest::{Descriptor, Document, Index, Manifest};
pub(crate) use pace::Pace;
pub(crate) use retry::Retry;
pub use settings::{RegistrySettings, RetryPolicy};
pub(crate) use tls::HostTls;
pub(crate) use upload::{Sent, Upload};
