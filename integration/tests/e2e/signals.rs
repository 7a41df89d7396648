//! Signals: what whoever calls us did with them, and which of them reach the program.

use std::path::Path;

use coracle_integration::{TestEnv, command::Cmd, pty::Terminal, skip, wait};
use rustix::process::{Pid, Signal, kill_process};

/// What a program finds: nothing is blocked and nothing ignored.
const CLEAN: &str = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n";
const LOOK: [&str; 4] = ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"];

/// The binary, started by a program that ignores and blocks every signal there is.
fn deaf(env: &TestEnv) -> Option<Cmd> {
    let wrapped = |program: &Path| {
        env.program(Path::new("/usr/bin/env"))
            .args(["--ignore-signal", "--block-signal"])
            .args([program])
    };
    let able = wrapped(Path::new("/bin/true")).run().status() == 0;
    able.then(|| wrapped(&env.root().join("bin/coracle")))
}

/// A line of what the kernel says of a process; empty when the process is gone.
fn status_line(pid: Pid, name: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
    let text = text.unwrap_or_default();
    text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned()
}

/// Waits until a command passes signals on: before that they end it, as any program.
fn wait_until_attached(pid: Pid) {
    wait::until("signals are passed on", || {
        // Bit 9 is that of SIGUSR1.
        let mask = status_line(pid, "SigBlk:");
        let mask = mask.split_whitespace().nth(1).map(|hex| u64::from_str_radix(hex, 16));
        matches!(mask, Some(Ok(mask)) if mask >> 9 & 1 == 1)
    });
}

/// Waits until no signal is pending any more.
pub(crate) fn wait_until_taken(pid: Pid) {
    wait::until("the signal is taken", || {
        let pending = status_line(pid, "ShdPnd:");
        pending.is_empty() || pending.ends_with("\t0000000000000000")
    });
}

fn shell(script: &str) -> [&str; 3] {
    ["sh", "-c", script]
}

#[test]
fn programs_begin_with_default_signals_whoever_calls() {
    let env = TestEnv::new();
    if deaf(&env).is_none() {
        skip!("env(1) has no --ignore-signal");
    }
    let deaf = || deaf(&env).expect("just tried");
    let network = ["--network", "none"];
    deaf()
        .args(["run", "--rm"])
        .args(network)
        .args(["alpine"])
        .args(LOOK)
        .run()
        .success()
        .stdout_is(CLEAN);
    // In the background, for the first time and when the monitor starts it again.
    let twice = "grep -E '^Sig(Blk|Ign)' /proc/self/status > /seen$(ls / | grep -c seen); \
                 test -e /seen1 && exec sleep 1000";
    deaf()
        .args(["run", "-d", "--name", "c1", "--restart", "on-failure"])
        .args(["--health-cmd", "exec grep -E '^SigBlk' /proc/self/status > /probe"])
        .args(["--health-interval", "100ms"])
        .args(network)
        .args(["alpine"])
        .args(shell(twice))
        .run()
        .success();
    let read = |path: &str| env.run(["exec", "c1", "cat", path]).stdout();
    wait::until("it was started again", || read("/seen1") == CLEAN);
    assert_eq!(read("/seen0"), CLEAN);
    wait::until("a probe has run", || read("/probe") == "SigBlk:\t0000000000000000\n");
    deaf().args(["exec", "c1"]).args(LOOK).run().success().stdout_is(CLEAN);
    deaf()
        .args(["exec", "-d", "c1", "sh", "-c"])
        .args(["grep SigBlk /proc/self/status > /d"])
        .run()
        .success();
    wait::until("it has run", || read("/d") == "SigBlk:\t0000000000000000\n");
    deaf().args(["stop", "-t", "0", "c1"]).run().success();
    deaf().args(["rm", "-f", "c1"]).run().success();

    env.run(["create", "--name", "c2", "--network", "none", "alpine"].into_iter().chain(LOOK))
        .success();
    deaf().args(["start", "-a", "c2"]).run().success().stdout_is(CLEAN);
    deaf().args(["restart", "-t", "0", "c2"]).run().success();
    deaf().args(["rm", "-f", "c2"]).run().success();
    env.assert_nothing_left();
}

