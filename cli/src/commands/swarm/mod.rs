//! Commands on the swarm as a whole, a file a verb; `table` has their rows.

pub(crate) mod address;
pub(crate) mod ca;
pub(crate) mod init;
pub(crate) mod join;
pub(crate) mod join_token;
pub(crate) mod leave;
pub(crate) mod settings;
pub(crate) mod table;
pub(crate) mod unlock;
pub(crate) mod unlock_key;
pub(crate) mod update;
pub(crate) mod words;
