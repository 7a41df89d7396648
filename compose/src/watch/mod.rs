//! `develop.watch`: which changes of files mean what, and where changes are seen.
//!
//! [`Rule`] and [`work`] are pure: paths go in, work comes out. [`Tree`] sees the changes.

mod rules;
mod tree;

pub use rules::{Action, Rule, Work, is_mounted, work};
pub use tree::Tree;

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error("services.{service}.develop.watch: {source}")]
    Shape { service: String, source: serde_json::Error },
    #[error("can't watch service {service:?} with action rebuild without a build context")]
    NoBuild { service: String },
    #[error("can't watch with action \"sync+exec\" on service {service} without a command")]
    NoCommand { service: String },
    #[error("services.{service}.develop.watch: a sync needs a target")]
    NoTarget { service: String },
    #[error("cannot watch {path}: {source}")]
    Kernel { path: String, source: std::io::Error },
}
