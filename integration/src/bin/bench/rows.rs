//! The rows that are times.

use std::time::Instant;

use coracle_integration::{
    TestEnv,
    command::Cmd,
    fixture::{alpine_like, gzip, save},
    registry::{Door, Registry},
    settings::settings,
    skip::program,
};

use crate::{
    big_image::big_image,
    peers::Peers,
    table::{self, Promise},
    turns::{Contender, aside, medians, milliseconds},
};

/// Turns of a row of short commands.
const TURNS: usize = 21;
/// Turns of a row of long ones.
const TURNS_LONG: usize = 3;

/// An idle container.
pub(crate) fn detached(env: &TestEnv, name: &str) -> Cmd {
    let line = ["run", "-d", "--network", "none", "--name", name, "alpine", "sleep", "1000"];
    env.coracle().args(line)
}

/// We, doing `args`.
fn ours<'a>(env: &'a TestEnv, args: &'a [&'a str]) -> Contender<'a> {
    let said = env.work().join("said");
    Contender::new("coracle", move || milliseconds(env.coracle().args(args).into_command(), &said))
}

fn podman<'a>(peers: &'a Peers, args: &'a [&'a str]) -> Contender<'a> {
    Contender::new("podman", move || milliseconds(peers.podman(args), &peers.said()))
}

/// Lets what the one before has written reach the disk, so that it does not count for the next.
fn settle(env: &TestEnv) {
    let folder = std::fs::File::open(env.root()).expect("a folder of ours");
    rustix::fs::syncfs(folder).expect("our own file system");
}

pub(crate) fn run_true(peers: &Peers) {
    let env = TestEnv::new();
    let args = ["run", "--rm", "--network", "none", "alpine", "true"];
    let bundle = peers.make_bundle();
    let crun = Contender::new("crun", || {
        bundle.clone().and_then(|()| milliseconds(peers.crun_true(), &peers.said()))
    });
    let what = "`run --rm --network none alpine true`";
    let medians = medians(what, TURNS, vec![ours(&env, &args), crun, podman(peers, &args)]);
    table::row(what, "ms", &Promise::Times(2.0, "crun"), &medians);
}

pub(crate) fn exec_true(peers: &Peers) {
    let env = TestEnv::new();
    detached(&env, "c1").run().success();
    aside(peers.podman_detached("c1"), &peers.said()).ok();
    let args = ["exec", "c1", "true"];
    let what = "`exec c1 true`";
    let medians = medians(what, TURNS, vec![ours(&env, &args), podman(peers, &args)]);
    table::row(what, "ms", &Promise::AtMost(10.0), &medians);
    aside(peers.podman(["rm", "-f", "-t", "0", "c1"]), &peers.said()).ok();
}

pub(crate) fn ps_of_twenty(peers: &Peers) {
    let env = TestEnv::new();
    for number in 0..20 {
        let name = format!("c{number}");
        detached(&env, &name).run().success();
        aside(peers.podman_detached(&name), &peers.said()).ok();
    }
    let what = "`ps` with 20 containers";
    let medians = medians(what, TURNS, vec![ours(&env, &["ps"]), podman(peers, &["ps"])]);
    table::row(what, "ms", &Promise::AtMost(5.0), &medians);
    aside(peers.podman(["rm", "-f", "-a", "-t", "0"]), &peers.said()).ok();
}

pub(crate) fn twenty_in_a_row(peers: &Peers) {
    let env = TestEnv::new();
    let names: Vec<String> = (0..20).map(|number| format!("c{number}")).collect();
    let said = env.work().join("said");
    let ours = Contender::new("coracle", || {
        let start = Instant::now();
        for name in &names {
            aside(detached(&env, name).into_command(), &said)?;
        }
        let time = start.elapsed();
        aside(env.coracle().args(["rm", "-f"]).args(&names).into_command(), &said)?;
        Ok(time.as_secs_f64() * 1000.0)
    });
    let podman = Contender::new("podman", || {
        let start = Instant::now();
        for name in &names {
            aside(peers.podman_detached(name), &peers.said())?;
        }
        let time = start.elapsed();
        aside(peers.podman(["rm", "-f", "-a", "-t", "0"]), &peers.said())?;
        Ok(time.as_secs_f64() * 1000.0)
    });
    let what = "20 × `run -d` in a row";
    let medians = medians(what, TURNS_LONG, vec![ours, podman]);
    table::row(what, "ms", &Promise::AtMost(600.0), &medians);
}

