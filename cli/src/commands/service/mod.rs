//! Commands on services, a file a verb; `table` has their rows, `rows` the columns of listings.

pub(crate) mod inspect;
pub(crate) mod ls;
pub(crate) mod ps;
pub(crate) mod rm;
pub(crate) mod rows;
pub(crate) mod table;
