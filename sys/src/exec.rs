//! Replace the process image.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Signal, set_parent_process_death_signal};

fn pointers(list: &[CString]) -> Vec<*const libc::c_char> {
    list.iter().map(|s| s.as_ptr()).chain(std::iter::once(std::ptr::null())).collect()
}

/// Makes what `command` starts get a signal when the thread ends that starts it.
pub fn end_with_parent(command: &mut Command, signal: Signal) {
    let set = move || Ok(set_parent_process_death_signal(Some(signal))?);
    // SAFETY: between fork and exec a single system call is made; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(set) };
}

/// `execve(2)`. Returns only on failure.
#[must_use]
pub fn execve(path: &CString, argv: &[CString], envp: &[CString]) -> io::Error {
    let (argv, envp) = (pointers(argv), pointers(envp));
    // SAFETY: `path` and every element are NUL-terminated and outlive the call, and
    // both arrays end with a null pointer.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    io::Error::last_os_error()
}

/// Executes the file behind `fd`. Returns only on failure.
#[must_use]
pub fn fexecve(fd: BorrowedFd<'_>, argv: &[CString], envp: &[CString]) -> io::Error {
    let (argv, envp) = (pointers(argv), pointers(envp));
    // SAFETY: the empty path is NUL-terminated, `fd` is open for the whole borrow,
    // and both arrays hold NUL-terminated strings and end with a null pointer.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            fd.as_raw_fd(),
            c"".as_ptr(),
            argv.as_ptr(),
            envp.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    io::Error::last_os_error()
}
