//! The loopback device of a fresh network namespace is down; programs expect it up.

use coracle_sys::SyscallError;

/// Why the loopback device stays down.
#[derive(Debug, thiserror::Error)]
#[error("cannot switch the loopback device on")]
pub struct LoopbackError {
    #[from]
    source: SyscallError,
}

/// Switches the loopback device of this process's network namespace on.
///
/// # Errors
/// Without CAP_NET_ADMIN over the namespace (netdevice(7)).
pub fn raise_loopback() -> Result<(), LoopbackError> {
    Ok(coracle_sys::net::link_up(c"lo")?)
}
