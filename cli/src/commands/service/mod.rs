//! Commands on services, a file a verb; `table` has their rows.

pub(crate) mod inspect;
pub(crate) mod rm;
pub(crate) mod table;
