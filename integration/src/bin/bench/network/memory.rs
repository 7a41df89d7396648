//! The memory of the network helper.

use coracle_integration::{TestEnv, leak::processes_named};

use crate::table::{self, Promise};
use crate::turns::{Contender, medians};

const CONTAINERS: usize = 10;
const NETWORKS: usize = 3;

pub(crate) fn row() {
    let what = "private memory of the helper, 10 containers on 3 networks";
    let env = TestEnv::new();
    for number in 0..NETWORKS {
        env.run(["network", "create", &format!("n{number}")]).success();
    }
    for number in 0..CONTAINERS {
        let network = format!("n{}", number % NETWORKS);
        let port = format!("{}:80", 15_300 + number);
        let run = ["run", "-d", "--network", &network, "-p", &port, "alpine", "sleep", "1000"];
        env.run(run).success();
    }
    let ours = Contender::new("coracle", || {
        let pids = processes_named(env.root(), "coracle-netd");
        let [pid] = pids.as_slice() else { return Err(format!("{} helpers", pids.len())) };
        private(pid.as_raw_nonzero().get().unsigned_abs())
    });
    table::row(what, "kB", &Promise::AtMost(6144.0), &medians(what, 1, vec![ours]));
}

/// Kilobytes that nobody shares with the process.
pub(crate) fn private(pid: u32) -> Result<f64, String> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let fields = ["Private_Clean:", "Private_Dirty:"].map(|name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok())
    });
    fields.into_iter().sum::<Option<f64>>().ok_or_else(|| format!("{path}: {text}"))
}
