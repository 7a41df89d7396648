//! Commands on secrets and configs, a file a verb for both; `table` has their rows, `rows` the columns of listings.

pub(crate) mod create;
pub(crate) mod inspect;
pub(crate) mod ls;
pub(crate) mod rm;
pub(crate) mod rotate;
pub(crate) mod rows;
pub(crate) mod table;
