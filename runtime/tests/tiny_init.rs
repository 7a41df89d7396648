//! The init of `--init` as a process of its own: the example `docker-init`.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::fs::File;
use std::io::Read;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Starts an init whose output, standard error included, can be read.
fn start(args: &[&str]) -> (Child, File) {
    let (output, input) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    // Beside this test's own executable, where cargo puts examples.
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples/docker-init");
    let init = Command::new(path)
        .args(args)
        .stdin(Stdio::null())
        .stdout(input.try_clone().unwrap())
        .stderr(input)
        .spawn()
        .unwrap();
    (init, File::from(output))
}

fn run(args: &[&str]) -> (Option<i32>, String) {
    let (mut init, mut output) = start(args);
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    (init.wait().unwrap().code(), text)
}

#[test]
fn ends_as_the_command_does() {
    assert_eq!(run(&["--", "sh", "-c", "echo hi; exit 3"]), (Some(3), "hi\n".to_owned()));
    assert_eq!(run(&["true"]), (Some(0), String::new()));
    assert_eq!(run(&["--", "sh", "-c", "kill -9 $$"]), (Some(137), String::new()));
    assert_eq!(run(&["--", "sh", "-c", "kill -15 $$"]), (Some(143), String::new()));
}

#[test]
fn says_what_it_cannot_execute() {
    assert_eq!(
        run(&["--", "/no/such"]),
        (
            Some(127),
            "docker-init: /no/such: execvp(): No such file or directory (os error 2)\n".to_owned()
        )
    );
    assert_eq!(run(&["--", "/"]).0, Some(126));
    assert_eq!(run(&["--"]), (Some(1), "docker-init: no command given\n".to_owned()));
}

#[test]
fn hands_signals_on() {
    // One that nobody ignores on our behalf, as nohup(1) does SIGHUP: a shell cannot trap it then.
    let script = "trap 'kill $!; exit 7' USR1; sleep 60 & echo ready; wait";
    let (mut init, mut output) = start(&["--", "sh", "-c", script]);
    let mut ready = [0; 6];
    output.read_exact(&mut ready).unwrap();
    let pid = Pid::from_child(&init);
    kill_process(pid, Signal::USR1).unwrap();
    assert_eq!(init.wait().unwrap().code(), Some(7));
}

#[test]
fn reaps_orphans_while_the_command_runs() {
    let script = "orphan=$( (sh -c 'echo $$' &) ); tries=0; \
         while [ -e /proc/$orphan ] && [ $tries -lt 300000 ]; do tries=$((tries+1)); done; \
         [ -e /proc/$orphan ] || echo reaped";
    assert_eq!(run(&["--", "sh", "-c", script]), (Some(0), "reaped\n".to_owned()));
}

#[test]
fn the_command_leads_a_group_and_has_no_signal_blocked_or_ignored() {
    let script =
        "[ $$ = $(cut -d' ' -f5 /proc/$$/stat) ] && grep -E 'Sig(Blk|Ign)' /proc/self/status";
    let (code, text) = run(&["--", "sh", "-c", script]);
    assert_eq!(code, Some(0));
    assert!(text.contains("SigBlk:\t0000000000000000"), "{text}");
    // Bits 12 (PIPE), 20 (TTIN) and 21 (TTOU), counted from zero.
    let ignored = text.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & 0x30_1000, 0, "{text}");
}
