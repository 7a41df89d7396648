//! Terminals: `-t`, sizes, detach keys, and that raw mode never stays.

use coracle_integration::{TestEnv, pty::Terminal, wait};
use rustix::process::{Signal, kill_process};

#[test]
fn run_it_gives_a_terminal_with_term_and_the_exit_code() {
    let env = TestEnv::new();
    let script = "tty; stty size; echo TERM=$TERM; echo out; echo err >&2; exit 5";
    let terminal =
        env.terminal(["run", "--network", "none", "-it", "--rm", "alpine", "sh", "-c", script]);
    let (code, text) = terminal.finish();
    assert_eq!(code, 5, "{text:?}");
    assert_eq!(text, "/dev/pts/0\r\n24 80\r\nTERM=xterm\r\nout\r\nerr\r\n");
    env.assert_nothing_left();
}

#[test]
fn typing_reaches_the_shell_and_a_new_size_is_passed_on() {
    let env = TestEnv::new();
    let mut terminal = env.terminal(["run", "--network", "none", "-it", "--rm", "alpine", "sh"]);
    terminal.expect("# ");
    terminal.send("echo si''ze $(stty size)\n");
    terminal.expect("size 24 80");
    terminal.resize(33, 99);
    terminal.send("until [ \"$(stty size)\" = '33 99' ]; do :; done; echo si''ze $(stty size)\n");
    terminal.expect("size 33 99");
    terminal.send("exit 3\n");
    assert_eq!(terminal.finish().0, 3);
    env.assert_nothing_left();
}

#[test]
fn detach_keys_leave_the_container_running() {
    let env = TestEnv::new();
    let mut terminal =
        env.terminal(["run", "--network", "none", "-it", "--name", "d1", "alpine", "sh"]);
    terminal.expect("# ");
    terminal.send("\u{10}\u{11}");
    assert_eq!(terminal.finish().0, 0);
    env.wait_status("d1", "running");

    let mut terminal = env.terminal(["attach", "--detach-keys", "ctrl-x", "d1"]);
    terminal.expect_raw();
    terminal.send("echo still he''re\n");
    terminal.expect("still here");
    terminal.send("\u{18}");
    assert_eq!(terminal.finish().0, 0);
    env.run(["rm", "-f", "d1"]).success();
    env.assert_nothing_left();
}

#[test]
fn raw_mode_is_undone_when_we_are_terminated() {
    let env = TestEnv::new();
    let terminal = env.terminal([
        "run",
        "--network",
        "none",
        "-it",
        "--rm",
        "alpine",
        "sh",
        "-c",
        "echo up; exec sleep 60",
    ]);
    terminal.expect("up");
    assert!(!terminal.is_cooked(), "a running -t session is raw");
    // The program takes no notice; the third time we give up.
    for signal in [Signal::TERM, Signal::INT, Signal::TERM] {
        kill_process(terminal.pid(), signal).expect("our child");
        crate::signals::wait_until_taken(terminal.pid());
    }
    // `finish` fails the test when the terminal stays raw.
    let (code, text) = terminal.finish();
    assert_eq!(code, 1);
    assert!(text.ends_with("\r\ngot 3 SIGTERM/SIGINTs, forcefully exiting\r\n"), "{text:?}");
}

