//! Files and folders that a process makes: they are recorded as its own.
//!
//! # How it works
//!
//! What root makes needs no record, unless a set-group-id folder gives it another group. Of
//! all else we make the file in the kernel's stead, put the owner on record and hand the
//! descriptor over, so that nobody sees the file without its owner. What is there already,
//! and whatever goes wrong, is left to the kernel and its own answer.
//!
//! # Limits
//!
//! Links, sockets and pipes carry no record. `openat2` and unnamed files (`O_TMPFILE`) are
//! not looked at, nor is a name that leads through a dangling link.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use coracle_sys::notify::{self, Answer};
use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use super::calls::Call;
use super::files::{self, Base};
use super::ids::Ids;
use super::supervisor::Caller;

/// What a call wants to make.
struct Wanted {
    base: Base,
    path: Vec<u8>,
    mode: Mode,
    /// Of a file; a folder has none.
    flags: Option<OFlags>,
}

/// Makes what the call asks for. `None`: the caller has its descriptor already.
pub(super) fn make(call: Call, caller: &Caller<'_>, ids: &Ids) -> Option<Answer> {
    let own = (ids.user.fs, ids.group.fs);
    let Some(wanted) = wanted(call, caller) else { return Some(Answer::Continue) };
    match made(&wanted, caller, own) {
        Some(Made::Folder) => Some(Answer::Value(0)),
        Some(Made::File { file, folder, name }) => hand_over(&wanted, caller, &file, &folder, name),
        None => Some(Answer::Continue),
    }
}

enum Made<'a> {
    Folder,
    File { file: OwnedFd, folder: OwnedFd, name: &'a [u8] },
}

fn wanted(call: Call, caller: &Caller<'_>) -> Option<Wanted> {
    let relative = matches!(call, Call::Openat | Call::Mkdirat);
    let at = usize::from(relative);
    let path = caller.text(caller.raw(at)).ok()?;
    let base = if relative { caller.base(0) } else { Base::WorkingFolder };
    let (flags, mode) = match call {
        Call::Mkdir | Call::Mkdirat => (None, caller.id(at + 1)),
        Call::Creat => (Some(OFlags::CREATE | OFlags::WRONLY | OFlags::TRUNC), caller.id(at + 1)),
        _ => (Some(OFlags::from_bits_retain(caller.id(at + 1))), caller.id(at + 2)),
    };
    // With these the kernel makes nothing.
    if flags.is_some_and(|flags| flags.intersects(OFlags::PATH | OFlags::DIRECTORY)) {
        return None;
    }
    Some(Wanted { base, path, mode: Mode::from_raw_mode(mode & 0o7777), flags })
}

fn made<'a>(wanted: &'a Wanted, caller: &Caller<'_>, own: (u32, u32)) -> Option<Made<'a>> {
    let mut path = wanted.path.as_slice();
    while wanted.flags.is_none() && path.len() > 1 && path.ends_with(b"/") {
        path = &path[..path.len() - 1];
    }
    let (folder, name) = match path.iter().rposition(|byte| *byte == b'/') {
        Some(0) => (&b"/"[..], &path[1..]),
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&b"."[..], path),
    };
    if matches!(name, b"" | b"." | b"..") {
        return None;
    }
    let folder = files::resolve(caller.tid(), wanted.base, folder, true).ok()?;
    let owner = (own.0, inherited_group(folder.as_fd()).unwrap_or(own.1));
    if owner == (0, 0) {
        return None;
    }
    let umask = umask_of(caller.tid())?;
    caller.check().ok()?;
    if files::is_in_proc(folder.as_fd()) {
        return None;
    }
    // Only one thread is here, and whatever else we make comes this way.
    rustix::process::umask(umask);
    let Some(flags) = wanted.flags else {
        mkdirat(&folder, name, wanted.mode).ok()?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // Gone again already: then there is nothing to record.
        if let Ok(made) = openat(&folder, name, flags, Mode::empty()) {
            files::put_record(made.as_fd(), owner);
        }
        return Some(Made::Folder);
    };
    let flags = flags | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = openat(&folder, name, flags, wanted.mode).ok()?;
    files::put_record(file.as_fd(), owner);
    Some(Made::File { file, folder, name })
}

fn hand_over(
    wanted: &Wanted,
    caller: &Caller<'_>,
    file: &OwnedFd,
    folder: &OwnedFd,
    name: &[u8],
) -> Option<Answer> {
    let closes = wanted.flags.is_some_and(|flags| flags.contains(OFlags::CLOEXEC));
    match notify::give(caller.listener, caller.question.id, file.as_fd(), closes) {
        Ok(()) => None,
        Err(error) => {
            // It has no room for another descriptor: then it has made no file either.
            unlinkat(folder, name, AtFlags::empty()).ok();
            match error.errno().map(Errno::from_raw_os_error) {
                // Linux before 5.14 cannot hand over.
                None | Some(Errno::INVAL | Errno::NOTTY) => Some(Answer::Continue),
                Some(errno) => Some(Answer::Error(errno.raw_os_error())),
            }
        }
    }
}

/// The group that a set-group-id folder gives to what is made in it.
fn inherited_group(folder: BorrowedFd<'_>) -> Option<u32> {
    let found = rustix::fs::fstat(folder).ok()?;
    Mode::from_raw_mode(found.st_mode)
        .contains(Mode::SGID)
        .then(|| files::recorded_owner(folder).map_or(0, |owner| owner.1))
}

fn umask_of(tid: i32) -> Option<Mode> {
    let text = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    let mask = text.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    Some(Mode::from_raw_mode(u32::from_str_radix(mask.trim(), 8).ok()?))
}
