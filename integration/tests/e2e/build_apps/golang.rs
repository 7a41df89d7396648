//! A server in Go, built in one stage, alone in the image of the last.

use coracle_integration::port::free_port;

use super::{build, need_root, world};
use crate::compose_apps::serves;

pub(super) fn builds_and_runs() {
    let env = world(&[("golang", need_root!(golang))], &["golang"]);
    env.sh("mv golang hello").success();
    let built = build(&env, "hello", &["--build-arg", "VERSION=1.2.3"]).run().success();
    // A stage that nothing needs is not built.
    assert!(!built.stderr().contains("go vet"), "{built}");

    let port = free_port();
    env.sh(&format!("docker run -d --name web -p 127.0.0.1:{port}:8080 hello")).success();
    serves(port, "/", "version 1.2.3 as 65534 with [plain]\n");
    env.run(["restart", "-t", "1", "web"]).success();
    serves(port, "/", "version 1.2.3 as 65534 with [plain]\n");
    env.run(["exec", "web", "sh"])
        .code(127)
        .stdout_has("\"sh\": executable file not found in $PATH");
    let about = "{{len .RootFS.Layers}} {{.Config.User}} {{json .Config.Entrypoint}}";
    env.run(["image", "inspect", "--format", about, "hello"])
        .success()
        .stdout_is("1 65534:65534 [\"/hello\"]\n");
    env.sh(
        "docker export web | tar -t | grep -v / | sort; docker export web | tar -t | grep -c ^usr",
    )
    .stdout_has("hello\n")
    .stdout_has("\n0\n");
    env.run(["rm", "-f", "web"]).success();

    // Another version: compiled again, of what the cache has.
    let other = build(&env, "hello", &["--build-arg", "VERSION=2"]).run().success();
    other.stderr_has("go build");
    env.sh(&format!("docker run -d --name web -p 127.0.0.1:{port}:8080 hello of arguments"))
        .success();
    serves(port, "/", "version 2 as 65534 with [of arguments]\n");
    env.run(["rm", "-f", "web"]).success();
    env.assert_nothing_left();
}
