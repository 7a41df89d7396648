//! `logs` and the log drivers.

use coracle_integration::{TestEnv, recorded};

recorded! {
    "logs.md":
    logs = "logs",
    the_json_file_on_disk = "The json-file on disk",
    following_options_rotation = "Following, options, rotation",
    log_drivers = "Log drivers",
}

#[test]
fn times_of_every_form() {
    let env = TestEnv::new().with("TZ", "UTC");
    env.run(["run", "--name", "l1", "--network", "none", "alpine", "echo", "on"]).success();
    for (flags, shown) in [
        ("--since 2024-01-01T00:00:00,5", true),
        ("--since 2024-01-01T00:00:00,5Z", true),
        ("--until 2024-01-01T00:00:00,5Z", false),
        ("--since 2024-01-01T00", true),
        ("--until 2024-01-01T00:00+01:00", false),
        ("--since 2024-01-01T07Z", true),
        ("--since 0", true),
        ("--until 0", true),
        ("--since ''", true),
        ("--until 1700000000.123456789123", false),
    ] {
        let wanted = if shown { "on\n" } else { "" };
        env.sh(&format!("docker logs {flags} l1")).success().stdout_is(wanted).stderr_is("");
        if !flags.ends_with(" 0") && !flags.ends_with("''") {
            let line = format!("docker events {flags} --until 0s --filter event=create | wc -l");
            env.sh(&line).success();
        }
    }
    for (text, why) in [
        ("2024-13-01", "parsing time \"2024-13-01\": month out of range"),
        ("2024-01-01 00:00:00", "parsing time \"2024-01-01 00:00:00\": extra text: \" 00:00:00\""),
        ("1700000000,5", "failed to parse value as time or duration: \"1700000000,5\""),
    ] {
        env.run(["logs", "--since", text, "l1"])
            .code(1)
            .stderr_is(&format!("invalid value for \"since\": {why}\n"));
        env.run(["events", "--since", text]).code(1).stderr_is(&format!("{why}\n"));
    }
    // An age of nothing prunes nothing: it is the beginning of 1970.
    env.run(["container", "prune", "-f", "--filter", "until=0"]).success();
    env.sh("docker ps -aq | wc -l").stdout_is("1\n");
    env.run(["rm", "l1"]).success();
    env.assert_nothing_left();
}

#[test]
fn large_logs_are_shown_and_warned_of() {
    let env = TestEnv::new();
    let run = "docker run --network none --name";
    env.sh(&format!("{run} big alpine echo on && {run} small alpine echo on")).success();
    let table = env.sh("docker system df | head -5").success().stdout();
    let path = env.sh("docker inspect -f '{{.LogPath}}' big").success().stdout();
    let log = std::fs::OpenOptions::new().write(true).open(path.trim()).expect("a log");
    let grow = |bytes| log.set_len(bytes).expect("a file without blocks");
    let warnings = |command: &str| env.sh(command).success().stderr();

    grow(1_000_000_000);
    for command in ["docker info", "docker ps -as"] {
        assert!(!warnings(command).contains("the log of"), "{command}");
    }
    grow(1_500_000_000);
    std::fs::write(format!("{}.1", path.trim()), vec![b'x'; 1000]).expect("a rotated file");
    for command in ["docker info", "docker ps -as"] {
        let said = warnings(command);
        assert!(said.contains("the log of container big takes 1.5GB"), "{command}: {said}");
        assert!(said.contains("max-size") && !said.contains("small"), "{command}: {said}");
    }
    assert_eq!(warnings("docker ps -a"), "");

    // Docker's table is what it was, and templates print nothing else.
    env.sh("docker system df | head -5").stdout_is(&table);
    env.sh("docker system df").stdout_has("\n\nLogs of containers, not counted above: 1.5GB\n");
    env.sh("docker system df --format '{{.Type}}' | wc -l").stdout_is("4\n");
    env.sh("docker system df -v | sed -n '/^Logs space usage:/,$p' | grep -c -E '1.5GB +big$'")
        .stdout_is("1\n");
    env.run(["rm", "big", "small"]).success();
    env.sh("docker system df | grep -c Logs").stdout_is("0\n");
    env.assert_nothing_left();
}

#[test]
fn log_options_of_the_settings_hold_for_compose_too() {
    let env = TestEnv::new();
    let settings = env.write(
        "settings.json",
        r#"{"log-driver": "json-file", "log-opts": {"max-size": "2k", "max-file": "2"}}"#,
    );
    let env = env.with("CORACLE_CONFIG", settings.to_str().expect("our path"));
    env.write(
        "compose.yaml",
        "services:\n  a: {image: alpine, network_mode: none, command: seq 1000}\n  \
         own: {image: alpine, network_mode: none, logging: {driver: local}}\n",
    );
    let wanted = "json-file map[max-file:2 max-size:2k]\n";
    let form = "{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Config}}";
    let shows = |name: &str| env.run(["inspect", "-f", form, name]).success().stdout();
    env.sh("docker compose -p t create").success();
    assert_eq!(shows("t-a-1"), wanted);
    assert_eq!(shows("t-own-1"), "local map[]\n");
    env.sh("docker compose -p t run --name once a seq 1000").success();
    assert_eq!(shows("once"), wanted);
    env.sh("docker create --name plain --network none alpine seq 1000").success();
    assert_eq!(shows("plain"), wanted);
    env.sh("docker start -a plain && docker compose -p t up a").success();
    for name in ["t-a-1", "once", "plain"] {
        let path = env.run(["inspect", "-f", "{{.LogPath}}", name]).success().stdout();
        let files = env.sh(&format!("wc -c {}* | wc -l", path.trim())).success().stdout();
        assert_eq!(files, "3\n", "{name}: two files and their sum");
        env.sh(&format!("test $(cat {}* | wc -c) -lt 5000", path.trim())).success();
    }
    env.sh("docker rm plain once && docker compose -p t down").success();
    env.assert_nothing_left();
}

#[test]
fn drivers_and_options_are_looked_at_before_anything_is_made() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services: {web: {image: alpine, network_mode: none, logging: {driver: journald}}}\n",
    );
    let words = "logging driver \"journald\" is not supported";
    env.sh("docker run --log-driver journald alpine true")
        .code(125)
        .stderr_has(words)
        .stderr_has("hint: logs are files here (json-file, local): `coracle logs -f NAME | systemd-cat -t NAME`");
    env.sh("docker compose -p t create").code(1).stderr_has(words);
    env.sh("docker create --log-opt mode=odd alpine true")
        .code(125)
        .stderr_has("logger: logging mode not supported: odd");
    assert!(env.containers().is_empty());
    env.sh(
        "docker run --rm --network none --log-driver '' --log-opt labels-regex=^a alpine echo hi",
    )
    .success()
    .stdout_is("hi\n");
    env.assert_nothing_left();
}
