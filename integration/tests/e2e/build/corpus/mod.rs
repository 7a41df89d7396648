//! Dockerfiles with what Docker 29.7 made of them: steps, warnings, configuration, history and the files of each layer.
//!
//! # The cases
//!
//! `builds/cases.txt` has those that were written for this project. They were recorded on Alpine; here they are built
//! on the fixture that looks like it, which is enough for all but [`NOT_HERE`]. A machine that has the whole corpus beside the
//! checkout plays that too, on the real bases.
//!
//! # What is compared
//!
//! The exit code, and words that the message of a failure has; the names of steps, in any order, and from the second
//! build of a case on which of them came from the cache; warnings by name and line; the configuration, the history, and
//! layers by what they change ([`layers`]).
//!
//! # Eras
//!
//! Where Docker 28.5 did otherwise, the answer is that of 29.7: `health-exec`, `health-none` and `var-not-expanded` (how the
//! history writes a health check), `ignore-all` (`CopyIgnoredFile` is a rule like others), `flag-source-date-epoch` (the times
//! of the image count).

mod cases;
mod compare;
mod layers;
mod player;
mod printed;

use std::time::Duration;

use coracle_integration::{TestEnv, fixture, settings::settings, skip};
use serde_json::json;

use cases::cases;
use player::{Base, Player};

/// Cases that only the real Alpine or Debian can play, and why.
const NOT_HERE: &[(&str, &str)] = &[
    ("run-debian", "it adds users with Debian's programs"),
    ("user-effects", "this BusyBox has no adduser"),
    ("stage-shadow", "it looks for a file of Debian"),
    ("mount-bind-image", "it reads a file of Debian"),
];

/// Cases of the whole corpus whose layers have the day on which a user was added, in `/etc/shadow`: they are as recorded
/// on the day of the recording alone.
const OF_ITS_DAY: [&str; 2] = ["run-debian", "user-effects"];

#[test]
fn every_build_of_the_corpus_is_as_docker_makes_it() {
    let check = match &settings().shared {
        Some(shared) => shared.join("build-corpus/check"),
        None => skip!("no corpus of builds"),
    };
    let images = check.parent().and_then(|corpus| corpus.parent()).expect("folders").join("images");
    let alpine = images.join("alpine-minirootfs-3.20.3-x86_64.tar.gz");
    let debian = images.join("debian-bookworm-slim-rootfs.tar.xz");
    if ![&check, &alpine, &debian].into_iter().all(|path| path.is_file()) {
        skip!("no corpus of builds");
    }
    let env = TestEnv::bare();
    for (archive, name) in [(alpine, "alpine:latest"), (debian, "debian:bookworm-slim")] {
        let name = format!("docker.io/library/{name}");
        let import = env.coracle().args(["import", &archive.display().to_string(), &name]);
        // All of xz, while others do as much.
        import.deadline(Duration::from_secs(300)).run().success();
    }
    // It makes copies of its cases, which keep the modes of files that may be anybody's.
    let own = env.work().join("corpus");
    let from = check.parent().expect("a folder").display().to_string();
    env.sh(&format!("cp -r --no-preserve=mode {from} {}", own.display())).success();
    let check = own.join("check");
    let docker = env.root().join("bin/docker");
    let command = env.program(std::path::Path::new("/usr/bin/python3")).args([&check]);
    let command = command.args(["--era", "29", "-j", "4"]).args([&docker]);
    let text = command.deadline(Duration::from_secs(1200)).run().stdout();
    let mut case = "";
    for line in text.lines() {
        case = line.strip_prefix("FAIL own/").unwrap_or(case);
        let is_of_its_day = OF_ITS_DAY.contains(&case) && line.contains("etc/shadow: ");
        assert!(!line.starts_with("    ") || is_of_its_day, "{case}: {text}");
    }
    assert!(text.contains(" passed, "), "{text}");
    env.assert_nothing_left();
}

#[test]
fn the_first_quarter_is_as_docker_makes_it() {
    play_quarter(0);
}

#[test]
fn the_second_quarter_is_as_docker_makes_it() {
    play_quarter(1);
}

#[test]
fn the_third_quarter_is_as_docker_makes_it() {
    play_quarter(2);
}

#[test]
fn the_last_quarter_is_as_docker_makes_it() {
    play_quarter(3);
}

/// The bases as they were when it was recorded: imported, without configuration.
fn world() -> TestEnv {
    let env = TestEnv::bare();
    let mut alpine = fixture::alpine_like();
    alpine.config = json!({});
    alpine.names = vec!["alpine:latest".to_owned(), "debian:bookworm-slim".to_owned()];
    std::fs::write(env.work().join("base.tar"), fixture::save(&[alpine])).expect("a file of ours");
    env.run(["load", "-q", "-i", "base.tar"]).success();
    env
}

fn play_quarter(number: usize) {
    let env = world();
    let base = Base::of(&env, "alpine:latest");
    let cases = cases();
    assert!(cases.len() > 250, "{} cases", cases.len());
    let mut faults = Vec::new();
    for case in cases.iter().skip(number).step_by(4) {
        let is_left_out = NOT_HERE.iter().any(|(name, _)| *name == case.name);
        if !is_left_out {
            faults.extend(Player::new(&env, &base, case).play());
        }
    }
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
    env.assert_nothing_left();
}
