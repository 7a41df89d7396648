//! Killed with SIGKILL at each write of state: the next commands tell the truth, work, and clean up.
//!
//! # How it works
//!
//! strace kills whichever process or thread of a command is about to make its N-th rename, sync, removal or
//! new folder; N grows until the command survives. So the product needs no hook for it. Each process counts
//! for itself: first all are killed early, then those that write more are killed late.
//!
//! # Limits
//!
//! A traced program gets no rights from its setuid bit, and `newuidmap` needs them. So an idle container keeps
//! the user's namespaces alive; commands join them and need no `newuidmap`.

use std::path::Path;

use coracle_integration::{
    Output, TestEnv,
    fixture::{Image, Layer, save},
    registry::{Door, Registry},
    skip, wait,
};
use serde_json::json;

/// The calls that change what the next command sees. `?`: some architectures lack the older form.
const WRITES: &str = "?rename,?renameat,renameat2,fsync,fdatasync,syncfs,?unlink,unlinkat,?rmdir,?mkdir,mkdirat,?link,linkat";
/// Writes killed at one by one; beyond them the distance grows by an eighth, since most remove one tree.
const EACH: usize = 12;
/// A command with more writes in one process than this repeats itself.
const WRITES_MAX: usize = 2000;

macro_rules! need_strace {
    () => {
        if skip::program("strace").is_none() {
            skip!("no strace");
        }
    };
}

/// A world with a small image in `small.tar`, and a container that keeps the namespaces alive.
pub(super) fn world() -> TestEnv {
    let env = TestEnv::new();
    env.write("small.tar", save(&[small()]));
    env.run(["run", "-d", "--network", "none", "--name", "keeper", "alpine", "sleep", "1000"])
        .success();
    env
}

/// Two layers and few files: each write counts.
fn small() -> Image {
    let busybox = std::fs::read("/bin/busybox").expect("install busybox-static");
    let mut lower = Layer::new();
    lower.dir("bin", 0o755).file("bin/busybox", 0o755, busybox).hardlink("bin/sh", "bin/busybox");
    let mut upper = Layer::new();
    upper.file("whole", 0o644, "whole");
    Image {
        names: vec!["small:latest".into()],
        config: json!({}),
        layers: vec![lower.finish(), upper.finish()],
    }
}

pub(super) fn end(env: TestEnv) {
    env.run(["rm", "-f", "keeper"]).success();
    env.assert_nothing_left();
}

/// Runs the command; each of its processes is killed at its call number `point` of each of `calls`. False when none made
/// as many.
#[track_caller]
fn kill_at(env: &TestEnv, calls: &str, point: usize, args: &[&str]) -> bool {
    let log = env.work().join("strace.log");
    // -D: the exit status is the command's, and a monitor that lives on does not keep us waiting.
    let script = format!(
        "exec strace -D -f --quiet=attach,personality -o '{}' -e trace={calls} -e inject={calls}:signal=SIGKILL:when={point} coracle \"$@\" \
         > '{}/traced' 2>&1",
        log.display(),
        env.work().display()
    );
    let output: Output =
        env.program(Path::new("/bin/sh")).args(["-c", &script, "sh"].iter().chain(args)).run();
    let made = || std::fs::read_to_string(&log).unwrap_or_default();
    let logged = || made().contains("+++ killed by SIGKILL +++");
    // strace may write down the end after the command has ended.
    let killed = match output.status() {
        0 => logged(),
        137 => true,
        _ => wait::poll(wait::DEADLINE / 4, || logged().then_some(())).is_some(),
    };
    let said = std::fs::read_to_string(env.work().join("traced")).unwrap_or_default();
    assert!(
        killed || output.status() == 0,
        "`{args:?}` was not killed, but failed with {}: {said}",
        output.status()
    );
    // Who loses a helper has to say so.
    assert!(
        matches!(output.status(), 0 | 137) || !said.is_empty(),
        "`{args:?}` fails with {} at call {point} and says nothing:\n{}",
        output.status(),
        made()
    );
    killed
}

/// Prepares, kills and checks, at each write of the command, and once when it survives.
#[track_caller]
pub(super) fn at_each_write(env: &TestEnv, args: &[&str], prepare: impl Fn(), check: impl Fn()) {
    at_each_call(env, WRITES, args, prepare, check);
}

