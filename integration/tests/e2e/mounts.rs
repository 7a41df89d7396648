//! Mounts: what a tmpfs takes over, what cannot be mounted over, sources that are gone.

use coracle_integration::TestEnv;

const NONE: [&str; 4] = ["run", "--rm", "--network", "none"];

#[test]
fn a_tmpfs_has_the_mode_and_the_owner_of_the_folder_it_covers() {
    let env = TestEnv::new();
    let script = "mkdir -p /run/srv/t && chown 8:12 /run/srv && chmod 2750 /run/srv";
    env.run(["run", "--name", "c1", "--network", "none", "alpine", "sh", "-c", script]).success();
    env.run(["commit", "c1", "own"]).success();
    env.run(["rm", "c1"]).success();
    let look = |options: &[&str], paths: &str| {
        let script = format!("stat -c '%a %u:%g %n' {paths}");
        env.run(NONE.iter().chain(options).chain(&["own", "sh", "-c", &script])).success().stdout()
    };
    let seen = look(
        &[
            "--tmpfs",
            "/run/srv",
            "--mount",
            "type=tmpfs,dst=/root",
            "--tmpfs",
            "/tmp",
            "--tmpfs",
            "/new",
        ],
        "/run/srv /root /tmp /new",
    );
    assert_eq!(seen, "2750 8:12 /run/srv\n700 0:0 /root\n1777 0:0 /tmp\n1777 0:0 /new\n");
    // What is asked for wins, each by itself.
    let asked = look(&["--tmpfs", "/run/srv:mode=711"], "/run/srv");
    assert_eq!(asked, "711 8:12 /run/srv\n");
    let asked = look(&["--tmpfs", "/run/srv:uid=5,gid=0"], "/run/srv");
    assert_eq!(asked, "2750 5:0 /run/srv\n");
    let asked = look(&["--mount", "type=tmpfs,dst=/root,tmpfs-mode=1777"], "/root");
    assert_eq!(asked, "1777 0:0 /root\n");
    // Below another mount it is that mount's folder.
    env.run(["volume", "create", "v1"]).success();
    let fill = ["-v", "v1:/data", "own", "sh", "-c", "mkdir -m 705 /data/t"];
    env.run(NONE.iter().chain(&fill)).success();
    assert_eq!(look(&["-v", "v1:/data", "--tmpfs", "/data/t"], "/data/t"), "705 0:0 /data/t\n");

    env.write(
        "compose.yaml",
        "services: {web: {image: own, network_mode: none, tmpfs: /run/srv}}\n",
    );
    env.run([
        "compose", "-p", "t", "run", "--rm", "-T", "web", "stat", "-c", "%a %u:%g", "/run/srv",
    ])
    .success()
    .stdout_is("2750 8:12\n");
    env.run(["compose", "-p", "t", "down"]).success();
    env.run(["volume", "rm", "v1"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_volume_in_memory_has_the_mode_of_the_folder_it_covers() {
    let env = TestEnv::new();
    let look = |options: &[&str]| {
        let words = ["volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs"];
        env.run(words.iter().chain(options).chain(&["v1"])).success();
        let words = ["-v", "v1:/root", "alpine", "stat", "-c", "%a %u", "/root"];
        let seen = env.run(NONE.iter().chain(&words)).success().stdout();
        env.run(["volume", "rm", "v1"]).success();
        seen
    };
    assert_eq!(look(&[]), "700 0\n");
    assert_eq!(look(&["--opt", "o=mode=711"]), "711 0\n");
    env.assert_nothing_left();
}

#[test]
fn entries_of_the_kernel_are_not_mounted_over() {
    let env = TestEnv::new();
    env.write("file", "mine\n");
    let file = env.work().join("file").display().to_string();
    let bind = |place: &str| {
        let volume = format!("{file}:{place}");
        env.run(NONE.iter().copied().chain(["-v", volume.as_str(), "alpine", "cat", place]))
    };
    for (place, why) in [
        ("/proc/foo", "\"/proc/foo\" cannot be mounted because it is inside /proc"),
        ("/proc/sys", "\"/proc/sys\" cannot be mounted because it is inside /proc"),
        ("/proc/sysrq-trigger", "cannot be mounted because it is inside /proc"),
        ("/proc", "\"/proc\" cannot be mounted because it is not of type proc"),
        ("/sys/foo", "make mountpoint \"/sys/foo\": operation not permitted"),
        ("/sys/kernel", "not a directory: Are you trying to mount a directory onto a file"),
    ] {
        let said = bind(place).code(125).stderr_has(why);
        let named = format!("error mounting \"{file}\" to rootfs at \"{place}\"");
        said.stderr_has(&named).stdout_is("");
        let words = ["--tmpfs", place, "alpine", "true"];
        let said = env.run(NONE.into_iter().chain(words));
        if place != "/sys/kernel" {
            said.code(125)
                .stderr_has(&format!("error mounting \"tmpfs\" to rootfs at \"{place}\""));
        }
    }
    // What lxcfs stands in for may be.
    bind("/proc/uptime").success().stdout_is("mine\n");
    env.assert_nothing_left();
}

#[test]
fn nothing_is_copied_to_a_folder_of_the_host() {
    let env = TestEnv::new();
    let words = ["-v", "/tmp:/m:nocopy", "alpine", "true"];
    env.run(NONE.into_iter().chain(words)).code(125).stderr_has(
        "invalid volume specification: '/tmp:/m:nocopy': invalid mount config for type \"bind\": \
         field VolumeOptions must not be specified",
    );
    env.assert_nothing_left();
}

#[test]
fn sources_of_binds_that_are_not_there() {
    let env = TestEnv::new();
    let gone = env.work().join("a/b").display().to_string();
    let volume = format!("{gone}:/m");
    let mount = format!("type=bind,src={gone},dst=/m");
    let missing = format!(
        "Error response from daemon: invalid mount config for type \"bind\": bind source path does not \
         exist: {gone}\n"
    );
    env.run(NONE.into_iter().chain(["--mount", &mount, "alpine", "true"]))
        .code(125)
        .stderr_has(&missing);
    env.run(NONE.into_iter().chain(["-v", &volume, "alpine", "ls", "-d", "/m"])).success();
    assert!(env.work().join("a/b").is_dir());
    // Gone between creation and start.
    let remove = || std::fs::remove_dir(&gone).expect("an empty folder of ours");
    let create = |option: &str, value: &str| {
        let words = ["create", "--name", "c1", "--network", "none", option, value];
        env.run(words.into_iter().chain(["alpine", "ls", "-d", "/m"])).success();
    };
    create("-v", &volume);
    remove();
    env.run(["start", "-a", "c1"]).success().stdout_is("/m\n");
    env.run(["rm", "c1"]).success();
    create("--mount", &mount);
    remove();
    env.run(["start", "c1"]).code(1).stderr_has(&missing);
    env.run(["rm", "c1"]).success();
    // Where the user may not make it.
    if !rustix::process::geteuid().is_root() {
        env.run(NONE.into_iter().chain(["-v", "/nosuch/a:/m", "alpine", "true"])).code(125).stderr_has(
            "error while creating mount source path '/nosuch/a': mkdir /nosuch: permission denied",
        );
    }
    env.assert_nothing_left();
}

#[test]
fn what_the_kernel_does_not_take_is_told_with_its_place() {
    let env = TestEnv::new();
    env.write("dir/file", "");
    let dir = format!("{}/dir", env.work().display());
    let words = "Error response from daemon: failed to create task for container: ";
    let refused = |options: &[&str], why: &str| {
        env.run(NONE.iter().chain(options).chain(&["alpine", "true"]))
            .code(125)
            .stderr_has(&format!("{words}{why}"));
    };
    let tmpfs = "error mounting \"tmpfs\" to rootfs at ";
    let kind = "not a directory: Are you trying to mount a directory onto a file";
    refused(&["--tmpfs", "/etc/passwd"], &format!("{tmpfs}\"/etc/passwd\": {kind}"));
    let mount = "type=tmpfs,dst=/etc/passwd";
    refused(&["--mount", mount], &format!("{tmpfs}\"/etc/passwd\": {kind}"));
    let below =
        "\"/etc/passwd/x\": make mountpoint \"/etc/passwd/x\": \"/etc/passwd\" is not a directory";
    refused(&["--tmpfs", "/etc/passwd/x"], &format!("{tmpfs}{below}"));
    refused(
        &["-v", &format!("{dir}:/etc/passwd/x")],
        &format!("error mounting \"{dir}\" to rootfs at {below}"),
    );
    for option in ["size=much", "mode=9", "uid=nobody"] {
        let why = format!("{tmpfs}\"/x\": mount option {option}: invalid argument");
        refused(&["--tmpfs", &format!("/x:{option}")], &why);
    }
    // What lies in another mount is that mount's.
    env.run(NONE.iter().chain(&["--tmpfs", "/etc", "--tmpfs", "/etc/passwd", "alpine", "true"]))
        .success();
    refused(&["--sysctl", "net.nosuch=1"], "open /proc/sys/net/nosuch: no such file or directory");
    let much = "write /proc/sys/net/core/somaxconn: \"99999999999\" is refused";
    refused(&["--sysctl", "net.core.somaxconn=99999999999"], much);
    env.assert_nothing_left();
}
