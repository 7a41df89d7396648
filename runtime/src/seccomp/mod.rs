//! System-call filters: Docker's profiles, resolved and compiled to classic BPF.
//!
//! # How it works
//!
//! A [`Profile`] is a default verdict and rules. [`Profile::compile`] keeps the rules
//! that count for a container's capabilities, its machine and its kernel, and
//! writes a program that finds the call's number by binary search, then compares
//! arguments, each with as many bits as the kernel reads of it. The default profile is a table made by the
//! build script: nothing is parsed when a container starts.
//!
//! Of several rules for one call, those with conditions are asked first, in their
//! order; then the first without. Calls newer than every call the profile names get
//! `ENOSYS` instead of a refusing default, so that programs fall back to older calls.
//!
//! # Limits
//!
//! x86_64 (with i386 and x32) and aarch64 (with arm). Filter flags in a profile are
//! ignored, listeners refused. A call through an interface the profile does not
//! cover ends the process. `socketcall` (i386, arm) and `ipc` hand their arguments over in memory,
//! where a filter cannot look: as with Docker, a profile that lets them pass lets all of them pass.
//!
//! # Not here
//!
//! Installing the filter: `coracle_sys::seccomp::install`.

mod abi;
mod arch;
mod assemble;
mod compile;
mod default;
mod error;
mod ints;
mod json;
mod parse;
mod resolve;
mod rules;

#[cfg(test)]
mod interpreter;
#[cfg(test)]
mod tests;

pub use arch::{Arch, KernelVersion, ParseKernelError};
pub use coracle_sys::seccomp::Instruction;
pub use error::ProfileError;
pub use rules::Profile;

/// A classic BPF program for seccomp(2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub instructions: Vec<Instruction>,
}

/// What a profile is resolved for.
pub struct Target<'a> {
    pub arch: Arch,
    pub kernel: KernelVersion,
    /// True for the capabilities (`CAP_…`) in the container's bounding set.
    pub has_cap: &'a dyn Fn(&str) -> bool,
}

/// The filter of a container with Docker's default profile.
///
/// # Errors
/// None in practice: the profile is part of the program, and tested.
pub fn default_filter(target: &Target<'_>) -> Result<Filter, ProfileError> {
    default::PROFILE.compile(target)
}
