//! Safe by default: what a container can see of itself is what Docker grants, and no more.

use coracle_integration::{TestEnv, skip};

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

/// A way into the kernel of an x86_64 machine, as its two bytes of code.
const SYSCALL: [u8; 2] = [0x0f, 0x05];
const INT_80: [u8; 2] = [0xcd, 0x80];

/// A program that makes one call with one argument of all 64 bits and ends with its error number; with 0 when it
/// succeeds.
fn calling(way: [u8; 2], number: u32, argument: u64) -> Vec<u8> {
    let mut code = vec![0xb8];
    code.extend(number.to_le_bytes());
    // The first argument is in rdi, by the older way in ebx; the second (a stream) in rsi or ecx.
    for register in [0xbf_u8, 0xbb] {
        code.extend([0x48, register]);
        code.extend(argument.to_le_bytes());
    }
    code.extend([0xbe, 1, 0, 0, 0, 0xb9, 1, 0, 0, 0, 0x31, 0xd2]);
    code.extend(way);
    // Negative: an error. exit(-eax), or exit(0).
    code.extend([0x31, 0xff, 0x85, 0xc0, 0x79, 0x04, 0xf7, 0xd8, 0x89, 0xc7]);
    code.extend([0xb8, 60, 0, 0, 0, 0x0f, 0x05]);
    let size = (120 + code.len()) as u64;
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    for word in [0x40_0078_u64, 64, 0] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
    elf.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    for word in [0, 0x40_0000, 0x40_0000, size, size, 4096] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend(code);
    elf
}

#[test]
fn the_filter_reads_arguments_as_the_kernel_does_in_every_interface() {
    if cfg!(not(target_arch = "x86_64")) {
        skip!("the probes are programs of x86_64");
    }
    const PERM: i32 = 1;
    let env = TestEnv::new();
    // What the profile refuses (sockets of a virtual machine's host and of the kernel's ciphers, a personality
    // without random addresses) and what it allows, with nothing and with something in the half that is not read.
    let refused = [("socket", 40), ("socket", 38), ("personality", 0x4_0000)];
    let allowed = [("socket", 1), ("personality", 8), ("personality", 0xffff_ffff)];
    let mut probes = Vec::new();
    for (interface, way, socket, personality) in [
        ("x86_64", SYSCALL, 41, 135),
        ("x32", SYSCALL, 0x4000_0029, 0x4000_0087),
        ("i386", INT_80, 359, 136),
    ] {
        let number = |call: &str| if call == "socket" { socket } else { personality };
        for high in [0, 1, 8, 0xffff_ffff_u64] {
            let with = |low: u64| high << 32 | low;
            probes.extend(refused.map(|(call, low)| {
                (format!("{interface}-{call}-{:x}", with(low)), way, number(call), with(low), PERM)
            }));
            probes.extend(allowed.map(|(call, low)| {
                (format!("{interface}-{call}-{:x}", with(low)), way, number(call), with(low), 0)
            }));
        }
    }
    let mut expected = String::new();
    for (name, way, number, argument, answer) in &probes {
        let path = env.write(name, calling(*way, *number, *argument));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).expect("it is ours");
        expected.push_str(&format!("{name} {answer}\n"));
    }
    let names: Vec<&str> = probes.iter().map(|(name, ..)| name.as_str()).collect();
    let script =
        format!("cd /work; for probe in {}; do ./$probe; echo $probe $?; done", names.join(" "));
    let work = format!("{}:/work", env.work().display());
    let run = ["run", "--rm", "--network", "none", "-v", &work, "alpine", "sh", "-c", &script];
    let said = env.run(run).success().stdout();
    // A kernel without one of the interfaces knows no call of it: x32 mostly, i386 sometimes.
    const NO_SUCH_CALL: &str = " 38";
    for (said, expected) in said.lines().zip(expected.lines()) {
        let absent =
            !said.starts_with("x86_64") && expected.ends_with(" 0") && said.ends_with(NO_SUCH_CALL);
        assert!(absent || said == expected, "{said}, and it should be {expected}");
    }
    assert_eq!(said.lines().count(), probes.len());
    env.assert_nothing_left();
}
