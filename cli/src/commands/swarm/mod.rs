//! Commands on the swarm as a whole, a file a verb; `table` has their rows.

pub(crate) mod address;
pub(crate) mod init;
pub(crate) mod leave;
pub(crate) mod settings;
pub(crate) mod table;
pub(crate) mod words;
