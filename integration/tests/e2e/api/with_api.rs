//! `with-api`: a command with an engine of its own, of which nothing stays.

use std::time::{Duration, Instant};

use coracle_integration::{TestEnv, command::Running, leak, wait};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::api::http::Service;

/// The service of a session whose command waits, and that command.
struct Session {
    running: Running,
    service: Service,
}

impl Session {
    /// `with-api FLAGS`, whose command tells where the socket is and waits until the file `done` is there.
    fn begin(env: &TestEnv, flags: &[&str]) -> Self {
        let script = "echo \"$DOCKER_HOST\" > host.new; mv host.new host; while [ ! -e done ]; do sleep 0.05; done; \
                      exit 7";
        let command = ["sh", "-c", script];
        let words = ["with-api"].iter().chain(flags).chain(&command).copied();
        let running = env.coracle().env("PATH", "/usr/bin:/bin").args(words).start();
        let host = env.work().join("host");
        wait::until("the command runs", || host.exists());
        let text = std::fs::read_to_string(&host).expect("where the socket is");
        std::fs::remove_file(&host).expect("it is there");
        let socket = text.trim().strip_prefix("unix://").expect("a path").into();
        Self { running, service: Service::at(socket) }
    }

    /// Lets the command end.
    fn end(self, env: &TestEnv) -> coracle_integration::Output {
        env.write("done", "");
        let output = self.running.finish();
        std::fs::remove_file(env.work().join("done")).expect("it is there");
        output
    }
}

fn sleeper(name: &str, service: &Service) -> String {
    let id = service.create(name, &json!({ "Image": "alpine", "Cmd": ["sleep", "1000"], "HostConfig": { "NetworkMode": "none" } }));
    service.post(&format!("/containers/{name}/start"), &Value::Null).is(204);
    id
}

fn names(env: &TestEnv, words: &[&str]) -> Vec<String> {
    env.run(words.iter().copied()).success().lines()
}

#[track_caller]
fn sees_nothing_else(service: &Service, mine: &str) {
    // What the user has is not there.
    assert_eq!(service.get("/containers/json?all=1").is(200).json(), json!([]));
    assert_eq!(service.get("/volumes").is(200).json()["Volumes"], json!([]));
    for path in [
        "/containers/mine/json",
        &format!("/containers/{mine}/json"),
        "/networks/mine",
        "/volumes/mine",
    ] {
        service.get(path).is(404);
    }
    for path in [
        "/containers/mine/stop",
        "/containers/mine/kill",
        &format!("/containers/{}/start", &mine[..12]),
    ] {
        service.post(path, &Value::Null).is(404);
    }
    for path in ["/containers/mine?force=1", "/networks/mine", "/volumes/mine"] {
        service.delete(path).is(404);
    }
    let with = |host: Value| {
        service.post("/containers/create", &json!({ "Image": "alpine", "HostConfig": host }))
    };
    with(json!({ "NetworkMode": "container:mine" })).is(404);
    with(json!({ "VolumesFrom": ["mine"], "NetworkMode": "none" })).is(404);
    with(json!({ "Binds": ["mine:/v"], "NetworkMode": "none" })).is(409);
    service.post("/volumes/create", &json!({ "Name": "mine" })).is(409);
    service.post("/networks/create", &json!({ "Name": "mine" })).is(409);
}

