//! Commands on nodes, a file a verb; `table` has their rows, `rows` the columns of listings.

pub(crate) mod inspect;
pub(crate) mod ls;
mod pretty;
pub(crate) mod promote;
pub(crate) mod ps;
pub(crate) mod rehearse;
pub(crate) mod rm;
pub(crate) mod rows;
pub(crate) mod table;
pub(crate) mod update;
