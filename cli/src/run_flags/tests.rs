//! Flags of `run` against recorded messages and the recorded document.

use clap::Parser;
use coracle_runtime::model::RestartPolicy;

use super::CreateFlags;
use super::{Request, request};
use crate::error::CliError;
use crate::settings::{Environment, FileSettings, Settings};

#[derive(Parser)]
#[command(disable_help_flag = true)]
struct Line {
    #[command(flatten)]
    flags: CreateFlags,
    #[arg(trailing_var_arg = true)]
    args: Vec<String>,
}

fn settings() -> Settings {
    Settings {
        storage: Default::default(),
        packets: false,
        low_ports: 0,
        limits_optional: false,
        node: None,
        data_root: "/d".into(),
        session_dir: None,
        docker_config: "/h/.docker".into(),
        client: Default::default(),
        config_home: "/h/.config".into(),
        file: FileSettings::default(),
        broken: None,
        api: coracle_view::Api::default(),
        no_api: None,
        environment: Environment { all: [("HOSTV".to_owned(), "fromhost".to_owned())].into() },
        owner: None,
        docker_socket: coracle_runtime::docker_socket::DockerSocket::default(),
    }
}

fn try_on(words: &[&str]) -> Result<Request, CliError> {
    let line = Line::try_parse_from([&["run"], words].concat()).unwrap();
    request(line.flags, line.args, false, &settings())
}

fn on(words: &[&str]) -> Request {
    try_on(words).unwrap()
}

/// Flags and the message Docker gives for them.
const RECORDED: &[(&[&str], &str)] = &[
    (&["--restart=always", "--rm"], "conflicting options: cannot specify both --restart and --rm"),
    (
        &["--pull=sometimes"],
        "invalid pull option: 'sometimes': must be one of \"always\", \"missing\" or \"never\"",
    ),
    (
        &["--restart", "on-failure:-1"],
        "Error response from daemon: invalid restart policy: maximum retry count cannot be negative",
    ),
    (
        &["--restart", "always:3"],
        "Error response from daemon: invalid restart policy: maximum retry count can only be used with 'on-failure'",
    ),
    (
        &["--restart", "on-failure:x"],
        "invalid restart policy format: maximum retry count must be an integer",
    ),
    (
        &["--health-interval", "1ns"],
        "Error response from daemon: Interval in Healthcheck cannot be less than 1ms",
    ),
    (
        &["--no-healthcheck", "--health-cmd", "x"],
        "--no-healthcheck conflicts with --health-* options",
    ),
    (&["--health-retries=-1"], "--health-retries cannot be negative"),
    (&["--pid", "bogus"], "--pid: invalid PID mode"),
    (&["--uts", "container:base"], "--uts: invalid UTS mode"),
    (&["--device", "/dev/null:/dev/mynull:q"], "bad mode specified: q"),
    (&["--memory-swappiness", "200"], "invalid value: 200. Valid memory swappiness range is 0-100"),
    (&["-m", "1m"], "Error response from daemon: Minimum memory limit allowed is 6MB"),
    (
        &["-m", "32m", "--memory-swap", "16m"],
        "Error response from daemon: Minimum memoryswap limit should be larger than memory limit, see usage",
    ),
    (
        &["--memory-swap", "64m"],
        "Error response from daemon: You should always set the Memory limit when using Memoryswap limit, see usage",
    ),
    (
        &["-m", "32m", "--memory-reservation", "64m"],
        "Error response from daemon: Minimum memory limit can not be less than memory reservation limit, see usage",
    ),
    (
        &["--cpu-period", "5"],
        "Error response from daemon: CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
    ),
    (
        &["--cpus", "1", "--cpu-quota", "5000"],
        "Error response from daemon: Conflicting options: Nano CPUs and CPU Quota cannot both be set",
    ),
    (
        &["--oom-score-adj", "5000"],
        "Error response from daemon: Invalid value 5000, range for oom score adj is [-1000, 1000]",
    ),
    (
        &["--log-driver", "bogus"],
        "Error response from daemon: error looking up logging plugin bogus: plugin \"bogus\" not found",
    ),
    (
        &["--log-opt", "bogus=1"],
        "Error response from daemon: unknown log opt 'bogus' for json-file log driver",
    ),
    (
        &["--runtime", "nosuch"],
        "Error response from daemon: unknown or invalid runtime name: nosuch",
    ),
    (
        &["--isolation", "hyperv"],
        "Error response from daemon: invalid isolation (hyperv): linux only supports 'default'",
    ),
    (
        &["--gpus", "all"],
        "Error response from daemon: failed to discover GPU vendor from CDI: no known GPU vendor found",
    ),
    (
        &["--security-opt", "seccomp=nosuch.json"],
        "opening seccomp profile (nosuch.json) failed: open nosuch.json: no such file or directory",
    ),
    (&["--net-alias", "z"], "network-scoped aliases are only supported for user-defined networks"),
    (
        &["--network", "container:"],
        "Error response from daemon: invalid network mode: invalid container format container:<name|id>",
    ),
    (&["--env-file", "nosuch.env"], "--env-file: open nosuch.env: no such file or directory"),
    (&["-p", "bogus"], "invalid containerPort: bogus"),
    (
        &["-p", "80:80/sctp"],
        "--publish 80/sctp: not supported: ports of tcp and udp can be published",
    ),
];

