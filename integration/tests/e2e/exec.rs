//! `exec`: processes in a running container.

use coracle_integration::{TestEnv, recorded, wait};

recorded! {
    "exec.md":
    exec = "exec",
}

#[test]
fn inspect_lists_the_sessions_that_live() {
    let env = TestEnv::new();
    env.run(["run", "-d", "--network", "none", "--name", "c1", "alpine", "sleep", "1000"])
        .success();
    let ids = || env.run(["inspect", "--format", "{{json .ExecIDs}}", "c1"]).success().line();
    assert_eq!(ids(), "null");
    env.run(["exec", "-d", "c1", "sh", "-c", "until test -e /end; do usleep 10000; done"])
        .success();
    let listed = ids();
    assert_eq!(listed.len(), r#"[""]"#.len() + 64, "{listed}");
    env.run(["exec", "c1", "touch", "/end"]).success();
    wait::until("the session is over", || ids() == "null");
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}
