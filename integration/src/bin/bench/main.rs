//! Prints how long the usual commands take: medians, with peers beside them in the same run when installed.
//!
//! # How it works
//!
//! Each row has contenders: we, and the peers that can do the same. They take turns, so that all see the
//! same machine; the median of each is printed with the promised value and whether it was kept. Run by
//! `scripts/bench`; `docs/performance.md` explains the rows.
//!
//! # Limits
//!
//! A peer that cannot run here is shown as `-`; standard error says why. Times include starting the
//! process, as a user would feel it.

mod big_image;
mod build;
mod compose;
mod memory;
mod network;
mod peers;
mod races;
mod rows;
mod start;
mod swarm;
mod table;
mod turns;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => commands(),
        ["build"] => build::rows(&peers::Peers::new()),
        ["compose"] => compose::rows(),
        ["start"] => {
            table::head();
            start::rows(&peers::Peers::new());
        }
        ["swarm"] => swarm::rows(),
        ["races"] => races::rows(None),
        ["races", rounds] => races::rows(Some(rounds)),
        ["network", only @ ..] => network::rows(only),
        ["agent", socket] => network::far::agent(socket.as_ref()),
        _ => panic!(
            "usage: bench [build | compose | start | swarm | races [ROUNDS] | network [ROWS…]]"
        ),
    }
}

/// The rows of commands that need no network.
fn commands() {
    let peers = peers::Peers::new();
    table::head();
    rows::run_true(&peers);
    rows::exec_true(&peers);
    rows::ps_of_twenty(&peers);
    rows::twenty_in_a_row(&peers);
    memory::row(&peers);
    rows::pull(&peers);
    rows::import(&peers);
    rows::hundred_at_once();
}
