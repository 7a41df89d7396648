//! Architectures and kernel versions a profile is resolved for.

use std::fmt;
use std::str::FromStr;

use super::abi::Abi;

/// The machine the container's programs are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    X86_64,
    Aarch64,
}

impl Arch {
    /// The machine this code was compiled for.
    pub const NATIVE: Self =
        if cfg!(target_arch = "aarch64") { Self::Aarch64 } else { Self::X86_64 };

    /// The machine's main interface.
    pub(super) fn abi(self) -> Abi {
        match self {
            Self::X86_64 => Abi::X86_64,
            Self::Aarch64 => Abi::Aarch64,
        }
    }

    /// The machine's kernel may answer calls made through `abi`.
    pub(super) fn has(self, abi: Abi) -> bool {
        match self {
            Self::X86_64 => matches!(abi, Abi::X86_64 | Abi::X32 | Abi::X86),
            Self::Aarch64 => matches!(abi, Abi::Aarch64 | Abi::Arm),
        }
    }

    /// The name in a rule's `includes` and `excludes`: Go's.
    pub(super) fn go_name(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }
}

/// A kernel's version as far as profiles look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KernelVersion {
    pub major: u32,
    pub minor: u32,
}

/// A text that does not start with a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read `{text}` as a kernel version")]
pub struct ParseKernelError {
    text: String,
}

impl FromStr for KernelVersion {
    type Err = ParseKernelError;

    /// Reads `6.1`, and also what uname(2) says, such as `6.1.0-18-amd64`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok(Self { major, minor }),
            _ => Err(ParseKernelError { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::KernelVersion;

    #[test]
    fn reads_versions() {
        let version: KernelVersion = "6.1.0-18-amd64".parse().unwrap();
        assert_eq!(version, KernelVersion { major: 6, minor: 1 });
        assert!("4.8".parse::<KernelVersion>().unwrap() < version);
        assert!("6.18".parse::<KernelVersion>().unwrap() > version);
        assert!("six".parse::<KernelVersion>().is_err());
        assert!("6".parse::<KernelVersion>().is_err());
    }
}
