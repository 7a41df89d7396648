//! Transactions, told as events.

use coracle_runtime::clock;

use super::Agent;
use crate::happenings::happenings;
use crate::journal::{JournalError, Sync};
use crate::state::Change;

impl Agent<'_> {
    /// Carries a transaction out, and tells what happened when it is written down.
    ///
    /// # Errors
    /// When it cannot be written; nothing has changed then.
    pub(super) fn commit(&mut self, changes: Vec<Change>, sync: Sync) -> Result<(), JournalError> {
        let happened = happenings(&self.journal.state, &changes);
        self.journal.commit(changes, clock::now(), sync)?;
        if let Ok(engine) = self.host.home().engine() {
            for one in happened {
                let attributes: Vec<_> =
                    one.attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
                engine.tell_of_swarm(one.kind, one.action, &one.id, &attributes);
            }
        }
        Ok(())
    }
}
