//! The model against cases whose answers Docker Compose gave; `cases/README.md` says how they
//! are written. The files of a case are in memory.

#![expect(clippy::unwrap_used, reason = "a broken case is a broken test")]

use crate::support::{Case, PARENT, cases};

const OWN: &str = include_str!("../cases/own.txt");
const DERIVED: &str = include_str!("../cases/derived.txt");
const NEWER: &str = include_str!("../cases/newer.txt");
const SEEDS: &str = include_str!("../cases/seeds.txt");

fn check(case: &Case) -> Result<(), String> {
    match (case.load(), &case.expected) {
        (Ok(loaded), Ok(expected)) => {
            let warnings = loaded.warnings.join("\n");
            if let Some(missing) = case.warnings.iter().find(|text| !warnings.contains(*text)) {
                return Err(format!("does not warn of {missing:?}: {warnings:?}"));
            }
            let printed = loaded.project.to_string().replace('$', "$$");
            let printed = printed.replace(&case.root(), "$ROOT");
            let (above, _) = PARENT.rsplit_once('/').unwrap();
            let printed = printed.replace(PARENT, "$ROOT/..").replace(above, "$ROOT/../..");
            let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
            if printed == *expected {
                return Ok(());
            }
            Err(format!("expected {expected}\n  got {printed}"))
        }
        (Ok(loaded), Err(words)) => Err(format!("must fail ({words:?}): {}", loaded.project)),
        (Err(error), Ok(_)) => Err(format!("failed: {error}")),
        (Err(error), Err(words)) => {
            let text = format!("{error} {}", error.hint.clone().unwrap_or_default()).to_lowercase();
            match words.iter().any(|word| text.contains(&word.to_lowercase())) {
                true => Ok(()),
                false => Err(format!("names none of {words:?}: {error}")),
            }
        }
    }
}

fn check_all(text: &str, least: usize) {
    let cases = cases(text);
    assert!(cases.len() >= least, "only {} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| check(case).err().map(|why| format!("{}: {why}", case.name)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn own_cases() {
    check_all(OWN, 170);
}

#[test]
fn derived_cases() {
    check_all(DERIVED, 25);
}

#[test]
fn cases_of_newer_releases() {
    check_all(NEWER, 16);
}

#[test]
fn cases_of_the_course() {
    check_all(SEEDS, 40);
}

/// Faults that no line of a file is to blame for.
const WITHOUT_PLACE: [&str; 6] = [
    "bad-disable-env-file",
    "bad-file-missing",
    "bad-no-file-at-all",
    "bad-project-name-env",
    "bad-project-name-underscore",
    "bad-unknown-service-arg",
];

#[test]
fn messages_name_file_line_and_key() {
    let mut out = String::new();
    for case in cases(OWN).iter().chain(&cases(SEEDS)).chain(&cases(DERIVED)) {
        let Err(error) = case.load() else { continue };
        let name = &case.name;
        if !WITHOUT_PLACE.contains(&name.as_str()) {
            let place = error.place.as_deref().unwrap_or_default();
            let line = place.split(':').nth(1).and_then(|line| line.parse::<u32>().ok());
            assert!(line.is_some_and(|line| line > 0), "{name}: {error}");
            let about_syntax = error.message.starts_with("yaml: ") || place.starts_with(".env");
            let about_file = error.message.starts_with("the top level");
            assert!(error.key.is_some() || about_syntax || about_file, "{name}: {error}");
        }
        out.push_str(&format!("{name}: {error}\n"));
        if let Some(hint) = &error.hint {
            out.push_str(&format!("  hint: {hint}\n"));
        }
    }
    insta::assert_snapshot!(out);
}
