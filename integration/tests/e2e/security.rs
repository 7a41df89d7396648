//! Safe by default: what a container can see of itself is what Docker grants, and no more.

use coracle_integration::TestEnv;

/// The fields of `/proc/self/status` that say what a process may do.
#[test]
fn capabilities_and_seccomp_are_dockers() {
    let env = TestEnv::new();
    let script = "grep -E '^(Cap|NoNewPrivs|Seccomp)' /proc/self/status";
    env.run(["run", "--rm", "--network", "none", "alpine", "sh", "-c", script])
        .success()
        .stdout_is(
            "CapInh:\t0000000000000000\n\
         CapPrm:\t00000000a80425fb\n\
         CapEff:\t00000000a80425fb\n\
         CapBnd:\t00000000a80425fb\n\
         CapAmb:\t0000000000000000\n\
         NoNewPrivs:\t0\n\
         Seccomp:\t2\n\
         Seccomp_filters:\t1\n",
        );
    env.assert_nothing_left();
}

#[test]
fn masked_and_read_only_paths_are_dockers() {
    let env = TestEnv::new();
    let script =
        r#"awk '$5 ~ /^\/(proc|sys)/ {print $5, substr($6, 1, 2)}' /proc/self/mountinfo | sort"#;
    let seen = env
        .run(["run", "--rm", "--network", "none", "alpine", "sh", "-c", script])
        .success()
        .lines();
    for path in ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/sys"] {
        assert!(seen.contains(&format!("{path} ro")), "{path} is not read-only: {seen:?}");
    }
    // What the kernel does not have needs no mask.
    let masked = [
        "/proc/acpi",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ];
    let script =
        "for p in $*; do [ -e $p ] || continue; [ -d $p ] && ls -A $p || cat $p; done | wc -c";
    let args = ["run", "--rm", "--network", "none", "alpine", "sh", "-c", script, "sh"];
    env.run(args.iter().chain(&masked)).success().stdout_is("0\n");
    for path in masked.iter().filter(|path| std::path::Path::new(path).exists()) {
        assert!(
            seen.iter().any(|line| line.starts_with(&format!("{path} "))),
            "{path} is not masked: {seen:?}"
        );
    }
}

#[test]
fn the_root_file_system_mounts_are_dockers() {
    let env = TestEnv::new();
    let script = r#"awk '{print $5, $6, $(NF-2)}' /proc/self/mountinfo | grep -E '^/(dev|proc|sys)?( |/pts|/shm|/mqueue)'"#;
    let seen = env
        .run(["run", "--rm", "--network", "none", "alpine", "sh", "-c", script])
        .success()
        .lines();
    let has = |path: &str, options: &[&str], kind: &str| {
        let found = seen.iter().any(|line| {
            let mut fields = line.split(' ');
            fields.next() == Some(path)
                && fields.next().is_some_and(|given| {
                    options.iter().all(|option| given.split(',').any(|one| one == *option))
                })
                && fields.next() == Some(kind)
        });
        assert!(found, "{path} {options:?} {kind} is missing in {seen:#?}");
    };
    has("/proc", &["rw", "nosuid", "nodev", "noexec"], "proc");
    has("/dev", &["rw", "nosuid"], "tmpfs");
    has("/dev/pts", &["rw", "nosuid", "noexec"], "devpts");
    has("/dev/shm", &["rw", "nosuid", "nodev", "noexec"], "tmpfs");
    has("/dev/mqueue", &["rw", "nosuid", "nodev", "noexec"], "mqueue");
    has("/sys", &["ro", "nosuid", "nodev", "noexec"], "sysfs");
}

#[test]
fn the_devices_are_dockers() {
    let env = TestEnv::new();
    // Where the kernel has it; it leads to what is masked.
    let core = if std::path::Path::new("/proc/kcore").exists() { "core\n" } else { "" };
    env.run(["run", "--rm", "--network", "none", "alpine", "ls", "/dev"]).success().stdout_is(&format!(
        "{core}fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n",
    ));
}

#[test]
fn no_descriptor_of_ours_is_inherited() {
    let env = TestEnv::new();
    let open = "ls -l /proc/self/fd | awk 'NR>1 {print $9}' | tr '\\n' ' '";
    // 0, 1, 2 and the one that `ls` reads the folder with.
    for command in
        ["docker run --rm --network none alpine", "docker run --rm --network none --init alpine"]
    {
        let output = env
            .sh(&format!(
                "exec 7</etc/hostname; {command} sh -c \"ls /proc/self/fd | tr '\\n' ' '\""
            ))
            .success();
        assert_eq!(output.stdout(), "0 1 2 3 ", "{output}");
    }
    env.run(["run", "-d", "--network", "none", "--name", "fds", "alpine", "sleep", "1000"])
        .success();
    let output = env
        .sh("exec 7</etc/hostname; docker exec fds sh -c \"ls /proc/self/fd | tr '\\n' ' '\"")
        .success();
    assert_eq!(output.stdout(), "0 1 2 3 ", "{output}");
    let init = env.run(["exec", "fds", "sh", "-c", "ls /proc/1/fd | tr '\\n' ' '"]).success();
    assert_eq!(init.stdout(), "0 1 2 ", "{open}: {init}");
    env.run(["rm", "-f", "fds"]).success();
    env.assert_nothing_left();
}

#[test]
fn calls_outside_the_profile_are_refused() {
    let env = TestEnv::new();
    let script = "mount -t tmpfs x /mnt; unshare -m true; dmesg | head -1; mknod /tmp/n c 1 3; chroot / true && echo chroot ok";
    let output =
        env.run(["run", "--rm", "--network", "none", "alpine", "sh", "-c", script]).success();
    assert!(output.stdout().ends_with("chroot ok\n"), "{output}");
    let errors = output.stderr();
    assert!(errors.contains("mount: permission denied"), "{output}");
    assert!(errors.contains("unshare: unshare(0x20000): Operation not permitted"), "{output}");
    assert!(errors.contains("klogctl: Operation not permitted"), "{output}");
}

#[test]
fn the_host_is_out_of_sight() {
    let env = TestEnv::new();
    let script = "ps | wc -l; readlink /proc/1/exe; cat /proc/1/comm; true";
    let seen =
        env.run(["run", "--rm", "--network", "none", "alpine", "sh", "-c", script]).success();
    assert_eq!(seen.lines().last().map(String::as_str), Some("sh"), "{seen}");
    let env_of_init = env.run([
        "run",
        "--rm",
        "--network",
        "none",
        "alpine",
        "sh",
        "-c",
        "tr '\\0' '\\n' < /proc/1/environ",
    ]);
    let text = env_of_init.success().stdout();
    assert!(!text.contains("CORACLE") && !text.contains("XDG_"), "our environment leaks: {text}");
}
