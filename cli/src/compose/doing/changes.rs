//! Changes of watched files, gathered until there are no more for a while.

use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coracle_compose::watch::{Rule, Tree, Work, work};

use crate::error::CliError;

/// Without a change for so long, what has changed is dealt with.
const QUIET: Duration = Duration::from_millis(500);
/// So long at most, when there is no end of changes.
const LONGEST: Duration = Duration::from_secs(5);

/// The watched files, and what has changed of them.
pub(crate) struct Changes<'a> {
    rules: &'a [Rule],
    tree: Tree<'a>,
    changed: BTreeSet<PathBuf>,
    /// When the first and the last of these changes were seen.
    seen: Option<(Instant, Instant)>,
}

impl<'a> Changes<'a> {
    /// `skip` says which folders are of no interest.
    pub(crate) fn new(
        rules: &'a [Rule],
        skip: &'a dyn Fn(&Path) -> bool,
    ) -> Result<Self, CliError> {
        let paths = rules.iter().map(|rule| rule.path.clone());
        let tree = Tree::new(paths, skip).map_err(failed)?;
        Ok(Self { rules, tree, changed: BTreeSet::new(), seen: None })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.tree.fd()
    }

    /// Takes in what has changed; true when it is time to deal with it.
    pub(crate) fn are_due(&mut self) -> Result<bool, CliError> {
        let before = self.changed.len();
        self.tree.changes(&mut self.changed).map_err(failed)?;
        if self.changed.is_empty() {
            return Ok(false);
        }
        let now = Instant::now();
        let (first, last) = self.seen.get_or_insert((now, now));
        if self.changed.len() > before {
            *last = now;
        }
        Ok(now.duration_since(*last) >= QUIET || now.duration_since(*first) >= LONGEST)
    }

    /// How long to wait for more at most, when something has changed.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.seen.map(|_| QUIET)
    }

    /// What is to be done about the changes, which are forgotten.
    pub(crate) fn take(&mut self) -> Work {
        self.seen = None;
        let changed = std::mem::take(&mut self.changed);
        work(self.rules, changed.iter().map(PathBuf::as_path))
    }
}

fn failed(error: coracle_compose::watch::WatchError) -> CliError {
    CliError::plain(error.to_string())
}
