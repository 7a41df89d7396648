//! What the peers' tests need a terminal for.

use coracle_integration::TestEnv;

/// A container that repeats what is typed.
fn cat(env: &TestEnv) {
    let args = ["run", "--network", "none", "-itd", "--name", "cat", "alpine", "cat"];
    env.run(args).success();
}

/// moby: `TestRunAttachDetach`, `TestAttachDetach`, `TestRunAttachDetachFromFlag`, `TestEventsAttach`;
/// nerdctl: `TestAttach`, `TestAttachDetachKeys`, `TestStartDetachKeys`, `TestRunWithDetachKeys`.
#[test]
fn detach_keys_of_a_flag_leave_an_attached_container() {
    let env = TestEnv::new();
    cat(&env);
    for (keys, typed) in [(None, "\u{10}\u{11}"), (Some("ctrl-a,a"), "\u{1}a")] {
        let flags = keys.map(|keys| format!("--detach-keys={keys}"));
        let args = ["attach".to_owned()].into_iter().chain(flags).chain(["cat".to_owned()]);
        let mut terminal = env.terminal(args);
        terminal.expect_raw();
        terminal.send("hello\r");
        terminal.expect("hello");
        terminal.send(typed);
        assert_eq!(terminal.finish().0, 0);
        env.wait_status("cat", "running");
    }
    let events = env.sh("docker events --since 0 --until $(($(date +%s)+1)) -f container=cat");
    let text = events.success().stdout();
    assert_eq!(text.matches(" container attach ").count(), 2, "{text}");
    env.run(["rm", "-f", "cat"]).success();
    env.assert_nothing_left();
}

/// moby: `TestRunAttachDetachFromInvalidFlag`.
#[test]
fn unknown_detach_keys_are_refused() {
    let env = TestEnv::new();
    cat(&env);
    let (code, text) = env.terminal(["attach", "--detach-keys=ctrl-A,a", "cat"]).finish();
    assert_ne!(code, 0);
    assert!(text.contains("ctrl-A,a"), "{text:?}");
    env.run(["rm", "-f", "cat"]).success();
    env.assert_nothing_left();
}

/// moby: `TestRunAttachInvalidDetachKeySequencePreserved`.
#[test]
fn a_broken_off_sequence_of_detach_keys_is_input() {
    let env = TestEnv::new();
    cat(&env);
    let mut terminal = env.terminal(["attach", "--detach-keys=a,b,c", "cat"]);
    terminal.expect_raw();
    terminal.send("a");
    terminal.send("b");
    terminal.send("x\r");
    terminal.expect("abx");
    terminal.send("abc");
    assert_eq!(terminal.finish().0, 0);
    env.run(["rm", "-f", "cat"]).success();
    env.assert_nothing_left();
}

/// moby: `TestAttachAfterDetach`, `TestAttachClosedOnContainerStop`; podman: `podman detects correct tty size`.
#[test]
fn who_left_comes_back_and_is_let_go_when_it_stops() {
    let env = TestEnv::new();
    let mut terminal =
        env.terminal(["run", "--network", "none", "-it", "--name", "back", "alpine", "sh"]);
    terminal.expect("# ");
    terminal.send("\u{10}\u{11}");
    assert_eq!(terminal.finish().0, 0);
    let mut terminal = env.terminal(["attach", "back"]);
    terminal.expect_raw();
    terminal.send("stty si''ze\r");
    terminal.expect("24 80");
    env.run(["stop", "-t", "0", "back"]).success();
    assert_eq!(terminal.finish().0, 137);
    env.run(["rm", "back"]).success();
    env.assert_nothing_left();
}

/// moby: `TestExecInteractiveStdinClose`, `TestExecTTY`.
#[test]
fn exec_ends_with_its_program_on_a_terminal() {
    let env = TestEnv::new();
    cat(&env);
    let (code, text) = env.terminal(["exec", "-i", "cat", "echo", "-n", "hello"]).finish();
    assert_eq!((code, text.as_str()), (0, "hello"));
    let mut terminal = env.terminal(["exec", "-it", "cat", "sh"]);
    terminal.expect("# ");
    terminal.send("echo he''llo && exit 3\n");
    terminal.expect("hello");
    assert_eq!(terminal.finish().0, 3);
    env.run(["rm", "-f", "cat"]).success();
    env.assert_nothing_left();
}

/// moby: `TestLoadNoStdinFail`; podman: `podman load - will not read from tty`.
#[test]
fn load_does_not_read_from_a_terminal() {
    let env = TestEnv::new();
    let (code, text) = env.terminal(["load"]).finish();
    assert_eq!(code, 1);
    assert_eq!(text, "requested load from stdin, but stdin is empty\r\n");
}

/// What is typed right behind the request to attach arrives.
///
/// moby: `TestAttachDisconnect`.
#[test]
fn input_that_comes_with_the_attachment_arrives() {
    let env = TestEnv::new();
    env.run(["run", "--network", "none", "-id", "--name", "cat", "alpine", "cat"]).success();
    for round in 0..8 {
        let line = format!(
            "mkfifo in{round}; (echo line{round}; eventually 'docker logs cat | grep line{round}') > in{round} & \
             docker attach cat < in{round} > out{round} & attached=$!; \
             eventually 'grep -q line{round} out{round}'; arrived=$?; kill -9 $attached; wait; exit $arrived"
        );
        env.sh(&line).success();
    }
    env.run(["rm", "-f", "cat"]).success();
    env.assert_nothing_left();
}
