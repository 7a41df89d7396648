//! The body of an answer as it comes from a worker.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::Frame;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe::Receiver;

use crate::client::Leash;

/// Bytes that are sent at once.
const CHUNK_BYTES: usize = 32 * 1024;

/// A few words, or what a worker writes.
#[derive(Debug)]
pub(crate) enum Body {
    Words(Option<Bytes>),
    Piped { pipe: Receiver, _leash: Leash },
}

impl Body {
    pub(crate) fn words(text: impl Into<Bytes>) -> Self {
        let text = text.into();
        Self::Words((!text.is_empty()).then_some(text))
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Words(words) => Poll::Ready(words.take().map(|words| Ok(Frame::data(words)))),
            Self::Piped { pipe, .. } => {
                let mut space = vec![0u8; CHUNK_BYTES];
                let mut buffer = ReadBuf::new(&mut space);
                match Pin::new(pipe).poll_read(context, &mut buffer) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
                    Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(None),
                    Poll::Ready(Ok(())) => {
                        let data = Bytes::copy_from_slice(buffer.filled());
                        Poll::Ready(Some(Ok(Frame::data(data))))
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Words(None))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Words(words) => hyper::body::SizeHint::with_exact(
                words.as_ref().map_or(0, |words| words.len() as u64),
            ),
            Self::Piped { .. } => hyper::body::SizeHint::default(),
        }
    }
}
