//! Containers on disk: a record that rarely changes and a state that does.
//!
//! # How it works
//!
//! `container.json` is what was asked for; writing it is what makes a container exist.
//! `state.json` is where its life stands; the monitor writes it while it lives, a command
//! otherwise. `names/NAME` holds the id of the container with that name.
//!
//! Creating, renaming and removing happen under one lock for all containers, held for a
//! moment. Whoever looks at a container and acts on what it saw holds the lock of that
//! container ([`ContainerLock`]); `engine/hold.rs` says when, and in which order.
//!
//! A container that is removed loses its record, then its folder gets a name that says who
//! removes it, and then the folder goes: nobody else touches it while that process lives.
//!
//! Files are replaced by rename. What a user would miss is also synced before the command
//! that made it returns: the record, the first state and the name of a new container, and
//! every later change of a record. A container that removes itself is not: after a power
//! cut it would be gone anyway. Nor are the changes of states: after a power cut nothing
//! runs, an older state says so as well as the last one, and a monitor would wait for the
//! disk at every start. A file system that then leaves an empty file in place of either
//! has made what [`crate::damage`] is for.
//!
//! A record that cannot be read is an error for who names it, and is passed over by lists.
//! Its name stays taken. Only [`Records::forget`] takes it away.
//!
//! # Invariants
//!
//! A folder without `container.json` is debris of a command that died, for whoever makes
//! or unmakes one holds the lock; and so is a name that leads to no folder, or the folder
//! of a remover that does not live. All are swept under the lock.

mod debris;
mod error;
mod files;
mod life;
mod locks;
mod names;
mod store;

pub(crate) use error::DISK_FULL;
pub use error::RecordError;
pub(crate) use files::{Sync, replace, sync_folder};
pub use life::{Life, ProcessRecord, mark_lost};
pub(crate) use locks::ContainerLock;
pub use locks::RecordsLock;
pub use store::{DamagedContainer, Listing, Records};
