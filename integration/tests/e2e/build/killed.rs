//! Builds that are killed at each kind of write: the same build then succeeds with the right content, and nothing stays.
//!
//! # How it works
//!
//! As in [`crash_points`](crate::crash_points) strace kills whichever process of a build is about to make its N-th call of
//! a kind; N grows in steps until the build survives. At every other point the cache is emptied at once, without another
//! build in between.
//!
//! # Limits
//!
//! A traced program gets no rights from `newuidmap`, so that another build, which waits in a step, keeps the namespaces of
//! builds alive. While it lives, layers of others are not let go of, which may be its own: what stays is counted when it
//! has ended.

use std::collections::BTreeSet;
use std::path::Path;

use coracle_integration::{TestEnv, leak, skip, skip::program, wait};
use rustix::process::Signal;

/// Kinds of calls that change what the next command sees.
const KINDS: [&str; 6] = [
    "?rename,?renameat,renameat2",
    "fsync,fdatasync,syncfs",
    "?unlink,unlinkat,?rmdir",
    "?mkdir,mkdirat",
    "?link,linkat,?symlink,symlinkat",
    "fsmount,move_mount,umount2",
];
/// At which calls of a kind.
const POINTS: [usize; 8] = [1, 2, 4, 7, 12, 20, 40, 90];

/// Every kind of step, and what they share.
const DOCKERFILE: &str = "FROM alpine AS one
WORKDIR /w
RUN --mount=type=cache,target=/c --mount=type=secret,id=s echo a >> /c/l; cat /run/secrets/s > one
FROM alpine
COPY d /d/
COPY --from=one /w/one /one
RUN cat /one /d/f > /out
";

/// Files of the builder that lie there when nothing was built.
fn of_the_builder(env: &TestEnv) -> BTreeSet<String> {
    let look = "cd \"$CORACLE_DATA_ROOT\" && find builder -not -type d -not -path '*/run/*' -not -name '*.lock' | sort";
    env.sh(look).success().lines().into_iter().collect()
}

fn world() -> TestEnv {
    let env = TestEnv::new();
    env.write("b/Dockerfile", DOCKERFILE);
    env.write("b/d/f", "f\n");
    env.write("s", "secret\n");
    env.write("waits/Dockerfile", "FROM alpine\nRUN sleep 1000\n");
    env
}

/// Kills `args` at points of each kind of call and lets it succeed afterwards.
#[track_caller]
fn survives(env: &TestEnv, args: &[&str], check: impl Fn()) {
    let prune = || drop(env.run(["builder", "prune", "-af"]).success());
    let log = env.work().join("strace.log");
    let mut kills = 0;
    for kind in KINDS {
        for (number, point) in POINTS.into_iter().enumerate() {
            let script = format!(
                "exec strace -D -f --quiet=attach,personality -o '{}' -e trace={kind} \
                 -e inject={kind}:signal=SIGKILL:when={point} coracle \"$@\" > traced 2>&1",
                log.display(),
            );
            let words = ["-c", &script, "sh"];
            let traced = env.program(Path::new("/bin/sh")).args(words.iter().chain(args)).run();
            let said = || std::fs::read_to_string(env.work().join("traced")).unwrap_or_default();
            let is_told = traced.status() != 1 || said().contains("ERROR: ");
            assert!(is_told, "{kind} {point}: it fails and says nothing: {}", said());
            let logged = || std::fs::read_to_string(&log).unwrap_or_default();
            let killed = || logged().contains("+++ killed by SIGKILL +++");
            // strace may write down the end after the command has ended.
            let killed = match traced.status() {
                0 => killed(),
                _ => wait::poll(wait::DEADLINE / 4, || killed().then_some(())).is_some(),
            };
            assert!(killed || traced.status() == 0, "{kind} {point}: {}", said());
            if number % 2 == 1 {
                prune();
            }
            env.run(args).success();
            check();
            env.run(["rmi", "-f", "made"]).success();
            prune();
            if !killed {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 2 * KINDS.len(), "{kills} kills: its calls are not seen");
}

/// Lives through the kills, and then nothing is left.
fn play(args: &[&str], check: impl Fn(&TestEnv)) {
    let env = world();
    env.run(args).success();
    env.run(["rmi", "-f", "made"]).success();
    env.run(["builder", "prune", "-af"]).success();
    let before = of_the_builder(&env);

    let keeper = env.coracle().args(["build", "--network", "none", "waits"]).start();
    wait::until("a step runs", || {
        leak::processes_of(env.root()).iter().any(|(_, command)| command == "sleep 1000")
    });
    survives(&env, args, || check(&env));
    keeper.signal(Signal::INT);
    keeper.finish().code(130);

    wait::until("all have ended", || leak::processes_of(env.root()).is_empty());
    env.run(["builder", "prune", "-af"]).success();
    env.assert_store_swept();
    assert_eq!(of_the_builder(&env), before);
    env.run(["system", "check"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_build_of_an_image() {
    if program("strace").is_none() {
        skip!("no strace");
    }
    let build = ["build", "-q", "--network", "none", "--secret", "id=s,src=s", "-t", "made", "b"];
    play(&build, |env| {
        env.run(["run", "--rm", "--network", "none", "made", "cat", "/out"])
            .success()
            .stdout_is("secret\nf\n");
    });
}

#[test]
fn a_build_that_exports_its_files_and_its_cache() {
    if program("strace").is_none() {
        skip!("no strace");
    }
    let build = "build -q --network none --secret id=s,src=s -o type=oci,dest=made.tar \
                 --cache-to type=local,dest=cache,mode=max b";
    let build: Vec<&str> = build.split_whitespace().collect();
    play(&build, |env| {
        env.sh("tar -tf made.tar | grep -q '^index.json' && rm made.tar").success();
        env.run(["builder", "prune", "-af"]).success();
        // All of it comes back from where it was written to.
        let again = "docker build --progress plain --network none --secret id=s,src=s -o out \
                     --cache-from type=local,src=cache b 2>&1 | grep -c ' CACHED$'; cat out/out; rm -r out cache";
        env.sh(again).success().stdout_is("5\nsecret\nf\n");
    });
}