#[test]
fn services_begin_with_default_signals_whoever_calls() {
    let env = TestEnv::new();
    if deaf(&env).is_none() {
        skip!("env(1) has no --ignore-signal");
    }
    let deaf = || deaf(&env).expect("just tried").args(["compose", "-p", "t"]);
    env.write(
        "compose.yaml",
        "services:
  web:
    image: alpine
    network_mode: none
    init: true
    command: [sh, -c, 'grep -E \"^Sig(Blk|Ign)\" /proc/self/status > /seen; sleep 1000']
    post_start: [{command: [sh, -c, 'grep -E \"^Sig(Blk|Ign)\" /proc/self/status > /hook; true']}]
  once: {image: alpine, network_mode: none, profiles: [once]}
",
    );
    deaf().args(["up", "-d"]).run().success();
    let read =
        |path: &str| env.run(["compose", "-p", "t", "exec", "-T", "web", "cat", path]).stdout();
    wait::until("the service has looked", || read("/seen") == CLEAN);
    assert_eq!(read("/hook"), CLEAN);
    deaf().args(["exec", "-T", "web"]).args(LOOK).run().success().stdout_is(CLEAN);
    deaf().args(["run", "--rm", "-T", "once"]).args(LOOK).run().success().stdout_is(CLEAN);
    deaf().args(["down", "-t", "0"]).run().success();
    env.assert_nothing_left();
}

#[test]
fn under_nohup_neither_we_nor_the_program_hear_of_a_hang_up() {
    let env = TestEnv::new();
    let script = "trap 'echo hup' HUP; trap 'echo usr' USR1; echo up; until test -e /end; do usleep 10000; done";
    let run = env
        .program(Path::new("/bin/sh"))
        .args(["-c", "trap '' HUP; exec coracle \"$@\"", "sh"])
        .args(["run", "--rm", "--name", "c1", "--network", "none", "alpine"])
        .args(shell(script))
        .start();
    wait_until_attached(run.pid());
    wait::until("it has begun", || env.run(["logs", "c1"]).stdout() == "up\n");
    run.signal(Signal::HUP);
    run.signal(Signal::USR1);
    let mut said = String::new();
    wait::poll(wait::DEADLINE, || {
        said = env.run(["logs", "c1"]).stdout();
        said.contains("usr").then_some(())
    });
    assert_eq!(said, "up\nusr\n", "{}", env.run(["ps", "-a"]));
    // It may be over before `touch` is, which then ends with it.
    drop(env.run(["exec", "c1", "touch", "/end"]));
    run.finish().success().stdout_is("up\nusr\n");
    env.assert_nothing_left();
}

/// A program that says `up`, and ends with code 7 when `name` comes.
fn catching(name: &str) -> String {
    format!("trap 'echo caught {name}; exit 7' {name}; echo up; while :; do usleep 10000; done")
}

fn caught(terminal: Terminal, name: &str) {
    let (code, text) = terminal.finish();
    assert_eq!((code, &*text), (7, &*format!("up\r\ncaught {name}\r\n")), "{name}");
}

#[test]
fn signals_reach_the_program_of_run_on_a_terminal() {
    let env = TestEnv::new();
    let base = ["run", "--rm", "--network", "none"];
    // Without -i the keyboard sends the signal to us.
    for (key, name) in [("\u{3}", "INT"), ("\u{1c}", "QUIT")] {
        let script = catching(name);
        let words = base.iter().chain(&["-t", "alpine"]).copied().chain(shell(&script));
        let mut terminal = env.terminal(words);
        terminal.expect("up");
        terminal.send(key);
        let (code, text) = terminal.finish();
        assert_eq!(code, 7, "{text}");
        assert!(text.contains(&format!("caught {name}")), "{text}");
    }
    for (signal, name) in [
        (Signal::TERM, "TERM"),
        (Signal::HUP, "HUP"),
        (Signal::USR1, "USR1"),
        (Signal::ALARM, "ALRM"),
    ] {
        let script = catching(name);
        let words = base.iter().chain(&["-it", "alpine"]).copied().chain(shell(&script));
        let terminal = env.terminal(words);
        terminal.expect("up");
        kill_process(terminal.pid(), signal).expect("our child");
        caught(terminal, name);
    }
    env.assert_nothing_left();
}

