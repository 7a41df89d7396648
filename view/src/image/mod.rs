//! Images: found, named.

mod find;
mod labels;
mod names;

pub use find::{find, find_for, platform, stored_name};
pub use labels::{labels, parse_time};
pub use names::{ImageNames, readable};
