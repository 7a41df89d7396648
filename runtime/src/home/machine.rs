//! What is known of this machine without asking the engine.

use rustix::system::uname;

/// The machine and its system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// Its name in the network.
    pub name: String,
    /// The release of the kernel.
    pub kernel: String,
    /// As the kernel calls it: `x86_64`.
    pub architecture: String,
    /// The name of the distribution; empty when it does not say.
    pub operating_system: String,
    /// Processors that this process may use.
    pub cpus: usize,
    /// Bytes of memory; 0 when the kernel does not say.
    pub memory: u64,
}

impl Machine {
    #[must_use]
    pub fn look() -> Self {
        let uname = uname();
        let words = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        Self {
            name: words(uname.nodename()),
            kernel: words(uname.release()),
            architecture: words(uname.machine()),
            operating_system: pretty_name(&release).unwrap_or_default(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            memory: memory_total().unwrap_or(0),
        }
    }
}

/// Bytes of memory of the machine.
pub(crate) fn memory_total() -> Option<u64> {
    memory_in(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn memory_in(text: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = rest.split_ascii_whitespace().next()?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Of the text of `os-release`.
fn pretty_name(text: &str) -> Option<String> {
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_of_the_system_say() {
        let text = "MemTotal:        2048 kB\nMemFree:  1 kB\n";
        assert_eq!(memory_in(text), Some(2_097_152));
        assert_eq!(memory_in("MemFree: 1 kB\n"), None);
        let text = "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n";
        assert_eq!(pretty_name(text).as_deref(), Some("Debian GNU/Linux 13 (trixie)"));
        assert_eq!(pretty_name("ID=x\n"), None);
    }
}
