//! Platforms, `os/arch[/variant]`, and which of several images suits one best.
//!
//! # How it works
//!
//! Names are brought to one form first (`x86_64` is `amd64`, `armhf` is `arm/v7`).
//! A machine also runs images made for its predecessors: `arm/v7` runs `arm/v6`,
//! `amd64/v3` runs `amd64/v2`, 64-bit machines run 32-bit images. The nearest wins.

use std::fmt;
use std::str::FromStr;

/// A normalized platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    /// Empty when the architecture has none, or its usual one.
    pub variant: String,
}

/// Why a text is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?}: cannot parse platform specifier: invalid argument")]
pub struct PlatformError {
    text: String,
}

impl Platform {
    /// The platform this program was built for.
    pub fn host() -> Self {
        Self::new(std::env::consts::OS, std::env::consts::ARCH, "")
    }

    /// The same with the level of the processor as its variant, which an image may be made for.
    pub fn of_cpu() -> Self {
        Self { variant: cpu_level().to_owned(), ..Self::host() }
    }

    /// Brings the three parts into their usual form.
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let architecture = architecture.to_ascii_lowercase();
        let variant = variant.to_ascii_lowercase();
        let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
            ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
            ("x86_64" | "x86-64", variant) => ("amd64", variant),
            ("i386" | "i486" | "i586" | "i686" | "x86", _) => ("386", ""),
            ("aarch64" | "arm64", "8" | "v8") => ("arm64", ""),
            ("aarch64", variant) => ("arm64", variant),
            ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
            ("armel", _) | ("arm", "6") => ("arm", "v6"),
            ("arm", "5") => ("arm", "v5"),
            ("arm", "8") => ("arm", "v8"),
            ("powerpc64le", variant) => ("ppc64le", variant),
            (architecture, variant) => (architecture, variant),
        };
        Self { os, architecture: architecture.to_owned(), variant: variant.to_owned() }
    }

    /// How well an image of platform `image` runs on this one: 0 is best, `None` not
    /// at all.
    pub fn rank(&self, image: &Self) -> Option<usize> {
        if self.os != image.os {
            return None;
        }
        self.runs().iter().position(|(architecture, variant)| {
            *architecture == image.architecture && *variant == image.variant
        })
    }

    /// Architectures and variants this platform runs, best first.
    fn runs(&self) -> Vec<(&str, String)> {
        let architecture = self.architecture.as_str();
        let mut runs = vec![(architecture, self.variant.clone())];
        let level = |default| {
            self.variant.strip_prefix('v').and_then(|n| n.parse::<u32>().ok()).unwrap_or(default)
        };
        match architecture {
            "amd64" => {
                runs.extend((2..level(1)).rev().map(|n| ("amd64", format!("v{n}"))));
                runs.push(("amd64", String::new()));
                runs.push(("386", String::new()));
            }
            "arm64" => {
                runs.push(("arm64", String::new()));
                runs.extend((5..=8).rev().map(|n| ("arm", format!("v{n}"))));
            }
            "arm" => runs.extend((5..level(7)).rev().map(|n| ("arm", format!("v{n}")))),
            _ => {}
        }
        runs
    }

    /// The name with the variant that is otherwise left out on this architecture.
    pub fn with_usual_variant(&self) -> String {
        match (self.architecture.as_str(), self.variant.as_str()) {
            ("arm64", "") => format!("{self}/v8"),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// Reads `os/arch[/variant]`, `arch` alone, or `os` alone.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let bad = || PlatformError { text: text.to_owned() };
        let word = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().copied().all(word) {
            return Err(bad());
        }
        let host = Self::host();
        match parts[..] {
            [os @ ("linux" | "windows" | "darwin" | "freebsd")] => {
                Ok(Self { os: os.to_owned(), ..host })
            }
            [architecture] if KNOWN_ARCHITECTURES.contains(&architecture) => {
                Ok(Self::new(&host.os, architecture, ""))
            }
            [os, architecture] => Ok(Self::new(os, architecture, "")),
            [os, architecture, variant] => Ok(Self::new(os, architecture, variant)),
            _ => Err(bad()),
        }
    }
}

/// The levels of the x86-64 psABI; all others are told by their architecture.
#[cfg(target_arch = "x86_64")]
fn cpu_level() -> &'static str {
    macro_rules! all {
        ($($name:tt)*) => { true $(&& std::arch::is_x86_feature_detected!($name))* };
    }
    if !all!("cmpxchg16b" "popcnt" "sse3" "ssse3" "sse4.1" "sse4.2") {
        return "";
    }
    if !all!("avx" "avx2" "bmi1" "bmi2" "f16c" "fma" "lzcnt" "movbe") {
        return "v2";
    }
    if !all!("avx512f" "avx512bw" "avx512cd" "avx512dq" "avx512vl") {
        return "v3";
    }
    "v4"
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_level() -> &'static str {
    ""
}

const KNOWN_ARCHITECTURES: [&str; 16] = [
    "386", "amd64", "arm", "arm64", "loong64", "mips64le", "ppc64le", "riscv64", "s390x", "x86_64",
    "i386", "aarch64", "armhf", "armel", "x86-64", "wasm",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn names_have_one_form() {
        for (text, expected) in [
            ("linux/x86_64", "linux/amd64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("Linux/AMD64", "linux/amd64"),
            ("windows/i386", "windows/386"),
            ("s390x", "linux/s390x"),
        ] {
            assert_eq!(platform(text).to_string(), expected, "{text}");
        }
        assert_eq!(platform("linux"), Platform::host());
        assert_eq!(platform("linux/arm64").with_usual_variant(), "linux/arm64/v8");
    }

    #[test]
    fn what_is_no_platform() {
        for text in ["", "/", "linux/", "linux/a/b/c", "linux/a b", "nonsense"] {
            assert_eq!(
                text.parse::<Platform>().unwrap_err().to_string(),
                format!("{text:?}: cannot parse platform specifier: invalid argument")
            );
        }
    }

    /// The best of `images` for `wanted`.
    fn best<'a>(wanted: &str, images: &[&'a str]) -> Option<&'a str> {
        let wanted = platform(wanted);
        images
            .iter()
            .copied()
            .filter_map(|image| wanted.rank(&platform(image)).map(|rank| (rank, image)))
            .min()
            .map(|(_, image)| image)
    }

    #[test]
    fn the_nearest_predecessor_wins() {
        let arm = ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7", "linux/arm64"];
        assert_eq!(best("linux/arm/v7", &arm), Some("linux/arm/v7"));
        assert_eq!(best("linux/arm/v7", &arm[..2]), Some("linux/arm/v6"));
        assert_eq!(best("linux/arm/v6", &arm[2..]), None);
        assert_eq!(best("linux/arm64", &arm), Some("linux/arm64"));
        assert_eq!(best("linux/arm64/v8", &arm[..3]), Some("linux/arm/v7"));
        assert_eq!(best("linux/amd64", &["linux/386", "linux/amd64/v2"]), Some("linux/386"));
        let amd = ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"];
        assert_eq!(best("linux/amd64/v3", &amd), Some("linux/amd64/v2"));
        assert_eq!(best("linux/s390x", &amd), None);
        // Whatever this processor is, it runs what was made for none in particular.
        let cpu = Platform::of_cpu();
        assert!(cpu.rank(&Platform::host()).is_some());
        assert_eq!(Platform { variant: String::new(), ..cpu }, Platform::host());
        assert_eq!(best("windows/amd64", &amd), None);
    }
}
