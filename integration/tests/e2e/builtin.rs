//! The images that the executable carries: made on first use, without a network.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
};

use coracle_integration::{TestEnv, port::free_port, settings::settings, wait};

const HELLO: &str = "coracle.local/hello";
const WHOAMI: &str = "coracle.local/whoami";

#[test]
fn hello_runs_from_an_empty_store() {
    let env = TestEnv::bare();
    let output = env.run(["run", "--rm", HELLO]).success().stderr_is("");
    let text = output.stdout();
    let uid = rustix::process::getuid().as_raw();
    assert!(text.starts_with("Hello from Coracle!\n"), "{text}");
    assert!(
        text.contains(&format!("  user          0 (root in here), user {uid} outside\n")),
        "{text}"
    );
    assert!(text.contains("  system calls  filtered\n"), "{text}");
    assert!(text.contains("  network       lo, eth0\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    env.run(["run", "--rm", HELLO, "sh"])
        .code(2)
        .stderr_is("hello: takes no arguments, but got `sh`\n");
    env.assert_nothing_left();
}

#[test]
fn both_images_share_a_layer_and_are_made_once() {
    let env = TestEnv::bare();
    let layers = |name: &str| {
        let format = "{{json .RootFS.Layers}} {{.Created}}";
        env.run(["image", "inspect", "--format", format, name]).success().line()
    };
    assert_eq!(layers(HELLO), layers(WHOAMI));
    env.run(["pull", HELLO]).success().stdout_is(
        "Using default tag: latest\n\
         Status: Image is up to date for coracle.local/hello:latest\n\
         coracle.local/hello:latest\n",
    );
    env.run(["pull", "-q", WHOAMI]).success().stdout_is("coracle.local/whoami:latest\n");
    let listed = env.run(["images", "--format", "{{.Repository}}:{{.Tag}}"]).success();
    let mut names = listed.lines();
    names.sort();
    assert_eq!(names, ["coracle.local/hello:latest", "coracle.local/whoami:latest"]);
}

#[test]
fn names_that_do_not_exist_are_told() {
    let env = TestEnv::bare();
    let why = "coracle.local/helo does not exist: coracle.local has hello and whoami, \
               made of this executable";
    env.run(["run", "--rm", "coracle.local/helo"]).code(125).stderr_has(why);
    env.run(["pull", "coracle.local/helo"]).code(1).stderr_has(why);
    env.run(["image", "inspect", "coracle.local/helo"]).code(1).stderr_has(why);
    let foreign = if cfg!(target_arch = "aarch64") { "linux/amd64" } else { "linux/arm64" };
    env.run(["pull", "--platform", foreign, HELLO])
        .code(1)
        .stderr_has(&format!("not for {foreign}"));
}

#[test]
fn an_image_of_another_executable_is_replaced() {
    let env = TestEnv::bare();
    let id = |program: &PathBuf| {
        let args = ["run", "--rm", "--entrypoint", "/hello", HELLO];
        env.program(program).args(args).run().success();
        env.program(program).args(["images", "-q", "--no-trunc"]).run().success().lines()
    };
    let other = env.root().join("bin/other");
    fs::copy(&settings().binary, &other).expect("a copy of the binary");
    let first = id(&settings().binary);
    assert_eq!(first.len(), 1);
    let second = id(&other);
    assert_eq!(second.len(), 1, "the outdated image is gone");
    assert_ne!(first, second);
    assert_eq!(id(&settings().binary), first);
}

/// Sends a request and reads to the end of the connection.
fn ask(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("whoami listens");
    stream.write_all(request.as_bytes()).expect("whoami reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("whoami answers");
    answer
}

#[test]
fn whoami_answers_is_healthy_and_stops_at_once() {
    let env = TestEnv::bare();
    let port = free_port();
    let words = port.to_string();
    env.run(
        [
            "run",
            "-d",
            "--name",
            "who",
            "--network",
            "host",
            "--hostname",
            "box",
            "-e",
            "SECRET=hidden",
        ]
        .into_iter()
        .chain([WHOAMI, "--name", "web", "--port", &words]),
    )
    .success();
    env.wait_status("who", "running");
    wait::until("whoami is healthy", || {
        env.run(["inspect", "--format", "{{.State.Health.Status}}", "who"]).stdout() == "healthy\n"
    });
    let answer = ask(port, "GET /a?b HTTP/1.1\r\nHost: x:1\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    for line in [
        "Name: web",
        "Hostname: box",
        "IP: 127.0.0.1",
        "Env: SECRET",
        "GET /a?b HTTP/1.1",
        "Host: x:1",
    ] {
        assert!(answer.lines().any(|seen| seen == line), "no `{line}` in {answer}");
    }
    assert!(!answer.contains("hidden"), "{answer}");
    let head = ask(port, "HEAD / HTTP/1.0\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(ask(port, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 Bad Request\r\n"));
    // One that says nothing must not keep the server from ending.
    let _silent = TcpStream::connect(("127.0.0.1", port)).expect("whoami listens");
    env.run(["stop", "who"]).success();
    env.run(["inspect", "--format", "{{.State.ExitCode}}", "who"]).success().stdout_is("0\n");
    env.run(["logs", "who"])
        .success()
        .stdout_is(&format!("whoami: listening on port {port}\nwhoami: stopped\n"));
    env.run(["rm", "who"]).success();
    env.assert_nothing_left();
}

#[test]
fn whoami_finds_its_port_in_the_environment_and_behind_an_init() {
    let env = TestEnv::bare();
    env.run([
        "run",
        "-d",
        "--name",
        "who",
        "--network",
        "none",
        "--init",
        "-e",
        "WHOAMI_PORT=8080",
        WHOAMI,
    ])
    .success();
    let healthy = |name: &str| env.wait_answer(name, &["/whoami", "--healthcheck"], "ok\n");
    healthy("who");
    env.run(["run", "-d", "--name", "two", "--network", "none", "--init", WHOAMI, "--port=81"])
        .success();
    healthy("two");
    env.run([
        "run",
        "-d",
        "--name",
        "low",
        "--network",
        "none",
        "-u",
        "nobody",
        "--read-only",
        WHOAMI,
    ])
    .success();
    healthy("low");
    env.run(["rm", "-f", "who", "two", "low"]).success();
    env.assert_nothing_left();
}

/// Each command that looks at an image makes them, as `run` does.
#[test]
fn they_are_tagged_saved_and_explained_on_a_fresh_store() {
    let env = TestEnv::bare();
    env.run(["tag", HELLO, "greeting:1"]).success();
    env.run(["images", "--format", "{{.Repository}}:{{.Tag}}", "greeting"])
        .success()
        .stdout_is("greeting:1\n");
    let env = TestEnv::bare();
    let history = env.run(["history", "--format", "{{.CreatedBy}}", WHOAMI]).success();
    assert!(!history.lines().is_empty(), "{history}");
    let env = TestEnv::bare();
    env.sh(&format!("docker save {HELLO} {WHOAMI} | tar -x -O manifest.json"))
        .success()
        .stdout_has("coracle.local/hello:latest")
        .stdout_has("coracle.local/whoami:latest");
    for command in
        ["tag coracle.local/helo x", "history coracle.local/helo", "save -o x coracle.local/helo"]
    {
        env.sh(&format!("docker {command}"))
            .code(1)
            .stderr_has("coracle.local/helo does not exist");
    }
}
