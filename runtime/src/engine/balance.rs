//! The swarm's way to the network helper: what is wanted of names, virtual addresses and ports.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

use coracle_netns::balance::Balance;
use coracle_netns::protocol::{Reply, Request};
use rustix::fs::MemfdFlags;

use super::Engine;
use crate::error::EngineError;
use crate::networks::{Helper, HelperError};

/// A connection to the network helper that says what is wanted. While it is open the helper does
/// not end; what was said stays when it closes. It becomes readable when the helper is gone: what
/// is wanted is then to be said to the next one.
#[derive(Debug)]
pub struct Balancer {
    helper: Helper,
}

impl Engine {
    /// Connects to the network helper; `None` when there is none, as no container is on a network:
    /// then nothing is ready either, and a task that starts brings one.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn balancer(&self) -> Result<Option<Balancer>, EngineError> {
        let helper = Helper::present(&self.paths).map_err(failed)?;
        Ok(helper.map(|helper| Balancer { helper }))
    }
}

impl Balancer {
    /// Says what is wanted from now on, all of it. For each entry of `ingress` the answer has why
    /// it is not bound, if so; it is tried again with the next call.
    ///
    /// # Errors
    /// When the helper is gone or refuses.
    pub fn set(&self, balance: &Balance) -> Result<Vec<Option<String>>, EngineError> {
        let file = written(balance).map_err(|source| EngineError::Io {
            what: "write what the network helper is to do".to_owned(),
            source,
        })?;
        match self.helper.ask(&Request::Balance, &[file.as_fd()]).map_err(failed)? {
            Reply::Balanced { ingress } => Ok(ingress),
            _ => Err(failed(HelperError::Strange("its answer is of another kind"))),
        }
    }

    /// Whether the helper is still there, without waiting.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.helper.is_alive()
    }
}

impl AsFd for Balancer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.helper.as_fd()
    }
}

/// In memory: a message has room for a few hundred tasks only.
fn written(balance: &Balance) -> io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("balance", MemfdFlags::CLOEXEC)?);
    file.write_all(&serde_json::to_vec(balance)?)?;
    Ok(file)
}

pub(super) fn failed(error: HelperError) -> EngineError {
    EngineError::Io { what: "ask the network helper".to_owned(), source: io::Error::other(error) }
}
