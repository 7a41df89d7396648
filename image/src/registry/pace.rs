//! A bound on how slowly an answer may come: not on how long it takes.
//!
//! A server that sends a byte now and then keeps every limit on silence. Here it must bring
//! [`BYTES_MIN`] in each [`WINDOW`] of waiting. Time that the reader spends elsewhere does not
//! count, so a slow disk is not a slow server.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use tokio::time::Instant;

use super::error::RegistryError;

/// How long is waited for so many bytes. A modem brings them ten times.
const WINDOW: Duration = Duration::from_secs(30);
const BYTES_MIN: u64 = 4096;

/// What came since the last time that enough had come.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// The next piece of an answer; `None` at its end.
    pub(crate) async fn chunk(
        &mut self,
        response: &mut Response,
        url: &str,
    ) -> Result<Option<Bytes>, RegistryError> {
        let begun = Instant::now();
        let chunk = response.chunk().await;
        let chunk = chunk.map_err(|error| RegistryError::from_reqwest("Get", url, &error))?;
        let count = chunk.as_ref().map_or(0, Bytes::len);
        if chunk.is_some() && self.is_too_slow(begun.elapsed(), count) {
            let seconds = WINDOW.as_secs();
            return Err(RegistryError::Transport {
                method: "Get",
                url: url.to_owned(),
                reason: format!("it sends less than {BYTES_MIN} bytes in {seconds} seconds"),
                retryable: true,
            });
        }
        Ok(chunk)
    }

    fn is_too_slow(&mut self, waited: Duration, count: usize) -> bool {
        self.waited += waited;
        self.bytes += count as u64;
        if self.bytes >= BYTES_MIN {
            *self = Self::default();
        }
        self.waited >= WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_a_second_is_too_slow_and_a_modem_is_not() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::default();
        assert_eq!((0..100).position(|_| pace.is_too_slow(second, 1)), Some(29));
        let mut pace = Pace::default();
        assert!((0..1000).all(|_| !pace.is_too_slow(second, 1200)));
        // One long wait before much.
        assert!(!pace.is_too_slow(WINDOW, 100_000));
    }
}
