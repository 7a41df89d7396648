//! A container that swaps names in a volume while another one starts with it: nothing of the host is shown,
//! and nothing is made there.
//!
//! Each attack is tried many times. The attacker cannot lose for want of trying: the test fails when no
//! container got through in between, or when none was refused.

use std::fs;

use coracle_integration::TestEnv;

/// How often a container is started into the race.
const TURNS: usize = 60;

/// A container that gives the name `name` in the volume `shared` to a folder, then to a link to `leads_to`,
/// and so on. The folder is there for longer, so that some get through.
fn attacker(env: &TestEnv, name: &str, leads_to: &str) {
    let script = format!(
        "mkdir -p /v/{name}; echo inside > /v/{name}/who; ln -s {leads_to} /v/link; touch /v/ready; \
         while :; do mv -T /v/{name} /v/folder; mv -T /v/link /v/{name}; mv -T /v/{name} /v/link; \
         mv -T /v/folder /v/{name}; for i in 1 2 3 4; do /bin/true; done; done"
    );
    env.sh(&format!(
        "docker run -d --network none --name attacker -v shared:/v alpine sh -c '{script}'"
    ))
    .success();
    env.sh("eventually 'docker exec attacker test -e /v/ready'").success();
}

/// What the attacker wants to be shown, or to have something made in.
fn target(env: &TestEnv) -> String {
    env.write("target/who", "the host");
    env.work().join("target").display().to_string()
}

#[track_caller]
fn assert_untouched(env: &TestEnv) {
    let seen: Vec<_> = fs::read_dir(env.work().join("target"))
        .expect("our folder")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(seen, ["who"], "something was made on the host");
    let who = fs::read_to_string(env.work().join("target/who")).expect("our file");
    assert_eq!(who, "the host");
}

/// Runs a command again and again; gives how often it got through.
#[track_caller]
fn race(env: &TestEnv, command: &str, through: &str) -> usize {
    let mut got_through = 0;
    for _ in 0..TURNS {
        let output = env.sh(command);
        assert!(!output.stdout().contains("the host"), "the host is shown:\n{output}");
        assert_untouched(env);
        if output.status() == 0 {
            assert_eq!(output.stdout(), through, "{output}");
            got_through += 1;
        } else {
            assert!(!output.stderr().contains("panicked"), "{output}");
        }
    }
    got_through
}

fn end(env: TestEnv) {
    env.sh("docker rm -f attacker; docker ps -aq | xargs -r docker rm -f; docker volume rm shared")
        .success();
    env.assert_nothing_left();
}

#[test]
fn a_part_of_a_volume_is_never_a_part_of_the_host() {
    let env = TestEnv::new();
    let target = target(&env);
    attacker(&env, "sub", &target);
    let mount = "--mount type=volume,src=shared,dst=/m,volume-subpath=sub";
    let run = format!("docker run --rm --network none {mount} alpine cat /m/who");
    let through = race(&env, &run, "inside\n");
    assert!((1..TURNS).contains(&through), "{through} of {TURNS} got through: no race");
    env.sh(&format!("docker create --name copied {mount} alpine")).success();
    let through = race(&env, "docker cp copied:/m/who - | tar -x -O", "inside\n");
    assert!(through > 0, "no copy got through: no race");
    end(env);
}

#[test]
fn a_mount_inside_a_shared_volume_stays_inside() {
    let env = TestEnv::new();
    let target = target(&env);
    attacker(&env, "sub", &target);
    env.write("mine/file", "mounted");
    let run = "docker run --rm --network none -v shared:/v -v $ROOT/work/mine:/v/sub/deep \
               -v $ROOT/work/mine/file:/v/sub/one alpine true";
    let through = race(&env, run, "");
    assert!(through > 0, "no container got through: no race");
    end(env);
}

#[test]
fn files_of_ours_in_a_shared_etc_stay_inside() {
    let env = TestEnv::new();
    let target = target(&env);
    let script = format!(
        "cp -a /etc/. /v; touch /v/ready; while :; do rm /v/hosts; ln -s {target}/made /v/hosts; \
         rm /v/hosts; ln -s {target}/who /v/hosts; rm /v/hosts; touch /v/hosts; done"
    );
    env.sh(&format!(
        "docker run -d --network none --name attacker -v shared:/v alpine sh -c '{script}'"
    ))
    .success();
    env.sh("eventually 'docker exec attacker test -e /v/ready'").success();
    let run = "docker run --rm --network none -v shared:/etc alpine sh -c 'echo pwned >> /etc/hosts; true' 2>&1 | grep -c panicked; true";
    race(&env, run, "0\n");
    end(env);
}

#[test]
fn a_working_directory_in_a_shared_volume_is_inside() {
    let env = TestEnv::new();
    let target = target(&env);
    attacker(&env, "sub", &target);
    env.sh("docker run -d --network none --name c1 -v shared:/v alpine sleep 1000").success();
    let through = race(&env, "docker exec -w /v/sub c1 cat who", "inside\n");
    assert!(through > 0, "no exec got through: no race");
    // Last, because what it makes gets in the attacker's way.
    let run = "docker run --rm --network none -v shared:/v -w /v/sub/new alpine cat ../who";
    race(&env, run, "inside\n");
    end(env);
}
