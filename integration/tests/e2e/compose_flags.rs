//! Flags and answers of Compose 5: as Docker Compose 5.5.0 was seen to have them, where nothing else
//! is said.

use coracle_integration::{TestEnv, pty::Terminal};

fn down(env: TestEnv) {
    env.run(["compose", "-p", "t", "down", "-v", "-t", "0", "--remove-orphans"]).success();
    env.assert_nothing_left();
}

/// Two services of which one names a file of variables that is not there.
fn services(env: &TestEnv) {
    env.write(
        "compose.yaml",
        "name: t
services:
  web:
    image: ${IMAGE:-alpine}
    network_mode: none
    command: sleep 1000
    init: true
  other: {image: alpine, network_mode: none, env_file: nowhere.env, depends_on: [web]}
",
    );
}

#[test]
fn config_says_when_services_cannot_be_chosen() {
    let env = TestEnv::new();
    services(&env);
    let all = env.run(["compose", "config", "--no-interpolate", "web"]).success();
    all.stderr_has(
        "service filtering is not applied when --no-interpolate is set, the full model will be \
         rendered",
    )
    .stdout_has("other:");
    let all = env.run(["compose", "config", "--variables", "web"]).success();
    all.stderr_has(
        "service filtering is not applied when --variables is set, variables from the full model \
         will be rendered",
    )
    .stdout_has("IMAGE");
    env.run(["compose", "config", "--no-interpolate"]).success().stderr_is("");
    // Variables are found in what is no valid file, too.
    env.write("bad.yaml", "services: {a: {image: '${IMG:-alpine}', nonsense: '$X'}}\n");
    let known = env.run(["compose", "-f", "bad.yaml", "config", "--variables"]).success();
    known.stdout_has("IMG").stdout_has("X ");
    env.run(["compose", "-f", "bad.yaml", "config"]).code(1).stderr_has("unknown attribute");
    env.assert_nothing_left();
}

#[test]
fn flags_that_ask_for_names_obey_the_others() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "name: t
services:
  a: {image: alpine, volumes: [data:/d], networks: [none-such]}
  b: {image: alpine, profiles: [more], volumes: [more:/d]}
volumes: {data: {}, more: {}}
",
    );
    let config = |words: &[&str]| env.run([&["compose"], words].concat());
    for flag in ["--services", "--volumes", "--networks", "--hash=a"] {
        config(&["config", flag]).code(1).stderr_has("none-such");
        config(&["config", "--no-consistency", flag]).success();
    }
    let names = config(&["config", "--no-consistency", "--volumes"]).success();
    names.stdout_is("data\n");
    let names = config(&["--profile", "more", "config", "--no-consistency", "--volumes"]);
    names.success().stdout_is("data\nmore\n");
    env.assert_nothing_left();
}

#[test]
fn a_home_folder_is_known_to_env_file() {
    let env = TestEnv::new();
    services(&env);
    std::fs::write(env.root().join("home/q.env"), "IMAGE=of-home\n").expect("a file of ours");
    let config = env.run(["compose", "--env-file=~/q.env", "config", "--images"]).success();
    config.stdout_is("alpine\nof-home\n");
    let by_variable = env.coracle().env("COMPOSE_ENV_FILES", "~/q.env");
    let config = by_variable.args(["compose", "config", "--images"]).run().success();
    config.stdout_is("alpine\nof-home\n");
    env.run(["compose", "--env-file=~other/q.env", "config"]).code(1).stderr_has("~other/q.env");
    env.assert_nothing_left();
}

#[test]
fn other_services_need_no_env_file() {
    let env = TestEnv::new();
    services(&env);
    env.run(["compose", "up", "-d", "web"]).success();
    env.run(["compose", "scale", "web=2"]).success();
    env.run(["compose", "ps", "-q"]).success();
    env.run(["compose", "logs", "web"]).success();
    env.run(["compose", "exec", "-T", "web", "true"]).success();
    env.run(["compose", "stop", "-t", "0"]).success();
    env.run(["compose", "scale", "other=1"]).code(1).stderr_has("nowhere.env not found");
    let watch = env.run(["compose", "watch", "web"]).code(1);
    watch.stderr_has("none of the selected services is configured for watch");
    down(env);
}

#[test]
fn start_waits_and_waits_have_no_negative_end() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "name: t
services:
  a:
    image: alpine
    network_mode: none
    init: true
    command: sh -c 'sleep .3; touch /up; sleep 1000'
    healthcheck: {test: ['CMD', test, -e, /up], interval: 100ms}
  b: {image: alpine, network_mode: none, init: true, command: sleep 1000, healthcheck: {disable: true}}
