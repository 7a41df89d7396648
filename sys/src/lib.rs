//! System calls and kernel features: the only crate of Coracle with `unsafe`.
//!
//! Everything here is a thin, typed wrapper: a function does one thing to the
//! kernel and reports the call with its arguments when it fails. Policy (when to
//! enter a namespace, what to mount) lives in the callers.
#![expect(unsafe_code, reason = "this crate exists to hold it")]

pub mod error;
pub mod exe;
pub mod exec;
pub mod fd;
pub mod file_content;
pub mod file_lock;
pub mod fork;
pub mod idmap;
pub mod init_calls;
pub mod landlock;
pub mod memory;
pub mod mount;
pub mod net;
pub mod netlink;
pub mod network;
pub mod notify;
pub mod probe;
pub mod process;
pub mod seccomp;
pub mod signal;
pub mod sockets;
pub mod userns;

pub use error::{Context, SyscallError};