/// The same for other system calls.
#[track_caller]
pub(super) fn at_each_call(
    env: &TestEnv,
    calls: &str,
    args: &[&str],
    prepare: impl Fn(),
    check: impl Fn(),
) {
    let mut point = 1;
    let mut kills = 0;
    loop {
        prepare();
        let killed = kill_at(env, calls, point, args);
        check();
        if !killed {
            break;
        }
        kills += 1;
        point += if point < EACH { 1 } else { point / 8 };
        assert!(point < WRITES_MAX, "`{args:?}` does not survive");
    }
    assert!(kills > 1, "`{args:?}` was killed {kills} times: its calls are not seen");
}

/// The image is there and works, or is not there.
#[track_caller]
fn whole_or_absent(env: &TestEnv, image: &str) -> bool {
    let listed = env.run(["images", "-q", image]).success();
    if listed.stdout().is_empty() {
        return false;
    }
    runs(env, image);
    true
}

#[track_caller]
fn runs(env: &TestEnv, image: &str) {
    env.run(["run", "--rm", "--network", "none", image, "/bin/busybox", "cat", "/whole"])
        .success()
        .stdout_is("whole");
}

/// Adding an image: it is whole or absent, can be added, used and removed, and then nothing of it is left.
fn adds_an_image(env: &TestEnv, args: &[&str], image: &str) {
    at_each_write(
        env,
        args,
        || (),
        || {
            whole_or_absent(env, image);
            env.run(args).success();
            runs(env, image);
            env.run(["rmi", image]).success();
            env.assert_store_swept();
        },
    );
}

#[test]
fn load() {
    need_strace!();
    let env = world();
    adds_an_image(&env, &["load", "-q", "-i", "small.tar"], "small");
    end(env);
}

#[test]
fn import() {
    need_strace!();
    let env = world();
    let busybox = std::fs::read("/bin/busybox").expect("install busybox-static");
    let mut root = Layer::new();
    root.dir("bin", 0o755).file("bin/busybox", 0o755, busybox).file("whole", 0o644, "whole");
    env.write("root.tar", root.finish());
    adds_an_image(&env, &["import", "root.tar", "made"], "made");
    end(env);
}

#[test]
fn pull() {
    need_strace!();
    let env = world();
    let registry = Registry::start(&env, Door::Plain);
    let name = registry.name("small");
    env.run(["load", "-q", "-i", "small.tar"]).success();
    env.run(["tag", "small", &name]).success();
    env.run(["push", "-q", &name]).success();
    env.run(["rmi", "small", &name]).success();
    adds_an_image(&env, &["pull", "-q", &name], &name);
    end(env);
}

#[test]
fn commit() {
    need_strace!();
    let env = world();
    env.run(["load", "-q", "-i", "small.tar"]).success();
    env.run(["run", "--network", "none", "--name", "c1", "small", "/bin/busybox", "touch", "/new"])
        .success();
    adds_an_image(&env, &["commit", "c1", "made"], "made");
    env.run(["rm", "c1"]).success();
    end(env);
}

#[test]
fn tag() {
    need_strace!();
    let env = world();
    env.run(["load", "-q", "-i", "small.tar"]).success();
    at_each_write(
        &env,
        &["tag", "small", "other"],
        || (),
        || {
            runs(&env, "small");
            whole_or_absent(&env, "other");
            env.run(["tag", "small", "other"]).success();
            env.run(["rmi", "other"]).success();
        },
    );
    end(env);
}

#[test]
fn rmi() {
    need_strace!();
    let env = world();
    at_each_write(
        &env,
        &["rmi", "small"],
        || drop(env.run(["load", "-q", "-i", "small.tar"]).success()),
        || {
            if whole_or_absent(&env, "small") {
                env.run(["rmi", "small"]).success();
            } else {
                env.run(["rmi", "small"]).code(1).stderr_has("No such image: small");
            }
            env.run(["image", "prune", "-f"]).success();
            env.assert_store_swept();
        },
    );
    end(env);
}

const RUN: [&str; 9] =
    ["run", "-d", "--network", "none", "--init", "--name", "c1", "alpine", "sleep"];

