//! Commands on networks, a file a verb; `table` has their rows, `rows` the columns of listings.

pub(crate) mod connect;
pub(crate) mod create;
pub(crate) mod disconnect;
pub(crate) mod inspect;
pub(crate) mod ls;
pub(crate) mod prune;
pub(crate) mod rm;
pub(crate) mod rows;
pub(crate) mod table;
