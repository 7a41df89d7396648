//! The memory of the network helper.

use coracle_integration::{TestEnv, hostile::private_memory, leak::processes_named};

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
        private_memory(pid.as_raw_nonzero().get().unsigned_abs())
    });
    table::row(what, "kB", &Promise::AtMost(6144.0), &medians(what, 1, vec![ours]));
}