#[test]
fn ctrl_c_ends_what_only_looks_or_waits() {
    let env = TestEnv::new();
    let registry = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let image = format!("{}/x:1", registry.local_addr().expect("a bound socket"));
    env.write("compose.yaml", format!("services: {{a: {{image: '{image}'}}}}\n"));
    let run = ["run", "-d", "--name", "c1", "--network", "none", "alpine", "sh", "-c"];
    env.run([&run[..], &["while :; do echo up; sleep .1; done"]].concat()).success();
    for words in [
        &["pull", &image][..],
        &["run", "--rm", "--network", "none", &image],
        &["compose", "-p", "t", "pull"],
        &["compose", "-p", "t", "up"],
    ] {
        let mut terminal = env.terminal(words);
        // Whoever connects waits for an answer that does not come.
        let silent = registry.accept().expect("the client");
        terminal.send("\u{3}");
        let (code, text) = terminal.finish();
        assert_ne!(code, 0, "{words:?}: {text:?}");
        assert!(!text.contains("panicked"), "{text:?}");
        let (hidden, shown) = (text.rfind("\u{1b}[?25l"), text.rfind("\u{1b}[?25h"));
        assert!(hidden <= shown, "the cursor is away: {text:?}");
        drop(silent);
    }
    for words in [&["logs", "-f", "c1"][..], &["attach", "--sig-proxy=false", "c1"], &["stats"]] {
        let mut terminal = env.terminal(words);
        terminal.expect(if words[0] == "stats" { "c1" } else { "up" });
        terminal.send("\u{3}");
        let (code, text) = terminal.finish();
        assert_ne!(code, 0, "{words:?}: {text:?}");
    }
    env.wait_status("c1", "running");
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

/// A list that is drawn over has what there is, not what there was.
#[test]
fn stats_of_all_drop_what_was_removed() {
    const CLEAR: &str = "\x1b[2J\x1b[H";
    let env = TestEnv::new();
    for name in ["c1", "c2"] {
        env.run(["create", "--network", "none", "--name", name, "alpine"]).success();
    }
    let mut terminal = env.terminal(["stats", "--all"]);
    terminal.expect("c2");
    env.run(["rm", "c2"]).success();
    wait::until("the removed one has left the screen", || {
        let text = terminal.text();
        // The last may not be whole.
        let whole = text.rsplit(CLEAR).nth(1).unwrap_or_default();
        whole.contains("c1") && !whole.contains("c2")
    });
    terminal.send("\u{3}");
    let (code, text) = terminal.finish();
    assert_ne!(code, 0, "{text:?}");
    env.run(["rm", "c1"]).success();
    env.assert_nothing_left();
}

/// The size is there before the program's first instruction, whatever way it is started.
#[test]
fn a_terminal_has_its_size_from_the_first_instruction_on() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services: {web: {image: alpine, network_mode: none, init: true, command: [sleep, '1000']}}\n",
    );
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    let size = |words: &[&str]| {
        let (code, text) =
            Terminal::start_sized(&env, (33, 111), words.iter().chain(&["stty", "size"])).finish();
        assert_eq!(code, 0, "{text:?}");
        assert!(text.contains("33 111\r"), "{words:?}: {text:?}");
    };
    // What comes a little late comes in time now and then.
    for _ in 0..8 {
        size(&["exec", "-t", "t-web-1"]);
        size(&["exec", "-it", "-u", "nobody", "t-web-1"]);
    }
    size(&["compose", "-p", "t", "exec", "web"]);
    size(&["compose", "-p", "t", "run", "--rm", "web"]);
    size(&["run", "--rm", "-t", "--network", "none", "alpine"]);
    size(&["run", "--rm", "-it", "--network", "none", "-u", "nobody", "alpine"]);
    env.run(["compose", "-p", "t", "down", "-t", "0"]).success();

    // Made in a terminal of one size, started in one of another.
    let words = ["create", "-it", "--name", "c1", "--network", "none", "alpine", "stty", "size"];
    env.terminal(words).finish();
    for words in [["start", "-ai", "c1"], ["start", "-a", "c1"]] {
        let (_, text) = Terminal::start_sized(&env, (33, 111), words).finish();
        assert!(text.contains("33 111\r"), "{text:?}");
    }
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn exec_it_has_its_own_terminal() {
    let env = TestEnv::new();
    env.run([
        "run",
        "--network",
        "none",
        "-d",
        "--name",
        "e1",
        "-e",
        "FOO=bar",
        "alpine",
        "sleep",
        "1000",
    ])
    .success();
    let (code, text) =
        env.terminal(["exec", "-it", "e1", "sh", "-c", "tty; echo $FOO $TERM; exit 4"]).finish();
    assert_eq!((code, text.as_str()), (4, "/dev/pts/0\r\nbar xterm\r\n"));
    env.run(["rm", "-f", "e1"]).success();
    env.assert_nothing_left();
}

#[test]
fn binary_output_is_not_written_to_a_terminal() {
    let env = TestEnv::new();
    let (code, text) = env.terminal(["save", "alpine"]).finish();
    assert_eq!(
        (code, text.as_str()),
        (1, "cowardly refusing to save to a terminal. Use the -o flag or redirect\r\n")
    );
}
