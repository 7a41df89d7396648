//! Whose files are whose: folders of the user's, programs that are not root, and `unshare`.

use coracle_integration::TestEnv;

#[test]
fn a_folder_that_the_program_cannot_write_is_told_before_it_fails() {
    let env = TestEnv::new();
    let touch = "alpine sh -c 'touch /app/x 2> /dev/null && echo wrote || echo could not'";
    let run = |flags: &str| env.sh(&format!("docker run --rm --network none {flags} {touch}"));
    env.sh("mkdir app && chmod 755 app").success();
    let told = run("-u 1000:1001 -v $PWD/app:/app").success().stdout_is("could not\n");
    let app = env.work().join("app").display().to_string();
    let expected = format!(
        "user 1000 of the container cannot write to /app: {app} is yours, and you are root in there. \
         Use `-u 0`, or give it away: `coracle unshare chown 1000:1001 {app}`"
    );
    assert!(told.stderr().trim_end().ends_with(&expected), "{told}");
    assert_eq!(told.stderr().lines().count(), 1, "{told}");
    env.sh("docker run -d --network none --name c1 -u nobody -v $PWD/app:/app alpine sleep 1000")
        .success()
        .stderr_has("cannot write to /app");
    env.sh("docker rm -f c1").success();
    // Only where it is so.
    for flags in ["-v $PWD/app:/app", "-u 0 -v $PWD/app:/app", "-u 0:5 -v $PWD/app:/app"] {
        run(flags).success().stdout_is("wrote\n").stderr_is("");
    }
    run("-u 1000 -v $PWD/app:/app:ro").success().stdout_is("could not\n").stderr_is("");
    run("-u 1000 -v vol:/app").success().stderr_is("");
    env.sh("rm app/x; chmod 777 app; docker volume rm vol").success();
    run("-u 1000 -v $PWD/app:/app").success().stdout_is("wrote\n").stderr_is("");
    // What it says helps.
    env.sh(&format!(
        "chmod 755 app; coracle unshare rm app/x && coracle unshare chown 1000:1001 {app}"
    ))
    .success();
    run("-u 1000:1001 -v $PWD/app:/app").success().stdout_is("wrote\n").stderr_is("");
    env.sh("rm -rf app 2> /dev/null || echo not mine; coracle unshare rm -r app; ls -d app 2> /dev/null || echo gone")
        .success()
        .stdout_is("not mine\ngone\n");
    env.assert_nothing_left();
}

#[test]
fn unshare_runs_a_command_as_root_of_the_users_namespaces() {
    let env = TestEnv::new();
    let ours = env.sh("coracle unshare sh -c 'id -u; pwd; touch file; stat -c %u file'").success();
    ours.stdout_is("0\n$ROOT/work\n0\n");
    env.sh("test -O file && umask 077 && coracle unshare sh -c 'umask; exit 7'")
        .code(7)
        .stdout_is("0077\n");
    env.sh("coracle unshare -- printf '%s|' -a --help 'b c'").success().stdout_is("-a|--help|b c|");
    env.sh("coracle unshare printf %s --help").success().stdout_is("--help");
    env.sh("coracle unshare nosuch-program").code(127).stderr_has("cannot run nosuch-program");
    env.sh("coracle unshare $PWD").code(126).stderr_has("cannot run");
    env.sh("echo 'echo $0; id -u' | SHELL=/bin/sh coracle unshare")
        .success()
        .stdout_is("/bin/sh\n0\n");
    // The same namespaces as a container that runs, and its files.
    env.sh("docker run -d --network none --name c1 -u 1000 -v vol:/v alpine sleep 1000").success();
    let data = "$(docker volume inspect -f '{{.Mountpoint}}' vol)";
    env.sh(&format!("coracle unshare sh -c 'echo told > '{data}'/file; chown 1000 '{data}'/file'"))
        .success();
    env.sh("docker exec c1 sh -c 'echo more >> /v/file; cat /v/file'")
        .success()
        .stdout_is("told\nmore\n");
    env.sh("docker rm -f c1; docker volume rm vol").success();
    env.assert_nothing_left();
}

#[test]
fn ids_are_not_kept_and_it_is_said_why() {
    let env = TestEnv::new();
    for mode in ["keep-id", "keep-id:uid=5,gid=5"] {
        env.sh(&format!("docker run --rm --userns {mode} alpine true"))
            .code(125)
            .stderr_has(&format!("user namespace mode {mode}: not supported: "))
            .stderr_has("what it writes is yours");
    }
    env.sh("docker run --rm --network none --userns host alpine echo ran")
        .success()
        .stdout_is("ran\n");
    env.sh("docker run --rm --userns=bogus alpine true")
        .code(125)
        .stderr_has("--userns: invalid USER mode");
    let file =
        "services: {a: {image: alpine, command: 'true', network_mode: none, userns_mode: MODE}}";
    for (mode, told) in
        [("keep-id", "not supported: "), ("bogus", "invalid user namespace mode: bogus")]
    {
        env.write("compose.yaml", file.replace("MODE", mode));
        env.sh("docker compose up -d").code(1).stderr_has(told);
        env.sh("docker compose down").success();
    }
    env.assert_nothing_left();
}
