//! The store itself: who may look into it, where it is, and how all of it goes.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use coracle_integration::{TestEnv, leak};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}

fn set_mode(path: &Path, bits: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).expect("chmod of our folder");
}

/// A set-user-id program of an image is one for everybody who can reach it.
#[test]
fn what_is_in_a_data_root_that_others_may_enter_is_closed_to_them() {
    let env = TestEnv::bare();
    fs::create_dir(env.data()).expect("a folder of ours");
    set_mode(&env.data(), 0o755);
    let archive = coracle_integration::fixture::archive().display().to_string();
    env.run(["load", "-q", "-i", &archive]).success();
    env.sh("docker run --name c1 --network none -v vol:/v alpine true; docker network create net")
        .success();
    let all_closed = || {
        for entry in fs::read_dir(env.data()).expect("our folder") {
            let path = entry.expect("readable").path();
            assert_eq!(mode(&path) & 0o077, 0, "{} has mode {:o}", path.display(), mode(&path));
        }
    };
    all_closed();
    // As it was made by others, or by a version before this one.
    for name in ["layers", "blobs", "volumes"] {
        set_mode(&env.data().join(name), 0o755);
    }
    env.sh("docker ps -q").success();
    all_closed();
    assert_eq!(mode(&env.data()), 0o755, "the root itself is its owner's business");
    env.sh("docker rm -v c1; docker volume rm vol; docker network rm net").success();
    env.assert_nothing_left();
}

#[test]
fn a_relative_data_root_is_one_place() {
    let env = TestEnv::bare();
    env.sh("export CORACLE_DATA_ROOT=store
            docker run -d --name c1 --network none coracle.local/whoami > /dev/null
            docker pause c1; docker unpause c1
            (mkdir deep; cd deep; CORACLE_DATA_ROOT=../store docker ps --format '{{.Names}}')
            docker info --format '{{.DockerRootDir}}' | grep -c ^/
            docker rm -f c1; docker system reset -f > /dev/null; ls")
        .success()
        .stdout_is("c1\nc1\nc1\n1\nc1\ndeep\n");
    env.assert_nothing_left();
}

#[test]
fn the_store_of_another_user_is_told() {
    let env = TestEnv::bare();
    if rustix::process::geteuid().is_root() {
        coracle_integration::skip!("root may use every store");
    }
    env.sh("CORACLE_DATA_ROOT=/usr docker ps")
        .code(1)
        .stderr_has("/usr belongs to user 0, and this is user ")
        .stderr_has("every user has a store of their own");
    env.assert_nothing_left();
}

#[test]
fn reset_asks_and_refuses_while_something_runs() {
    let env = TestEnv::new();
    env.sh("docker run -d --name c1 --network none alpine sleep 1000").success();
    env.sh("yes | docker system reset")
        .code(1)
        .stderr_has("cannot reset while containers run: c1")
        .stderr_has("`--force`, which ends them");
    env.sh("docker stop -t 0 c1; docker system reset < /dev/null")
        .success()
        .stdout_has("Are you sure");
    env.sh("docker ps -aq | wc -l; docker run --rm --network none alpine echo there")
        .success()
        .stdout_is("1\nthere\n");
    env.sh("echo y | docker system reset").success().stdout_has("Removed ");
    assert!(!env.data().exists(), "the data root is left");
    env.assert_nothing_left();
}

#[test]
fn reset_by_force_ends_what_runs_and_leaves_nothing() {
    let env = TestEnv::new();
    env.sh("docker network create net > /dev/null
            docker run -d --name c1 --network net -p 127.0.0.1::80 --restart always -v vol:/v alpine \
                sh -c 'echo kept > /v/file; touch /x; chown 33:33 /x /v/file; exec sleep 1000' > /dev/null
            docker run -d --name c2 --network none --ipc shareable -v /anon alpine sleep 1000 > /dev/null
            docker create --name c3 alpine > /dev/null; eventually 'docker exec c1 test -e /x'")
        .success();
    fs::write(env.data().join("letter"), "mine").expect("a file of ours");
    env.sh("docker system reset -f").success().stdout_has("not ours: letter");
    let left: Vec<_> = fs::read_dir(env.data()).expect("our folder").flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    fs::remove_file(env.data().join("letter")).expect("a file of ours");
    for name in ["coracle-monitor", "coracle-netd"] {
        assert!(leak::processes_named(env.root(), name).is_empty(), "{name} is left");
    }
    env.sh("docker system reset -f").success();
    assert!(!env.data().exists(), "the data root is left");
    // It begins anew.
    env.sh("docker run --rm --network none coracle.local/hello").success();
    env.assert_nothing_left();
}

#[test]
fn reset_ends_the_swarm_and_its_machines() {
    let env = TestEnv::new();
    env.sh("docker swarm init && docker machine create mm && printf x | docker secret create s -
            docker machine ssh mm true
            docker service create -d --name w --stop-grace-period 0s alpine sleep 1000
            eventually 'docker service ls --format {{.Replicas}} | grep 1/1'")
        .success();
    env.sh("echo n | docker system reset -f").success().stdout_has("Removed ");
    assert!(!env.data().exists(), "the data root is left");
    for name in ["coracle-swarm", "coracle-monitor", "coracle-netd"] {
        assert!(leak::processes_named(env.root(), name).is_empty(), "{name} is left");
    }
    env.assert_nothing_left();
}

#[test]
fn any_name_will_do_for_the_store() {
    let env = TestEnv::bare();
    for name in ["back\\slash", "co,mma:colon", "blank space"] {
        env.sh(&format!(
            "export CORACLE_DATA_ROOT=\"$PWD/{name}\"
             docker create --name c1 --network none coracle.local/whoami > /dev/null
             docker start c1; docker rm -f c1; docker system reset -f > /dev/null; ls"
        ))
        .success()
        .stdout_is("c1\nc1\n");
    }
    env.assert_nothing_left();
}
