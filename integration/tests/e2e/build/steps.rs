//! How the steps of builds are carried out: side by side, once, and with nothing left whatever happens to them.

use std::fs;
use std::path::Path;

use coracle_integration::{TestEnv, leak, wait};
use rustix::process::Signal;

/// A build of `dockerfile` in a folder of its own.
fn prepare(env: &TestEnv, name: &str, dockerfile: &str) -> String {
    env.write(&format!("{name}/Dockerfile"), dockerfile);
    env.work().join(name).display().to_string()
}

/// Fails when builds that have ended left anything but what they made.
fn assert_tidy(env: &TestEnv) {
    let entries = |folder: &str| -> Vec<String> {
        let found = fs::read_dir(env.data().join("builder").join(folder)).into_iter().flatten();
        let names = found.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| !["lock", "names"].contains(&name.as_str())).collect()
    };
    for folder in ["containers", "containers/names", "steps", "builds", "cache/1/locks"] {
        assert_eq!(entries(folder), Vec::<String>::new(), "{folder}");
    }
}

#[test]
fn stages_that_do_not_need_each_other_go_on_side_by_side() {
    let env = TestEnv::new();
    let meet = |me: u32| {
        format!(
            "FROM alpine AS s{me}\n\
             RUN --mount=type=cache,id=meet,target=/c touch /c/{me}; \
             for i in $(seq 300); do [ $(ls /c | wc -l) = 4 ] && touch /{me} && break; \
             sleep 0.1; done; ls /{me}\n"
        )
    };
    let copies: String = (1..5).map(|me| format!("COPY --from=s{me} /{me} /\n")).collect();
    let stages: String = (1..5).map(meet).collect();
    let folder = prepare(&env, "four", &format!("{stages}FROM scratch\n{copies}"));
    env.run(["build", "--network", "none", "-t", "four", &folder]).success();
    assert_tidy(&env);
    env.assert_nothing_left();
}

#[test]
fn two_builds_at_once_share_their_steps() {
    let env = TestEnv::new();
    let dockerfile = "FROM alpine\n\
                      RUN --mount=type=cache,target=/c cat /proc/sys/kernel/random/uuid > /id; \
                      cat /id >> /c/log; sleep 0.5\n\
                      RUN --mount=type=cache,target=/c cp /c/log /log\n";
    let folder = prepare(&env, "both", dockerfile);
    let build = |name| env.coracle().args(["build", "--network", "none", "-t", name, &folder]);
    let (one, two) = (build("one").start(), build("two").start());
    one.finish().success();
    two.finish().success();
    let id = |name| env.run(["image", "inspect", "--format", "{{.Id}}", name]).success().line();
    assert_eq!(id("one"), id("two"));
    let show =
        ["run", "--rm", "--network", "none", "one", "sh", "-c", "wc -l < /log; cmp /id /log"];
    env.run(show).success().stdout_is("1\n");
    assert_tidy(&env);
    env.assert_nothing_left();
}

#[test]
fn a_build_that_is_killed_in_a_command_leaves_nothing() {
    let env = TestEnv::new();
    let dockerfile = "FROM alpine\nRUN echo a > /a\nARG S\nRUN sleep $S\n";
    let folder = prepare(&env, "killed", dockerfile);
    let build = |seconds: &str| {
        let arg = format!("S={seconds}");
        env.coracle().args(["build", "--network", "none", "--build-arg", &arg, "-t", "x", &folder])
    };
    let running = build("1000").start();
    let sleeps = || leak::processes_of(env.root()).iter().any(|(_, line)| line.contains("1000"));
    wait::until("the command runs", sleeps);
    running.signal(Signal::KILL);
    wait::until("the command has ended with the build", || {
        leak::processes_of(env.root()).is_empty()
    });
    drop(running.finish());
    build("0").run().success();
    assert_tidy(&env);
    env.assert_nothing_left();
}

