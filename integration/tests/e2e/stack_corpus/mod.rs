//! Stack files with what `docker stack config` printed for them, what `docker stack deploy` said, and what was in the
//! swarm afterwards: recorded from Docker 28.5.2.
//!
//! # The cases
//!
//! `stacks/cases.txt` has those that were written for this project. A step is a command with what it is to say:
//! `out`, `err` (lines in any order), `printed` (the text as it is), `names` (words that the error has), and what there
//! is to be then: `services` and `networks` as changes (RFC 7396) of [`seen::service`] and [`seen::network`], `secrets`, `configs`,
//! and in `replaced` how many tasks of a service are new, and how many there are. `refused` is a file that Docker's
//! loader does not take, with words for what it refuses: here it is refused for one of them, or taken, and then Compose
//! takes it too. The test of the whole corpus needs a machine that has it beside the checkout.

mod cases;
mod player;
mod seen;

use std::path::Path;
use std::time::Duration;

use coracle_integration::{TestEnv, settings::settings, skip};

use cases::cases;
use player::Player;

#[test]
fn every_file_of_the_corpus_gives_the_answer_of_docker() {
    let check = match &settings().shared {
        Some(shared) => shared.join("stack-corpus/check"),
        None => skip!("no corpus of stacks"),
    };
    if !check.is_file() {
        skip!("no corpus of stacks");
    }
    let env = world();
    let docker = env.root().join("bin/docker");
    let played = |how: &[&str]| {
        let command = env.program(Path::new("/usr/bin/python3")).args([&check]).args(["--wide"]);
        let (before, after) = how.split_at(how.len().min(2));
        let command = command.args(before).args([&docker]).args(after);
        command.deadline(Duration::from_secs(1200)).run().stdout()
    };
    let text = played(&["-j", "4"]);
    let failed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("FAIL ")).collect();
    if failed.is_empty() {
        assert!(text.trim_end().ends_with(" passed, 0 failed"), "{text}");
    } else {
        // It waits for fixed times: what comes too late beside others is played again, one after the other.
        let again = played(&[&["-j", "1"], &failed[..]].concat());
        assert!(again.trim_end().ends_with(" passed, 0 failed"), "{text}\n{again}");
    }
    // What the program leaves of its own.
    env.sh("chmod -R u+rwX \"$TMPDIR\"/stack-check-*; rm -rf \"$TMPDIR\"/stack-check-*").success();
    end(env);
}

#[test]
fn the_first_third_gives_the_answer_of_docker() {
    play_third(0);
}

#[test]
fn the_second_third_gives_the_answer_of_docker() {
    play_third(1);
}

#[test]
fn the_last_third_gives_the_answer_of_docker() {
    play_third(2);
}

fn world() -> TestEnv {
    let env = TestEnv::new();
    env.run(["tag", "alpine", "alpine:3.20"]).success();
    env.run(["swarm", "init", "--advertise-addr", "127.0.0.1"]).success();
    env
}

fn end(env: TestEnv) {
    env.run(["swarm", "leave", "--force"]).success();
    env.sh("docker network rm docker_gwbridge; docker volume prune -af").success();
    env.assert_nothing_left();
}

fn play_third(number: usize) {
    let env = world();
    let cases = cases();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let mut faults = Vec::new();
    for case in cases.iter().skip(number).step_by(3) {
        faults.extend(Player::new(&env, case).play());
    }
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
    end(env);
}
