//! Commands on images, a file a verb; `table` has their rows, `rows` the columns of listings.

pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod load;
pub(crate) mod ls;
mod overview;
pub(crate) mod prune;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod rm;
pub(crate) mod rows;
pub(crate) mod save;
pub(crate) mod table;
pub(crate) mod tag;
