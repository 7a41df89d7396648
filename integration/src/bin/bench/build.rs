//! The rows of builds, beside buildah where it is installed, and BuildKit's recorded times.
//!
//! # How it works
//!
//! BuildKit needs a daemon that is root's: its medians were recorded on a machine with two processors (Docker 28.5,
//! buildx 0.29, overlay2, nothing else running) and stand here as they are; they say nothing on another machine.
//!
//! # Limits
//!
//! Memory is looked at every few milliseconds, over all processes of the build: a shorter peak is not seen.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use coracle_integration::registry::{Door, Registry};
use coracle_integration::skip::program;
use coracle_integration::{TestEnv, leak};

use crate::memory::pss;
use crate::peers::Peers;
use crate::table::{self, Promise};
use crate::turns::{Contender, aside, medians, milliseconds};

const TURNS: usize = 11;
/// Turns of a row of long builds.
const TURNS_LONG: usize = 3;
/// Commands in the row of what one adds.
const COMMANDS: u32 = 20;

const RECORDED: &str = "BuildKit (recorded)";
const FROM: &str = "FROM docker.io/library/alpine:latest";

pub(crate) fn rows(peers: &Peers) {
    table::head();
    twenty_steps(peers);
    run_true(peers);
    four_stages(peers);
    ten_thousand_files(peers);
    push();
    memory();
}

/// What BuildKit took for a row, in milliseconds.
fn recorded(milliseconds: f64) -> Contender<'static> {
    Contender::new(RECORDED, move || Ok(milliseconds))
}

fn ours(env: &TestEnv, words: &[&str], context: &Path) -> Command {
    env.coracle().args(["build", "-q", "-t", "bench"]).args(words).args([context]).into_command()
}

/// A folder of small files, in folders of a hundred.
fn files(folder: &Path, count: usize, bytes: usize) {
    let content = vec![b'x'; bytes];
    for number in 0..count {
        let name = folder.join(format!("d{:03}", number % count.div_ceil(100)));
        fs::create_dir_all(&name).expect("a folder of ours");
        fs::write(name.join(format!("f{number}")), &content).expect("a file of ours");
    }
}

fn twenty_steps(peers: &Peers) {
    let env = TestEnv::new();
    let context = env.work().join("twenty");
    files(&context.join("src"), 2000, 100);
    let mut text = format!("{FROM}\n");
    for number in 0..18 {
        writeln!(text, "RUN echo {number} > /{number}").expect("a string takes everything");
    }
    fs::write(context.join("Dockerfile"), text + "COPY src /src\n").expect("a file of ours");
    let said = env.work().join("said");
    let cached = Contender::new("coracle", || milliseconds(ours(&env, &[], &context), &said));
    let buildah =
        Contender::new("buildah", || milliseconds(peers.buildah(&[], &context), &peers.said()));
    let what = "`build -q`: 20 steps, 2,000 files, all cached";
    let all = medians(what, TURNS, vec![cached, buildah, recorded(318.0)]);
    table::row(what, "ms", &Promise::Times(0.1, RECORDED), &all);

    let changed = context.join("src/d000/f0");
    let mut turn = 0;
    let mut change = move || {
        turn += 1;
        fs::write(&changed, format!("turn {turn}")).map_err(|error| error.to_string())
    };
    let mut change_too = change.clone();
    let one = Contender::new("coracle", || {
        change()?;
        milliseconds(ours(&env, &[], &context), &said)
    });
    let buildah = Contender::new("buildah", || {
        change_too()?;
        milliseconds(peers.buildah(&[], &context), &peers.said())
    });
    let what = "the same, one file of the last COPY changed";
    let all = medians(what, TURNS, vec![one, buildah, recorded(636.0)]);
    table::row(what, "ms", &Promise::Times(0.2, RECORDED), &all);
}

fn run_true(peers: &Peers) {
    let env = TestEnv::new();
    let context = |commands: u32| {
        let folder = env.work().join(format!("true{commands}"));
        fs::create_dir_all(&folder).expect("a folder of ours");
        let text: String = (0..commands).map(|n| format!("RUN true {n}\n")).collect();
        fs::write(folder.join("Dockerfile"), format!("{FROM}\n{text}")).expect("a file of ours");
        folder
    };
    let (few, many) = (context(1), context(1 + COMMANDS));
    let said = env.work().join("said");
    let each = |few: f64, many: f64| (many - few) / f64::from(COMMANDS);
    let ours = Contender::new("coracle", || {
        let few = milliseconds(ours(&env, &["--no-cache"], &few), &said)?;
        Ok(each(few, milliseconds(ours(&env, &["--no-cache"], &many), &said)?))
    });
    let buildah = Contender::new("buildah", || {
        let few = milliseconds(peers.buildah(&["--no-cache"], &few), &peers.said())?;
        Ok(each(few, milliseconds(peers.buildah(&["--no-cache"], &many), &peers.said())?))
    });
    let what = "what a `RUN true` adds";
    let all = medians(what, TURNS_LONG, vec![ours, buildah, recorded(200.0)]);
    table::row(what, "ms", &Promise::AtMost(15.0), &all);
}

