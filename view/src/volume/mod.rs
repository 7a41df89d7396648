//! Volumes: who uses them, listed, inspected.

mod document;
mod list;
mod users;

pub use document::document;
pub use list::list;
pub use users::VolumeUsers;
