//! Caches of builds in folders and registries.

use std::fs;

use coracle_integration::{
    Output, TestEnv,
    registry::{Door, Registry},
    skip,
    skip::program,
};

const DOCKERFILE: &str = "FROM alpine AS one
RUN echo one > /1
FROM alpine
WORKDIR /w
COPY f.txt .
COPY --from=one /1 /
RUN cat f.txt > out
";

fn context(env: &TestEnv) {
    env.write("ctx/Dockerfile", DOCKERFILE);
    env.write("ctx/f.txt", "content\n");
}

fn build(env: &TestEnv, args: &[&str]) -> Output {
    let words = ["build", "--progress", "plain", "--network", "none", "-t", "made"];
    env.run(words.iter().chain(args).chain(&["ctx"]))
}

/// Steps that were taken from the cache, and those that were not.
fn steps(built: &Output) -> (usize, usize) {
    let told = built.stderr();
    let all = told.lines().filter(|line| {
        let name = line.split_once(' ').map_or("", |(_, name)| name);
        name.starts_with('[') && ["RUN", "COPY", "WORKDIR"].iter().any(|word| name.contains(word))
    });
    let all: std::collections::BTreeSet<&str> = all.collect();
    let cached = told.lines().filter(|line| line.ends_with(" CACHED")).count();
    (cached, all.len())
}

fn id(env: &TestEnv) -> String {
    env.run(["image", "inspect", "--format", "{{.Id}}", "made"]).success().line()
}

/// Everything that this machine knows of the build goes.
fn forget(env: &TestEnv) {
    env.run(["rmi", "-f", "made"]).success();
    env.run(["builder", "prune", "-af"]).success();
}

#[test]
fn a_cache_in_a_folder_is_taken_back() {
    let env = TestEnv::new();
    context(&env);
    build(&env, &["--cache-to", "type=local,dest=cache,mode=max"])
        .success()
        .stderr_has("exporting cache to client directory");
    let made = id(&env);
    forget(&env);
    let control = build(&env, &[]).success();
    assert_eq!(steps(&control).0, 0, "{control}");
    forget(&env);
    let again = build(&env, &["--cache-from", "type=local,src=cache"]).success();
    let (cached, all) = steps(&again);
    assert!(cached >= all && all == 5, "{again}");
    // With the times of the steps that were taken.
    assert_eq!(id(&env), made);
    env.run(["run", "--rm", "--network", "none", "made", "cat", "/w/out", "/1"])
        .success()
        .stdout_is("content\none\n");
    let other = TestEnv::new();
    context(&other);
    let cache = format!("type=local,src={}", env.work().join("cache").display());
    let there = build(&other, &["--cache-from", &cache]).success();
    assert!(steps(&there).0 >= 5, "{there}");
    assert_eq!(id(&other), made);
    other.assert_nothing_left();
    env.assert_nothing_left();
}

#[test]
fn steps_of_other_stages_are_not_needed_for_what_was_made_of_their_files() {
    let env = TestEnv::new();
    context(&env);
    build(&env, &["--cache-to", "type=local,dest=min,mode=min"]).success();
    let made = id(&env);
    build(&env, &["--cache-to", "type=local,dest=max,mode=max"]).success();
    for (mode, told) in [("min", 4), ("max", 5)] {
        forget(&env);
        let from = format!("type=local,src={mode}");
        let again = build(&env, &["--cache-from", &from]).success();
        assert_eq!(steps(&again), (told, told), "{mode}: {again}");
        assert_eq!(id(&env), made);
        // The layer of the other stage did not come.
        assert_eq!(env.run(["builder", "du", "--format", "json"]).success().lines().len(), 4);
        // What is different afterwards needs the stage.
        env.write("ctx/Dockerfile", DOCKERFILE.replace("--from=one /1 /", "--from=one /1 /x"));
        let other = build(&env, &["--cache-from", &from]).success();
        other.stderr_has("RUN cat f.txt > out\n");
        env.run(["run", "--rm", "--network", "none", "made", "cat", "/x"])
            .success()
            .stdout_is("one\n");
        context(&env);
    }
    forget(&env);
    env.assert_nothing_left();
}

