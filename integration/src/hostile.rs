//! What a hostile container does to the network helper, and what that may cost: the same for tests and bench.

/// Kinds of floods that the `traffic` program of this package knows.
pub const FLOODS: [&str; 4] = ["syn", "udp", "fragments", "names"];

/// Packets of one flood.
pub const FLOOD_PACKETS: &str = "50000";

/// What the floods may add to the helper's private memory, in kilobytes: what docs/networking.md states.
pub const GROWTH_MAX: f64 = 24.0 * 1024.0;

/// Connections that one container keeps idle, where the limit of descriptors allows that.
const IDLE: u64 = 10_000;

/// New connections a second beside the idle ones, and for how many seconds.
pub const NEW: [&str; 2] = ["500", "5"];

/// How many idle connections of one container the hard limit of descriptors allows: the helper has room for 3/8
/// of that, one container gets three quarters of it, and those that come and go need some.
pub fn idle_connections() -> u64 {
    use rustix::process::{Resource, getrlimit};
    let files = getrlimit(Resource::Nofile).maximum;
    files.map_or(IDLE, |files| IDLE.min((files / 32 * 9).saturating_sub(500)))
}

/// Kilobytes that nobody shares with the process.
///
/// # Errors
/// When there is no such process.
pub fn private_memory(pid: u32) -> Result<f64, String> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let fields = ["Private_Clean:", "Private_Dirty:"].map(|name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok())
    });
    fields.into_iter().sum::<Option<f64>>().ok_or_else(|| format!("{path}: {text}"))
}
