//! Devices: `--privileged` without root, and the forms of `--device`.

use coracle_integration::TestEnv;

/// Nodes that every container has of its own.
const OWN: &str = "! -path '/dev/pts/*' ! -name console ! -name full ! -name null ! -name ptmx \
                   ! -name random ! -name tty ! -name urandom ! -name zero";

#[test]
fn a_privileged_container_has_what_the_user_may_open() {
    let env = TestEnv::new();
    let nodes = |test: &str| {
        format!("find /dev \\( -type c -o -type b \\) {OWN} {test} 2>/dev/null | sort")
    };
    let open = env.sh(&nodes("\\( -readable -o -writable \\)")).success().lines();
    let all = env.sh(&nodes("")).success().lines();
    let words = ["run", "--rm", "--network", "none", "--privileged", "alpine", "sh", "-c"];
    let run = env.run(words.into_iter().chain([nodes("").as_str()])).success();
    assert_eq!(run.lines(), open);
    let said = run.stderr();
    if open.len() == all.len() {
        assert_eq!(said, "");
    } else {
        let left_out = format!("; {} of the host are left out (", all.len() - open.len());
        assert!(
            said.starts_with("WARNING: --privileged shows the devices that this user may open")
        );
        assert!(said.contains(&left_out) && said.lines().count() == 1, "{said}");
    }
    env.assert_nothing_left();
}

#[test]
fn a_device_that_is_named_is_there_in_a_privileged_container_too() {
    let env = TestEnv::new();
    let words = ["run", "--rm", "--network", "none", "--device", "/dev/null:/dev/mine"];
    for privileged in [[].as_slice(), &["--privileged"]] {
        let script = "echo x > /dev/mine && stat -c '%F %t:%T' /dev/mine";
        let command = ["alpine", "sh", "-c", script];
        env.run(words.iter().chain(privileged).chain(&command))
            .success()
            .stdout_is("character special file 1:3\n");
    }
    env.assert_nothing_left();
}

#[test]
fn the_forms_of_device() {
    let env = TestEnv::new();
    let run = |device: &str, script: &str| {
        env.run([
            "run",
            "--rm",
            "--network",
            "none",
            "--device",
            device,
            "alpine",
            "sh",
            "-c",
            script,
        ])
    };
    for (device, path) in [
        ("/dev/zero", "/dev/zero"),
        ("/dev/zero:rwm", "/dev/zero"),
        ("/dev/zero:/dev/y", "/dev/y"),
        ("/dev/zero:/dev/y:rw", "/dev/y"),
    ] {
        let script = format!("stat -c %t:%T {path}");
        run(device, &script).success().stdout_is("1:5\n").stderr_is("");
    }
    // A right that cannot be taken away is not taken away silently.
    run("/dev/zero:/dev/y:r", "test -c /dev/y").success().stderr_has("takes no right away");
    for (device, why) in [
        ("x", "x is not an absolute path"),
        ("/dev/zero:y", "y is not an absolute path"),
        (":/dev/y", "bad format for path: :/dev/y"),
        ("/dev/zero:/dev/y:rx", "bad mode specified: rx"),
        ("/dev/zero:/dev/y:r:w", "bad format for path: /dev/zero:/dev/y:r:w"),
        ("/dev/nosuch", "error gathering device information while adding custom device"),
        (
            "vendor.com/gpu=all",
            "CDI device injection failed: unresolvable CDI devices vendor.com/gpu=all",
        ),
    ] {
        let said = run(device, "true");
        assert!([125, 127].contains(&said.status()), "{said}");
        said.stderr_has(why).stdout_is("");
    }
    env.assert_nothing_left();
}