#[test]
fn a_build_that_is_killed_while_it_copies_leaves_nothing() {
    let env = TestEnv::new();
    let folder = prepare(&env, "many", "FROM alpine\nCOPY files /files\n");
    for file in 0..4000 {
        env.write(&format!("many/files/{}/{file}", file % 20), file.to_string());
    }
    let build = || env.coracle().args(["build", "--network", "none", "-t", "x", &folder]);
    let running = build().start();
    let steps = env.data().join("builder/steps");
    wait::until("the step has begun", || {
        fs::read_dir(&steps).is_ok_and(|mut found| found.next().is_some())
    });
    running.signal(Signal::KILL);
    drop(running.finish());
    build().run().success();
    let count =
        ["run", "--rm", "--network", "none", "x", "sh", "-c", "find /files -type f | wc -l"];
    env.run(count).success().stdout_is("4000\n");
    assert_tidy(&env);
    env.assert_nothing_left();
}

/// Whether a file below `folder` has `text` in it.
fn has_text(folder: &Path, text: &[u8]) -> Option<String> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            if let Some(found) = has_text(&path, text) {
                return Some(found);
            }
        } else if kind.is_file()
            && fs::read(&path).is_ok_and(|it| it.windows(text.len()).any(|part| part == text))
        {
            return Some(path.display().to_string());
        }
    }
    None
}

#[test]
fn a_secret_is_nowhere_afterwards() {
    const SECRET: &str = "pa55phrase-of-nobody";
    let env = TestEnv::new();
    let dockerfile = "FROM alpine\n\
                      RUN --mount=type=secret,id=s grep -c phrase /run/secrets/s > /o\n\
                      RUN --mount=type=secret,id=s,env=PASS echo \"$PASS\" | wc -c > /p\n\
                      RUN ls -A /run > /q\n";
    let folder = prepare(&env, "secret", dockerfile);
    let file = env.write("s.txt", SECRET).display().to_string();
    let secret = format!("id=s,src={file}");
    let args = ["build", "--network", "none", "--secret", &secret, "-t", "x", &folder];
    env.run(args).success();
    let show = ["run", "--rm", "--network", "none", "x", "cat", "/o", "/p", "/q"];
    let length = SECRET.len() + 1;
    env.run(show).success().stdout_is(&format!("1\n{length}\n"));
    assert_eq!(has_text(&env.data(), SECRET.as_bytes()), None);
    assert_tidy(&env);
    env.assert_nothing_left();
}

#[test]
fn a_command_that_fails_ends_the_others() {
    let env = TestEnv::new();
    let dockerfile = "FROM alpine AS a\nRUN sleep 1000\nFROM alpine AS b\nRUN echo told; exit 7\n\
                      FROM scratch\nCOPY --from=a /a /\nCOPY --from=b /b /\n";
    let folder = prepare(&env, "fails", dockerfile);
    let output = env.run(["build", "--network", "none", &folder]).code(1);
    output
        .stderr_has(
            "process \"/bin/sh -c echo told; exit 7\" did not complete successfully: exit code: 7",
        )
        .stderr_has(">>> RUN echo told; exit 7");
    assert_tidy(&env);
    env.assert_nothing_left();
}

#[test]
fn steps_that_change_nothing_have_one_layer_twice_and_it_runs() {
    let env = TestEnv::new();
    let dockerfile = "FROM alpine\nRUN true\nRUN true\nCOPY a /a\nRUN rm /a\nCOPY --link a /a\n\
                      RUN rm /a\nCOPY --link a /a\n";
    let folder = prepare(&env, "twice", dockerfile);
    env.write("twice/a", "there\n");
    env.run(["build", "--network", "none", "-t", "twice", &folder]).success();
    let show = ["run", "--rm", "--network", "none", "twice", "cat", "/a"];
    env.run(show).success().stdout_is("there\n");
    env.sh("coracle save twice | coracle load").success();
    env.run(show).success().stdout_is("there\n");
    assert_tidy(&env);
    env.assert_nothing_left();
}
