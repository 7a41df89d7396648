//! `~/.docker/config.json`: every key that Docker's client reads has its effect, or is told of.

use std::os::unix::fs::PermissionsExt;

use coracle_integration::{
    TestEnv,
    registry::{Door, Registry},
    skip,
    skip::program,
};

fn config(env: &TestEnv, text: &str) {
    let folder = env.root().join("home/.docker");
    std::fs::create_dir_all(&folder).expect("a folder of ours");
    std::fs::write(folder.join("config.json"), text).expect("a file of ours");
}

/// A stopped container, a network and a volume, each once with the label and once without.
fn unused_things(env: &TestEnv) {
    env.sh("docker create --name kept --label keep=1 alpine >/dev/null
         docker create --name gone alpine >/dev/null
         docker network create --label keep=1 kept-n >/dev/null
         docker network create gone-n >/dev/null
         docker volume create --label keep=1 kept-v >/dev/null
         docker volume create gone-v >/dev/null")
        .success();
}

#[test]
fn prune_filters_keep_what_they_name() {
    let env = TestEnv::new();
    config(&env, r#"{"pruneFilters": ["label!=keep=1"]}"#);
    unused_things(&env);
    for line in ["container prune -f", "network prune -f", "volume prune -af"] {
        let said = env.sh(&format!("docker {line}")).success().stdout();
        assert!(!said.contains("kept"), "{line}: {said}");
    }
    env.sh("docker ps -a --format '{{.Names}}'").stdout_is("kept\n");
    env.sh("docker network ls --filter type=custom --format '{{.Name}}'").stdout_has("kept-n");
    env.sh("docker volume ls -q").stdout_is("kept-v\n");
    // All kinds at once, and the question says what filters there are.
    env.sh("docker system prune -a --volumes")
        .success()
        .stdout_has("  Items to be pruned will be filtered with:\n  - label!=keep=1\n");
    env.sh("docker system prune -f --volumes").success();
    env.sh("docker ps -a --format '{{.Names}}'").stdout_is("kept\n");
    env.sh("docker network ls --filter type=custom --format '{{.Name}}'").stdout_is("kept-n\n");
    // The command line says the contrary, and wins.
    env.sh("docker container prune -f --filter label=keep=1").success();
    env.sh("docker ps -aq").stdout_is("");
    env.sh("docker network rm kept-n; docker volume rm kept-v").success();
    env.assert_nothing_left();
}

#[test]
fn prune_filters_that_do_not_fit_are_refused_before_anything_goes() {
    let env = TestEnv::new();
    config(&env, r#"{"pruneFilters": ["until=24h"]}"#);
    unused_things(&env);
    env.sh("docker container prune -f").success();
    env.sh("docker ps -aq | wc -l").stdout_is("2\n");
    env.sh("docker system prune -f --volumes")
        .code(1)
        .stderr_is("ERROR: The \"until\" filter is not supported with \"--volumes\"\n");
    env.sh("docker volume prune -f").code(1).stderr_has("until");
    env.sh("docker ps -aq | wc -l").stdout_is("2\n");
    config(&env, "{}");
    env.sh("docker system prune -f --volumes --filter until=1h")
        .code(1)
        .stderr_is("ERROR: The \"until\" filter is not supported with \"--volumes\"\n");
    env.sh("docker rm kept gone; docker network prune -f; docker volume prune -af").success();
    env.assert_nothing_left();
}

const PROXIES: &str = r#"{"proxies": {
    "default": {"httpProxy": "http://p:3128", "noProxy": "localhost"},
    "tcp://far:2375": {"httpProxy": "http://other:1"}
}}"#;

#[test]
fn proxies_are_variables_of_new_containers() {
    let env = TestEnv::new();
    config(&env, PROXIES);
    let show = "env | grep -i _proxy | sort";
    env.sh(&format!("docker run --rm --network none alpine sh -c '{show}'"))
        .success()
        .stdout_is(
            "HTTP_PROXY=http://p:3128\nNO_PROXY=localhost\nhttp_proxy=http://p:3128\nno_proxy=localhost\n",
        );
    // `-e` wins, also one that takes a variable away; files of variables lose.
    env.write("vars", "NO_PROXY=file\n");
    env.sh(&format!(
        "docker run --rm --network none -e http_proxy=mine -e HTTP_PROXY --env-file vars alpine sh -c '{show}'"
    ))
    .success()
    .stdout_is("NO_PROXY=localhost\nhttp_proxy=mine\nno_proxy=localhost\n");
    env.run(["create", "--name", "c1", "alpine", "true"]).success();
    let inspect = ["inspect", "-f", "{{json .Config.Env}}", "c1"];
    env.run(inspect).success().stdout_has(r#""http_proxy=http://p:3128""#);
    // An `exec` gets the container's.
    config(&env, "{}");
    env.sh("docker run --rm --network none alpine env | grep -ci proxy").stdout_is("0\n");
    env.run(["rm", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn proxies_of_this_engine_win_over_the_usual_ones_and_compose_has_them_too() {
    let env = TestEnv::new();
    let own = format!("unix://{}", env.root().join("run/coracle/docker.sock").display());
    config(
        &env,
        &format!(
            r#"{{"proxies": {{"{own}": {{"allProxy": "socks5://own"}}, "default": {{"ftpProxy": "no"}}}}}}"#
        ),
    );
    env.write(
        "compose.yaml",
        "services:
  a: {image: alpine, network_mode: none, command: env, environment: {all_proxy: mine}}
",
    );
    env.run(["compose", "-p", "t", "up"]).success();
    let said = env.run(["logs", "t-a-1"]).success().stdout();
    assert!(said.contains("ALL_PROXY=socks5://own\n"), "{said}");
    assert!(said.contains("all_proxy=mine\n"), "{said}");
    assert!(!said.to_lowercase().contains("ftp_proxy"), "{said}");
    // They are no part of the service: nothing is made anew when they change.
    config(&env, PROXIES);
    env.run(["compose", "-p", "t", "up", "--no-start"]).success();
    env.run(["logs", "t-a-1"]).success().stdout_has("socks5://own");
    env.run(["compose", "-p", "t", "run", "--rm", "a"]).success().stdout_has("http://p:3128");
    env.run(["compose", "-p", "t", "down"]).success();
    env.assert_nothing_left();
}

#[test]
fn detach_keys_of_the_file_leave_sessions() {
    let env = TestEnv::new();
    config(&env, r#"{"detachKeys": "ctrl-x,q"}"#);
    let mut terminal =
        env.terminal(["run", "--network", "none", "-it", "--name", "d1", "alpine", "sh"]);
    terminal.expect("# ");
    // The usual keys are ordinary ones now.
    terminal.send("\u{10}\u{11}echo o''n\n");
    terminal.expect("on");
    terminal.send("\u{18}q");
    assert_eq!(terminal.finish().0, 0);
    for command in [&["attach", "d1"][..], &["exec", "-it", "d1", "sh"]] {
        let mut terminal = env.terminal(command);
        terminal.expect_raw();
        terminal.send("echo he''re\n");
        terminal.expect("here");
        terminal.send("\u{18}q");
        assert_eq!(terminal.finish().0, 0, "{command:?}");
    }
    // The flag wins.
    let mut terminal = env.terminal(["attach", "--detach-keys", "ctrl-a", "d1"]);
    terminal.expect_raw();
    terminal.send("\u{1}");
    assert_eq!(terminal.finish().0, 0);
    env.wait_status("d1", "running");
    env.run(["rm", "-f", "d1"]).success();
    config(&env, r#"{"detachKeys": "ctrl-xx"}"#);
    env.run(["run", "--rm", "alpine", "true"]).code(1).stderr_has("nvalid detach keys");
    env.assert_nothing_left();
}

#[test]
fn formats_of_lists() {
    let env = TestEnv::new();
    config(
        &env,
        r#"{"psFormat": "table {{.Names}}", "imagesFormat": "{{.Repository}}!",
            "networksFormat": "{{.Name}}!", "volumesFormat": "{{.Name}}!", "statsFormat": "{{.Name}}!"}"#,
    );
    env.sh("docker create --name c1 alpine; docker volume create v1").success();
    env.sh("docker ps -a").success().stdout_is("NAMES\nc1\n");
    env.sh("docker ps -aq").success().stderr_is("");
    env.sh("docker ps -a --format '{{.Names}}?'").stdout_is("c1?\n");
    env.sh("docker images alpine").success().stdout_is("alpine!\n");
    env.sh("docker network ls --filter name=none").success().stdout_is("none!\n");
    env.sh("docker volume ls").success().stdout_is("v1!\n");
    env.sh("docker stats -a --no-stream").success().stdout_is("c1!\n");
    env.sh("docker compose stats --help").success();
    env.sh("docker rm c1; docker volume rm v1").success();
    env.assert_nothing_left();
}

#[test]
fn a_broken_file_is_told_of_and_passed_over() {
    let env = TestEnv::new();
    config(&env, r#"{"psFormat": "#);
    let said = env.run(["run", "--rm", "--network", "none", "alpine", "echo", "on"]).success();
    let said = said.stdout_is("on\n").stderr();
    assert!(said.starts_with("WARNING: Error parsing config file ("), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let file = env.root().join("home/.docker/config.json");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::read(&file).is_err() {
        env.run(["ps"]).success().stderr_has("WARNING: Error loading config file: open ");
    }
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    // What would be written over stays as it is.
    env.run(["login", "-u", "a", "-p", "b", "127.0.0.1:1"]).code(1);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), r#"{"psFormat": "#);
    env.assert_nothing_left();
}

#[test]
fn keys_without_a_use_here_are_told_by_info() {
    let env = TestEnv::new();
    config(&env, r#"{"HttpHeaders": {"X-A": "b"}, "plugins": {"x": {"y": "z"}}, "aliases": {}}"#);
    let info = env.run(["info"]).success();
    let said = info.stderr();
    assert!(said.contains("HttpHeaders in Docker's config.json is not used: "), "{said}");
    assert!(said.contains("plugins in Docker's config.json is not used: "), "{said}");
    assert!(!said.contains("aliases"), "{said}");
    env.assert_nothing_left();
}

#[test]
fn a_helper_that_is_missing_or_fails_does_not_stop_what_is_public() {
    if program("docker-registry").is_none() {
        skip!("docker-registry is not installed");
    }
    let env = TestEnv::new();
    let registry = Registry::start(&env, Door::Plain);
    let name = registry.name("pub/alpine:1");
    env.run(["tag", "alpine", &name]).success();
    env.run(["push", "-q", &name]).success();
    let helper = env.root().join("bin/docker-credential-sick");
    std::fs::write(&helper, "#!/bin/sh\necho keychain is locked; exit 3\n").unwrap();
    std::fs::set_permissions(&helper, PermissionsExt::from_mode(0o755)).unwrap();
    let missing = "cannot run the credential helper `docker-credential-gone`: ";
    let sick = "error getting credentials - err: exit status: 3, out: `keychain is locked`";
    for (text, why) in [
        (r#"{"credsStore": "gone"}"#.to_owned(), missing),
        (r#"{"credsStore": "sick"}"#.to_owned(), sick),
        (format!(r#"{{"credHelpers": {{"{}": "gone"}}}}"#, registry.address()), missing),
    ] {
        config(&env, &text);
        let warned = format!("WARNING: {why}");
        env.run(["rmi", &name]).success();
        env.run(["pull", &name]).success().stderr_has(&warned).stderr_has("going on without");
        env.run(["rmi", &name]).success();
        let run = ["run", "--rm", "--network", "none", &name, "echo", "on"];
        env.run(run).success().stdout_is("on\n").stderr_has(&warned);
    }
    env.run(["rmi", &name]).success();
    env.write("compose.yaml", format!("services: {{a: {{image: '{name}', command: 'true'}}}}\n"));
    env.run(["compose", "-p", "t", "pull"]).success().stderr_has(missing);
    env.run(["push", "-q", &name]).success().stderr_has(missing);
    env.assert_nothing_left();
}

#[test]
fn a_helper_that_hangs_is_named_and_passed_over() {
    if program("docker-registry").is_none() {
        skip!("docker-registry is not installed");
    }
    let env = TestEnv::new();
    let registry = Registry::start(&env, Door::Plain);
    let image = registry.name("public:1");
    env.run(["tag", "alpine", &image]).success();
    env.run(["push", "-q", &image]).success();
    let helper = env.root().join("bin/docker-credential-deaf");
    std::fs::write(&helper, "#!/bin/sh\nexec sleep 1000\n").expect("a file of ours");
    std::fs::set_permissions(&helper, PermissionsExt::from_mode(0o755)).expect("chmod of ours");
    config(&env, r#"{"credsStore": "deaf"}"#);
    env.run(["pull", "-q", &image]).success().stderr_has(
        "the credential helper `docker-credential-deaf` did not answer within 30 seconds",
    );
    env.run(["rmi", &image]).success();
    env.assert_nothing_left();
}
