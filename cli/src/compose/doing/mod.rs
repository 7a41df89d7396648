//! Carrying steps out before a person: the plan told, the output in the foreground, files kept in step.

pub(crate) mod act;
pub(crate) mod attached;
pub(crate) mod changes;
pub(crate) mod front;
pub(crate) mod members;
pub(crate) mod stale_volumes;
pub(crate) mod sync;
