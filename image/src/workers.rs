//! Threads that put layers into the store while the network thread receives them.
//!
//! # How it works
//!
//! A fixed number of threads take jobs from a queue. A job claims its layer by the
//! store's lock, looks whether another process has finished it meanwhile, and only
//! then reads, which is what starts the download. So waiting for another process
//! uses no connection.
//!
//! # Limits
//!
//! A job whose requester is gone is skipped. One that waits for another process's
//! lock cannot be called back; it ends when that process is done or dead.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use tokio::sync::oneshot;

use crate::error::ImageError;
use crate::progress::{LayerEvent, ProgressEvent, ProgressSink};
use crate::registry::PipeReader;
use crate::store::{Layer, LayerSource, Progress, Store};

struct Job {
    source: LayerSource,
    reader: PipeReader,
    done: oneshot::Sender<Result<Layer, ImageError>>,
}

/// The queue of the threads.
pub(crate) struct LayerWorkers {
    jobs: mpsc::Sender<Job>,
    /// How many threads there are.
    pub(crate) count: usize,
}

impl LayerWorkers {
    /// Runs `work` with `count` threads beside it, and waits for them.
    pub(crate) fn run<T>(
        store: &Store,
        sink: &dyn ProgressSink,
        count: usize,
        work: impl FnOnce(&Self) -> T,
    ) -> T {
        let (sender, receiver) = mpsc::channel::<Job>();
        let receiver = Mutex::new(receiver);
        thread::scope(|scope| {
            let count = count.max(1);
            for _ in 0..count {
                scope.spawn(|| {
                    loop {
                        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok(job) = next else { break };
                        job.run(store, sink);
                    }
                });
            }
            work(&Self { jobs: sender, count })
        })
    }

    /// Queues a layer; the result arrives when it is in the store.
    pub(crate) async fn submit(
        &self,
        source: LayerSource,
        reader: PipeReader,
    ) -> Result<Layer, ImageError> {
        let name = source.blob_digest.map(|digest| digest.short()).unwrap_or_default();
        let gone = || ImageError::LayerRead {
            layer: name.clone(),
            source: std::io::Error::other("the thread that unpacks it has ended"),
        };
        let (done, result) = oneshot::channel();
        self.jobs.send(Job { source, reader, done }).map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }
}

impl Job {
    fn run(mut self, store: &Store, sink: &dyn ProgressSink) {
        if self.done.is_closed() {
            return;
        }
        let id = self.source.blob_digest.map(|digest| digest.short()).unwrap_or_default();
        let result = self.install(store, sink, &id);
        if result.is_ok() {
            sink.event(&ProgressEvent::Layer { id: &id, event: LayerEvent::PullComplete });
        }
        // Nobody waits any more when another layer has failed.
        drop(self.done.send(result));
    }

    fn install(
        &mut self,
        store: &Store,
        sink: &dyn ProgressSink,
        id: &str,
    ) -> Result<Layer, ImageError> {
        let _claim = self.source.diff_id.map(|diff_id| store.lock_layer(&diff_id)).transpose()?;
        if let Some(layer) = store.existing_layer(&self.source)? {
            return Ok(layer);
        }
        let total = self.source.blob_size.unwrap_or_default();
        let told = Cell::new(false);
        let progress = |progress: Progress| {
            // Unpacking keeps up with the download, so it is worth a word only when
            // everything has been received and the rest is being written.
            if progress.blob_bytes == total && !told.replace(true) {
                let event = LayerEvent::Extracting { current: total, total };
                sink.event(&ProgressEvent::Layer { id, event });
            }
        };
        store.ingest_layer(&self.source, &mut self.reader, &progress)
    }
}