",
    );
    let refused = env.run(["compose", "up", "-d", "--wait", "--wait-timeout=-1"]).code(1);
    refused.stderr_is("--wait-timeout must be a non-negative integer\n");
    env.run(["compose", "create"]).success();
    env.run(["compose", "start", "--wait"]).success();
    let health = ["inspect", "-f", "{{.State.Health.Status}}", "t-a-1"];
    env.run(health).success().stdout_is("healthy\n");
    env.run(["compose", "stop", "-t", "0", "a"]).success();
    env.run(["compose", "start", "--wait", "--wait-timeout", "60", "a"]).success();
    env.run(health).success().stdout_is("healthy\n");
    // A check that is switched off is none: it is enough that the service runs.
    env.run(["compose", "up", "--wait", "b"]).success().stderr_has("Container t-b-1 Healthy");
    down(env);
}

#[test]
fn words_of_errors() {
    let env = TestEnv::new();
    services(&env);
    env.run(["compose", "kill"]).success().stderr_is("No container to kill\n");
    for flags in [&["--tty", "--no-tty"][..], &["--no-TTY", "-t"], &["-T", "--tty"]] {
        let run = env.run([&["compose", "run"], flags, &["web"]].concat()).code(1);
        run.stderr_is("--tty and --no-tty can't be used together\n");
    }
    env.run(["compose", "run", "--rm", "--no-tty", "web", "true"]).success();
    env.run(["compose", "up", "-d", "web"]).success();
    env.run(["compose", "exec", "-T", "web", "/none"]).code(127).stdout_has("/none");
    env.run(["compose", "run", "--rm", "-T", "web", "/none"]).code(127).stderr_has("/none");
    let hint = env.run(["compose", "compose.yaml", "build"]).code(1);
    hint.stderr_has("unknown docker command: \"compose compose.yaml\"")
        .stderr_has("a file is named by -f: `coracle compose -f compose.yaml …`");
    env.write("bare.yaml", "services:\n  web\n    image: alpine\n");
    let bare = env.run(["compose", "-f", "bare.yaml", "config"]).code(1);
    bare.stderr_has("bare.yaml:2:3: yaml: a colon is missing after \"web\"");
    down(env);
}

#[test]
fn ps_gives_an_object_for_each_line_and_knows_engines() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "name: t
x-run: &run {image: alpine, network_mode: none, init: true, command: sleep 1000}
services: {a: *run, b: *run}
",
    );
    env.run(["compose", "up", "-d"]).success();
    let lines = env.run(["compose", "ps", "--format", "json"]).success().lines();
    let names: Vec<String> = lines
        .iter()
        .map(|line| {
            let one: serde_json::Value = serde_json::from_str(line).expect("an object");
            assert_eq!(one["Engine"], "");
            one["Name"].as_str().expect("a name").to_owned()
        })
        .collect();
    assert_eq!(names, ["t-a-1", "t-b-1"]);
    assert!(!env.run(["compose", "ps"]).success().stdout().contains("ENGINE"));
    // From source: the label is what another engine's tools would set.
    env.write(
        "compose.yaml",
        "name: t
services:
  a:
    image: alpine
    network_mode: none
    init: true
    command: sleep 1000
    labels: {com.docker.compose.engine: far}
",
    );
    env.run(["compose", "up", "-d", "--remove-orphans", "-t", "0"]).success();
    let table = env.run(["compose", "ps"]).success().stdout();
    assert!(table.lines().next().is_some_and(|title| title.contains("ENGINE")), "{table}");
    env.run(["compose", "ps", "--format", "{{.Name}} {{.Engine}}"])
        .success()
        .stdout_is("t-a-1 far\n");
    // From source: the layout of the client's configuration counts where none is given.
    let folder = env.root().join("home/.docker");
    std::fs::create_dir_all(&folder).expect("a folder of ours");
    std::fs::write(folder.join("config.json"), r#"{"psFormat": "{{.Names}}!"}"#)
        .expect("a file of ours");
    env.run(["compose", "ps"]).success().stdout_is("t-a-1!\n");
    env.run(["compose", "ps", "--format", "table"]).success().stdout_has("ENGINE");
    env.run(["compose", "ps", "-q"]).success().stdout_has("");
    down(env);
}

#[test]
fn images_tell_when_they_were_made() {
    let env = TestEnv::new();
    env.write("Dockerfile", "FROM alpine\nLABEL a=b\n");
    env.write("compose.yaml", "services: {a: {build: ., network_mode: none, command: 'true'}}\n");
    env.sh("SOURCE_DATE_EPOCH=86400 docker build -q -t t-a . && docker compose -p t create")
        .success();
    let json = env.run(["compose", "-p", "t", "images", "--format", "json"]).success().json();
    assert_eq!(json[0]["Created"], "1970-01-02T00:00:00Z", "{json}");
    assert!(
        json[0]["LastTagTime"].as_str().is_some_and(|time| !time.starts_with("1970")),
        "{json}"
    );
    let table = env.run(["compose", "-p", "t", "images"]).success().stdout();
    assert!(table.trim_end().ends_with("years ago"), "{table}");
    // Gone behind the container's back: told as unknown, and no failure.
    env.run(["rmi", "-f", "t-a"]).success();
    let table = env.run(["compose", "-p", "t", "images"]).success().stdout();
    assert!(table.contains("t-a-1"), "{table}");
    down(env);
}

