//! Whole applications on Compose: what a course's labs do, through the published ports.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use coracle_integration::settings::Apps;
use coracle_integration::{TestEnv, command::Cmd, port::free_port, wait};

pub(crate) const UP_DEADLINE: Duration = Duration::from_secs(180);

macro_rules! need_apps {
    () => {
        match &coracle_integration::settings::settings().apps {
            Some(apps) => apps,
            None => coracle_integration::skip!(
                "no root with the applications' packages: run scripts/test"
            ),
        }
    };
}
pub(crate) use need_apps;

/// A world with the image `apps` and one of the applications in its work folder.
pub(crate) fn world(apps: &Apps, applications: &[&str]) -> TestEnv {
    let env = TestEnv::bare();
    let root = apps.root.display().to_string();
    env.coracle().args(["import", &root, "apps"]).deadline(UP_DEADLINE).run().success();
    for name in applications {
        copy(&apps.folder.join(name), &env.work().join(name));
    }
    env
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder of ours");
    for entry in std::fs::read_dir(from).expect("an application of ours") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).expect("a file of ours");
        }
    }
}

/// `compose` in the folder of an application.
pub(crate) fn compose(env: &TestEnv, folder: &str, words: &[&str]) -> Cmd {
    env.coracle().dir(&env.work().join(folder)).args(["compose"]).args(words).deadline(UP_DEADLINE)
}

/// The body of the answer; empty when there is none.
pub(crate) fn http(port: u16, method: &str, path: &str) -> String {
    let mut answer = String::new();
    if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
        let request = format!("{method} {path} HTTP/1.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).ok();
        stream.read_to_string(&mut answer).ok();
    }
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    body.unwrap_or_default()
}

#[track_caller]
pub(crate) fn serves(port: u16, path: &str, expected: &str) {
    let mut seen = String::new();
    let served = wait::poll(UP_DEADLINE, || {
        seen = http(port, "GET", path);
        (seen == expected).then_some(())
    });
    assert!(served.is_some(), "{path} at {port} is {seen:?}, not {expected:?}");
}

#[test]
fn polls_with_migrations_and_an_online_clone() {
    let env = world(need_apps!(), &["polls"]);
    let (port, clone_port) = (free_port(), free_port());
    let (port_text, clone_text) = (port.to_string(), clone_port.to_string());
    let deploy = |words: &[&str]| {
        let all = [&["-f", "deploy.yaml"], words].concat();
        compose(&env, "polls", &all).env("POLLS_PORT", &port_text).run().success()
    };
    let operations = |words: &[&str]| deploy(&[&["-f", "ops.yaml"], words].concat());
    deploy(&["up", "-d"]);
    // Migrations in the running server, the data in a container of its own.
    let migrated = deploy(&["exec", "-T", "app1", "python3", "manage.py", "migrate"]);
    assert!(migrated.stdout().contains("Applying polls.0001_initial... OK"), "{migrated}");
    operations(&["run", "--rm", "-T", "init"]);
    serves(port, "/", "Tea: 0\nCoffee: 0\n");
    http(port, "POST", "/vote/2");
    serves(port, "/", "Tea: 0\nCoffee: 1\n");

    operations(&["run", "--rm", "-T", "db-clone"]);
    http(port, "POST", "/vote/1");
    let clone = |words: &[&str]| {
        let all = [&["-p", "clone", "-f", "deploy.yaml", "-f", "clone.yaml"], words].concat();
        compose(&env, "polls", &all).env("CLONE_PORT", &clone_text).run().success()
    };
    clone(&["up", "-d"]);
    // As the original was at the moment of the copy, and independent of it.
    serves(clone_port, "/", "Tea: 0\nCoffee: 1\n");
    serves(port, "/", "Tea: 1\nCoffee: 1\n");

    clone(&["down"]);
    // The database outlives the project; `-v` takes it along, and leaves the external one.
    deploy(&["down"]);
    deploy(&["up", "-d"]);
    serves(port, "/", "Tea: 1\nCoffee: 1\n");
    deploy(&["down", "-v"]);
    let volumes = env.run(["volume", "ls", "-q"]).success().lines();
    assert_eq!(volumes, ["polls_clone"]);
    env.run(["volume", "rm", "polls_clone"]).success();
    env.assert_nothing_left();
}

#[test]
fn visits_are_counted_over_a_crash_of_the_server() {
    let env = world(need_apps!(), &["visits"]);
    let port = free_port();
    let run = |words: &[&str]| {
        compose(&env, "visits", words).env("VISITS_PORT", port.to_string()).run().success()
    };
    run(&["up", "-d"]);
    serves(port, "/", "Number of visits is 1\n");
    assert_eq!(http(port, "GET", "/crash"), "");
    serves(port, "/", "Number of visits is 2\n");
    run(&["down"]);
    env.assert_nothing_left();
}

#[test]
fn votes_go_through_five_services_and_two_networks() {
    let env = world(need_apps!(), &["polls", "voting"]);
    let (vote, result) = (free_port(), free_port());
    let run = |words: &[&str]| {
        compose(&env, "voting", words)
            .env("VOTE_PORT", vote.to_string())
            .env("RESULT_PORT", result.to_string())
            .run()
            .success()
    };
    run(&["up", "-d"]);
    let voted = |name: &str| {
        wait::until("a vote is taken", || http(vote, "POST", name) == "voted\n");
    };
    voted("/cats");
    voted("/dogs");
    voted("/cats");
    serves(result, "/", "cats: 2\ndogs: 1\n");
    let services = run(&["ps", "--services"]).lines();
    assert_eq!(services, ["db", "redis", "result", "vote", "worker"]);
    run(&["down", "--volumes"]);
    env.assert_nothing_left();
}
