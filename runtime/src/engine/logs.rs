//! The log of a container, for whoever shows it.

use std::ops::ControlFlow;

use super::Engine;
use crate::logs::{self, Driver, Entry, Follow, LogError, ReadOptions, Steps};
use crate::model::Container;

impl Engine {
    /// Gives the entries of a container's log to `each`, in order, until it breaks. With `follow`
    /// it goes on until the container has ended and everything was read.
    ///
    /// # Errors
    /// When its driver keeps nothing, or a file cannot be read.
    pub fn logs(
        &self,
        container: &Container,
        options: &ReadOptions,
        follow: bool,
        each: &mut dyn FnMut(&Entry) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let driver = Driver::parse(&container.host_config.log_config.driver)?;
        let mut is_running = || {
            let life = self.records.life(&container.id);
            life.is_ok_and(|life| life.state.status.is_running())
        };
        let follow = follow.then_some(Follow { is_running: &mut is_running });
        logs::read(&self.paths.log(&container.id), driver, options, follow, each)
    }

    /// The same piece by piece, for whoever follows several at once.
    ///
    /// # Errors
    /// When its driver keeps nothing.
    pub fn log_steps(
        &self,
        container: &Container,
        options: ReadOptions,
    ) -> Result<Steps, LogError> {
        Steps::of(&self.paths, container, options)
    }

    /// Bytes of a container's log, with what was rotated.
    #[must_use]
    pub fn log_size(&self, container: &Container) -> u64 {
        logs::size(&self.paths.log(&container.id))
    }
}
