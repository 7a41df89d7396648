//! One id that looks like many: containers for a user without subordinate ids.
//!
//! # How it works
//!
//! Only id 0 is mapped, and it is the user. Programs that install packages or start
//! servers change ids and give files away all the same. A seccomp filter has their calls
//! answered by a [`Supervisor`], which remembers who believes to be whom, records owners in
//! the attribute `user.coracle.owner`, and tells them back through `stat`. A file without
//! a record is root's, whoever asks; what others make is recorded as it is made.
//!
//! # Limits
//!
//! Nothing is protected from anything: every process of the container is one user to the
//! kernel, whatever it believes. Not imitated: single capabilities, credentials passed over
//! a socket, quotas, 32 bit programs. The filter cannot be nested.
//!
//! # Cost
//!
//! Some tens of microseconds for each answered call, and one small process per container.

mod acl;
mod calls;
mod create;
mod files;
mod ids;
mod server;
mod stat;
mod supervisor;
mod table;

pub use calls::filter;
pub(crate) use files::{record_owner, recorded_owner};
pub use ids::StartIds;
pub use server::{Span, confine, serve, spawn};
pub use supervisor::Supervisor;
