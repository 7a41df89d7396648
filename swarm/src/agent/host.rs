//! What the agent needs of whoever started it, who knows settings and registries.

use std::os::fd::BorrowedFd;

use coracle_compose::container::Defaults;
use coracle_runtime::Home;
use coracle_runtime::caretaker::Caretaker;
use coracle_runtime::door::Door;
use coracle_runtime::engine::ImageFacts;

/// The surroundings of an agent.
pub trait Host {
    /// Where containers and images are.
    fn home(&self) -> &Home;

    /// The same, to work in.
    fn home_mut(&mut self) -> &mut Home;

    /// How this agent is started again when it was killed, behind its door; we are in the namespaces. `None`: it cannot be told.
    fn caretaker(&self, door: Door) -> Option<Caretaker>;

    /// What the settings of this machine say where a service says nothing.
    fn defaults(&self) -> Defaults;

    /// An image that is here; `None` when it is not.
    ///
    /// # Errors
    /// When the store cannot be read, or the name is none.
    fn find(&mut self, name: &str) -> Result<Option<ImageFacts>, String>;

    /// Begins to fetch one.
    ///
    /// # Errors
    /// When no process can be made.
    fn fetch(&mut self, name: &str) -> Result<Box<dyn Fetching>, String>;
}

/// An image on its way.
pub trait Fetching {
    /// Readable when there is something new.
    fn fd(&self) -> BorrowedFd<'_>;

    /// What became of it; `None`: it is still on its way.
    fn outcome(&mut self) -> Option<Result<(), String>>;

    /// Ends it.
    fn stop(&mut self);
}
