//! Programs against a direct reading of the rules, and against what Docker is known to do.

use super::abi::Abi;
use super::interpreter::{Data, run};
use super::resolve::Resolved;
use super::rules::{Action, Condition, Op};
use super::*;

const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x0005_0001;
const ENOSYS: u32 = 0x0005_0026;
const KILL: u32 = 0x8000_0000;

const NEW_KERNEL: KernelVersion = KernelVersion { major: 6, minor: 1 };
const DOCKER_CAPS: &[&str] = &["CAP_CHOWN", "CAP_SYS_CHROOT", "CAP_NET_RAW", "CAP_MKNOD"];

fn target(arch: Arch, has_cap: &dyn Fn(&str) -> bool) -> Target<'_> {
    Target { arch, kernel: NEW_KERNEL, has_cap }
}

fn docker(arch: Arch) -> Filter {
    default_filter(&target(arch, &|cap| DOCKER_CAPS.contains(&cap))).unwrap()
}

fn verdict(filter: &Filter, abi: Abi, name: &str, arguments: [u64; 6]) -> u32 {
    let number = abi.number(name).unwrap();
    run(&filter.instructions, &Data { number, arch: abi.audit_arch(), arguments })
}

/// What the kernel's own type of an argument makes of a register, or of a profile's constant.
fn read(bits: u8, value: u64) -> u64 {
    match bits {
        16 => value & 0xffff,
        32 => value & 0xffff_ffff,
        _ => value,
    }
}

fn holds(condition: &Condition, abi: Abi, arguments: [u64; 6]) -> bool {
    let bits = condition.bits[abi.index()];
    let argument = read(bits, arguments[usize::from(condition.index)]);
    // A constant that is a negative `int` in 64 bits is that `int`; any other is a number.
    let negative = condition.value >= !(read(bits, u64::MAX) >> 1);
    let value = if negative { read(bits, condition.value) } else { condition.value };
    match condition.op {
        Op::NotEqual => argument != value,
        Op::Less => argument < value,
        Op::LessOrEqual => argument <= value,
        Op::Equal => argument == value,
        Op::GreaterOrEqual => argument >= value,
        Op::Greater => argument > value,
        Op::MaskedEqual => argument & condition.value == condition.value_two,
    }
}

/// The rules read as they are written.
fn expected(
    resolved: &[Resolved<'_>],
    default: Action,
    abi: Abi,
    number: u32,
    arguments: [u64; 6],
) -> u32 {
    let Some(one) = resolved.iter().find(|one| one.abi == abi) else { return KILL };
    let Some(call) = one.calls.iter().find(|call| call.number == number) else {
        return if one.newest.is_some_and(|newest| number > newest) { ENOSYS } else { default.0 };
    };
    let matched = call.conditional.iter().find(|(conditions, _)| {
        conditions.iter().all(|condition| holds(condition, abi, arguments))
    });
    matched.map_or(call.otherwise, |&(_, action)| action).0
}

/// Values around every constant a rule compares with, and some far away.
fn interesting(resolved: &[Resolved<'_>]) -> Vec<[u64; 6]> {
    let mut values = vec![0, 1, u64::MAX, 1 << 32, (1 << 32) | 8];
    for condition in resolved
        .iter()
        .flat_map(|one| &one.calls)
        .flat_map(|call| &call.conditional)
        .flat_map(|(conditions, _)| conditions.iter())
    {
        for value in [condition.value, condition.value_two] {
            values.extend([value, value.wrapping_sub(1), value.wrapping_add(1), value | 1 << 40]);
        }
    }
    values.sort_unstable();
    values.dedup();
    let mut all: Vec<[u64; 6]> = values.iter().map(|&value| [value; 6]).collect();
    for index in 0..6 {
        all.extend(values.iter().map(|&value| {
            let mut arguments = [0; 6];
            arguments[index] = value;
            arguments
        }));
    }
    all
}

fn check(profile: &Profile, target: &Target<'_>) {
    let filter = profile.compile(target).unwrap();
    let resolved = profile.resolve(target);
    let arguments = interesting(&resolved);
    for abi in Abi::ALL {
        // x32's numbers are x86_64's with a bit set; above the tables come private ones.
        let base = if abi == Abi::X32 { 0x4000_0000 } else { 0 };
        let numbers = (0..=600).chain([0x0f_0001, 0x0f_0005, 0x0f_0006, 0x3fff_ffff]);
        for number in numbers.map(|number| base + number) {
            let plain = &arguments[..1];
            let conditional = resolved
                .iter()
                .flat_map(|one| &one.calls)
                .any(|call| call.number == number && !call.conditional.is_empty());
            for &arguments in if conditional { &arguments[..] } else { plain } {
                let data = Data { number, arch: abi.audit_arch(), arguments };
                let expected = expected(&resolved, profile.default, abi, number, arguments);
                let actual = run(&filter.instructions, &data);
                assert_eq!(actual, expected, "{abi:?} {data:?}");
            }
        }
    }
    let foreign = Data { number: 0, arch: 0xc000_0016, arguments: [0; 6] };
    assert_eq!(run(&filter.instructions, &foreign), KILL, "s390x");
}

#[test]
fn the_default_profile_is_compiled_faithfully() {
    let no_caps = |_: &str| false;
    let all_caps = |_: &str| true;
    let dockers = |cap: &str| DOCKER_CAPS.contains(&cap);
    for arch in [Arch::X86_64, Arch::Aarch64] {
        check(&default::PROFILE, &target(arch, &no_caps));
        check(&default::PROFILE, &target(arch, &dockers));
        check(&default::PROFILE, &target(arch, &all_caps));
        let old = KernelVersion { major: 4, minor: 7 };
        check(&default::PROFILE, &Target { kernel: old, ..target(arch, &dockers) });
    }
}

#[test]
fn every_operator_and_action_is_compiled_faithfully() {
    let ops = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
    let actions = ["KILL", "KILL_PROCESS", "TRAP", "ERRNO", "TRACE", "ALLOW", "LOG"];
    for value in [0_u64, 7, 0xffff_ffff, 0x1_0000_0000, 0x7_0000_0007] {
        let rules: Vec<String> = ops
            .iter()
            .zip(actions)
            .enumerate()
            .map(|(index, (op, action))| {
                format!(
                    r#"{{"names":["{}"],"action":"SCMP_ACT_{action}","errnoRet":{index},"args":[
                    {{"index":{},"value":{value},"valueTwo":{},"op":"SCMP_CMP_{op}"}},
                    {{"index":5,"value":{value},"op":"SCMP_CMP_LE"}}]}}"#,
                    ["read", "write", "mkdir"][index % 3],
                    index % 5,
                    value & 5,
                )
            })
            .collect();
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":77,
            "architectures":["SCMP_ARCH_X86"],"syscalls":[{}]}}"#,
            rules.join(",")
        );
        let profile = Profile::from_json(&text).unwrap();
        check(&profile, &target(Arch::X86_64, &|_| true));
    }
}

