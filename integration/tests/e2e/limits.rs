//! Resource limits. They need delegated controllers, which `scripts/laptop` has.

use coracle_integration::{TestEnv, case, settings::settings, skip};

const RECORDED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/recorded/limits.md"));

macro_rules! need_delegation {
    () => {
        if settings().bus.is_none() {
            skip!("no delegated cgroups: see scripts/laptop");
        }
    };
}

#[test]
fn limits_bite() {
    need_delegation!();
    case::run_section(&TestEnv::new(), RECORDED, "Limits bite");
}

#[test]
fn out_of_memory() {
    need_delegation!();
    case::run_section(&TestEnv::new(), RECORDED, "Out of memory");
}

#[test]
fn stats_update_pause() {
    need_delegation!();
    case::run_section(&TestEnv::new(), RECORDED, "Stats, update, pause");
}

#[test]
fn half_a_cpu_is_half_a_cpu() {
    need_delegation!();
    let env = TestEnv::new();
    // Against the clock in there: on a busy machine an emulated second of `timeout` takes longer.
    let script = "now() { cut -d' ' -f1 /proc/uptime; }; start=$(now); \
                  timeout 2 sh -c 'while :; do :; done'; end=$(now); \
                  awk -v s=$start -v e=$end '/usage_usec/ {print $2 / 1e6 / (e - s)}' /sys/fs/cgroup/cpu.stat";
    let share = env
        .run(["run", "--rm", "--network", "none", "--cpus", "0.5", "alpine", "sh", "-c", script])
        .success();
    let share: f64 = share.line().parse().expect("a number");
    assert!((0.2..0.7).contains(&share), "{share} of a CPU");
    env.assert_nothing_left();
}

#[test]
fn wrong_values() {
    case::run_section(&TestEnv::new(), RECORDED, "Wrong values");
}

#[test]
fn a_limit_without_delegation_is_an_error_with_a_remedy() {
    if settings().bus.is_some() {
        skip!("cgroups are delegated here");
    }
    let env = TestEnv::new();
    for flags in [["--memory", "64m"], ["--cpus", "0.5"], ["--pids-limit", "5"]] {
        let args =
            ["run", "--rm", "--network", "none"].iter().chain(&flags).chain(&["alpine", "true"]);
        let output = env.run(args).code(125);
        assert!(
            output.stderr().contains("delegat"),
            "{flags:?}: how to get delegation is not said:\n{output}"
        );
    }
    env.assert_nothing_left();
}

#[test]
fn limits_that_cannot_be_set_are_left_out_where_that_is_asked_for() {
    if settings().bus.is_some() {
        skip!("cgroups are delegated here");
    }
    let env = TestEnv::new();
    let limits = ["-m", "64m", "--cpus", "0.5", "--pids-limit", "50"];
    let run =
        [&["run", "--rm", "--network", "none"], &limits[..], &["alpine", "echo", "ran"]].concat();
    let refused = env.run(&run).code(125).stdout_is("");
    refused.stderr_has("`--limits warn`").stderr_has("\"limits\": \"warn\"");
    let flag = env.run([&["--limits", "warn"], &run[..]].concat()).success().stdout_is("ran\n");
    flag.stderr_has("WARNING: Limitation discarded: cannot limit ").stderr_has("memory");
    let file = env.work().join("compose.yaml");
    let text = "services: {one: {image: alpine, network_mode: none, command: sleep 1000, mem_limit: 64m, \
                cpus: 0.5, pids_limit: 50}, two: {image: alpine, network_mode: none, command: sleep 1000, \
                deploy: {resources: {limits: {memory: 64m, cpus: '0.5', pids: 50}}}}}";
    env.write("compose.yaml", text);
    let compose = |command: &[&str]| {
        let path = file.display().to_string();
        env.coracle()
            .env("CORACLE_LIMITS", "warn")
            .args(["compose", "-f", &path])
            .args(command)
            .run()
    };
    let up = compose(&["up", "-d"]).success();
    assert!(up.stderr().contains("Limitation discarded: cannot limit "), "{up}");
    assert_eq!(compose(&["ps", "-q"]).success().lines().len(), 2);
    compose(&["down", "-t", "0"]).success();
    let wrong = env.run(["--limits", "maybe", "ps"]).stdout_is("");
    wrong.stderr_has("limits is \"maybe\": it is warn or require");
    env.assert_nothing_left();
}
