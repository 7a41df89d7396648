//! Answers the calls of the filter, one at a time.
//!
//! # How it works
//!
//! A call about ids is answered from the [table](super::table). One that gives a file away
//! records the owner. `stat` is left to the kernel when its answer is right, which it is
//! for a file without a recorded owner: it is root's, for everybody.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use coracle_sys::SyscallError;
use coracle_sys::notify::{self, Answer, Notification};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{AtFlags, FileType, Mode, StatxFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags};

use super::calls::{Call, by_number};
use super::files::{self, Base};
use super::ids::{Change, Ids, Kind, StartIds, merge};
use super::table::Table;
use super::{acl, create, stat};

/// `PATH_MAX`, with its NUL.
const PATH_BYTES_MAX: usize = 4096;
const PAGE_BYTES: u64 = 4096;
const AT_FDCWD: i32 = -100;
const AT_SYMLINK_NOFOLLOW: u64 = 0x100;
const AT_EMPTY_PATH: u64 = 0x1000;

/// A filter's listener and the ids its first process started with.
#[derive(Debug)]
struct Source {
    listener: OwnedFd,
    first: Ids,
}

/// What stands in for the kernel towards one container.
#[derive(Debug, Default)]
pub struct Supervisor {
    sources: Vec<Source>,
    table: Table,
    calls: BTreeMap<i32, Call>,
}

impl Supervisor {
    #[must_use]
    pub fn new() -> Self {
        Self { sources: Vec::new(), table: Table::default(), calls: by_number() }
    }

    /// Takes on the processes under another filter, which begin with `first`.
    pub fn add(&mut self, listener: OwnedFd, first: StartIds) {
        notify::prefer_same_cpu(listener.as_fd());
        self.sources.push(Source { listener, first: first.into() });
    }

    /// The descriptors that become readable when there is something to answer.
    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sources.iter().map(|source| source.listener.as_fd())
    }

    /// True once no process is left under any filter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Answers what waits, without waiting.
    pub fn serve_ready(&mut self) {
        let mut at = 0;
        while let Some(source) = self.sources.get(at) {
            let mut fds = [PollFd::new(&source.listener, PollFlags::IN)];
            let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
            let ready = match rustix::event::poll(&mut fds, Some(&now)) {
                Ok(_) => fds[0].revents(),
                Err(_) => PollFlags::empty(),
            };
            if ready.contains(PollFlags::IN) && self.serve(at).is_ok() {
                continue;
            }
            if ready.intersects(PollFlags::HUP | PollFlags::ERR) {
                self.sources.remove(at);
                continue;
            }
            at += 1;
        }
    }

    fn serve(&mut self, at: usize) -> Result<(), SyscallError> {
        let source = &self.sources[at];
        let Some(question) = notify::receive(source.listener.as_fd())? else { return Ok(()) };
        let first = source.first.clone();
        let caller = Caller { listener: source.listener.as_fd(), question };
        let answer = match self.calls.get(&question.number) {
            Some(call) => decide(&mut self.table, *call, &caller, &first),
            None => Some(Answer::Continue),
        };
        let Some(answer) = answer else { return Ok(()) };
        notify::answer(self.sources[at].listener.as_fd(), question.id, answer)
    }
}

/// One thread that waits for its answer.
pub(super) struct Caller<'a> {
    pub(super) listener: BorrowedFd<'a>,
    pub(super) question: Notification,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a system call's argument narrower than its register is its lower half"
)]
impl Caller<'_> {
    pub(super) fn tid(&self) -> i32 {
        self.question.tid
    }

    pub(super) fn raw(&self, at: usize) -> u64 {
        self.question.arguments[at]
    }

    pub(super) fn id(&self, at: usize) -> u32 {
        self.raw(at) as u32
    }

    fn int(&self, at: usize) -> i32 {
        self.id(at).cast_signed()
    }

    pub(super) fn base(&self, at: usize) -> Base {
        match self.int(at) {
            AT_FDCWD => Base::WorkingFolder,
            number => Base::Descriptor(number),
        }
    }

    /// The string at an address, without its NUL.
    pub(super) fn text(&self, address: u64) -> Result<Vec<u8>, Errno> {
        let mut text = vec![0u8; PATH_BYTES_MAX];
        let mut length = 0;
        while length < PATH_BYTES_MAX {
            // To the end of the page: the next one need not be there.
            let from = address.checked_add(length as u64).ok_or(Errno::FAULT)?;
            let room = (PAGE_BYTES - from % PAGE_BYTES) as usize;
            let end = (length + room).min(PATH_BYTES_MAX);
            let got = notify::read_memory(self.tid(), from, &mut text[length..end])
                .map_err(|_| Errno::FAULT)?;
            if let Some(nul) = text[length..length + got].iter().position(|byte| *byte == 0) {
                text.truncate(length + nul);
                return Ok(text);
            }
            if got == 0 {
                return Err(Errno::FAULT);
            }
            length += got;
        }
        Err(Errno::NAMETOOLONG)
    }

    fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.check()?;
        notify::write_memory(self.tid(), address, bytes).map_err(|_| Errno::FAULT)
    }

    /// What was read through the caller's pid was the caller's.
    pub(super) fn check(&self) -> Result<(), Errno> {
        notify::is_waiting(self.listener, self.question.id).then_some(()).ok_or(Errno::SRCH)
    }
}

