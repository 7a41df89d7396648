//! What builds leave, and when it goes: layers, cache mounts, and what a step had begun.

use std::fs;
use std::path::PathBuf;

use coracle_integration::{TestEnv, leak, wait};
use rustix::process::Signal;

/// Waits in a cache mount until the test lets it go on.
const WAITS: &str = "RUN --mount=type=cache,target=/c echo a > /c/a; \
                     for i in $(seq 600); do [ -e /c/go ] && break; sleep 0.05; done; cat /c/a\n";

/// Names in a folder of the builder.
fn names(env: &TestEnv, folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(env.data().join("builder").join(folder)).into_iter().flatten();
    entries.flatten().map(|entry| entry.path()).collect()
}

/// A file in the only cache mount.
fn in_mount(env: &TestEnv, name: &str) -> Option<PathBuf> {
    names(env, "cache/1/mounts").first().map(|mount| mount.join("data").join(name))
}

fn let_go_on(env: &TestEnv) {
    fs::write(in_mount(env, "go").expect("a cache mount"), "").expect("a file in it");
}

#[test]
fn what_a_build_uses_is_not_pruned() {
    let env = TestEnv::new();
    env.write("b/Dockerfile", format!("FROM alpine\nRUN echo first > /first\n{WAITS}"));
    let build = env.coracle().args(["build", "--network", "none", "-t", "x", "b"]).start();
    wait::until("the step uses its mount", || in_mount(&env, "a").is_some_and(|it| it.exists()));
    env.run(["builder", "prune", "-af"]).success();
    env.run(["system", "prune", "-af"]).success();
    env.run(["image", "prune", "-af"]).success();
    env.run(["builder", "du", "--filter", "inuse=true", "--format", "{{.Type}}"])
        .success()
        .stdout_is("exec.cachemount\n");
    let_go_on(&env);
    build.finish().success();
    env.run(["run", "--rm", "--network", "none", "x", "cat", "/first"])
        .success()
        .stdout_is("first\n");
    env.run(["system", "check"]).success();
    env.run(["system", "prune", "-af"]).success();
    // What was let go of during the build is nobody's now.
    assert_eq!(fs::read_dir(env.data().join("layers")).expect("layers").count(), 0);
    env.run(["system", "check"]).success();
    env.assert_nothing_left();
}

#[test]
fn without_the_cache_its_mounts_begin_anew_once() {
    let env = TestEnv::new();
    let step = |name: &str| format!("RUN --mount=type=cache,target=/c echo {name} >> /c/l; ");
    let dockerfile = format!(
        "FROM alpine AS one\n{}wc -l < /c/l > /1\n{}wc -l < /c/l > /2\nFROM scratch\n\
         COPY --from=one /1 /2 /\n",
        step("one"),
        step("two"),
    );
    env.write("b/Dockerfile", dockerfile);
    let build = |more: &[&str], expected: [&str; 2]| {
        let words = ["build", "--network", "none", "-o", "out"];
        env.run(words.iter().chain(more).chain(&["b"])).success();
        let read = |name| fs::read_to_string(env.work().join("out").join(name)).expect("a file");
        assert_eq!([read("1"), read("2")], expected.map(|it| format!("{it}\n")), "{more:?}");
    };
    for _ in 0..2 {
        build(&["--no-cache"], ["1", "2"]);
    }
    build(&["--no-cache-filter", "one"], ["1", "2"]);
    env.run(["builder", "prune", "-af", "--filter", "type=regular"]).success();
    build(&[], ["3", "4"]);
    env.assert_nothing_left();
}

#[test]
fn what_fails_or_is_killed_while_it_copies_takes_no_room() {
    let env = TestEnv::new();
    env.sh("mkdir -p b/files && head -c 3000000 /dev/urandom > b/files/f && \
         tar -C b -czf whole.tgz files && head -c 2000000 whole.tgz > b/cut.tgz")
        .success();
    env.write("b/Dockerfile", "FROM alpine\nADD cut.tgz /x/\n");
    env.run(["build", "--network", "none", "b"]).code(1).stderr_has("cut.tgz");
    assert_eq!(names(&env, "steps"), Vec::<PathBuf>::new());
    for file in 0..4000 {
        env.write(&format!("b/files/{}/{file}", file % 20), file.to_string());
    }
    env.write("b/Dockerfile", "FROM alpine\nCOPY files /x/\n");
    let killed = env.coracle().args(["build", "--network", "none", "b"]).start();
    wait::until("the step has begun", || !names(&env, "steps").is_empty());
    killed.signal(Signal::KILL);
    drop(killed.finish());
    wait::until("its children have ended", || leak::processes_of(env.root()).is_empty());
    env.run(["builder", "prune", "-f"]).success();
    assert_eq!(names(&env, "steps"), Vec::<PathBuf>::new());
    env.assert_nothing_left();
}

#[test]
fn too_many_layers_are_told_before_any_step() {
    let env = TestEnv::new();
    env.write("b/Dockerfile", format!("FROM alpine\nRUN exit 3\n{}", "WORKDIR a\n".repeat(269)));
    env.run(["build", "--network", "none", "b"])
        .code(1)
        .stderr_has("an image may have at most 256 layers, this one would have 271");
    env.assert_nothing_left();
}

#[test]
fn a_build_that_is_killed_leaves_its_steps_to_the_next() {
    let env = TestEnv::new();
    let dockerfile = "FROM alpine\nRUN sleep 1.2; echo a > /a\nARG S\nRUN sleep $S\n";
    env.write("b/Dockerfile", dockerfile);
    let build = |seconds: &str| {
        let arg = format!("S={seconds}");
        env.coracle().args(["build", "--network", "none", "--build-arg", &arg, "b"])
    };
    let killed = build("1000").start();
    let is_kept = || {
        let layers = fs::read_dir(env.data().join("layers")).into_iter().flatten().flatten();
        layers.into_iter().any(|layer| layer.path().join("kept").exists())
    };
    // It is on the disk by then, and a disk that others write to takes its time.
    let patience = 6 * wait::DEADLINE;
    assert!(wait::poll(patience, || is_kept().then_some(())).is_some(), "the step is not kept");
    killed.signal(Signal::KILL);
    drop(killed.finish());
    let has_ended = || leak::processes_of(env.root()).is_empty().then_some(());
    assert!(wait::poll(patience, has_ended).is_some(), "what was killed goes on");
    env.run(["image", "prune", "-f"]).success();
    build("0").run().success().stderr_has("CACHED");
    env.assert_nothing_left();
}
