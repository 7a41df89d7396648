//! Stack files with what `docker stack config` printed for them, what `docker stack deploy` said, and what was in the
//! swarm afterwards: recorded from Docker 28.5.2; three cases have what 29.7 does otherwise.
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

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use coracle_integration::{TestEnv, settings::settings, skip};

use cases::cases;
use player::Player;

/// What Docker 29.7 does otherwise than 28.5, which the corpus was recorded from, as the program tells it.
const NEWER: [(&str, &[&str]); 3] = [
    (
        "own/config-stdin",
        &[
            r#"step 2 (stack config): stderr: ["specify a Compose file (with --compose-file)"], expected ["Specify a Compose file (with --compose-file)"]"#,
        ],
    ),
    (
        "own/deploy-args",
        &[
            r#"step 2 (stack deploy deploy-args): stderr: ["specify a Compose file (with --compose-file)"], expected ["Specify a Compose file (with --compose-file)"]"#,
            r#"step 14 (stack deploy --resolve-image bogus -c stack.yaml deploy-args): stderr: ["invalid option bogus for flag --resolve-image"], expected ["Invalid option bogus for flag --resolve-image"]"#,
        ],
    ),
    (
        "own/restart-policy",
        &[
            "step 9 (stack deploy --detach=true --resolve-image never -c rb5.yaml restart-policy): state.services.restart-policy_web.TaskTemplate.RestartPolicy.MaxAttempts: 3, expected 0",
        ],
    ),
];

/// Whether a case is one that differs by the release.
fn newer(case: &str) -> bool {
    NEWER.iter().any(|(name, _)| *name == case)
}

/// The cases that failed, each with what was otherwise.
fn failures(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut failures = BTreeMap::<String, Vec<String>>::new();
    let mut case = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("FAIL ") {
            case = Some(name.to_owned());
            failures.insert(name.to_owned(), Vec::new());
        } else if let (Some(case), Some(what)) = (&case, line.strip_prefix("    ")) {
            failures.get_mut(case).expect("inserted").push(what.to_owned());
        } else {
            case = None;
        }
    }
    failures
}

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
    let mut text = played(&["-j", "4"]);
    let again: Vec<String> = failures(&text).into_keys().filter(|case| !newer(case)).collect();
    let mut failed = failures(&text);
    if !again.is_empty() {
        // It waits for fixed times: what comes too late beside others is played again, one after the other.
        let cases: Vec<&str> = again.iter().map(String::as_str).collect();
        text = played(&[&["-j", "1"], &cases[..]].concat());
        failed.retain(|case, _| newer(case));
        failed.extend(failures(&text));
    }
    assert!(text.contains(" passed, "), "{text}");
    let expected = NEWER.map(|(case, lines)| {
        (case.to_owned(), lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    });
    assert_eq!(failed, BTreeMap::from(expected));
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
