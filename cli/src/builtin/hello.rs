//! `hello`: greets, and tells how the container it runs in is confined.
//!
//! # How it works
//!
//! [`Seen`] holds what `/proc` and the cgroup say from inside; [`Seen::report`] puts it
//! into words. Nothing is assumed about how the container was started: each line is
//! what the kernel told just now.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

/// Exit status for wrong words on the command line.
const USAGE: u8 = 2;
/// Ids of a map that covers all of them: no user namespace. Root may map one less.
const ALL_IDS: u64 = 4_294_967_295;
/// `Seccomp:` in `/proc/self/status` when a filter is installed.
const FILTERED: &str = "2";

/// Runs the program; `words` follow its name.
pub(super) fn main(mut words: impl Iterator<Item = OsString>) -> ExitCode {
    if let Some(word) = words.next() {
        let text = format!("hello: takes no arguments, but got `{}`\n", word.to_string_lossy());
        std::io::stderr().write_all(text.as_bytes()).unwrap_or_default();
        return ExitCode::from(USAGE);
    }
    let report = Seen::now().report();
    match std::io::stdout().write_all(report.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What the container's processes can see of their own confinement; files as they are.
#[derive(Debug, Default)]
struct Seen {
    kernel: String,
    uid: u32,
    uid_map: String,
    status: String,
    last_capability: String,
    mounts: String,
    devices: String,
    memory_max: String,
    pids_max: String,
    cpu_max: String,
}

impl Seen {
    fn now() -> Self {
        // What cannot be read is missing, and the report says no more than it knows.
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        Self {
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            uid: rustix::process::getuid().as_raw(),
            uid_map: read("/proc/self/uid_map"),
            status: read("/proc/self/status"),
            last_capability: read("/proc/sys/kernel/cap_last_cap"),
            mounts: read("/proc/self/mountinfo"),
            devices: read("/proc/net/dev"),
            memory_max: read("/sys/fs/cgroup/memory.max"),
            pids_max: read("/sys/fs/cgroup/pids.max"),
            cpu_max: read("/sys/fs/cgroup/cpu.max"),
        }
    }

    /// The whole text, at most 80 columns wide.
    fn report(&self) -> String {
        let mut text = String::from(
            "Hello from Coracle!\n\n\
             This is a container. The only program in it is Coracle's own executable, so\n\
             nothing had to be downloaded. This is how it is confined:\n\n",
        );
        for (label, value) in [
            ("user", self.user()),
            ("user ids", self.user_ids()),
            ("capabilities", self.capabilities()),
            ("system calls", self.system_calls()),
            ("root", self.root()),
            ("network", self.network()),
            ("limits", self.limits()),
            ("kernel", format!("Linux {}, which all containers share", self.kernel)),
        ] {
            writeln!(text, "  {label:<14}{value}").unwrap_or_default();
        }
        text.push_str(
            "\nThese are the rungs this container stands on. `coracle info` shows the whole\n\
             ladder: what this machine offers, what is missing, and the remedy.\n",
        );
        text
    }

    fn user(&self) -> String {
        let name = if self.uid == 0 { "root in here" } else { "in here" };
        match self.uid_outside() {
            Some(outside) if outside == u64::from(self.uid) => {
                format!("{} ({name}), the same outside", self.uid)
            }
            Some(outside) => format!("{} ({name}), user {outside} outside", self.uid),
            None => format!("{} ({name})", self.uid),
        }
    }

    /// Rows of the map: first id inside, first id outside, how many.
    fn id_rows(&self) -> impl Iterator<Item = [u64; 3]> {
        self.uid_map.lines().filter_map(|line| {
            let mut fields = line.split_whitespace().map(|field| field.parse().ok());
            Some([fields.next()??, fields.next()??, fields.next()??])
        })
    }

    fn uid_outside(&self) -> Option<u64> {
        let uid = u64::from(self.uid);
        self.id_rows()
            .find(|[inside, _, count]| (*inside..inside + count).contains(&uid))
            .map(|[inside, outside, _]| outside + (uid - inside))
    }

    /// No user namespace separates us from the machine.
    fn has_all_ids(&self) -> bool {
        self.id_rows().any(|row| row == [0, 0, ALL_IDS])
    }

    fn user_ids(&self) -> String {
        let count: u64 = self.id_rows().map(|[_, _, count]| count).sum();
        let is_roots = self
            .id_rows()
            .any(|[inside, outside, count]| (inside, outside) == (0, 0) && count >= ALL_IDS - 1);
        match count {
            _ if is_roots => "all of the machine's: this container was started by root".into(),
            0 => "unknown".into(),
            1 => "1: there are no subordinate ids".into(),
            count => format!("{count} in this container"),
        }
    }

    fn status_field(&self, name: &str) -> Option<&str> {
        let line = self.status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.strip_prefix(':')?.trim())
    }

    fn capabilities(&self) -> String {
        let Some(held) =
            self.status_field("CapEff").and_then(|hex| u64::from_str_radix(hex, 16).ok())
        else {
            return "unknown".into();
        };
        let all = self.last_capability.trim().parse::<u32>().map_or(64, |last| last + 1);
        let over = match held {
            0 => "",
            _ if self.has_all_ids() => ", over the machine",
            _ => ", over what is the container's own and nothing else",
        };
        format!("{} of {all}{over}", held.count_ones())
    }

    fn system_calls(&self) -> String {
        let filter = match self.status_field("Seccomp") {
            Some(FILTERED) => "filtered",
            Some(_) => "not filtered",
            None => "unknown",
        };
        match self.status_field("NoNewPrivs") {
            Some("1") => format!("{filter}; no new privileges"),
            _ => filter.to_owned(),
        }
    }

    fn root(&self) -> String {
        // mountinfo(5): … mount point (5th) options … - type source options
        let row = self.mounts.lines().rfind(|line| line.split(' ').nth(4) == Some("/"));
        let Some((mount, fs)) = row.and_then(|row| row.split_once(" - ")) else {
            return "unknown".into();
        };
        let kind = fs.split(' ').next().unwrap_or_default();
        let options = mount.split(' ').nth(5).unwrap_or_default();
        let read_only = options.split(',').any(|option| option == "ro");
        let writes =
            if read_only { "read-only" } else { "what is written goes with the container" };
        format!("{kind}; {writes}")
    }

    fn network(&self) -> String {
        let names: Vec<&str> = self
            .devices
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, _)| name.trim())
            .collect();
        match names[..] {
            [] => "none".into(),
            ["lo"] => "none but the loopback device".into(),
            _ => fit(&names),
        }
    }

    fn limits(&self) -> String {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let mut limits = Vec::new();
        if let Some(bytes) = number(&self.memory_max) {
            limits.push(format!("{} MiB of memory", bytes / (1024 * 1024)));
        }
        if let Some((quota, period)) = self.cpu_max.trim().split_once(' ')
            && let (Some(quota), Some(period @ 1..)) = (number(quota), number(period))
        {
            let hundredths = quota * 100 / period;
            limits.push(format!("{}.{:02} CPUs", hundredths / 100, hundredths % 100));
        }
        if let Some(count) = number(&self.pids_max) {
            limits.push(format!("{count} processes"));
        }
        if limits.is_empty() { "none of its own".into() } else { limits.join(", ") }
    }
}

