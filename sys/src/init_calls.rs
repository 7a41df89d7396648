//! What a PID 1 needs: start one child in a group of its own, wait for signals.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr;

use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::process::Pid;

use crate::error::{Context, SyscallError};
use crate::fork::exit_now;

/// Signals that report a fault of this very process; blocking them would hide it.
const FAULTS: [i32; 7] = [
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGABRT,
    libc::SIGTRAP,
    libc::SIGSYS,
];

/// Signals that a terminal sends to background groups; an init that is one ignores them.
const BACKGROUND: [i32; 2] = [libc::SIGTTIN, libc::SIGTTOU];

/// All signals that an init hands on, blocked; and the mask from before.
#[derive(Clone, Copy)]
pub struct Blocked {
    waited: libc::sigset_t,
    before: libc::sigset_t,
}

impl std::fmt::Debug for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Blocked")
    }
}

/// Blocks every signal but faults, and ignores those for background groups.
///
/// # Errors
/// As `sigprocmask(2)`.
pub fn block_all() -> Result<Blocked, SyscallError> {
    let mut waited = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `waited` is writable; `sigfillset` initialises all of it.
    unsafe { libc::sigfillset(waited.as_mut_ptr()) };
    for signal in FAULTS.into_iter().chain(BACKGROUND) {
        // SAFETY: `waited` was initialised above.
        unsafe { libc::sigdelset(waited.as_mut_ptr(), signal) };
    }
    // SAFETY: initialised by `sigfillset`.
    let waited = unsafe { waited.assume_init() };
    // SAFETY: `waited` is a valid set and `before` is writable.
    let rc =
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const waited, before.as_mut_ptr()) };
    if rc != 0 {
        return Err(io::Error::last_os_error()).call(|| "sigprocmask(SIG_SETMASK)".to_owned());
    }
    for signal in BACKGROUND {
        // SAFETY: SIG_IGN is a valid disposition for both.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    // SAFETY: the call succeeded and so filled `before`.
    Ok(Blocked { waited, before: unsafe { before.assume_init() } })
}

/// Waits for one of the blocked signals and takes it.
///
/// # Errors
/// As `sigwaitinfo(2)`, never EINTR.
pub fn wait_signal(blocked: &Blocked) -> Result<i32, SyscallError> {
    loop {
        // SAFETY: `waited` is a valid set; no information is asked for.
        let signal = unsafe { libc::sigwaitinfo(&raw const blocked.waited, ptr::null_mut()) };
        if signal > 0 {
            return Ok(signal);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error).call(|| "sigwaitinfo()".to_owned());
        }
    }
}

/// Sends any signal, real-time ones too, to `pid`.
///
/// # Errors
/// As `kill(2)`.
pub fn send(pid: Pid, signal: i32) -> Result<(), SyscallError> {
    // SAFETY: `kill` takes plain integers; a wrong signal is refused with EINVAL.
    if unsafe { libc::kill(pid.as_raw_nonzero().get(), signal) } != 0 {
        return Err(io::Error::last_os_error()).call(|| format!("kill({pid}, {signal})"));
    }
    Ok(())
}

/// Starts `argv` in a process group of its own, in the foreground of the terminal on
/// standard input if there is one, with the signal mask of before [`block_all`]. The
/// program is looked for in `PATH`.
///
/// # Errors
/// As `fork(2)` and `execvp(3)`: a program that cannot be executed is reported here.
pub fn spawn_foreground(argv: &[CString], blocked: &Blocked) -> Result<Pid, SyscallError> {
    let pointers: Vec<*const libc::c_char> =
        argv.iter().map(|word| word.as_ptr()).chain(std::iter::once(ptr::null())).collect();
    let (heard, told) =
        rustix::pipe::pipe_with(PipeFlags::CLOEXEC).call(|| "pipe2()".to_owned())?;
    // SAFETY: until it executes or exits, the child only makes async-signal-safe calls on
    // memory prepared above, so other threads of the parent do not matter.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let error = become_program(&pointers, blocked);
        // The parent finds the pipe closed without a message if this fails.
        rustix::io::write(&told, &error.raw_os_error().to_ne_bytes()).ok();
        exit_now(127);
    }
    let pid = Pid::from_raw(pid)
        .filter(|_| pid > 0)
        .ok_or_else(io::Error::last_os_error)
        .call(|| "fork()".to_owned())?;
    drop(told);
    match read_errno(heard.as_fd()) {
        None => Ok(pid),
        Some(errno) => {
            // Reaps the child that is exiting; there is nothing more to learn from it.
            rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).ok();
            Err(io::Error::from_raw_os_error(errno)).call(|| "execvp()".to_owned())
        }
    }
}

/// The child's part; returns why the program could not be executed.
fn become_program(argv: &[*const libc::c_char], blocked: &Blocked) -> Errno {
    // A failure leaves the child in our group: worse at a terminal, but it runs.
    rustix::process::setpgid(None, None).ok();
    // SIGTTOU is still ignored here, so taking the terminal does not stop us. Fails without
    // a terminal, which is fine.
    rustix::termios::tcsetpgrp(rustix::stdio::stdin(), rustix::process::getpgrp()).ok();
    for signal in BACKGROUND.into_iter().chain([libc::SIGPIPE]) {
        // SAFETY: SIG_DFL is a valid disposition for each.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: `before` was filled by `block_all`.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const blocked.before, ptr::null_mut()) };
    let Some(program) = argv.first().filter(|program| !program.is_null()) else {
        return Errno::INVAL;
    };
    // SAFETY: `argv` ends with a null pointer and every other element is NUL-terminated.
    unsafe { libc::execvp(*program, argv.as_ptr()) };
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::NOEXEC)
}

fn read_errno(pipe: BorrowedFd<'_>) -> Option<i32> {
    let mut bytes = [0; 4];
    loop {
        match rustix::io::read(pipe, &mut bytes) {
            Err(Errno::INTR) => {}
            Ok(4) => return Some(i32::from_ne_bytes(bytes)),
            _ => return None,
        }
    }
}
