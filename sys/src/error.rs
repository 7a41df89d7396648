//! The error of a failed system call: the call with its arguments, then the cause.

use std::io;

/// A system call that failed, printed like a line of a trace.
#[derive(Debug, thiserror::Error)]
#[error("{call}")]
pub struct SyscallError {
    /// The call and the arguments that matter, as `mount(overlay on "/x")`.
    pub call: String,
    #[source]
    pub source: io::Error,
}

impl SyscallError {
    /// The error number, when the cause carries one.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        self.source.raw_os_error()
    }
}

/// Adds the call to a raw error.
pub trait Context<T> {
    /// Wraps the error as a [`SyscallError`] described by `call`.
    ///
    /// # Errors
    /// The error of `self`, wrapped.
    fn call(self, call: impl FnOnce() -> String) -> Result<T, SyscallError>;
}

impl<T, E: Into<io::Error>> Context<T> for Result<T, E> {
    fn call(self, call: impl FnOnce() -> String) -> Result<T, SyscallError> {
        self.map_err(|source| SyscallError { call: call(), source: source.into() })
    }
}
