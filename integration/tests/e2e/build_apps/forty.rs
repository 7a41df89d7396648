//! Forty steps that add, move, replace and remove, and what is left of them.

use coracle_integration::{TestEnv, port::free_port};

use super::{build, need_root, world};
use crate::compose_apps::{http, serves};

/// What lies in the site: mode, owner, and what it is, with the number of its links.
const LIST: &str = "\
/srv/site 0755 0:0 folder
/srv/site/copied 1777 0:0 folder
/srv/site/copied/mine 0644 2000:2000 5 bytes, 1
/srv/site/copied/of-root 0644 0:0 0 bytes, 1
/srv/site/copied/own 0755 2000:2000 folder
/srv/site/dangling 0777 0:0 -> nowhere
/srv/site/devices 0644 0:0 2 bytes, 1
/srv/site/from-memory 0644 0:0 5 bytes, 1
/srv/site/joined 0644 0:0 13 bytes, 1
/srv/site/large 0644 0:0 5 bytes, 1
/srv/site/last 0644 0:0 11 bytes, 1
/srv/site/link 0755 0:0 folder
/srv/site/link/file 0644 0:0 7 bytes, 1
/srv/site/log 0640 2000:2000 6 bytes, 1
/srv/site/many 0644 0:0 4 bytes, 1
/srv/site/newer 0644 0:0 7 bytes, 1
/srv/site/old 0644 0:0 0 bytes, 1
/srv/site/old.time 0644 0:0 10 bytes, 1
/srv/site/pages 0755 0:0 folder
/srv/site/pages/first.txt 0644 0:0 6 bytes, 1
/srv/site/pages/second.txt 0644 0:0 7 bytes, 1
/srv/site/pipe 0600 0:0 fifo
/srv/site/private.txt 0600 2000:2000 6 bytes, 1
/srv/site/setuid 4755 2000:0 6 bytes, 1
/srv/site/shared 2770 2000:2000 folder
/srv/site/shared/made 0644 0:2000 5 bytes, 1
/srv/site/shared/second.txt 0644 2000:33 7 bytes, 1
/srv/site/sparse 0644 0:0 8388611 bytes, 1
/srv/site/sticky 1777 0:0 folder
/srv/site/sticky/answer 0644 2000:2000 5 bytes, 1
/srv/site/sticky/mine 0644 2000:2000 5 bytes, 1
/srv/site/sticky/of-root 0644 0:0 0 bytes, 1
/srv/site/sticky/own 0755 2000:2000 folder
/srv/site/tree 0755 0:0 folder
/srv/site/tree/moved 0755 0:0 folder
/srv/site/tree/moved/only 0644 0:0 4 bytes, 1
/srv/site/tree/top 0755 0:0 folder
/srv/site/tree/top/leaf 0644 0:0 5 bytes, 1
/srv/site/twins-1 0644 0:0 8 bytes, 1
/srv/site/twins-2 0644 0:0 4 bytes, 2
/srv/site/twins-3 0644 0:0 4 bytes, 2
/srv/site/was-folder 0644 0:0 11 bytes, 1
";

/// Files of which the content matters.
const CONTENTS: [(&str, &str); 9] = [
    ("log", "1\n2\n3\n"),
    ("tree/top/leaf", "deep\n"),
    ("twins-1", "one\ntwo\n"),
    ("twins-3", "one\n"),
    ("many", "500\n"),
    ("newer", "./last\n"),
    ("old.time", "981173106\n"),
    ("from-memory", "gone\n"),
    // The loopback device alone.
    ("devices", "1\n"),
];

fn start(env: &TestEnv, port: u16) {
    env.sh(&format!("docker run -d --init --name web -p 127.0.0.1:{port}:8080 steps")).success();
    serves(port, "/joined", "first\nsecond\n");
}

/// `kept`: a user's file in a sticky folder is safe from others, which takes more than one id.
pub(super) fn builds_and_runs(kept: bool) {
    let env = world(&[("debian", need_root!(debian))], &["steps"]);
    let built = build(&env, "steps", &[]).run().success();
    assert!(built.stderr().contains("[stage-0 40/40] RUN find"), "{built}");
    let port = free_port();
    start(&env, port);
    let seen = http(port, "GET", "/list");
    let mut expected = LIST.to_owned();
    if !kept {
        let others = "sticky/answer 0644 2000:2000 ";
        expected = expected.replace(&format!("{others}5"), &format!("{others}8"));
        let lines = expected.lines().filter(|line| !line.contains("/of-root"));
        expected = lines.map(|line| format!("{line}\n")).collect();
    }
    assert_eq!(seen, expected);
    for (path, content) in CONTENTS {
        assert_eq!(http(port, "GET", &format!("/{path}")), content, "{path}");
    }
    let answer = if kept { "kept\n" } else { "removed\n" };
    assert_eq!(http(port, "GET", "/sticky/answer"), answer);
    env.run(["rm", "-f", "web"]).success();

    // From the twenty-first step on it is another image; those before it are there.
    env.write("steps/pages/second.txt", "2nd\n");
    let again = build(&env, "steps", &[]).run().success();
    assert_eq!(again.stderr().matches(" CACHED").count(), 19, "{again}");
    env.sh(&format!("docker run -d --init --name web -p 127.0.0.1:{port}:8080 steps")).success();
    serves(port, "/joined", "first\n2nd\n");
    // In an archive and back it is the same.
    env.sh("docker save -o saved.tar steps && docker rm -f web && docker rmi steps && docker builder prune -af")
        .success();
    env.sh("docker load -q -i saved.tar").success().stdout_is("Loaded image: steps:latest\n");
    env.sh(&format!("docker run -d --init --name web -p 127.0.0.1:{port}:8080 steps")).success();
    serves(port, "/joined", "first\n2nd\n");
    let shorter = seen.replace("pages/second.txt 0644 0:0 7", "pages/second.txt 0644 0:0 4");
    let shorter =
        shorter.replace("shared/second.txt 0644 2000:33 7", "shared/second.txt 0644 2000:33 4");
    let shorter = shorter.replace("joined 0644 0:0 13", "joined 0644 0:0 10");
    assert_eq!(http(port, "GET", "/list"), shorter);
    env.run(["rm", "-f", "web"]).success();
    env.assert_nothing_left();
}
