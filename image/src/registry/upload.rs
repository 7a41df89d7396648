//! Sending blobs and manifests.
//!
//! # How it works
//!
//! A blob that the server has is not sent; one that another repository of the same
//! server has is mounted from there if the server lets us. Otherwise it is sent in
//! one request, streamed from its file. A broken upload starts over: the file is
//! there to be read again.
//!
//! # Limits
//!
//! An upload may take as long as it likes while it goes on: a server that takes nothing for
//! [`TAKING`], or that has everything and says nothing for [`STORING`], is given up.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use oci_client::errors::OciDistributionError;
use tokio::io::AsyncReadExt;

use super::connection::Connection;
use super::error::RegistryError;
use super::http::{bounded, no_answer};
use super::token::Scope;
use crate::digest::Digest;
use crate::progress::LayerEvent;

const CHUNK: usize = 256 << 10;
/// Longest wait until a server takes the next piece. Buffers on the way hold several, so that a
/// slow line is silent for long.
const TAKING: Duration = Duration::from_secs(120);
/// Longest wait for its answer, before which it verifies and stores what it has.
const STORING: Duration = Duration::from_secs(600);
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
        let image = self.library_reference(repository, "latest");
        self.authorize_library("Head", &url, repository, &[Scope::push(repository)]).await?;
        if bounded("Head", &url, self.oci.blob_exists(&image, &digest)).await? {
            return Ok(Sent::Existed);
        }
        for from in sources {
            let scopes = [Scope::push(repository), Scope::pull(from)];
            self.authorize_library("Post", &url, repository, &scopes).await?;
            let source = self.library_reference(from, "latest");
            // A refusal to mount is no reason not to send.
            if bounded("Post", &url, self.oci.mount_blob(&image, &source, &digest)).await.is_ok() {
                return Ok(Sent::Mounted { from: from.clone() });
            }
        }
        let counter = Arc::new(AtomicU64::new(0));
        let body = file_stream(blob.path, Arc::clone(&counter))
            .map_err(|error| RegistryError::from_oci("Put", &url, error.into()))?;
        let push = self.oci.push_blob_stream(&image, body, &digest, Some(blob.size));
        let watched = watched(push, [TAKING, STORING], blob.size, || {
            let current = counter.load(Ordering::Relaxed);
            report(LayerEvent::Pushing { current, total: blob.size });
            current
        });
        match watched.await {
            Ok(pushed) => pushed.map_err(|error| RegistryError::from_oci("Put", &url, error))?,
            Err(waited) => return Err(no_answer("Put", &url, waited)),
        };
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
            let push = self.oci.push_manifest_raw(&image, bytes.to_vec(), content_type);
            match bounded("Put", &url, push).await {
                Ok(_) => return Ok(()),
                Err(error) => tokio::time::sleep(retry.after(error)?).await,
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

/// Runs `work`, asking `sent` now and then how far it is; gives it up when it stands still for
/// `taking`, or for `storing` once everything is sent, and tells for how long it was waited.
async fn watched<T>(
    work: impl Future<Output = T>,
    [taking, storing]: [Duration; 2],
    total: u64,
    sent: impl Fn() -> u64,
) -> Result<T, Duration> {
    let mut work = std::pin::pin!(work);
    let mut ticks = tokio::time::interval(REPORT_EVERY);
    let (mut last, mut since) = (0, Instant::now());
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            _ = ticks.tick() => {}
        }
        let current = sent();
        if current != last {
            (last, since) = (current, Instant::now());
        }
        let patience = if current < total { taking } else { storing };
        if since.elapsed() >= patience {
            return Err(patience);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(sent: impl Fn() -> u64, takes: Duration) -> Result<(), Duration> {
        let network = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let bounds = [Duration::from_millis(300), Duration::from_millis(900)];
        network.block_on(async { watched(tokio::time::sleep(takes), bounds, 10, sent).await })
    }

    #[test]
    fn an_upload_that_stands_still_is_given_up_and_a_slow_one_is_not() {
        let long = Duration::from_secs(60);
        assert_eq!(outcome(|| 3, long), Err(Duration::from_millis(300)));
        assert_eq!(outcome(|| 10, long), Err(Duration::from_millis(900)), "it stores");
        let pieces = std::cell::Cell::new(0);
        let slowly = || {
            pieces.set(pieces.get() + 1);
            pieces.get().min(9)
        };
        assert_eq!(outcome(slowly, Duration::from_millis(700)), Ok(()));
    }
}
