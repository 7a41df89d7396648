//! Sending blobs and manifests.
//!
//! # How it works
//!
//! A blob that the server has is not sent; one that another repository of the same
//! server has is mounted from there if the server lets us. Otherwise it is sent in
//! one request, streamed from its file. A broken upload starts over: the file is
//! there to be read again.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use oci_client::errors::OciDistributionError;
use tokio::io::AsyncReadExt;

use super::connection::Connection;
use super::error::RegistryError;
use super::token::Scope;
use crate::digest::Digest;
use crate::progress::LayerEvent;

const CHUNK: usize = 256 << 10;
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// A blob to be sent: a file, and what it is known to contain.
#[derive(Debug, Clone)]
pub(crate) struct Upload<'a> {
    pub(crate) path: &'a Path,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

/// What became of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    Existed,
    Mounted { from: String },
    Uploaded,
}

impl Connection {
    /// Makes sure the server has the blob in `repository`. `sources` are other
    /// repositories of the server that are known to have it.
    pub(crate) async fn push_blob(
        &self,
        repository: &str,
        blob: &Upload<'_>,
        sources: &[String],
        report: &dyn Fn(LayerEvent),
    ) -> Result<Sent, RegistryError> {
        self.refuse_identity()?;
        let mut retry = self.retry();
        let mut renewed = false;
        loop {
            let error = match self.push_blob_once(repository, blob, sources, report).await {
                Ok(sent) => return Ok(sent),
                Err(error) => error,
            };
            if error.is_unauthorized() && !renewed && self.renew().await {
                renewed = true;
                continue;
            }
            let after = retry.after(error)?;
            report(LayerEvent::Retrying { after });
            tokio::time::sleep(after).await;
        }
    }

    async fn push_blob_once(
        &self,
        repository: &str,
        blob: &Upload<'_>,
        sources: &[String],
        report: &dyn Fn(LayerEvent),
    ) -> Result<Sent, RegistryError> {
        let digest = blob.digest.to_string();
        let url = self.url(&format!("{repository}/blobs/{digest}"));
        let failed = |method| {
            let url = url.clone();
            move |error| RegistryError::from_oci(method, &url, error)
        };
        let image = self.library_reference(repository, "latest");
        self.authorize_library("Head", &url, repository, &[Scope::push(repository)]).await?;
        if self.oci.blob_exists(&image, &digest).await.map_err(failed("Head"))? {
            return Ok(Sent::Existed);
        }
        for from in sources {
            let scopes = [Scope::push(repository), Scope::pull(from)];
            self.authorize_library("Post", &url, repository, &scopes).await?;
            let source = self.library_reference(from, "latest");
            // A refusal to mount is no reason not to send.
            if self.oci.mount_blob(&image, &source, &digest).await.is_ok() {
                return Ok(Sent::Mounted { from: from.clone() });
            }
        }
        let counter = Arc::new(AtomicU64::new(0));
        let body = file_stream(blob.path, Arc::clone(&counter))
            .map_err(|error| failed("Put")(OciDistributionError::IoError(error)))?;
        let push = self.oci.push_blob_stream(&image, body, &digest, Some(blob.size));
        with_reports(push, || {
            let current = counter.load(Ordering::Relaxed);
            report(LayerEvent::Pushing { current, total: blob.size });
        })
        .await
        .map_err(failed("Put"))?;
        Ok(Sent::Uploaded)
    }

    /// Puts a manifest under a tag, or under its digest.
    pub(crate) async fn push_manifest(
        &self,
        repository: &str,
        tag: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<(), RegistryError> {
        self.refuse_identity()?;
        let url = self.url(&format!("{repository}/manifests/{tag}"));
        let image = self.library_reference(repository, tag);
        let mut retry = self.retry();
        loop {
            self.authorize_library("Put", &url, repository, &[Scope::push(repository)]).await?;
            let content_type = media_type.parse().map_err(|_| RegistryError::Protocol {
                url: url.clone(),
                what: format!("the manifest has the type `{media_type}`"),
            })?;
            match self.oci.push_manifest_raw(&image, bytes.to_vec(), content_type).await {
                Ok(_) => return Ok(()),
                Err(error) => {
                    let error = RegistryError::from_oci("Put", &url, error);
                    tokio::time::sleep(retry.after(error)?).await;
                }
            }
        }
    }
}

/// The content of a file in pieces; `counter` follows how much was taken.
fn file_stream(
    path: &Path,
    counter: Arc<AtomicU64>,
) -> io::Result<impl Stream<Item = Result<Bytes, OciDistributionError>> + Send + 'static> {
    let file = tokio::fs::File::from_std(File::open(path)?);
    Ok(stream::try_unfold((file, counter), async |(mut file, counter)| {
        let mut chunk = Vec::with_capacity(CHUNK);
        (&mut file).take(CHUNK as u64).read_to_end(&mut chunk).await?;
        if chunk.is_empty() {
            return Ok(None);
        }
        counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        Ok(Some((Bytes::from(chunk), (file, counter))))
    }))
}

/// Runs `work`, calling `report` now and then until it is done.
async fn with_reports<T>(work: impl Future<Output = T>, report: impl Fn()) -> T {
    let mut work = std::pin::pin!(work);
    let mut ticks = tokio::time::interval(REPORT_EVERY);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => report(),
        }
    }
}