/// `None` when the caller has its answer already.
fn decide(table: &mut Table, call: Call, caller: &Caller<'_>, first: &Ids) -> Option<Answer> {
    let Some((pid, ids)) = table.ids_of(caller.tid(), first) else {
        return Some(Answer::Continue);
    };
    let result = match call {
        Call::GetReal(kind) => Ok(ids.of(kind).real.into()),
        Call::GetEffective(kind) => Ok(ids.of(kind).effective.into()),
        Call::GetThree(kind) => get_three(caller, ids, kind),
        Call::GetGroups => get_groups(caller, ids),
        Call::Prctl => {
            ids.keeps = caller.raw(1) == 1;
            return Some(Answer::Continue);
        }
        Call::Getsockopt => {
            return Some(peer(table, caller, pid, first).map_or(Answer::Continue, to_answer));
        }
        Call::Execve | Call::Execveat => {
            exec(call, caller, ids);
            return Some(Answer::Continue);
        }
        Call::Exit => {
            table.end(pid, first);
            return Some(Answer::Continue);
        }
        Call::SetGroups => groups_argument(caller)
            .and_then(|groups| change(table, caller, pid, first, |ids| ids.set_groups(groups)))
            .map(|()| 0),
        Call::SetOne(_) | Call::SetTwo(_) | Call::SetThree(_) | Call::SetFs(_) => {
            let (kind, wanted) = change_argument(call, caller);
            change(table, caller, pid, first, |ids| ids.change(kind, wanted)).map(i64::from)
        }
        Call::Chown { .. } | Call::Fchown | Call::Fchownat => chown(call, caller, ids),
        Call::Open | Call::Openat | Call::Creat | Call::Mkdir | Call::Mkdirat => {
            return create::make(call, caller, ids);
        }
        Call::Setxattr => return Some(set_attribute(caller)),
        Call::Stat { .. } | Call::Fstat | Call::Fstatat | Call::Statx => {
            return Some(owner_of(call, caller).map_or(Answer::Continue, to_answer));
        }
    };
    Some(to_answer(result))
}

fn to_answer(result: Result<i64, Errno>) -> Answer {
    match result {
        Ok(value) => Answer::Value(value),
        Err(errno) => Answer::Error(errno.raw_os_error()),
    }
}

/// Children born before keep the ids of their birth.
fn change<T>(
    table: &mut Table,
    caller: &Caller<'_>,
    pid: i32,
    first: &Ids,
    apply: impl FnOnce(&mut Ids) -> Result<T, Errno>,
) -> Result<T, Errno> {
    table.settle_children(pid, first);
    let (_, ids) = table.ids_of(caller.tid(), first).ok_or(Errno::SRCH)?;
    apply(ids)
}

fn change_argument(call: Call, caller: &Caller<'_>) -> (Kind, Change) {
    match call {
        Call::SetTwo(kind) => (kind, Change::Two(caller.id(0), caller.id(1))),
        Call::SetThree(kind) => (kind, Change::Three([caller.id(0), caller.id(1), caller.id(2)])),
        Call::SetFs(kind) => (kind, Change::Fs(caller.id(0))),
        Call::SetOne(kind) => (kind, Change::One(caller.id(0))),
        _ => (Kind::User, Change::Fs(u32::MAX)),
    }
}

fn get_three(caller: &Caller<'_>, ids: &Ids, kind: Kind) -> Result<i64, Errno> {
    let quad = ids.of(kind);
    for (at, id) in [quad.real, quad.effective, quad.saved].into_iter().enumerate() {
        caller.write(caller.raw(at), &id.to_ne_bytes())?;
    }
    Ok(0)
}

