//! How a build is shown: lines, a tree, JSON, nothing.

use coracle_integration::TestEnv;
use coracle_integration::pty::Terminal;

const FAILS: &str = "FROM alpine\nENV A b\nRUN echo start; for i in 1 2 3 4 5 6 7 8 9 10 11; do echo line $i; done; exit 3\n";

fn world() -> TestEnv {
    let env = TestEnv::new();
    env.write("b/Dockerfile", "FROM alpine\nWORKDIR /app\nCOPY f .\nRUN echo out; echo err >&2\n");
    env.write("b/f", "content\n");
    env.write("bad/Dockerfile", FAILS);
    env
}

#[test]
fn lines_are_buildkits() {
    let env = world();
    let first = env.run(["build", "--progress", "plain", "-t", "b", "b"]).success();
    assert_eq!(first.stdout(), "");
    let said = first.stderr();
    let begin = "#0 building with \"default\" instance using coracle driver\n\n\
                 #1 [internal] load build definition from Dockerfile\n\
                 #1 transferring dockerfile: ";
    assert!(said.starts_with(begin), "{said}");
    assert!(said.contains(" [2/4] WORKDIR /app\n"), "{said}");
    for line in [" out\n", " err\n", "naming to docker.io/library/b"] {
        assert!(said.contains(line), "{line:?} in {said}");
    }
    // Without a terminal lines are the default; times and ids are the same.
    let again = env.run(["build", "-t", "b", "b"]).success().stderr();
    assert_eq!(again.matches(" CACHED\n").count(), 3, "{again}");
    let id = env.run(["build", "-q", "b"]).success();
    assert_eq!(id.stderr(), "");
    assert_eq!(id.line(), env.run(["image", "inspect", "-f", "{{.Id}}", "b"]).line());
    env.run(["build", "--progress=none", "b"]).success().stdout_is("").stderr_is("");
    env.run(["build", "--progress=bogus", "b"]).code(1).stderr_has("invalid progress mode bogus");
    env.run(["build", "--progress=plain", "-q", "b"])
        .code(1)
        .stderr_has("progress=plain and quiet cannot be used together");
    env.run(["build", "--progress=tty", "b"]).code(1).stderr_has("failed to get console");
    let raw = env.run(["build", "--progress=rawjson", "--no-cache", "b"]).success().stderr();
    let lines: Vec<serde_json::Value> =
        raw.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect();
    for key in ["vertexes", "statuses", "logs"] {
        assert!(lines.iter().any(|line| line.get(key).is_some()), "no {key}");
    }
    env.assert_nothing_left();
}

#[test]
fn what_failed_stands_at_the_end() {
    let env = world();
    let failed = env.run(["build", "bad"]).code(1);
    assert_eq!(failed.stdout(), "");
    let said = failed.stderr();
    let (lines, end) = said.split_once("------\n > [2/2] RUN ").expect("the step again");
    assert!(lines.contains("#1 WARN: LegacyKeyValueFormat: "), "{lines}");
    // The name has a line of output in it too.
    assert_eq!(end.split("------\n").next().unwrap_or_default().matches(" line ").count(), 11);
    let rule = "-".repeat(20);
    assert!(
        end.contains(&format!(
            "------\n\n 1 warning found (use coracle build --debug to expand):\n - LegacyKeyValueFormat: \"ENV key=value\" should \
             be used instead of legacy \"ENV key value\" format (line 2)\nDockerfile:3\n{rule}\n   1 |     FROM alpine\n"
        )),
        "{end}"
    );
    assert!(end.contains("   3 | >>> RUN echo start; "), "{end}");
    assert!(end.ends_with("did not complete successfully: exit code: 3\n"), "{end}");
    let whole = env.run(["build", "--debug", "bad"]).code(1).stderr();
    assert!(
        whole.contains("More info: https://docs.docker.com/go/dockerfile/rule/legacy-"),
        "{whole}"
    );
    let quiet = env.run(["build", "-q", "bad"]).code(1).stderr();
    assert!(quiet.starts_with("Dockerfile:3\n"), "{quiet}");
    env.assert_nothing_left();
}

#[test]
fn a_tree_is_drawn_on_a_terminal() {
    let env = world();
    env.write(
        "slow/Dockerfile",
        "FROM alpine\nRUN echo begun; until [ -e /tmp/no ]; do echo tick; sleep 0.2; done\n",
    );
    let (code, text) = Terminal::start_sized(&env, (24, 90), ["build", "-t", "b", "b"]).finish();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(" FINISHED ") && text.contains("coracle:default"), "{text}");
    assert!(text.contains(" => [4/4] RUN echo out"), "{text}");
    let terminal = Terminal::start_sized(&env, (20, 60), ["build", "slow"]);
    terminal.expect(" => => # begun");
    terminal.resize(20, 20);
    terminal.expect(" => => # tick");
    rustix::process::kill_process(terminal.pid(), rustix::process::Signal::INT).expect("it runs");
    let (code, text) = terminal.finish();
    assert_eq!(code, 130, "{text}");
    assert!(text.contains("CANCELED") && text.contains("\u{1b}[?25h"), "{text}");
    env.assert_nothing_left();
}
