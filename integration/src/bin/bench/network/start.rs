//! What a network adds to `run`.

use coracle_integration::{TestEnv, wait};

use crate::rows::detached;
use crate::table::{self, Promise};
use crate::turns::{Contender, medians, milliseconds};

const TURNS: usize = 31;

/// The first container of a network waits for its helper; the others find it.
pub(crate) fn rows() {
    let bridge = ["run", "--rm", "alpine", "true"];
    let none = ["run", "--rm", "--network", "none", "alpine", "true"];
    let env = TestEnv::new();
    let alone = TestEnv::new();
    let packets = TestEnv::new().with("CORACLE_NETWORK_PATH", "packets");
    // What keeps a session and a helper there.
    detached(&alone, "idle").run().success();
    for env in [&env, &packets] {
        env.run(["run", "-d", "--name", "idle", "alpine", "sleep", "1000"]).success();
    }
    let time = |env: &TestEnv, args: &[&str]| {
        milliseconds(env.coracle().args(args).into_command(), &env.work().join("said"))
    };
    let first = TestEnv::new();
    let empty = TestEnv::new();
    let first_time = |env: &TestEnv, args: &[&str]| {
        // The helper of the turn before has ended.
        wait::until("no helper is left", || {
            coracle_integration::leak::processes_named(env.root(), "coracle-netd").is_empty()
        });
        time(env, args)
    };
    let what = "`run --rm alpine true` beside another container of the network";
    let further = medians(
        what,
        TURNS,
        vec![
            Contender::new("coracle", || time(&env, &bridge)),
            Contender::new("without nf_tables", || time(&packets, &bridge)),
            Contender::new("--network none", || time(&alone, &none)),
        ],
    );
    let [marks, packets, none_further] = further.as_slice() else { return };
    let promise = Promise::Times(2.0, "--network none");
    table::row(what, "ms", &promise, &[marks.clone(), none_further.clone()]);
    let name = format!("{what}, {}", packets.0);
    table::row(&name, "ms", &promise, &[packets.clone(), none_further.clone()]);
    let what = "`run --rm alpine true` as the first container";
    let contenders = vec![
        Contender::new("coracle", || first_time(&first, &bridge)),
        Contender::new("--network none", || first_time(&empty, &none)),
    ];
    table::row(what, "ms", &promise, &medians(what, TURNS, contenders));
}