#[test]
fn a_cache_in_a_registry_is_taken_back() {
    if program("docker-registry").is_none() {
        skip!("docker-registry is not installed");
    }
    let env = TestEnv::new();
    context(&env);
    let registry = Registry::start(&env, Door::Plain);
    let name = registry.name("team/cache");
    let to = format!("type=registry,ref={name},mode=max");
    let from = format!("type=registry,ref={name}");
    build(&env, &["--cache-to", &to]).success().stderr_has("exporting cache to registry");
    let made = id(&env);
    forget(&env);
    let again = build(&env, &["--cache-from", &from]).success();
    assert!(steps(&again).0 >= 5, "{again}");
    assert_eq!(id(&env), made);
    // An image is no cache, and what is not there is told.
    let image = registry.name("team/image:1");
    env.run(["tag", "alpine", &image]).success();
    env.run(["push", "-q", &image]).success();
    for (place, why) in [
        (image.as_str(), "is an image and no cache of a build"),
        (&*registry.name("team/nosuch"), "not found"),
    ] {
        build(&env, &["--cache-from", place]).success().stderr_has(why);
    }
}

#[test]
fn what_is_no_cache_of_ours_is_told_and_not_read() {
    let env = TestEnv::new();
    context(&env);
    build(&env, &["--cache-to", "type=local,dest=cache"]).success();
    let nothing = build(&env, &["--cache-from", "type=local,src=nosuch"]).success();
    nothing.stderr_has("nosuch: not found");
    // As BuildKit names its own.
    env.sh("cd cache && m=$(sed 's/.*sha256:\\([0-9a-f]*\\).*/\\1/' index.json) \
        && sed -i s/coracle.buildcache.v1+json/buildkit.cacheconfig.v0/ blobs/sha256/$m \
        && n=$(sha256sum < blobs/sha256/$m | cut -c 1-64) && mv blobs/sha256/$m blobs/sha256/$n \
        && sed -i s/$m/$n/ index.json")
        .success();
    let text = fs::read_to_string(env.work().join("cache/index.json")).expect("an index");
    assert!(text.contains("sha256:"), "{text}");
    build(&env, &["--cache-from", "type=local,src=cache"])
        .success()
        .stderr_has("holds a cache of BuildKit, which is not read here");
    env.assert_nothing_left();
}

#[test]
fn an_export_that_fails_ends_the_build_unless_told_otherwise() {
    let env = TestEnv::new();
    context(&env);
    // Nobody listens there.
    let port = coracle_integration::port::free_port();
    let to = format!("type=registry,ref=127.0.0.1:{port}/cache");
    build(&env, &["--cache-to", &to]).code(1).stderr_has("exporting cache to registry");
    build(&env, &["--cache-to", &format!("{to},ignore-error=true")]).success();
    env.assert_nothing_left();
}

#[test]
fn the_cache_of_github_is_refused_where_it_would_count() {
    let env = TestEnv::new();
    env.write("ctx/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
    // As in Docker, it does not count where no runner gives a token.
    build(&env, &["--cache-to", "type=gha,mode=max", "--cache-from", "type=gha"]).success();
    let on_runner = TestEnv::new().with("ACTIONS_RUNTIME_TOKEN", "t");
    on_runner.write("ctx/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
    for flag in ["--cache-to", "--cache-from"] {
        build(&on_runner, &[flag, "type=gha"]).code(1).stderr_has(
            "a cache of type=gha: not supported: GitHub's service for caches is not spoken to; type=registry and \
             type=local keep one elsewhere",
        );
        build(&env, &[flag, "type=gha,token=t"]).code(1).stderr_has("not supported");
    }
    on_runner.run(["image", "inspect", "made"]).code(1);
    env.assert_nothing_left();
    on_runner.assert_nothing_left();
}
