//! The rows of Compose: projects of idle services, up and down, and what a file costs.
//!
//! Peers are named in `docs/performance.md` with the times that were recorded of them; none of them runs
//! without a daemon or networks of its own, which the other rows' podman has not.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use coracle_integration::{TestEnv, command::Cmd, settings::settings};

use crate::table::{self, Promise};
use crate::turns::{Contender, aside, medians, milliseconds};

const TURNS: usize = 7;

pub(crate) fn rows() {
    table::head();
    for (services, limit) in [(5, 200.0), (20, 600.0)] {
        up_and_down(services, limit);
    }
    nothing_to_do();
    config_of_the_largest();
}

/// A project of idle services, in which one of each five depends on two others.
fn project(env: &TestEnv, services: usize) {
    let mut file = "services:\n".to_owned();
    for number in 0..services {
        write!(file, "  s{number}:\n    image: alpine\n    command: sleep 1000\n    init: true\n")
            .expect("a string takes everything");
        if number % 5 == 4 {
            let (first, second) = (number - 1, number - 2);
            writeln!(file, "    depends_on: [s{first}, s{second}]")
                .expect("a string takes everything");
        }
    }
    env.write("app/compose.yaml", file);
}

fn compose(env: &TestEnv, words: &[&str]) -> Cmd {
    env.coracle().dir(&env.work().join("app")).args(["compose"]).args(words)
}

fn up_and_down(services: usize, limit: f64) {
    let env = TestEnv::new();
    project(&env, services);
    let said = env.work().join("said");
    let up = || compose(&env, &["up", "-d"]).into_command();
    let down = || compose(&env, &["down"]).into_command();
    let what = format!("`compose up -d` of {services} services");
    let ours = Contender::new("coracle", || {
        let time = milliseconds(up(), &said);
        aside(down(), &said)?;
        time
    });
    table::row(&what, "ms", &Promise::AtMost(limit), &medians(&what, TURNS, vec![ours]));
    let what = format!("`compose down` of {services} services");
    let ours = Contender::new("coracle", || {
        aside(up(), &said)?;
        milliseconds(down(), &said)
    });
    table::row(&what, "ms", &Promise::AtMost(limit), &medians(&what, TURNS, vec![ours]));
}

fn nothing_to_do() {
    let env = TestEnv::new();
    project(&env, 5);
    let said = env.work().join("said");
    compose(&env, &["up", "-d"]).run().success();
    let ours = Contender::new("coracle", || {
        milliseconds(compose(&env, &["up", "-d"]).into_command(), &said)
    });
    let what = "`compose up -d` with nothing to do";
    table::row(what, "ms", &Promise::AtMost(30.0), &medians(what, TURNS * 3, vec![ours]));
    compose(&env, &["down"]).run().success();
}

fn config_of_the_largest() {
    let what = "`compose config` of the largest file";
    let corpus = settings().shared.as_ref().map(|shared| shared.join("compose-corpus"));
    let Some(file) = corpus.and_then(|corpus| largest(&corpus)) else {
        return table::line(what, "-", "no corpus here", "-", "10.0 ms", "-");
    };
    let env = TestEnv::bare();
    let said = env.work().join("said");
    let folder = file.parent().expect("a file is in a folder").to_owned();
    let ours = Contender::new("coracle", || {
        let name = file.display().to_string();
        let words = ["-f", &name, "config"];
        milliseconds(env.coracle().dir(&folder).args(["compose"]).args(words).into_command(), &said)
    });
    table::row(what, "ms", &Promise::AtMost(10.0), &medians(what, TURNS * 3, vec![ours]));
}

/// The largest Compose file of a case that Compose accepts.
fn largest(corpus: &Path) -> Option<PathBuf> {
    let mut cases = Vec::new();
    for category in std::fs::read_dir(corpus).ok()?.flatten() {
        for case in std::fs::read_dir(category.path()).into_iter().flatten().flatten() {
            let accepted = std::fs::read_to_string(case.path().join("expected.rc"));
            if !accepted.is_ok_and(|code| code.trim() == "0") {
                continue;
            }
            let file = case.path().join("compose.yaml");
            if let Ok(meta) = std::fs::metadata(&file) {
                cases.push((meta.len(), file));
            }
        }
    }
    cases.into_iter().max().map(|(_, file)| file)
}
