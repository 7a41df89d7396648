//! Which system calls are answered, and the filter that says so.

use std::collections::BTreeMap;
use std::str::FromStr;

use coracle_sys::notify::{RET_ALLOW, RET_USER_NOTIF};
use coracle_sys::seccomp::Instruction;
use syscalls::Sysno;

use super::ids::Kind;

/// A call that the supervisor answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// By path; whether a link itself is meant.
    Chown {
        link: bool,
    },
    Fchown,
    Fchownat,
    GetReal(Kind),
    GetEffective(Kind),
    GetThree(Kind),
    SetOne(Kind),
    SetTwo(Kind),
    SetThree(Kind),
    SetFs(Kind),
    GetGroups,
    SetGroups,
    /// These make a file or a folder; open(2) only with `O_CREAT`.
    Open,
    Openat,
    Creat,
    Mkdir,
    Mkdirat,
    /// By path; whether a link itself is meant.
    Stat {
        link: bool,
    },
    Fstat,
    Fstatat,
    Statx,
    /// Let through, but for access lists.
    Setxattr,
    /// Only `PR_SET_KEEPCAPS` is asked about.
    Prctl,
    /// Only `SO_PEERCRED` is asked about.
    Getsockopt,
    /// Let through; the program may carry ids of its own.
    Execve,
    Execveat,
    /// Let through; tells that children lose their parent.
    Exit,
}

/// By name, because an architecture has only some of them.
const CALLS: [(&str, Call); 39] = [
    ("chown", Call::Chown { link: false }),
    ("lchown", Call::Chown { link: true }),
    ("fchown", Call::Fchown),
    ("fchownat", Call::Fchownat),
    ("getuid", Call::GetReal(Kind::User)),
    ("getgid", Call::GetReal(Kind::Group)),
    ("geteuid", Call::GetEffective(Kind::User)),
    ("getegid", Call::GetEffective(Kind::Group)),
    ("getresuid", Call::GetThree(Kind::User)),
    ("getresgid", Call::GetThree(Kind::Group)),
    ("setuid", Call::SetOne(Kind::User)),
    ("setgid", Call::SetOne(Kind::Group)),
    ("setreuid", Call::SetTwo(Kind::User)),
    ("setregid", Call::SetTwo(Kind::Group)),
    ("setresuid", Call::SetThree(Kind::User)),
    ("setresgid", Call::SetThree(Kind::Group)),
    ("setfsuid", Call::SetFs(Kind::User)),
    ("setfsgid", Call::SetFs(Kind::Group)),
    ("getgroups", Call::GetGroups),
    ("setgroups", Call::SetGroups),
    ("open", Call::Open),
    ("openat", Call::Openat),
    ("creat", Call::Creat),
    ("mkdir", Call::Mkdir),
    ("mkdirat", Call::Mkdirat),
    ("setxattr", Call::Setxattr),
    ("lsetxattr", Call::Setxattr),
    ("fsetxattr", Call::Setxattr),
    ("stat", Call::Stat { link: false }),
    ("lstat", Call::Stat { link: true }),
    ("fstat", Call::Fstat),
    ("newfstatat", Call::Fstatat),
    // The same call under the name that other architectures give it.
    ("fstatat", Call::Fstatat),
    ("statx", Call::Statx),
    ("prctl", Call::Prctl),
    ("getsockopt", Call::Getsockopt),
    ("execve", Call::Execve),
    ("execveat", Call::Execveat),
    ("exit_group", Call::Exit),
];

/// The calls of this architecture by number.
pub(super) fn by_number() -> BTreeMap<i32, Call> {
    CALLS
        .iter()
        .filter_map(|(name, call)| Some((Sysno::from_str(name).ok()?.id(), *call)))
        .collect()
}

/// `AUDIT_ARCH_*` of this executable.
#[cfg(target_arch = "x86_64")]
const AUDIT_ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const AUDIT_ARCH: u32 = 0xc000_00b7;

/// Operations of prctl(2) and getsockopt(2) that matter: which argument must be what.
const PRCTL: [(u32, u32); 1] = [(0, 8 /* PR_SET_KEEPCAPS */)];
const GETSOCKOPT: [(u32, u32); 2] = [(1, 1 /* SOL_SOCKET */), (2, 17 /* SO_PEERCRED */)];

/// Flag of open(2).
const O_CREAT: u32 = 0o100;

const LOAD_WORD: u16 = 0x20;
const JUMP_IF_SET: u16 = 0x45;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const OFFSET_OF_NUMBER: u32 = 0;
const OFFSET_OF_ARCH: u32 = 4;
const OFFSET_OF_ARGUMENTS: u32 = 16;

fn step(code: u16, jt: u8, jf: u8, k: u32) -> Instruction {
    Instruction { code, jt, jf, k }
}