fn get_groups(caller: &Caller<'_>, ids: &Ids) -> Result<i64, Errno> {
    let room = usize::try_from(caller.int(0)).map_err(|_| Errno::INVAL)?;
    let count = i64::try_from(ids.groups.len()).map_err(|_| Errno::INVAL)?;
    if room == 0 {
        return Ok(count);
    }
    if room < ids.groups.len() {
        return Err(Errno::INVAL);
    }
    let bytes: Vec<u8> = ids.groups.iter().flat_map(|id| id.to_ne_bytes()).collect();
    if !bytes.is_empty() {
        caller.write(caller.raw(1), &bytes)?;
    }
    Ok(count)
}

fn groups_argument(caller: &Caller<'_>) -> Result<Vec<u32>, Errno> {
    // NGROUPS_MAX is 65536.
    let count = usize::try_from(caller.int(0)).map_err(|_| Errno::INVAL)?;
    if count > 65_536 {
        return Err(Errno::INVAL);
    }
    let mut bytes = vec![0u8; count * 4];
    let got = if count == 0 {
        0
    } else {
        notify::read_memory(caller.tid(), caller.raw(1), &mut bytes).map_err(|_| Errno::FAULT)?
    };
    caller.check()?;
    if got < bytes.len() {
        return Err(Errno::FAULT);
    }
    Ok(bytes.chunks_exact(4).map(|id| u32::from_ne_bytes([id[0], id[1], id[2], id[3]])).collect())
}

/// The file a call is about.
fn target(call: Call, caller: &Caller<'_>) -> Result<OwnedFd, Errno> {
    let tid = caller.tid();
    let flags_at = match call {
        Call::Fchown | Call::Fstat => {
            let file = files::descriptor(tid, caller.int(0))?;
            caller.check()?;
            return Ok(file);
        }
        Call::Chown { link } | Call::Stat { link } => {
            let path = caller.text(caller.raw(0))?;
            let file = files::resolve(tid, Base::WorkingFolder, &path, !link)?;
            caller.check()?;
            return Ok(file);
        }
        Call::Execve => {
            let path = caller.text(caller.raw(0))?;
            let file = files::resolve(tid, Base::WorkingFolder, &path, true)?;
            caller.check()?;
            return Ok(file);
        }
        Call::Fchownat | Call::Execveat => 4,
        Call::Statx => 2,
        _ => 3,
    };
    let flags = caller.raw(flags_at);
    // Newer kernels take a null pointer for an empty path.
    let path = match caller.raw(1) {
        0 if flags & AT_EMPTY_PATH != 0 => Vec::new(),
        address => caller.text(address)?,
    };
    let file = match (path.is_empty(), caller.base(0)) {
        (true, _) if flags & AT_EMPTY_PATH == 0 => Err(Errno::NOENT),
        (true, Base::Descriptor(number)) => files::descriptor(tid, number),
        (true, base) => files::resolve(tid, base, b".", true),
        (false, base) => files::resolve(tid, base, &path, flags & AT_SYMLINK_NOFOLLOW == 0),
    }?;
    caller.check()?;
    Ok(file)
}

fn chown(call: Call, caller: &Caller<'_>, ids: &Ids) -> Result<i64, Errno> {
    let at = if call == Call::Fchownat { 2 } else { 1 };
    let wanted = (caller.id(at), caller.id(at + 1));
    let file = match target(call, caller) {
        Ok(file) => file,
        // Below /proc, where nothing can be recorded.
        Err(Errno::XDEV) if ids.privileged => return Ok(0),
        Err(errno) => return Err(errno),
    };
    if files::is_in_proc(file.as_fd()) {
        return if ids.privileged { Ok(0) } else { Err(Errno::PERM) };
    }
    let owner = match files::recorded_owner(file.as_fd()) {
        Some(owner) => owner,
        None if files::keeps_records(file.as_fd()) => (0, 0),
        // Nobody knows who made it: the caller may have.
        None => (ids.user.fs, ids.group.fs),
    };
    if !ids.may_chown(owner, wanted) {
        return Err(Errno::PERM);
    }
    files::record_owner(file.as_fd(), merge(owner, wanted))?;
    Ok(0)
}