pub(crate) fn pull(peers: &Peers) {
    let what = "`pull` of 100 MB in 5 layers";
    if program("docker-registry").is_none() {
        return table::line(
            what,
            "-",
            "docker-registry is not installed",
            "-",
            "0.5 × podman",
            "-",
        );
    }
    let env = TestEnv::bare();
    let registry = Registry::start(&env, Door::Plain);
    let name = registry.name("big:1");
    let archive = env.write("big.tar", save(&[big_image()]));
    env.run(["load", "-q", "-i", &archive.display().to_string()]).success();
    env.run(["tag", "big", &name]).success();
    env.run(["push", "-q", &name]).success();
    env.run(["rmi", "-f", "big", &name]).success();
    let said = env.work().join("said");
    let ours = Contender::new("coracle", || {
        settle(&env);
        let time = milliseconds(env.coracle().args(["pull", "-q", &name]).into_command(), &said);
        aside(env.coracle().args(["rmi", "-f", &name]).into_command(), &said)?;
        time
    });
    let podman = Contender::new("podman", || {
        settle(&env);
        let pull = peers.podman(["pull", "-q", "--tls-verify=false", &name]);
        let time = milliseconds(pull, &peers.said());
        aside(peers.podman(["rmi", "-f", &name]), &peers.said())?;
        time
    });
    let copy = env.root().join("tmp/copy");
    let skopeo = Contender::new("skopeo (no unpacking)", || {
        settle(&env);
        let time = milliseconds(peers.skopeo_copy(&name, &copy), &peers.said());
        std::fs::remove_dir_all(&copy).ok();
        time
    });
    let medians = medians(what, TURNS_LONG, vec![ours, podman, skopeo]);
    table::row(what, "ms", &Promise::Times(0.5, "podman"), &medians);
}

pub(crate) fn import(peers: &Peers) {
    let env = TestEnv::bare();
    let shared = settings().shared.as_ref();
    let root = shared.map(|shared| shared.join("images/alpine-minirootfs-3.20.3-x86_64.tar.gz"));
    let (what, root) = match root {
        Some(root) => ("`import` of the Alpine root", root),
        None => {
            let root = env.write("root.tar.gz", gzip(&alpine_like().layers[0]));
            ("`import` of the fixture's root", root)
        }
    };
    let root = root.display().to_string();
    let said = env.work().join("said");
    let ours = Contender::new("coracle", || {
        settle(&env);
        let time = milliseconds(env.coracle().args(["import", &root, "i"]).into_command(), &said);
        aside(env.coracle().args(["rmi", "i"]).into_command(), &said)?;
        time
    });
    let podman = Contender::new("podman", || {
        settle(&env);
        let time = milliseconds(peers.podman(["import", &root, "i"]), &peers.said());
        aside(peers.podman(["rmi", "i"]), &peers.said())?;
        time
    });
    let medians = medians(what, TURNS, vec![ours, podman]);
    table::row(what, "ms", &Promise::AtMost(60.0), &medians);
}

pub(crate) fn hundred_at_once() {
    let env = TestEnv::new();
    let start = Instant::now();
    let started: Vec<_> =
        (0..100).map(|number| detached(&env, &format!("c{number}")).start()).collect();
    let codes = started.into_iter().map(|running| running.finish().status());
    let fine = codes.filter(|code| *code == 0).count();
    let time = format!("{:.0} ms", start.elapsed().as_secs_f64() * 1000.0);
    let kept = if fine == 100 { "PASS" } else { "MISS" };
    let said = format!("{fine} succeeded");
    table::line("100 × `run -d` at once", &time, &said, "-", "all succeed", kept);
}
