//! A profile in memory: rules with numbers instead of names.
//!
//! The default profile is a `static` of these types, written by the build script;
//! that is why everything borrows or owns (`Cow`).

use std::borrow::Cow;

use super::KernelVersion;
use super::abi::Abi;

/// Verdicts as seccomp(2) encodes them.
mod ret {
    pub(super) const KILL_PROCESS: u32 = 0x8000_0000;
    pub(super) const KILL_THREAD: u32 = 0;
    pub(super) const TRAP: u32 = 0x0003_0000;
    pub(super) const ERRNO: u32 = 0x0005_0000;
    pub(super) const TRACE: u32 = 0x7ff0_0000;
    pub(super) const LOG: u32 = 0x7ffc_0000;
    pub(super) const ALLOW: u32 = 0x7fff_0000;
}

const EPERM: u16 = 1;
const ENOSYS: u16 = 38;

/// What happens to a system call: the filter's return value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Action(pub(super) u32);

impl Action {
    pub(super) const KILL_PROCESS: Self = Self(ret::KILL_PROCESS);
    /// The answer of a kernel that does not know the call.
    pub(super) const NO_SUCH_CALL: Self = Self(ret::ERRNO | ENOSYS as u32);

    /// The action called `name`; `errno` is what it returns or tells the tracer.
    pub(super) fn parse(name: &str, errno: Option<u16>) -> Option<Self> {
        let errno = u32::from(errno.unwrap_or(EPERM));
        Some(Self(match name {
            "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => ret::KILL_THREAD,
            "SCMP_ACT_KILL_PROCESS" => ret::KILL_PROCESS,
            "SCMP_ACT_TRAP" => ret::TRAP,
            "SCMP_ACT_ERRNO" => ret::ERRNO | errno,
            "SCMP_ACT_TRACE" => ret::TRACE | errno,
            "SCMP_ACT_ALLOW" => ret::ALLOW,
            "SCMP_ACT_LOG" => ret::LOG,
            _ => return None,
        }))
    }

    /// The call is carried out.
    pub(super) fn is_permissive(self) -> bool {
        matches!(self.0, ret::ALLOW | ret::LOG)
    }
}

/// How an argument is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    /// `argument & value == value_two`.
    MaskedEqual,
}

impl Op {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "SCMP_CMP_NE" => Self::NotEqual,
            "SCMP_CMP_LT" => Self::Less,
            "SCMP_CMP_LE" => Self::LessOrEqual,
            "SCMP_CMP_EQ" => Self::Equal,
            "SCMP_CMP_GE" => Self::GreaterOrEqual,
            "SCMP_CMP_GT" => Self::Greater,
            "SCMP_CMP_MASKED_EQ" => Self::MaskedEqual,
            _ => return None,
        })
    }
}

/// A condition on one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Condition {
    /// 0 to 5.
    pub(super) index: u8,
    pub(super) op: Op,
    pub(super) value: u64,
    pub(super) value_two: u64,
    /// How many bits of the argument the kernel reads, by [`Abi::index`].
    pub(super) bits: [u8; Abi::ALL.len()],
}

/// A condition as one interface's kernel code would see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// The same for every argument: it is compared with what none can be.
    Always(bool),
    /// Only these bits of the argument count, and the values have no others.
    Bits(u64, Condition),
}

impl Condition {
    /// Reads the argument as the kernel does through `abi`. A value that is a negative number of
    /// 64 bits stands for that number of fewer bits.
    pub(super) fn seen(&self, abi: Abi) -> Seen {
        let bits = u32::from(self.bits[abi.index()]);
        let ones = u64::MAX >> (64 - bits);
        let fits = |value: u64| value <= ones || value >= !(ones >> 1);
        let (value, value_two) = (self.value & ones, self.value_two & ones);
        let wanted = if self.op == Op::MaskedEqual { self.value_two } else { self.value };
        if fits(wanted) {
            return Seen::Bits(ones, Self { value, value_two, ..*self });
        }
        Seen::Always(matches!(self.op, Op::NotEqual | Op::Less | Op::LessOrEqual))
    }
}

/// What must (or must not) be so for a rule to count; empty lists ask nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Requirements {
    pub(super) caps: Cow<'static, [Cow<'static, str>]>,
    pub(super) arches: Cow<'static, [Cow<'static, str>]>,
    pub(super) min_kernel: Option<KernelVersion>,
}

/// One entry of a profile.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// The numbers of its calls, by [`Abi::index`].
    pub(super) numbers: [Cow<'static, [u32]>; Abi::ALL.len()],
    pub(super) action: Action,
    /// All must hold.
    pub(super) conditions: Cow<'static, [Condition]>,
    pub(super) includes: Requirements,
    pub(super) excludes: Requirements,
}

/// Which interfaces a profile covers on a machine whose main one is `native`.
#[derive(Debug, Clone)]
pub(super) struct Coverage {
    pub(super) native: Abi,
    pub(super) others: Cow<'static, [Abi]>,
}

/// A profile: the default verdict, and the rules that say otherwise.
#[derive(Debug, Clone)]
pub struct Profile {
    pub(super) default: Action,
    pub(super) coverage: Cow<'static, [Coverage]>,
    pub(super) rules: Cow<'static, [Rule]>,
}