/// `None` when the kernel's own answer is right, or is a refusal.
fn owner_of(call: Call, caller: &Caller<'_>) -> Option<Result<i64, Errno>> {
    let file = target(call, caller).ok()?;
    let owner = files::recorded_owner(file.as_fd())?;
    if owner == (0, 0) || files::is_in_proc(file.as_fd()) {
        return None;
    }
    if call == Call::Statx {
        let mask = StatxFlags::from_bits_retain(caller.id(3));
        let flags = AtFlags::EMPTY_PATH | AtFlags::from_bits_retain(caller.id(2) & 0x6000);
        let found = rustix::fs::statx(&file, c"", flags, mask).ok()?;
        (found.stx_uid == 0).then_some(())?;
        let bytes = stat::statx_bytes(&found, owner);
        return Some(caller.write(caller.raw(4), &bytes).map(|()| 0));
    }
    let found = rustix::fs::fstat(&file).ok()?;
    // Another user's file, from a mount of the host's, is what it is.
    (found.st_uid == 0).then_some(())?;
    let at = if call == Call::Fstatat { 2 } else { 1 };
    let bytes = stat::stat_bytes(&found, owner);
    Some(caller.write(caller.raw(at), &bytes).map(|()| 0))
}

/// Who is at the other end of a local socket. `None` when the kernel's answer is right.
fn peer(
    table: &mut Table,
    caller: &Caller<'_>,
    pid: i32,
    first: &Ids,
) -> Option<Result<i64, Errno>> {
    let process = Pid::from_raw(pid)?;
    let pidfd = rustix::process::pidfd_open(process, PidfdFlags::empty()).ok()?;
    let socket =
        rustix::process::pidfd_getfd(pidfd, caller.int(0), PidfdGetfdFlags::empty()).ok()?;
    caller.check().ok()?;
    let real = rustix::net::sockopt::socket_peercred(&socket).ok()?;
    if !real.uid.is_root() {
        return None;
    }
    let theirs = real.pid.as_raw_nonzero().get();
    let (_, ids) = table.ids_of(theirs, first)?;
    let (uid, gid) = (ids.user.effective, ids.group.effective);
    if (uid, gid) == (0, 0) {
        return None;
    }
    // `struct ucred`, as much of it as there is room for.
    let words = [innermost_pid(theirs)?.cast_unsigned(), uid, gid];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let mut room = [0u8; 4];
    notify::read_memory(caller.tid(), caller.raw(4), &mut room).ok()?;
    let length = usize::try_from(u32::from_ne_bytes(room)).ok()?.min(bytes.len());
    let told = u32::try_from(length).ok()?.to_ne_bytes();
    let written = caller
        .write(caller.raw(3), &bytes[..length])
        .and_then(|()| caller.write(caller.raw(4), &told));
    Some(written.map(|()| 0))
}

/// The pid by which a process knows itself.
fn innermost_pid(pid: i32) -> Option<i32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_ascii_whitespace().next_back()?.parse().ok()
}

/// A program that is about to run: its set-user-id bits count, privilege kept ends.
fn exec(call: Call, caller: &Caller<'_>, ids: &mut Ids) {
    // One that cannot be opened fails to run, as when a shell tries each folder of PATH.
    let Ok(file) = target(call, caller) else { return };
    let Ok(found) = rustix::fs::fstat(&file) else { return };
    let mode = Mode::from_raw_mode(found.st_mode);
    let runs = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
        && mode.intersects(Mode::XUSR | Mode::XGRP | Mode::XOTH);
    if !runs {
        return;
    }
    let owner = files::recorded_owner(file.as_fd()).unwrap_or((0, 0));
    let may = mode.intersects(Mode::SUID | Mode::SGID) && !has_no_new_privileges(caller.tid());
    let set_uid = (may && mode.contains(Mode::SUID)).then_some(owner.0);
    // Without the group's execute bit it means mandatory locking.
    let set_gid = (may && mode.contains(Mode::SGID | Mode::XGRP)).then_some(owner.1);
    ids.exec(set_uid, set_gid);
}

fn has_no_new_privileges(tid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{tid}/status"))
        .is_ok_and(|text| text.lines().any(|line| line == "NoNewPrivs:\t1"))
}

/// A list of access rights for ids that are not mapped is refused.
fn set_attribute(caller: &Caller<'_>) -> Answer {
    let mut name = [0u8; acl::NAME_BYTES_MAX];
    let read = |address: u64, into: &mut [u8]| notify::read_memory(caller.tid(), address, into);
    let Ok(got) = read(caller.raw(1), &mut name) else { return Answer::Continue };
    let length = usize::try_from(caller.raw(3)).unwrap_or(usize::MAX);
    if !acl::is_list(&name[..got]) || length > acl::LIST_BYTES_MAX {
        return Answer::Continue;
    }
    let mut list = vec![0u8; length];
    match read(caller.raw(2), &mut list) {
        Ok(got) if acl::names_others(&list[..got]) => Answer::Error(Errno::NOTSUP.raw_os_error()),
        _ => Answer::Continue,
    }
}
