//! cgroup v2 for containers: limits, freezing, killing and counting.
//!
//! # How it works
//!
//! ```text
//! base/                    a scope that systemd made for us, our own cgroup when it is
//! │                        delegated to us, or `/coracle` for root without systemd
//! ├── coracle-leaf/        whatever was in the base: a cgroup that hands controllers to
//! │                        its children may hold no process itself
//! └── coracle-<id12>/      the container: limits are written here
//! ```
//!
//! The library that makes containers is given no resources; everything here is files of
//! cgroupfs. A limit that cannot be applied is an error with the remedy; without limits a
//! missing cgroup is no error.
//!
//! # Limits
//!
//! cgroup v2 alone; on a hybrid host that is the `unified` tree, often without controllers.
//!
//! # Not here
//!
//! Device rules (they take BPF programs and real root) and reading statistics
//! ([`crate::processes::stats`]).

mod control;
mod dbus;
mod error;
mod group;
mod host;
mod limits;
mod refusal;
mod systemd;
mod validate;

pub use control::{freeze, is_frozen, join, kill, processes, was_oom_killed};
pub use error::CgroupError;
pub(crate) use error::delegate_remedy;
pub(crate) use group::any_on_v1;
pub use group::{Request, prepare, prepare_what_is_there, remove, update};
pub(crate) use host::{CONTROLLERS, is_tree_ours, is_v2};
pub use host::{Host, Settings};
pub use refusal::refusal;
pub use systemd::enter;
pub use validate::{LimitError, validate};