#[test]
fn long_programs_jump_far() {
    let rules: Vec<String> = (0..120)
        .map(|value| {
            format!(
                r#"{{"names":["mmap","mprotect","munmap"],"action":"SCMP_ACT_ALLOW",
                "args":[{{"index":0,"value":{value},"op":"SCMP_CMP_EQ"}}]}}"#
            )
        })
        .collect();
    let text = format!(r#"{{"defaultAction":"SCMP_ACT_KILL","syscalls":[{}]}}"#, rules.join(","));
    let profile = Profile::from_json(&text).unwrap();
    let filter = profile.compile(&target(Arch::X86_64, &|_| true)).unwrap();
    assert!(filter.instructions.len() > 1000);
    check(&profile, &target(Arch::X86_64, &|_| true));
}

/// Every rule of the default profile that looks at arguments, through every interface that has its
/// call: what the kernel does not read of an argument changes no verdict.
#[test]
fn what_the_kernel_does_not_read_makes_no_difference() {
    for arch in [Arch::X86_64, Arch::Aarch64] {
        let target = target(arch, &|cap| DOCKER_CAPS.contains(&cap));
        let filter = default_filter(&target).unwrap();
        let mut probed = Vec::new();
        for one in default::PROFILE.resolve(&target) {
            let looking = one.calls.iter().filter(|call| !call.conditional.is_empty());
            for call in looking {
                probed.push((one.abi, call.number));
                let rules = call.conditional.iter().flat_map(|(conditions, _)| conditions.iter());
                for condition in rules {
                    probe(&filter, one.abi, call.number, condition);
                }
            }
        }
        for &abi in &[Abi::X86_64, Abi::X32, Abi::X86, Abi::Aarch64, Abi::Arm] {
            for name in ["socket", "personality", "clone"] {
                let known = (abi, abi.number(name).unwrap());
                assert_eq!(probed.contains(&known), arch.has(abi), "{name} of {abi:?}");
            }
        }
    }
}

