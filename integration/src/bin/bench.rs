//! Prints how long the usual commands take: medians, with peers beside them in the same run when installed.
//!
//! # How it works
//!
//! Each row runs a command some times in a world of its own and takes the median wall-clock time; a peer runs
//! the same root between our runs, so that both see the same machine. Run by `scripts/bench`.
//!
//! # Limits
//!
//! A peer that cannot run here is shown as `-`. Times include starting the process, as a user would feel it.

use std::{
    fs,
    io::{Write, stdout},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use coracle_integration::{
    TestEnv,
    command::Cmd,
    fixture::{Image, Layer, alpine_like, gzip, save},
    registry::{Door, Registry},
    skip::program,
};

const RUNS: usize = 15;

fn main() {
    row("what", "coracle", "promise", "peer");
    row("---", "---:", "---:", "---");
    run_true();
    exec_true();
    ps_of_twenty();
    twenty_in_a_row();
    memory();
    import();
    pull();
    hundred_at_once();
}

fn row(what: &str, ours: &str, promise: &str, peer: &str) {
    writeln!(stdout(), "| {what} | {ours} | {promise} | {peer} |").expect("standard output");
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// The median time of several runs.
fn median(runs: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[runs / 2]
}

/// The median time of a peer's command, if it works here at all.
fn peer(name: &str, mut command: impl FnMut() -> Option<Command>) -> String {
    let mut works = || {
        let status =
            command()?.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success()).then_some(())
    };
    if works().is_none() {
        return format!("{name}: -");
    }
    let time = median(RUNS, || {
        works();
    });
    format!("{name}: {}", milliseconds(time))
}

fn detached(env: &TestEnv, name: &str) -> Cmd {
    env.coracle().args([
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        name,
        "alpine",
        "sleep",
        "1000",
    ])
}

fn run_true() {
    let env = TestEnv::new();
    let ours = median(RUNS, || {
        env.run(["run", "--rm", "--network", "none", "alpine", "true"]).success();
    });
    let bundle = crun_bundle(&env);
    let crun = peer("crun", || {
        let mut command = Command::new(program("crun")?);
        command
            .args(["--root"])
            .arg(env.root().join("tmp/crun"))
            .args(["run", "bench"])
            .current_dir(bundle.as_ref()?);
        Some(command)
    });
    let podman = podman(&env, &["run", "--rm", "--network", "none", "alpine", "true"]);
    row(
        "`run --rm --network none alpine true`",
        &milliseconds(ours),
        "2.0 × crun",
        &format!("{crun}, {podman}"),
    );
}

/// The fixture's root and a configuration for `crun`, without a terminal.
fn crun_bundle(env: &TestEnv) -> Option<PathBuf> {
    let crun = program("crun")?;
    let bundle = env.root().join("bundle");
    fs::create_dir_all(bundle.join("rootfs")).ok()?;
    let layer = env.write("root.tar", &alpine_like().layers[0]);
    let tar = Command::new("tar")
        .arg("-xf")
        .arg(layer)
        .arg("-C")
        .arg(bundle.join("rootfs"))
        .status()
        .ok()?;
    let spec =
        Command::new(crun).args(["spec", "--rootless"]).current_dir(&bundle).status().ok()?;
    let config = fs::read_to_string(bundle.join("config.json")).ok()?;
    let mut config: serde_json::Value = serde_json::from_str(&config).ok()?;
    config["process"]["terminal"] = false.into();
    config["process"]["args"] = serde_json::json!(["true"]);
    fs::write(bundle.join("config.json"), config.to_string()).ok()?;
    (tar.success() && spec.success()).then_some(bundle)
}

/// A podman command with storage in this world; the fixture is loaded first.
fn podman(env: &TestEnv, args: &[&str]) -> String {
    let root = env.root().to_owned();
    let base = move || {
        let mut command = Command::new(program("podman")?);
        command
            .env("HOME", root.join("home"))
            .env("XDG_RUNTIME_DIR", root.join("run"))
            .args(["--root"])
            .arg(root.join("podman"))
            .args(["--runroot"])
            .arg(root.join("tmp/podman"));
        Some(command)
    };
    if let Some(mut load) = base() {
        let archive = coracle_integration::fixture::archive();
        load.arg("load")
            .arg("-i")
            .arg(archive)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok();
    }
    peer("podman", || {
        let mut command = base()?;
        command.args(args);
        Some(command)
    })
}

fn exec_true() {
    let env = TestEnv::new();
    detached(&env, "c1").run().success();
    let ours = median(RUNS, || {
        env.run(["exec", "c1", "true"]).success();
    });
    row("`exec c1 true`", &milliseconds(ours), "10 ms", "");
}

fn ps_of_twenty() {
    let env = TestEnv::new();
    for number in 0..20 {
        detached(&env, &format!("c{number}")).run().success();
    }
    let ours = median(RUNS, || {
        env.run(["ps"]).success();
    });
    row("`ps` with 20 containers", &milliseconds(ours), "5 ms", "");
}

fn twenty_in_a_row() {
    let env = TestEnv::new();
    let ours = median(1, || {
        for number in 0..20 {
            detached(&env, &format!("c{number}")).run().success();
        }
    });
    row("20 × `run -d` in a row", &milliseconds(ours), "600 ms", "");
}

fn memory() {
    let env = TestEnv::new();
    for number in 0..5 {
        detached(&env, &format!("c{number}")).run().success();
    }
    let binary = &coracle_integration::settings::settings().binary;
    let bytes: u64 = helpers(binary).iter().map(|pid| pss(*pid)).sum();
    row(
        "memory (PSS) of our helpers per idle container",
        &format!("{} kB", bytes / 5),
        "1000 kB",
        "",
    );
}

/// Processes that run our binary.
fn helpers(binary: &Path) -> Vec<u32> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == binary))
        .collect()
}

