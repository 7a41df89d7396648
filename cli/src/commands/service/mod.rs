//! Commands on services, a file a verb; `table` has their rows, `rows` the columns of listings.
//!
//! `flags` and `update_flags` are what can be said of a service, `flag_values` and `shlex` read single values, `said`
//! hands them on to the pure code that makes and changes specs; `converge` and `screen` show how far a service is.

pub(crate) mod converge;
pub(crate) mod create;
mod flag_values;
mod flags;
pub(crate) mod inspect;
pub(crate) mod logs;
pub(crate) mod ls;
pub(crate) mod plan;
pub(crate) mod ps;
pub(crate) mod rm;
pub(crate) mod rollback;
pub(crate) mod rows;
mod said;
pub(crate) mod scale;
mod screen;
mod shlex;
pub(crate) mod table;
pub(crate) mod update;
mod update_flags;
pub(crate) mod why;
