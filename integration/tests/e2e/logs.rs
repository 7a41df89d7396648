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
