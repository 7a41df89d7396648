//! What is said when something cannot be had: the cause, and what to do.

use coracle_integration::TestEnv;

const SHELLS: &str = "hint: the shells in this container: ash, sh, busybox\n";

#[test]
fn a_shell_that_is_missing_is_told_with_those_that_are_there() {
    let env = TestEnv::new();
    env.run(["run", "-d", "--name", "c1", "--network", "none", "alpine", "sleep", "1000"])
        .success();
    let failed = "OCI runtime exec failed: exec failed: unable to start container process: ";
    env.run(["exec", "c1", "bash"])
        .code(127)
        .stderr_is(SHELLS)
        .stdout_is(&format!("{failed}exec: \"bash\": executable file not found in $PATH\r\n"));
    env.run(["exec", "c1", "/bin/zsh"]).code(127).stderr_is(SHELLS).stdout_is(&format!(
        "{failed}exec: \"/bin/zsh\": stat /bin/zsh: no such file or directory\r\n"
    ));
    // Any other program: nothing is known about it.
    env.run(["exec", "c1", "nosuch"]).code(127).stderr_is("");
    env.run(["rm", "-f", "c1"]).success();
    env.run(["run", "--rm", "--network", "none", "alpine", "bash"])
        .code(127)
        .stderr_has("exec: \"bash\": executable file not found in $PATH\n")
        .stderr_has(SHELLS);
    env.write("compose.yaml", "services: {web: {image: alpine, network_mode: none, init: true, command: [sleep, '1000']}}\n");
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    env.run(["compose", "-p", "t", "exec", "-T", "web", "bash"]).code(127).stderr_has(SHELLS);
    env.run(["compose", "-p", "t", "down", "-t", "0"]).success();
    // An image with nothing but a program.
    env.run(["run", "--rm", "--network", "none", "--entrypoint", "sh", "coracle.local/hello"])
        .code(127)
        .stderr_has("hint: there is no shell in this container\n");
    env.assert_nothing_left();
}

#[test]
fn the_file_for_the_id_is_there_only_with_a_container() {
    let env = TestEnv::new();
    let run = |file: &str, image: &str| {
        env.run([
            "run",
            "--rm",
            "--pull",
            "never",
            "--network",
            "none",
            "--cidfile",
            file,
            image,
            "true",
        ])
    };
    env.write("old", "x");
    run("old", "alpine").code(125).stderr_has(
        "container ID file found, make sure the other container isn't running or delete old",
    );
    assert_eq!(std::fs::read_to_string(env.work().join("old")).expect("our file"), "x");
    run("no/such", "alpine").code(125).stderr_has(
        "failed to create the container ID file: open no/such: no such file or directory",
    );
    // No container came of it.
    run("id", "nosuch").code(125).stderr_has("No such image: nosuch");
    assert!(!env.work().join("id").exists());
    env.run(["create", "--cidfile", "id", "--name", "c1", "-v", "/x:/", "alpine"]).code(125);
    assert!(!env.work().join("id").exists());
    run("id", "alpine").success();
    let id = std::fs::read_to_string(env.work().join("id")).expect("the id");
    assert!(id.len() == 64 && !id.ends_with('\n'), "{id:?}");
    env.assert_nothing_left();
}

#[test]
fn names_of_the_host_are_not_set() {
    let env = TestEnv::new();
    for (option, what) in [("--domainname", "domainname"), ("--hostname", "hostname")] {
        env.run(["run", "--rm", "--uts", "host", option, "x", "alpine", "true"])
            .code(125)
            .stderr_has(&format!("conflicting options: {what} and the UTS mode"));
    }
    env.assert_nothing_left();
}