#[track_caller]
fn sees_its_own(env: &TestEnv, service: &Service, mine: &str) {
    // What is made through it is there, for it and for the user; a prune reaches no more than that.
    let id = sleeper("its", service);
    service.post("/volumes/create", &json!({ "Name": "its" })).is(201);
    service.post("/networks/create", &json!({ "Name": "its" })).is(201);
    service.create("ended", &json!({ "Image": "alpine", "HostConfig": { "NetworkMode": "none" } }));
    let listed = service.get("/containers/json?all=1").is(200).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    let inspected = service.get("/containers/its/json").is(200).json();
    assert!(!inspected["Config"]["Labels"].to_string().contains("owner"), "{inspected}");
    let pruned = service.post("/containers/prune", &Value::Null).is(200).json();
    assert_eq!(pruned["ContainersDeleted"].as_array().map(Vec::len), Some(1), "{pruned}");
    for what in ["volumes", "networks"] {
        service.post(
            &format!("/{what}/prune?filters=%7B%22all%22%3A%5B%22true%22%5D%7D"),
            &Value::Null,
        );
    }
    service.post("/networks/prune", &Value::Null).is(200);
    service.post("/volumes/create", &json!({ "Name": "its" })).is(201);
    service.post("/networks/create", &json!({ "Name": "its" })).is(201);
    let events = service.get("/events?since=1&until=0s").is(200).text();
    assert!(events.contains(&id) && !events.contains(mine), "{events}");
    assert!(!events.contains("owner"), "{events}");
    assert!(names(env, &["ps", "--format", "{{.Names}}"]).contains(&"its".to_owned()));
}

#[test]
fn it_sees_its_own_and_leaves_nothing() {
    let env = TestEnv::new();
    let mine = env
        .run([
            "run",
            "-d",
            "--name",
            "mine",
            "--network",
            "none",
            "-v",
            "mine:/v",
            "alpine",
            "sleep",
            "1000",
        ])
        .success()
        .line();
    env.run(["create", "--name", "old", "alpine"]).success();
    env.run(["network", "create", "mine"]).success();
    let session = Session::begin(&env, &[]);
    let service = &session.service;

    sees_nothing_else(service, &mine);

    sees_its_own(&env, service, &mine);

    session.end(&env).code(7);
    assert_eq!(names(&env, &["ps", "-a", "--format", "{{.Names}}"]), ["old", "mine"]);
    assert_eq!(names(&env, &["volume", "ls", "-q"]), ["mine"]);
    let networks = names(&env, &["network", "ls", "--format", "{{.Name}}"]);
    assert!(
        networks.contains(&"mine".to_owned()) && !networks.contains(&"its".to_owned()),
        "{networks:?}"
    );
    env.run(["rm", "-f", "mine", "old"]).success();
    env.run(["volume", "rm", "mine"]).success();
    env.run(["network", "rm", "mine"]).success();
}

#[test]
fn nothing_stays_however_it_ends() {
    let env = TestEnv::new();
    let is_gone = || names(&env, &["ps", "-aq"]).is_empty();
    // A signal to it is one to the command.
    let session = Session::begin(&env, &[]);
    sleeper("one", &session.service);
    session.running.signal(Signal::TERM);
    session.running.finish().code(143);
    assert!(is_gone());

    // It is killed.
    let session = Session::begin(&env, &[]);
    sleeper("two", &session.service);
    let begun = Instant::now();
    session.running.signal(Signal::KILL);
    drop(session.running.finish());
    wait::until("nothing is left", is_gone);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    wait::until("the socket is gone", || !session.service.socket.exists());

    // So is its reaper: the next command sees to it.
    let session = Session::begin(&env, &[]);
    sleeper("three", &session.service);
    let reapers = leak::processes_named(env.root(), "coracle-reaper");
    assert_eq!(reapers.len(), 1);
    session.running.signal(Signal::KILL);
    reapers.into_iter().for_each(|reaper| kill_process(reaper, Signal::KILL).unwrap());
    drop(session.running.finish());
    wait::until("nothing is left", is_gone);
    wait::until("the socket is gone", || !session.service.socket.exists());
    wait::until("no reaper is left", || {
        leak::processes_named(env.root(), "coracle-reaper").is_empty()
    });

    // Its reaper alone: what was made goes with the command.
    let session = Session::begin(&env, &[]);
    sleeper("four", &session.service);
    leak::processes_named(env.root(), "coracle-reaper")
        .into_iter()
        .for_each(|reaper| kill_process(reaper, Signal::KILL).unwrap());
    session.end(&env).code(7);
    assert!(is_gone());
}

