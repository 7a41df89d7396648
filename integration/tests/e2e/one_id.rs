//! A user without subordinate ids: one id is all there is, and real work goes on.
//!
//! `scripts/test` runs these as a user who has no line in `/etc/subuid`.

use std::{net::TcpStream, time::Duration};

use coracle_integration::{TestEnv, settings::settings, skip};

#[test]
fn root_in_the_container_is_the_user() {
    let env = TestEnv::new();
    env.run(["run", "--rm", "--network", "none", "alpine", "id", "-u"]).success().stdout_is("0\n");
    env.run(["run", "--rm", "--network", "none", "alpine", "cat", "/proc/self/uid_map"])
        .success()
        .stdout_has(" 1\n");
    let file = env.write("shared/made", "");
    let volume = format!("{}:/m", file.parent().expect("a folder").display());
    env.run(["run", "--rm", "--network", "none", "-v", &volume, "alpine", "touch", "/m/new"])
        .success();
    assert!(env.work().join("shared/new").exists());
    env.assert_nothing_left();
}

#[test]
fn another_user_than_root_runs() {
    let env = TestEnv::new();
    for user in ["nobody", "1000", "1000:1000"] {
        env.run(["run", "--rm", "--network", "none", "-u", user, "alpine", "sh", "-c", "echo ran"])
            .success()
            .stdout_is("ran\n");
    }
    env.assert_nothing_left();
}

#[test]
fn owners_can_be_changed_and_are_remembered() {
    let env = TestEnv::new();
    let script = "touch /f && chown 33:44 /f && chown -R nobody /tmp && echo changed";
    env.run(["run", "--network", "none", "--name", "own", "alpine", "sh", "-c", script])
        .success()
        .stdout_is("changed\n");
    env.run(["commit", "own", "owned"]).success();
    env.run(["rm", "own"]).success();
    env.run(["run", "--rm", "--network", "none", "owned", "test", "-e", "/f"]).success();
    env.assert_nothing_left();
}

#[test]
fn apt_get_installs_a_service_in_a_debian_root() {
    let Some(debian) = &settings().debian else { skip!("no Debian root: run scripts/test") };
    if TcpStream::connect(("deb.debian.org", 80)).is_err() {
        skip!("no Debian mirror in reach");
    }
    let env = TestEnv::bare();
    env.run(["import", &debian.display().to_string(), "debian"]).success();
    let script = "echo exit 101 > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; apt-get update -qq \
                  && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends redis-server \
                  && redis-server --version";
    let args = ["run", "--rm", "--network", "host", "debian", "sh", "-c", script];
    let output = env.coracle().args(args).deadline(Duration::from_secs(300)).run().success();
    assert!(output.stdout().contains("Redis server v="), "{output}");
    env.assert_nothing_left();
}
