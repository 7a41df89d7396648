//! What a registry says of a name, without anything being kept: its digest, and which platforms it is for.
//!
//! # Limits
//!
//! An index within an index is not looked into: its platforms are unknown, as to Docker.

use futures_util::future::join_all;

use crate::auth::CredentialStore;
use crate::config::ImageConfig;
use crate::digest::Digest;
use crate::limits::CONFIG_BYTES_MAX;
use crate::platform::Platform;
use crate::progress::Silent;
use crate::pull::for_each_endpoint;
use crate::reference::{DEFAULT_TAG, Reference};
use crate::registry::{Connection, Document, FetchedManifest, RegistrySettings, small_blob};
use crate::transfer::{TransferError, in_network_loop};

/// What a name stands for in its registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Of an index or a manifest.
    pub digest: Digest,
    pub media_type: String,
    /// Bytes of it.
    pub size: u64,
    /// In the order of the index.
    pub platforms: Vec<Platform>,
}

/// The digest of what a name stands for in its registry: an index or a manifest. Fetches
/// nothing else.
pub fn manifest_digest(
    settings: &RegistrySettings,
    reference: &Reference,
) -> Result<Digest, TransferError> {
    let reference = reference.clone().with_default_tag();
    let credentials = CredentialStore::new(settings.auth.clone());
    let work = async |connection: &Connection| Ok(named(connection, &reference).await?.digest);
    in_network_loop(for_each_endpoint(settings, Some(&credentials), &reference, &Silent, work))
}

/// Asks registries for all names at once; `each` hears of each as soon as it is known. Without
/// `login` nobody is told who asks.
pub fn distributions(
    settings: &RegistrySettings,
    login: bool,
    references: &[Reference],
    each: &dyn Fn(&Reference, Result<Distribution, TransferError>),
) -> Result<(), TransferError> {
    let credentials = login.then(|| CredentialStore::new(settings.auth.clone()));
    in_network_loop(async {
        let asked = references.iter().map(async |reference| {
            let full = reference.clone().with_default_tag();
            let work = async |connection: &Connection| distribution(connection, &full).await;
            let found =
                for_each_endpoint(settings, credentials.as_ref(), &full, &Silent, work).await;
            each(reference, found);
        });
        join_all(asked).await;
        Ok(())
    })
}

async fn named(
    connection: &Connection,
    reference: &Reference,
) -> Result<FetchedManifest, TransferError> {
    let asked = reference.digest().or(reference.tag()).unwrap_or(DEFAULT_TAG);
    Ok(connection.manifest(reference.path(), asked).await?)
}

async fn distribution(
    connection: &Connection,
    reference: &Reference,
) -> Result<Distribution, TransferError> {
    let name = reference.familiar();
    let top = named(connection, reference).await?;
    let platforms = match Document::parse(&name, &top.media_type, &top.bytes)? {
        Document::Index(index) => index.images().filter_map(|entry| entry.platform()).collect(),
        Document::Manifest(manifest) => {
            manifest.check(&name)?;
            let (what, path) = ("image configuration", reference.path());
            let bytes =
                small_blob(connection, path, &manifest.config, what, CONFIG_BYTES_MAX).await?;
            let config = ImageConfig::parse(&bytes)?;
            let variant = config.variant.as_deref().unwrap_or_default();
            vec![Platform::new(&config.os, &config.architecture, variant)]
        }
    };
    let size = u64::try_from(top.bytes.len()).unwrap_or(u64::MAX);
    Ok(Distribution { digest: top.digest, media_type: top.media_type, size, platforms })
}