#[test]
fn messages_are_as_recorded() {
    for (words, message) in RECORDED {
        let words = [*words, &["alpine"]].concat();
        let said = try_on(&words).err().map(|error| error.message);
        assert_eq!(said.as_deref(), Some(*message), "{words:?}");
    }
}

#[test]
fn environment_labels_and_command() {
    let request = on(&[
        "-e", "HOSTV", "-e", "UNSETV", "-e", "A=1", "-e", "EMPTY=", "-l", "a=1", "-l", "b",
        "alpine", "env", "-0",
    ]);
    // What is not set takes the image's away.
    assert_eq!(request.config.env, ["A=1", "EMPTY=", "HOSTV=fromhost", "UNSETV"]);
    assert_eq!(
        request.config.labels,
        [("a".into(), "1".into()), ("b".into(), String::new())].into()
    );
    assert_eq!(request.config.cmd, Some(vec!["env".into(), "-0".into()]));
    assert_eq!((request.image.as_str(), request.config.image.as_str()), ("alpine", "alpine"));
    assert_eq!(request.config.entrypoint, None);
}

#[test]
fn env_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("env.list");
    std::fs::write(
        &path,
        "# comment\nX=1\n\n  Y=2\nZ=\"quoted\"\nHOSTV\nUNSET\nEMPTY=\nSP=a b # c\n",
    )
    .unwrap();
    let request = on(&["--env-file", path.to_str().unwrap(), "-e", "A=cli", "alpine"]);
    assert_eq!(
        request.config.env,
        ["X=1", "Y=2", "Z=\"quoted\"", "HOSTV=fromhost", "EMPTY=", "SP=a b # c", "A=cli"]
    );
    for (text, why) in [
        ("bad name=x\n", "variable 'bad name' contains whitespaces"),
        ("=x\n", "no variable name on line '=x'"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = try_on(&["--env-file", path.to_str().unwrap(), "alpine"]).unwrap_err();
        assert_eq!(
            error.message,
            format!("--env-file: invalid env file ({}): {why}", path.display())
        );
    }
}

#[test]
fn what_inspect_will_show() {
    let request = on(&[
        "--restart",
        "on-failure:3",
        "--cap-add",
        "net_admin",
        "--cap-drop",
        "ALL",
        "-m",
        "64m",
        "--security-opt",
        "systempaths=unconfined",
        "--dns",
        "1.1.1.1",
        "--tmpfs",
        "/run:size=1m",
        "--init",
        "--health-cmd",
        "true",
        "--health-interval",
        "1s",
        "--network",
        "host",
        "alpine",
    ]);
    let host = request.host;
    assert_eq!(
        host.restart_policy,
        RestartPolicy { name: "on-failure".into(), maximum_retry_count: 3 }
    );
    assert_eq!(host.cap_add, Some(vec!["CAP_NET_ADMIN".into()]));
    assert_eq!(host.cap_drop, Some(vec!["ALL".into()]));
    assert_eq!((host.resources.memory, host.resources.memory_swap), (67_108_864, 134_217_728));
    assert_eq!((host.masked_paths, host.security_opt), (Some(vec![]), None));
    assert_eq!(host.dns, Some(vec!["1.1.1.1".into()]));
    assert_eq!(host.tmpfs, [("/run".into(), "size=1m".into())].into());
    assert_eq!((host.init, host.network_mode.as_str()), (Some(true), "host"));
    let health = request.config.healthcheck.unwrap();
    assert_eq!(health.test, ["CMD-SHELL", "true"]);
    assert_eq!(health.interval, 1_000_000_000);
}