#[test]
fn what_is_kept_stays_and_images_go_on_demand() {
    let env = TestEnv::new();
    let session = Session::begin(&env, &["--keep"]);
    sleeper("kept", &session.service);
    session.end(&env).code(7);
    assert_eq!(names(&env, &["ps", "--format", "{{.Names}}"]), ["kept"]);
    env.run(["rm", "-f", "kept"]).success();

    let session = Session::begin(&env, &["--rm-images"]);
    session.service.post("/images/alpine/tag?repo=its&tag=1", &Value::Null).is(201);
    session.service.create("used", &json!({ "Image": "alpine", "Cmd": ["sh", "-c", "echo a > /a"], "HostConfig": { "NetworkMode": "none" } }));
    session.service.post("/containers/used/start", &Value::Null).is(204);
    session.service.post("/containers/used/wait", &Value::Null).is(200);
    session.service.post("/commit?container=used", &Value::Null).is(201);
    session.end(&env).code(7);
    let images = names(&env, &["images", "-a", "--format", "{{.Repository}}"]);
    assert!(images.contains(&"alpine".to_owned()), "{images:?}");
    assert!(!images.iter().any(|name| name == "its" || name == "<none>"), "{images:?}");
}

#[test]
fn the_command_is_told_and_its_code_is_the_code() {
    let env = TestEnv::new();
    let script = "echo $TESTCONTAINERS_RYUK_DISABLED $TESTCONTAINERS_HOST_OVERRIDE $TESTCONTAINERS_CONNECTION_MODE \
                  ${DOCKER_CONTEXT:-none}; test \
                  unix://$TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE = $DOCKER_HOST && exit 3";
    let with = |words: &[&str]| {
        env.coracle()
            .env("PATH", "/usr/bin:/bin")
            .env("DOCKER_CONTEXT", "elsewhere")
            .env("CORACLE_DOCKER_HOST", "local")
            .args(words.iter().copied())
            .run()
    };
    with(&["with-api", "sh", "-c", script]).code(3).stdout_is("true localhost docker_host none\n");
    with(&["with-api", "--", "true"]).success();
    with(&["with-api", "nosuchprogram"]).code(127).stderr_has("cannot run nosuchprogram");
    with(&["with-api", "/etc/passwd"]).code(126);
    with(&["with-api"]).code(1);
    with(&["with-api", "sh", "-c", "kill -9 $$"]).code(137);
}

#[test]
fn a_reaper_that_a_client_insists_on_is_our_own() {
    let env = TestEnv::new();
    let session = Session::begin(&env, &["--rm-images"]);
    let service = &session.service;
    let pulled = service
        .post("/images/create?fromImage=testcontainers%2Fryuk&tag=0.14.0", &Value::Null)
        .is(200);
    assert!(!pulled.text().contains("error"), "{}", pulled.text());
    service.get("/images/testcontainers/ryuk:0.14.0/json").is(200);
    let socket = service.socket.display().to_string();
    let body = json!({
        "Image": "testcontainers/ryuk:0.14.0",
        "ExposedPorts": { "8080/tcp": {} },
        "HostConfig": {
            "AutoRemove": true, "Binds": [format!("{socket}:/var/run/docker.sock")],
            "PortBindings": { "8080/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "" }] },
        },
    });
    service.create("reaper", &body);
    service.post("/containers/reaper/start", &Value::Null).is(204);
    wait::until("it has begun", || {
        service.get("/containers/reaper/logs?stdout=1").text().contains("Started!")
    });
    let inspected = service.get("/containers/reaper/json").is(200).json();
    assert_eq!(inspected["Config"]["Image"], "testcontainers/ryuk:0.14.0");
    let port = inspected["NetworkSettings"]["Ports"]["8080/tcp"][0]["HostPort"]
        .as_str()
        .unwrap()
        .to_owned();
    let spoken = env
        .sh(&format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port}; echo 'label=a=b&label=c=d' >&3; head -n 1 <&3"
        ))
        .success();
    assert_eq!(spoken.stdout(), "ACK\n");
    session.end(&env).code(7);
    assert!(names(&env, &["ps", "-aq"]).is_empty());
}
