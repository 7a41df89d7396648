//! `npm ci` with a cache of packages that outlives the step.

use coracle_integration::port::free_port;

use super::{authorities, build, fetched, need_root, world};
use crate::compose_apps::serves;

pub(super) fn builds_and_runs() {
    let env = world(&[("node", need_root!(node))], &["fibonacci"]);
    env.sh("mv fibonacci/client client").success();
    let secret = authorities();
    let first = || build(&env, "client", &["--secret", &secret]).run();
    let Some(first) = fetched("registry of npm", first) else { return };
    first.stderr_has("added ");
    let port = free_port();
    env.sh(&format!("docker run -d --name web --init -p 127.0.0.1:{port}:3000 client")).success();
    serves(port, "/", "<h1>Fibonacci</h1>\n");
    env.run(["restart", "web"]).success();
    serves(port, "/", "<h1>Fibonacci</h1>\n");
    env.run(["logs", "web"])
        .success()
        .stdout_is("production server on 3000\nproduction server on 3000\n");

    // The cache is no part of the image, and is enough for a build without network.
    let look = "test -e /root/.npm || echo none; ls /app/node_modules | wc -l; id -un";
    let look = env.run(["run", "--rm", "--network", "none", "-u", "0", "client", "sh", "-c", look]);
    look.success().stdout_is("none\n6\nroot\n");
    let offline = ["--network", "none", "--build-arg", "npm_config_offline=true"];
    env.sh("sed -i '/^WORKDIR/a ARG npm_config_offline' client/Dockerfile").success();
    build(&env, "client", &offline).run().success().stderr_has("added ");
    // Who does without the cache does without this one too.
    let without = [&offline[..], &["--no-cache"]].concat();
    build(&env, "client", &without).run().code(1).stderr_has("ENOTCACHED");
    env.run(["rm", "-f", "web"]).success();
    env.assert_nothing_left();
}
