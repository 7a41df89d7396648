//! Why a profile cannot be used.

use super::ParseKernelError;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    #[error("cannot read the profile")]
    Parse { source: serde_json::Error },
    #[error("unknown action `{name}`")]
    Action { name: String },
    #[error("unknown operator `{name}`")]
    Operator { name: String },
    #[error("system calls have no argument {index}")]
    ArgumentIndex { index: u8 },
    #[error(
        "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'"
    )]
    NameAndNames,
    #[error(
        "'architectures' and 'archMap' were specified in the seccomp profile, use either 'architectures' or 'archMap'"
    )]
    TwoArchitectureLists,
    #[error("cannot read a rule's `minKernel`")]
    Kernel { source: ParseKernelError },
    #[error("profiles that hand system calls to a listener are not supported")]
    Listener,
    #[error("the profile needs {length} instructions and the kernel takes {max}")]
    TooLong { length: usize, max: usize },
}