/// The filter: the calls above are answered, everything else passes. Calls of a second
/// architecture (32 bit programs) get the kernel's own answer.
#[must_use]
pub fn filter() -> Vec<Instruction> {
    let mut program = vec![
        step(LOAD_WORD, 0, 0, OFFSET_OF_ARCH),
        step(JUMP_IF_EQUAL, 1, 0, AUDIT_ARCH),
        step(RETURN, 0, 0, RET_ALLOW),
        step(LOAD_WORD, 0, 0, OFFSET_OF_NUMBER),
    ];
    let mut whole = Vec::new();
    for (number, call) in by_number() {
        match call {
            Call::Prctl => program.extend(with_arguments(number, &PRCTL)),
            Call::Getsockopt => program.extend(with_arguments(number, &GETSOCKOPT)),
            Call::Open => program.extend(with_flag(number, 1, O_CREAT)),
            Call::Openat => program.extend(with_flag(number, 2, O_CREAT)),
            _ => whole.push(number),
        }
    }
    let count = u8::try_from(whole.len()).expect("a jump reaches 255 instructions");
    for (left, number) in (0..count).rev().zip(whole) {
        // Equal: over the tests left and the return that allows.
        program.push(step(JUMP_IF_EQUAL, left + 1, 0, number.cast_unsigned()));
    }
    program.push(step(RETURN, 0, 0, RET_ALLOW));
    program.push(step(RETURN, 0, 0, RET_USER_NOTIF));
    program
}

/// Asks about call `number` only when its arguments are those of `tests`.
fn with_arguments(number: i32, tests: &[(u32, u32)]) -> Vec<Instruction> {
    let mut body = Vec::new();
    for (argument, value) in tests {
        // Little-endian: the lower half of an argument comes first.
        body.push(step(LOAD_WORD, 0, 0, OFFSET_OF_ARGUMENTS + 8 * argument));
        body.push(step(JUMP_IF_EQUAL, 1, 0, *value));
        body.push(step(RETURN, 0, 0, RET_ALLOW));
    }
    body.push(step(RETURN, 0, 0, RET_USER_NOTIF));
    let skip = u8::try_from(body.len()).expect("a jump reaches 255 instructions");
    body.insert(0, step(JUMP_IF_EQUAL, 0, skip, number.cast_unsigned()));
    body
}

/// Asks about call `number` only when `argument` has `flag`.
fn with_flag(number: i32, argument: u32, flag: u32) -> [Instruction; 5] {
    [
        step(JUMP_IF_EQUAL, 0, 4, number.cast_unsigned()),
        step(LOAD_WORD, 0, 0, OFFSET_OF_ARGUMENTS + 8 * argument),
        step(JUMP_IF_SET, 0, 1, flag),
        step(RETURN, 0, 0, RET_USER_NOTIF),
        step(RETURN, 0, 0, RET_ALLOW),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the program as the kernel does; only the operations it uses.
    fn verdict(number: u32, arch: u32, arguments: [u32; 3]) -> u32 {
        let [first, second, third] = arguments;
        let words = [number, arch, 0, 0, first, 0, second, 0, third];
        let program = filter();
        let (mut at, mut value) = (0, 0);
        loop {
            let step = program[at];
            at += 1;
            match step.code {
                0x20 => value = words[step.k as usize / 4],
                0x15 if value == step.k => at += usize::from(step.jt),
                0x45 if value & step.k != 0 => at += usize::from(step.jt),
                0x15 | 0x45 => at += usize::from(step.jf),
                _ => return step.k,
            }
        }
    }

    #[test]
    fn only_the_calls_of_the_table_are_asked_about() {
        for number in 0..500u32 {
            let expected = match by_number().get(&number.cast_signed()) {
                None | Some(Call::Prctl | Call::Getsockopt | Call::Open | Call::Openat) => {
                    RET_ALLOW
                }
                Some(_) => RET_USER_NOTIF,
            };
            assert_eq!(verdict(number, AUDIT_ARCH, [0; 3]), expected, "{number}");
        }
        let number = |call: Sysno| call.id().cast_unsigned();
        assert_eq!(verdict(number(Sysno::getuid), 0x4000_0003, [0; 3]), RET_ALLOW);
        let prctl = |operation| verdict(number(Sysno::prctl), AUDIT_ARCH, [operation, 0, 0]);
        assert_eq!((prctl(8), prctl(15)), (RET_USER_NOTIF, RET_ALLOW));
        let option = |level, name| verdict(number(Sysno::getsockopt), AUDIT_ARCH, [3, level, name]);
        assert_eq!(
            [option(1, 17), option(1, 4), option(6, 17)],
            [RET_USER_NOTIF, RET_ALLOW, RET_ALLOW]
        );
        let openat = |flags| verdict(number(Sysno::openat), AUDIT_ARCH, [3, 0, flags]);
        assert_eq!([openat(0o101), openat(0o2001)], [RET_USER_NOTIF, RET_ALLOW]);
    }
}