/// Proportional set size in kilobytes.
fn pss(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn import() {
    let env = TestEnv::bare();
    let shared = coracle_integration::settings::settings().shared.as_ref();
    let root = shared.map(|shared| shared.join("images/alpine-minirootfs-3.20.3-x86_64.tar.gz"));
    let (name, root) = match root {
        Some(root) => ("`import` of the Alpine root", root),
        None => (
            "`import` of the fixture's root",
            env.write("root.tar.gz", gzip(&alpine_like().layers[0])),
        ),
    };
    let ours = median(RUNS, || {
        env.run(["import", &root.display().to_string(), "imported"]).success();
        env.run(["rmi", "imported"]).success();
    });
    row(&format!("{name}, and `rmi`"), &milliseconds(ours), "60 ms", "");
}

/// An image of five layers that gzip to 20 MB each.
fn hundred_megabytes() -> Image {
    let mut seed = 1_u64;
    let layers = (0..5).map(|number| {
        let mut layer = Layer::new();
        for file in 0..20 {
            // A xorshift stream does not compress; gzip keeps its size.
            let body: Vec<u8> = (0..128 * 1024)
                .flat_map(|_| {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    seed.to_le_bytes()
                })
                .collect();
            layer.file(&format!("file-{number}-{file}"), 0o644, body);
        }
        layer.finish()
    });
    let layers = layers.collect();
    Image { names: vec!["big:latest".into()], config: serde_json::json!({"Cmd": ["/x"]}), layers }
}

fn pull() {
    if program("docker-registry").is_none() {
        return row("`pull` of 100 MB in 5 layers", "-", "", "docker-registry is not installed");
    }
    let env = TestEnv::bare();
    let registry = Registry::start(&env, Door::Plain);
    let name = registry.name("big:1");
    let archive = env.write("big.tar", save(&[hundred_megabytes()]));
    env.run(["load", "-q", "-i", &archive.display().to_string()]).success();
    env.run(["tag", "big", &name]).success();
    env.run(["push", "-q", &name]).success();
    let mut times: Vec<Duration> = (0..3)
        .map(|_| {
            env.run(["rmi", "-f", "big", &name]).status();
            median(1, || {
                env.run(["pull", "-q", &name]).success();
            })
        })
        .collect();
    times.sort();
    let peer = podman(&env, &["pull", "-q", "--tls-verify=false", &name]);
    row("`pull` of 100 MB in 5 layers", &milliseconds(times[1]), "half of podman", &peer);
}

fn hundred_at_once() {
    let env = TestEnv::new();
    let start = Instant::now();
    let started: Vec<_> =
        (0..100).map(|number| detached(&env, &format!("c{number}")).start()).collect();
    let fine =
        started.into_iter().map(|running| running.finish().status()).filter(|code| *code == 0);
    let fine = fine.count();
    row(
        "100 × `run -d` at once",
        &milliseconds(start.elapsed()),
        "all succeed",
        &format!("{fine} succeeded"),
    );
}
