//! PHP in Apache, installed by `apt-get` in a step, as a server whose workers are another user.

use coracle_integration::{port::free_port, wait};

use super::{build, fetched, need_root, world};
use crate::compose_apps::{http, serves};

pub(super) fn builds_and_runs() {
    let env = world(&[("debian", need_root!(debian))], &["php"]);
    if fetched("Debian mirror", || build(&env, "php", &[]).run()).is_none() {
        return;
    }
    let port = free_port();
    let start = |name: &str| {
        env.sh(&format!(
            "docker run -d --name {name} -p 127.0.0.1:{port}:80 -v visits:/var/lib/visits php"
        ))
        .success();
    };
    start("web");
    serves(port, "/", "PHP 8, visits: 0, as www-data\n");
    assert_eq!(http(port, "POST", "/"), "PHP 8, visits: 1, as www-data\n");
    wait::until("it is healthy", || {
        env.run(["inspect", "-f", "{{.State.Health.Status}}", "web"]).stdout() == "healthy\n"
    });
    env.run(["restart", "web"]).success();
    serves(port, "/", "PHP 8, visits: 1, as www-data\n");
    // It ends by the signal of its image, and says so.
    env.run(["stop", "web"]).success();
    env.run(["inspect", "-f", "{{.State.ExitCode}}", "web"]).success().stdout_is("0\n");
    env.run(["logs", "web"]).success().stdout_has("\"POST / HTTP/1.0\" 200").stderr_has("SIGWINCH");
    env.run(["rm", "web"]).success();
    start("again");
    serves(port, "/", "PHP 8, visits: 1, as www-data\n");
    assert_eq!(http(port, "POST", "/"), "PHP 8, visits: 2, as www-data\n");
    // What apt-get fetched is in caches of the builder.
    let look = "ls /var/lib/apt/lists /var/cache/apt; stat -c '%U:%G %a' /var/lib/visits /var/lib/visits/count";
    env.run(["exec", "again", "sh", "-c", look])
        .success()
        .stdout_has("www-data:www-data 750\nwww-data:www-data 644\n");
    env.run(["rm", "-f", "again"]).success();
    env.run(["volume", "rm", "visits"]).success();
    env.assert_nothing_left();
}