fn start(env: &TestEnv) {
    env.run(RUN.iter().chain(&["1000"])).success();
}

/// What `ps` says of the container, which must be so.
#[track_caller]
fn truthful(env: &TestEnv, name: &str) -> Option<String> {
    let filter = format!("name=^{name}$");
    let state =
        env.run(["ps", "-a", "--filter", &filter, "--format", "{{.State}}"]).success().stdout();
    match state.trim() {
        "" => return None,
        "running" => drop(env.run(["exec", name, "true"]).success()),
        "created" | "exited" | "dead" => drop(env.run(["exec", name, "true"]).code(1)),
        other => panic!("container {name} is {other}"),
    }
    Some(state.trim().to_owned())
}

#[test]
fn run_detached() {
    need_strace!();
    let env = world();
    let run: Vec<&str> = RUN.into_iter().chain(["1000"]).collect();
    at_each_write(
        &env,
        &run,
        || (),
        || {
            if truthful(&env, "c1").is_some() {
                env.run(["rm", "-f", "c1"]).success();
            }
            start(&env);
            env.run(["exec", "c1", "true"]).success();
            env.run(["rm", "-f", "c1"]).success();
        },
    );
    end(env);
}

#[test]
fn run_in_the_foreground() {
    need_strace!();
    let env = world();
    let run = ["run", "--rm", "--network", "none", "--name", "c1", "alpine", "true"];
    at_each_write(
        &env,
        &run,
        || (),
        || {
            // A monitor that outlived the command may remove the container at this very moment.
            env.run(["rm", "-f", "c1"]).status();
            env.sh("eventually '! docker inspect c1'").success();
            env.run(run).success();
        },
    );
    end(env);
}

#[test]
fn rm_of_a_running_container() {
    need_strace!();
    let env = world();
    at_each_write(
        &env,
        &["rm", "-f", "c1"],
        || start(&env),
        || {
            if truthful(&env, "c1").is_some() {
                env.run(["rm", "-f", "c1"]).success();
            }
            assert_eq!(truthful(&env, "c1"), None);
        },
    );
    end(env);
}

#[test]
fn stop_and_start() {
    need_strace!();
    let env = world();
    start(&env);
    for (args, wanted) in
        [(["stop", "-t", "5", "c1"].as_slice(), "exited"), (["start", "c1"].as_slice(), "running")]
    {
        at_each_write(
            &env,
            args,
            || drop(env.run([if wanted == "exited" { "start" } else { "stop" }, "c1"]).success()),
            || {
                truthful(&env, "c1").expect("the container is there");
                env.run(args).success();
                assert_eq!(truthful(&env, "c1").as_deref(), Some(wanted));
            },
        );
    }
    env.run(["rm", "-f", "c1"]).success();
    end(env);
}

#[test]
fn rename() {
    need_strace!();
    let env = world();
    start(&env);
    at_each_write(
        &env,
        &["rename", "c1", "c2"],
        || (),
        || {
            let old = truthful(&env, "c1");
            let new = truthful(&env, "c2");
            assert!(old.is_some() != new.is_some(), "two names or none: {old:?} {new:?}");
            if old.is_some() {
                env.run(["rename", "c1", "c2"]).success();
            }
            env.run(["rename", "c2", "c1"]).success();
        },
    );
    env.run(["rm", "-f", "c1"]).success();
    end(env);
}

#[test]
fn volumes() {
    need_strace!();
    let env = world();
    let there = || env.run(["volume", "ls", "-q"]).success().stdout() == "data\n";
    let used = || {
        env.run(["run", "--rm", "--network", "none", "-v", "data:/d", "alpine", "touch", "/d/f"])
            .success();
    };
    at_each_write(
        &env,
        &["volume", "create", "data"],
        || (),
        || {
            there();
            env.run(["volume", "create", "data"]).success();
            used();
            env.run(["volume", "rm", "data"]).success();
            assert!(!there());
        },
    );
    at_each_write(&env, &["volume", "rm", "data"], used, || {
        if there() {
            used();
            env.run(["volume", "rm", "data"]).success();
        }
        assert!(!there());
        env.run(["volume", "create", "data"]).success();
        used();
        env.run(["volume", "rm", "data"]).success();
    });
    end(env);
}
