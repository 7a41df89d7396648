//! What is told while a plan is carried out.

use std::os::fd::BorrowedFd;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Container,
    Network,
    Volume,
    Image,
}

impl Kind {
    /// As progress lines have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Container => "Container",
            Self::Network => "Network",
            Self::Volume => "Volume",
            Self::Image => "Image",
        }
    }
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    On,
    /// The user wants it to end.
    Interrupted,
}

/// Whoever looks on: shows progress, and passes output on while things go on.
pub trait Watcher {
    /// Something happens to an object: `Creating`, `Created`, …; and more about that.
    fn show(&mut self, kind: Kind, name: &str, word: &str, details: &str);

    /// As [`Watcher::show`], when the word says it all.
    fn tell(&mut self, kind: Kind, name: &str, word: &str) {
        self.show(kind, name, word, "");
    }

    /// Something came to nothing.
    fn fails(&mut self, kind: Kind, name: &str, why: &str) {
        self.show(kind, name, "Error", why);
    }

    fn warn(&mut self, text: &str);

    /// A step of `pre_start` wrote a line.
    fn step_said(&mut self, _step: &str, _line: &str) {}

    /// A container is about to be started.
    fn starts(&mut self, _service: &str, _id: &str) {}

    /// A hook has written this beside a container.
    fn hook_said(&mut self, _container: &str, _output: &str) {}

    /// Called at every turn of a loop that waits.
    fn turn(&mut self) -> Turn {
        Turn::On
    }

    /// As [`Watcher::turn`], when nothing is left to do but to look on.
    fn idle(&mut self) -> Turn {
        self.turn()
    }

    /// What else ends a wait.
    fn wake(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
}
