//! Servers that break off in the middle of a transfer: the build says so and keeps nothing half, and the next build,
//! with a whole server, succeeds.

use std::fs;

use coracle_integration::door::BreakingDoor;
use coracle_integration::registry::{Door, Registry};
use coracle_integration::web::WebServer;
use coracle_integration::{Output, TestEnv, skip, skip::program};

/// What a connection carries: answers without content, and of content a part.
const PART: u64 = 60_000;
/// So little that trying again does not get to the end.
const LITTLE: u64 = 3_000;
/// What cannot be packed smaller.
const RANDOM: &str = "mkdir -p b && head -c 300000 /dev/urandom > b/random";

fn build(env: &TestEnv, args: &[&str]) -> Output {
    let words = ["build", "--progress", "plain", "--network", "none"];
    env.run(words.iter().chain(args).chain(&["b"]))
}

/// The build fails, names `what`, and leaves neither an image nor something half.
#[track_caller]
fn fails(env: &TestEnv, args: &[&str], what: &str) {
    let failed = build(env, args).code(1).stderr_has("ERROR: failed to build: ").stderr_has(what);
    assert!(!failed.stderr().contains("panicked"), "{failed}");
    env.run(["images", "-q", "made"]).success().stdout_is("");
    env.run(["builder", "prune", "-af"]).success();
    env.assert_store_swept();
    let unfinished = ["builder/sources", "builder/steps", "builder/contexts", "tmp"];
    for folder in unfinished.map(|name| env.data().join(name)) {
        let left: Vec<_> = fs::read_dir(&folder).into_iter().flatten().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// The image has all of the file.
#[track_caller]
fn is_whole(env: &TestEnv, image: &str) {
    env.run(["run", "--rm", "--network", "none", image, "wc", "-c", "/random"])
        .success()
        .stdout_is("300000 /random\n");
}

#[test]
fn a_registry_that_breaks_off_while_an_image_is_pulled_or_pushed() {
    if program("docker-registry").is_none() {
        skip!("docker-registry is not installed");
    }
    let env = TestEnv::new();
    env.sh(RANDOM).success();
    let registry = Registry::start(&env, Door::Plain);
    let door = BreakingDoor::to(registry.address());
    let (base, made) = (format!("{}/base", door.address()), format!("{}/made", door.address()));

    env.write("b/Dockerfile", "FROM bb\nCOPY random /random\n");
    door.break_after(PART);
    build(&env, &["-t", &made, "--push"]).code(1).stderr_has(&made);
    let tags = registry.request("GET /v2/made/tags/list");
    assert!(!tags.contains("latest"), "{tags}");
    door.mend();
    build(&env, &["-t", &made, "--push"]).success();
    build(&env, &["-t", &base, "--push"]).success();
    env.run(["rmi", &made, &base]).success();

    env.write("b/Dockerfile", format!("FROM {base}\nLABEL a=b\nRUN touch /x\n"));
    env.run(["builder", "prune", "-af"]).success();
    door.break_after(LITTLE);
    fails(&env, &["-t", "made"], &base);
    // What has come is not asked for again.
    door.break_after(PART);
    build(&env, &["-t", "made"]).success();
    is_whole(&env, "made");
    env.assert_nothing_left();
}

#[test]
fn a_registry_that_breaks_off_while_it_has_the_cache() {
    if program("docker-registry").is_none() {
        skip!("docker-registry is not installed");
    }
    let env = TestEnv::new();
    env.sh(RANDOM).success();
    let registry = Registry::start(&env, Door::Plain);
    let door = BreakingDoor::to(registry.address());
    let place = format!("{}/cache", door.address());
    let to = format!("type=registry,ref={place},mode=max");
    env.write("b/Dockerfile", "FROM bb\nCOPY random /random\nRUN wc -c < /random > /o\n");

    door.break_after(PART);
    let lenient = format!("{to},ignore-error=true");
    build(&env, &["-t", "made", "--cache-to", &lenient])
        .success()
        .stderr_has(&format!("ERROR: {place}"));
    is_whole(&env, "made");
    // Half a cache is none.
    door.mend();
    env.run(["rmi", "made"]).success();
    env.run(["builder", "prune", "-af"]).success();
    build(&env, &["-t", "made", "--cache-from", &place, "--cache-to", &to])
        .success()
        .stderr_has("not found");
    is_whole(&env, "made");

    // What does not come is made here.
    env.run(["rmi", "made"]).success();
    env.run(["builder", "prune", "-af"]).success();
    door.break_after(LITTLE);
    build(&env, &["-t", "made", "--cache-from", &place]).success().stderr_has("Get \"http://");
    is_whole(&env, "made");
    env.run(["rmi", "made"]).success();
    env.run(["builder", "prune", "-af"]).success();
    env.assert_store_swept();
    door.mend();
    let again = build(&env, &["-t", "made", "--cache-from", &place]).success();
    assert_eq!(again.stderr().matches(" CACHED\n").count(), 2, "{again}");
    is_whole(&env, "made");
    env.assert_nothing_left();
}

#[test]
fn a_web_server_that_breaks_off() {
    let env = TestEnv::new();
    env.sh(RANDOM).success();
    env.sh(
        "mkdir www && mv b/random www/ && tar -C www -cf archive.tar random && mv archive.tar www/",
    )
    .success();
    let web = WebServer::start(&env.work().join("www"));
    let door = BreakingDoor::to(web.address());
    let url = format!("http://{}/random", door.address());
    env.write("b/Dockerfile", format!("FROM bb\nADD {url} /\n"));
    door.break_after(PART);
    fails(&env, &["-t", "made"], &url);
    door.mend();
    build(&env, &["-t", "made"]).success();
    is_whole(&env, "made");
    // A context that comes from there.
    env.run(["rmi", "made"]).success();
    let archive = format!("http://{}/archive.tar", door.address());
    door.break_after(PART);
    env.run(["build", "-t", "made", "-f", "-", &archive]).code(1).stderr_has(&archive);
    env.assert_nothing_left();
}

#[test]
fn a_repository_that_breaks_off() {
    if program("git").is_none() {
        skip!("no git");
    }
    let env = TestEnv::new();
    env.sh(RANDOM).success();
    env.sh("mkdir g && mv b/random g/ && cd g && git init -q && git add -A && \
         git -c user.name=a -c user.email=a@h commit -qm one && git update-server-info")
        .success();
    let web = WebServer::start(&env.work());
    let door = BreakingDoor::to(web.address());
    let url = format!("http://{}/g/.git", door.address());
    env.write("b/Dockerfile", format!("FROM bb\nADD {url} /\n"));
    door.break_after(PART);
    fails(&env, &["-t", "made"], "failed to solve: ");
    door.mend();
    build(&env, &["-t", "made"]).success();
    is_whole(&env, "made");
    env.assert_nothing_left();
}