#[test]
fn signals_reach_the_program_of_compose_run_on_a_terminal() {
    let env = TestEnv::new();
    let script = catching("TERM");
    env.write("compose.yaml", "services: {web: {image: alpine, network_mode: none}}\n");
    let terminal = env
        .terminal(["compose", "-p", "t", "run", "--rm", "web"].into_iter().chain(shell(&script)));
    terminal.expect("up");
    kill_process(terminal.pid(), Signal::TERM).expect("our child");
    let (code, text) = terminal.finish();
    assert_eq!(code, 7, "{text}");
    env.run(["compose", "-p", "t", "down"]).success();
    env.assert_nothing_left();
}

#[test]
fn attach_and_start_keep_signals_to_themselves_on_a_terminal() {
    let env = TestEnv::new();
    let script = catching("TERM");
    let words = ["create", "-it", "--name", "c1", "--network", "none", "alpine"];
    env.run(words.into_iter().chain(shell(&script))).success();
    for words in [["start", "-ai", "c1"].as_slice(), ["attach", "c1"].as_slice()] {
        let terminal = env.terminal(words);
        terminal.expect_raw();
        env.wait_status("c1", "running");
        kill_process(terminal.pid(), Signal::TERM).expect("our child");
        assert_eq!(terminal.finish().0, 143);
        env.wait_status("c1", "running");
    }
    assert!(!env.run(["logs", "c1"]).stdout().contains("caught"));
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn every_signal_that_kill_can_send_is_passed_on_without_a_terminal() {
    let env = TestEnv::new();
    for name in ["WINCH", "ALRM", "TSTP", "ABRT", "34"] {
        let script = catching(name);
        let run = env
            .coracle()
            .args(["run", "--rm", "--name", "c1", "--network", "none", "alpine"])
            .args(shell(&script))
            .start();
        wait::until("it has begun", || env.run(["logs", "c1"]).stdout() == "up\n");
        wait_until_attached(run.pid());
        let number = if name == "34" { "RTMIN" } else { name };
        env.sh(&format!("kill -s {number} {}", run.pid().as_raw_nonzero())).success();
        run.finish().code(7).stdout_is(&format!("up\ncaught {name}\n"));
    }
    env.assert_nothing_left();
}

#[test]
fn the_third_interrupt_gives_the_terminal_back() {
    let env = TestEnv::new();
    let script = "trap 'echo int' INT; echo up; while :; do usleep 10000; done";
    let words = ["run", "--name", "c1", "--network", "none", "alpine"];
    let run = env.coracle().args(words).args(shell(script)).start();
    let logs = || env.run(["logs", "c1"]).stdout();
    wait_until_attached(run.pid());
    wait::until("it has begun", || logs() == "up\n");
    // One at a time: two that wait together are one to the kernel.
    run.signal(Signal::INT);
    wait::until("the first has come", || logs() == "up\nint\n");
    run.signal(Signal::TERM);
    run.signal(Signal::INT);
    let said = run.finish().code(1);
    assert_eq!(said.stderr(), "\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n");
    env.wait_status("c1", "running");

    let attach = env.coracle().args(["attach", "--no-stdin", "c1"]).start();
    wait_until_attached(attach.pid());
    wait::until("all have come", || logs() == "up\nint\nint\n");
    for count in 3..5 {
        attach.signal(Signal::INT);
        wait::until("it has come", || logs().matches("int").count() == count);
    }
    attach.signal(Signal::INT);
    let said = attach.finish().code(1);
    assert_eq!(said.stderr(), "\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n");
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}
