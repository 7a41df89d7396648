//! What a monitor looks after: one container, with its records, its state and its order.
//!
//! Whatever does a part of a monitor's work gets this, and not the monitor.

use super::take_down::take_down;
use crate::events::Events;
use crate::model::Container;
use crate::order::MonitorOrder;
use crate::paths::Paths;
use crate::records::{Life, Records};
use crate::remains::remove_files;
use crate::volumes::Hold;

/// The container of a monitor.
pub(super) struct Charge {
    pub(super) order: MonitorOrder,
    pub(super) paths: Paths,
    pub(super) records: Records,
    pub(super) container: Container,
    pub(super) life: Life,
    pub(super) events: Events,
    /// Volumes in memory that it uses.
    pub(super) holds: Vec<Hold>,
}

impl Charge {
    /// Writes the state down.
    pub(super) fn save(&self) {
        // Nobody is there to be told; the next write, or the next command, mends it.
        drop(self.records.save_life(&self.container.id, &self.life));
    }

    /// Records what happened to the container.
    pub(super) fn tell(&self, action: &str, extra: &[(&str, &str)]) {
        self.events.container(&self.container, action, extra);
    }

    /// Takes down what runs, then writes the last state, or removes the container unless it is to
    /// be kept.
    pub(super) fn finish(&mut self, keep: bool) {
        if let Err(error) = take_down(&self.paths, &self.container.id, &self.life) {
            self.life.state.error = error.to_string();
        }
        super::volumes::release(&self.paths, &self.container, std::mem::take(&mut self.holds));
        self.life.cgroup = None;
        if self.life.due.is_some() {
            // By it commands see that there is something to do. One that misses it is at a boot.
            drop(crate::paths::make_private(&self.paths.running(&self.container.id)));
        }
        if self.container.host_config.auto_remove
            && !keep
            && remove_files(&self.paths, &self.records, &self.container, true).is_ok()
        {
            self.tell("destroy", &[]);
        } else {
            self.save();
        }
    }
}