/// Asks about values around those of a condition, in the low half, with all kinds of high halves.
fn probe(filter: &Filter, abi: Abi, number: u32, condition: &Condition) {
    assert_eq!(condition.bits[abi.index()], 32, "these calls take an int: {abi:?} {number}");
    let at = usize::from(condition.index);
    let verdict = |argument: u64, others: u64| {
        let mut arguments = [others; 6];
        arguments[at] = argument;
        run(&filter.instructions, &Data { number, arch: abi.audit_arch(), arguments })
    };
    for value in [condition.value, condition.value_two, 0, 0x8000_0000, 0xffff_ffff] {
        for low in [value.wrapping_sub(1), value, value.wrapping_add(1)].map(|it| read(32, it)) {
            let clean = verdict(low, 0);
            for high in [1, 8, 0x26, 0x28, 0x7e02_0000, 0x8000_0000, 0xffff_ffff_u64] {
                for others in [0, u64::MAX] {
                    let said = verdict(high << 32 | low, others);
                    assert_eq!(said, clean, "{abi:?} {number}: {high:#x} above {low:#x}");
                }
            }
        }
    }
}

/// The same with every call of the table and all operators, as in a profile of the user's own.
#[test]
fn a_users_profile_is_held_to_what_the_kernel_reads() {
    let refused = |name: &str, index: u8, op: &str, value: u64, abi: Abi, argument: u64| {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ALLOW",
            "architectures":["SCMP_ARCH_X86","SCMP_ARCH_X32","SCMP_ARCH_ARM"],
            "syscalls":[{{"names":["getpid","{name}"],"action":"SCMP_ACT_ERRNO",
            "args":[{{"index":{index},"value":{value},"op":"SCMP_CMP_{op}"}}]}}]}}"#
        );
        let arch = if Arch::X86_64.has(abi) { Arch::X86_64 } else { Arch::Aarch64 };
        let filter = Profile::from_json(&text).unwrap().compile(&target(arch, &|_| true)).unwrap();
        let mut arguments = [0; 6];
        arguments[usize::from(index)] = argument;
        verdict(&filter, abi, name, arguments) == EPERM
    };
    let minus_one = u64::MAX;
    for abi in Abi::ALL {
        // int: garbage above is not read, and minus one is written in two ways.
        assert!(refused("ioctl", 1, "EQ", 0x5412, abi, 0x5412 | 7 << 32), "{abi:?}");
        assert!(!refused("ioctl", 1, "NE", 0x5412, abi, 0x5412 | 7 << 32), "{abi:?}");
        assert!(refused("kill", 0, "EQ", minus_one, abi, 0xffff_ffff), "{abi:?}");
        assert!(refused("kill", 0, "EQ", 0xffff_ffff, abi, minus_one), "{abi:?}");
        assert!(!refused("kill", 0, "EQ", 5 | 1 << 32, abi, 5), "no int is that: {abi:?}");
        assert!(refused("kill", 0, "LT", 1 << 32, abi, minus_one), "each is: {abi:?}");
        // Modes have 16 bits.
        assert!(refused("fchmod", 1, "EQ", 0o4755, abi, 0o4755 | 3 << 16 | 3 << 40), "{abi:?}");
        // A pointer's or a long's whole register counts, where there are 64 bits.
        let long = !matches!(abi, Abi::X86 | Abi::Arm);
        assert_eq!(refused("unshare", 0, "EQ", 8, abi, 8 | 1 << 32), !long, "{abi:?}");
    }
    assert!(refused("setuid", 0, "EQ", 0, Abi::X86, 3 << 16), "16 bits of old");
    assert!(!refused("setuid", 0, "EQ", 0, Abi::X86_64, 3 << 16));
    assert!(refused("ptrace", 0, "EQ", 16, Abi::X32, 16 | 1 << 32), "x32 has longs of 32 bits");
}

#[test]
fn conditions_on_one_argument_are_alternatives() {
    let profile = Profile::from_json(
        r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["socket"],
        "action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"},
        {"index":0,"value":2,"op":"SCMP_CMP_EQ"}]}]}"#,
    )
    .unwrap();
    let filter = profile.compile(&target(Arch::X86_64, &|_| true)).unwrap();
    let socket = |family| verdict(&filter, Abi::X86_64, "socket", [family, 0, 0, 0, 0, 0]);
    assert_eq!([socket(1), socket(2), socket(3)], [ALLOW, ALLOW, EPERM]);
}

#[test]
fn a_profile_too_long_for_the_kernel_is_refused() {
    let rules: Vec<String> = (0..1200)
        .map(|value| {
            format!(
                r#"{{"names":["munmap"],"action":"SCMP_ACT_ALLOW",
                "args":[{{"index":0,"value":{value},"op":"SCMP_CMP_EQ"}}]}}"#
            )
        })
        .collect();
    let text = format!(r#"{{"defaultAction":"SCMP_ACT_KILL","syscalls":[{}]}}"#, rules.join(","));
    let profile = Profile::from_json(&text).unwrap();
    let error = profile.compile(&target(Arch::X86_64, &|_| true)).unwrap_err();
    assert!(matches!(error, ProfileError::TooLong { max: 4096, .. }));
}