#[test]
fn run_builds_the_service_and_what_it_depends_on() {
    let env = TestEnv::new();
    for name in ["app", "db", "other"] {
        env.write(&format!("{name}.df"), format!("FROM alpine\nRUN echo building-{name}\n"));
    }
    env.write(
        "compose.yaml",
        "name: t
services:
  app: {build: {context: ., dockerfile: app.df}, network_mode: none, depends_on: [db], command: 'true'}
  db:
    build: {context: ., dockerfile: db.df}
    network_mode: none
    init: true
    command: sleep 1000
  other: {build: {context: ., dockerfile: other.df}, network_mode: none}
",
    );
    env.run(["compose", "run", "--build", "--rm", "-T", "app"]).success();
    env.run(["image", "inspect", "t-app", "t-db"]).success();
    env.run(["image", "inspect", "t-other"]).code(1);
    // With the flag what it depends on is built again, too; without it nothing that is there.
    env.write("db.df", "FROM alpine\nRUN echo building-db-anew\n");
    let id = |name: &str| env.run(["image", "inspect", "-f", "{{.Id}}", name]).success().stdout();
    let before = id("t-db");
    env.run(["compose", "run", "--rm", "-T", "app"]).success();
    assert_eq!(id("t-db"), before);
    env.run(["compose", "run", "--build", "--rm", "-T", "app"]).success();
    assert_ne!(id("t-db"), before);
    env.run(["compose", "run", "--build", "--no-deps", "--rm", "-T", "app"]).success();
    // `up` builds for all.
    env.run(["compose", "up", "-d"]).success();
    env.run(["image", "inspect", "t-other"]).success();
    down(env);
}

#[test]
fn progress_looks_at_standard_error() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "name: t\nservices: {a: {image: alpine, network_mode: none, command: 'true'}}\n",
    );
    // Output that goes elsewhere does not matter to what is drawn; an error output that does, does.
    let drawn = |redirect: &str| {
        let line = format!("coracle compose create --force-recreate {redirect}");
        let (code, text) = Terminal::shell(&env, &line).finish();
        assert_eq!(code, 0, "{text}");
        text
    };
    assert!(drawn("> out").contains("[+] "));
    assert!(!drawn("2> out").contains("[+] "));
    down(env);
}

#[test]
fn what_is_not_attached_is_not_shown_when_it_restarts() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "name: t
x-run: &run {image: alpine, network_mode: none, init: true, volumes: ['vol:/v']}
services:
  a:
    <<: *run
    depends_on: [b]
    command: sh -c 'until [ $$(wc -l < /v/x) -ge 3 ]; do sleep .1; done; echo a-line'
  b: {<<: *run, restart: on-failure, command: sh -c 'echo b-line; echo x >> /v/x; exit 1'}
volumes: {vol: {}}
",
    );
    let up = env.run(["compose", "up", "a"]).success();
    assert!(up.stdout().contains("a-line"), "{up}");
    for hidden in ["b-line", "b-1"] {
        assert!(!up.stdout().contains(hidden), "{up}");
    }
    down(env);
}

#[test]
fn exec_and_attach_leave_by_the_keys_of_the_client() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "name: t
services: {a: {image: alpine, network_mode: none, tty: true, stdin_open: true, command: sh}}
",
    );
    let folder = env.root().join("home/.docker");
    std::fs::create_dir_all(&folder).expect("a folder of ours");
    std::fs::write(folder.join("config.json"), r#"{"detachKeys": "ctrl-x,q"}"#)
        .expect("a file of ours");
    env.run(["compose", "up", "-d"]).success();
    let mut exec = env.terminal(["compose", "exec", "a", "sh"]);
    exec.expect_raw();
    exec.send("echo it-is-$((40 + 2))\n");
    exec.expect("it-is-42");
    exec.send("\x18q");
    assert_eq!(exec.finish().0, 0);
    let mut attached = env.terminal(["compose", "attach", "a"]);
    attached.expect_raw();
    attached.send("echo it-is-$((50 + 2))\n");
    attached.expect("it-is-52");
    attached.send("\x18q");
    assert_eq!(attached.finish().0, 0);
    env.run(["inspect", "-f", "{{.State.Running}}", "t-a-1"]).success().stdout_is("true\n");
    down(env);
}
