//! Install a seccomp filter.

use std::io;

use serde::{Deserialize, Serialize};

use crate::error::{Context, SyscallError};

/// One instruction of classic BPF, laid out as `struct sock_filter`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    pub code: u16,
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

#[repr(C)]
struct Program {
    length: u16,
    filter: *const Instruction,
}

/// Puts `filter` on this process. It cannot be taken off again.
///
/// Needs CAP_SYS_ADMIN in the user namespace, or no-new-privileges.
///
/// # Errors
/// EACCES without either, EINVAL for a malformed program (seccomp(2)).
pub fn install(filter: &[Instruction]) -> Result<(), SyscallError> {
    let length = u16::try_from(filter.len())
        .map_err(|_| io::Error::from(rustix::io::Errno::INVAL))
        .call(|| format!("seccomp(SET_MODE_FILTER, {} instructions)", filter.len()))?;
    let program = Program { length, filter: filter.as_ptr() };
    // SAFETY: `program` describes `length` instructions at `filter`, laid out as
    // `sock_filter`, alive for the call; the kernel copies them.
    let rc = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program)
    };
    if rc != 0 {
        return Err(io::Error::last_os_error())
            .call(|| format!("seccomp(SET_MODE_FILTER, {length} instructions)"));
    }
    Ok(())
}