#[test]
fn the_default_profile_refuses_what_docker_refuses() {
    let filter = docker(Arch::X86_64);
    let call = |name| verdict(&filter, Abi::X86_64, name, [0; 6]);
    for name in ["read", "execve", "newfstatat", "openat2", "chroot", "ptrace", "io_pgetevents"] {
        assert_eq!(call(name), ALLOW, "{name}");
    }
    for name in ["mount", "unshare", "setns", "reboot", "bpf", "keyctl", "io_uring_setup"] {
        assert_eq!(call(name), EPERM, "{name}");
    }
    assert_eq!(call("clone3"), ENOSYS);
    assert_eq!(call("personality"), ALLOW);
    let new_user_namespace = [0x1000_0000, 0, 0, 0, 0, 0];
    assert_eq!(verdict(&filter, Abi::X86_64, "clone", new_user_namespace), EPERM);
    assert_eq!(verdict(&filter, Abi::X86_64, "clone", [0x11, 0, 0, 0, 0, 0]), ALLOW);
    let vsock = [40, 0, 0, 0, 0, 0];
    assert_eq!(verdict(&filter, Abi::X86_64, "socket", vsock), EPERM);
    // AF_ALG, since 29.5; its neighbours are fine.
    let socket = |family| verdict(&filter, Abi::X86_64, "socket", [family, 0, 0, 0, 0, 0]);
    assert_eq!([37, 38, 39].map(socket), [ALLOW, EPERM, ALLOW]);
    assert_eq!(verdict(&filter, Abi::X86, "socketcall", [0; 6]), ALLOW);
    assert_eq!(verdict(&filter, Abi::X86_64, "socket", [2, 0, 0, 0, 0, 0]), ALLOW);
    assert_eq!(verdict(&filter, Abi::X86, "mount", [0; 6]), EPERM);
    assert_eq!(verdict(&filter, Abi::X32, "execve", [0; 6]), ALLOW);
    let future = Data { number: 999, arch: Abi::X86_64.audit_arch(), arguments: [0; 6] };
    assert_eq!(run(&filter.instructions, &future), ENOSYS);
}

#[test]
fn capabilities_open_the_default_profile() {
    let admin = default_filter(&target(Arch::X86_64, &|cap| cap == "CAP_SYS_ADMIN")).unwrap();
    for name in ["mount", "unshare", "clone", "clone3"] {
        let arguments = [0x1000_0000, 0, 0, 0, 0, 0];
        assert_eq!(verdict(&admin, Abi::X86_64, name, arguments), ALLOW, "{name}");
    }
    assert_eq!(verdict(&admin, Abi::X86_64, "chroot", [0; 6]), EPERM);
}

#[test]
fn the_default_profile_works_on_arm() {
    let filter = docker(Arch::Aarch64);
    for name in ["read", "newfstatat", "execve", "openat"] {
        assert_eq!(verdict(&filter, Abi::Aarch64, name, [0; 6]), ALLOW, "{name}");
    }
    assert_eq!(verdict(&filter, Abi::Aarch64, "mount", [0; 6]), EPERM);
    assert_eq!(verdict(&filter, Abi::Arm, "set_tls", [0; 6]), ALLOW);
    assert_eq!(verdict(&filter, Abi::X86_64, "read", [0; 6]), KILL);
}

#[test]
fn the_default_filter_is_small() {
    for arch in [Arch::X86_64, Arch::Aarch64] {
        let length = docker(arch).instructions.len();
        assert!(length < 700, "{length}");
    }
}

/// A filter holds for the thread that installs it, and dies with it.
#[test]
fn the_kernel_takes_our_programs() {
    let refusing = Profile::from_json(
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["getpriority"],
        "action":"SCMP_ACT_ERRNO","errnoRet":77}]}"#,
    )
    .unwrap()
    .compile(&target(Arch::NATIVE, &|_| true))
    .unwrap();
    let docker = docker(Arch::NATIVE);
    let outcome = std::thread::spawn(move || {
        rustix::thread::set_no_new_privs(true).unwrap();
        coracle_sys::seccomp::install(&docker.instructions).unwrap();
        let before = rustix::process::getpriority_process(None);
        coracle_sys::seccomp::install(&refusing.instructions).unwrap();
        let after = rustix::process::getpriority_process(None);
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        (before, after, status)
    });
    let (before, after, status) = outcome.join().unwrap();
    assert!(before.is_ok());
    assert_eq!(after.unwrap_err().raw_os_error(), 77);
    assert!(status.contains("\nSeccomp:\t2\n"), "{status}");
}