fn four_stages(peers: &Peers) {
    let env = TestEnv::new();
    let context = env.work().join("stages");
    fs::create_dir_all(&context).expect("a folder of ours");
    let stages: String =
        (0..4).map(|n| format!("{FROM} AS s{n}\nRUN sleep 1; echo {n} > /{n}\n")).collect();
    let copies: String = (0..4).map(|n| format!("COPY --from=s{n} /{n} /\n")).collect();
    fs::write(context.join("Dockerfile"), format!("{stages}FROM scratch\n{copies}"))
        .expect("a file of ours");
    no_cache("four stages of `RUN sleep 1`, copied into one", peers, &env, &context, 2540.0, {
        Promise::AtMost(1300.0)
    });
}

fn ten_thousand_files(peers: &Peers) {
    let env = TestEnv::new();
    let context = env.work().join("files");
    files(&context.join("src"), 10_000, 20_000);
    fs::write(context.join("Dockerfile"), format!("{FROM}\nCOPY src /src\n"))
        .expect("a file of ours");
    no_cache("`COPY` of 10,000 files, 200 MB", peers, &env, &context, 5850.0, {
        Promise::Times(0.5, RECORDED)
    });
}

/// A row of builds that take nothing from the cache.
fn no_cache(
    what: &str,
    peers: &Peers,
    env: &TestEnv,
    context: &Path,
    buildkit: f64,
    promise: Promise,
) {
    let said = env.work().join("said");
    let coracle = Contender::new("coracle", || {
        let time = milliseconds(ours(env, &["--no-cache"], context), &said);
        // What the last one left does not pile up.
        aside(env.coracle().args(["builder", "prune", "-af"]).into_command(), &said)?;
        time
    });
    let buildah = Contender::new("buildah", || {
        milliseconds(peers.buildah(&["--no-cache"], context), &peers.said())
    });
    let all = medians(what, TURNS_LONG, vec![coracle, buildah, recorded(buildkit)]);
    table::row(what, "ms", &promise, &all);
}

/// What compresses on all processors keeps all of them busy.
fn push() {
    let what = "processors that `push` keeps busy, 64 MB to be compressed";
    if program("docker-registry").is_none() {
        let peer = "docker-registry is not installed";
        return table::line(what, "-", peer, "-", "0.75 of all", "-");
    }
    let env = TestEnv::new();
    let registry = Registry::start(&env, Door::Plain);
    let name = registry.name("bench:1");
    let context = env.work().join("push");
    fs::create_dir_all(&context).expect("a folder of ours");
    fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY text /\n").expect("a file of ours");
    let said = env.work().join("said");
    let mut turn = 0;
    let ours = Contender::new("coracle", || {
        turn += 1;
        fs::write(context.join("text"), digits(turn, 64 << 20)).map_err(|e| e.to_string())?;
        let build = env.coracle().args(["build", "-q", "-t", &name]).args([&context]);
        aside(build.into_command(), &said)?;
        let before = processor_time_of_children();
        let time = milliseconds(env.coracle().args(["push", "-q", &name]).into_command(), &said)?;
        Ok((processor_time_of_children() - before) / time)
    });
    #[expect(clippy::cast_precision_loss, reason = "there are not so many")]
    let here = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
    let all = Contender::new("processors", move || Ok(here));
    let all = medians(what, TURNS_LONG, vec![ours, all]);
    table::row(what, "", &Promise::Share(0.75, "processors"), &all);
}

/// Digits that nobody can guess, others for each seed.
fn digits(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut digit = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b"0123456789abcdef"[(state >> 60) as usize]
    };
    (0..count).map(|_| digit()).collect()
}

/// What the processes used that this one has waited for, in milliseconds.
fn processor_time_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("our own");
    // The name, which may have spaces, ends at the last parenthesis; of what follows, 13 and 14 are these times.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: f64 = fields.skip(13).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    // A tick is a hundredth of a second on every Linux.
    ticks * 10.0
}

fn memory() {
    let env = TestEnv::new();
    let context = env.work().join("many");
    files(&context.join("src"), 100_000, 10);
    fs::write(context.join("Dockerfile"), format!("{FROM}\nCOPY src /src\n"))
        .expect("a file of ours");
    let ours = Contender::new("coracle", || {
        let build = env.coracle().args(["build", "-q", "--no-cache", "-t", "bench"]);
        let running = build.args([&context]).start();
        let mut peak = 0.0_f64;
        while !running.ends_within(Duration::from_millis(3)) {
            let sizes = leak::processes_of(env.root()).into_iter();
            let sizes = sizes.filter_map(|(pid, _)| pss(pid.cast_unsigned()));
            peak = peak.max(sizes.sum());
        }
        running.finish().success();
        Ok(peak / 1000.0)
    });
    let what = "peak memory (PSS), `COPY` of 100,000 files";
    table::row(what, "MB", &Promise::AtMost(60.0), &medians(what, 1, vec![ours]));
}