/// As many names as fit on the line.
fn fit(names: &[&str]) -> String {
    /// Columns beside the label and the number of those left out.
    const WIDTH: usize = 50;
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        if text.len() + name.len() > WIDTH {
            write!(text, " and {} more", names.len() - index).unwrap_or_default();
            break;
        }
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rootless() -> Seen {
        Seen {
            kernel: "6.1.0-42-amd64".into(),
            uid: 0,
            uid_map: "         0       1000          1\n         1     100000      65536\n".into(),
            status: "Name:\thello\nCapEff:\t00000000a80425fb\nNoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n".into(),
            last_capability: "40\n".into(),
            mounts: "1 0 0:3 / / rw,relatime - overlay overlay rw,userxattr\n2 1 0:4 / /proc rw - proc proc rw\n".into(),
            devices: "Inter-|   Receive\n face |bytes\n    lo: 0 0\n".into(),
            memory_max: "67108864\n".into(),
            pids_max: "max\n".into(),
            cpu_max: "50000 100000\n".into(),
        }
    }

    #[test]
    fn a_container_of_an_ordinary_user() {
        let report = rootless().report();
        insta::assert_snapshot!(report, @r"
        Hello from Coracle!

        This is a container. The only program in it is Coracle's own executable, so
        nothing had to be downloaded. This is how it is confined:

          user          0 (root in here), user 1000 outside
          user ids      65537 in this container
          capabilities  14 of 41, over what is the container's own and nothing else
          system calls  filtered
          root          overlay; what is written goes with the container
          network       none but the loopback device
          limits        64 MiB of memory, 0.50 CPUs
          kernel        Linux 6.1.0-42-amd64, which all containers share

        These are the rungs this container stands on. `coracle info` shows the whole
        ladder: what this machine offers, what is missing, and the remedy.
        ");
        assert!(report.lines().all(|line| line.chars().count() <= 80), "{report}");
    }

    #[test]
    fn a_container_of_root_says_so() {
        let seen = Seen {
            uid_map: "         0          0 4294967295\n".into(),
            status: "CapEff:\t000001ffffffffff\nNoNewPrivs:\t1\nSeccomp:\t0\n".into(),
            mounts: "1 0 0:3 / / ro,relatime - ext4 /dev/sda1 rw\n".into(),
            devices: "lo: 0\neth0: 0\n".into(),
            memory_max: "max\n".into(),
            cpu_max: "max 100000\n".into(),
            ..rootless()
        };
        assert_eq!(seen.user(), "0 (root in here), the same outside");
        assert_eq!(seen.user_ids(), "all of the machine's: this container was started by root");
        assert_eq!(seen.capabilities(), "41 of 41, over the machine");
        assert_eq!(seen.system_calls(), "not filtered; no new privileges");
        assert_eq!(seen.root(), "ext4; read-only");
        assert_eq!(seen.network(), "lo, eth0");
        assert_eq!(seen.limits(), "none of its own");
    }

    #[test]
    fn root_may_have_a_user_namespace_too() {
        let seen = Seen { uid_map: "0 0 4294967294\n".into(), ..rootless() };
        assert_eq!(seen.user_ids(), "all of the machine's: this container was started by root");
        assert_eq!(
            seen.capabilities(),
            "14 of 41, over what is the container's own and nothing else"
        );
    }

    #[test]
    fn other_users_and_one_id() {
        let other = Seen { uid: 33, ..rootless() };
        assert_eq!(other.user(), "33 (in here), user 100032 outside");
        let one = Seen { uid_map: "0 1000 1\n".into(), ..rootless() };
        assert_eq!(one.user_ids(), "1: there are no subordinate ids");
    }

    #[test]
    fn what_cannot_be_read_is_not_made_up() {
        let blind = Seen::default();
        assert_eq!(blind.user(), "0 (root in here)");
        assert_eq!(blind.user_ids(), "unknown");
        assert_eq!(blind.capabilities(), "unknown");
        assert_eq!(blind.system_calls(), "unknown");
        assert_eq!(blind.root(), "unknown");
    }

    #[test]
    fn many_devices_fit_on_a_line() {
        let names: Vec<String> = (0..20).map(|n| format!("veth{n:06}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(fit(&names), "veth000000, veth000001, veth000002, veth000003 and 16 more");
    }
}
