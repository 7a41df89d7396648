//! The rules of ARCHITECTURE.md that a compiler does not hold: who may know whom, and who may do what.
//!
//! # How it works
//!
//! The manifests and sources of the workspace are read as text. A rule is a function from text to what breaks it,
//! with tests on small strings, so that each is known to fail when it is broken. Comments and what is only compiled
//! for tests do not count.
//!
//! # Limits
//!
//! Text is all that is looked at: who renames a function to get around a rule gets around it.

mod arrows;
mod known;
mod rules;
mod source;
mod workspace;

use workspace::WORKSPACE;

/// A rule on the lines of a source.
struct Rule {
    name: &'static str,
    /// Folders of crates that it does not hold for.
    except: &'static [&'static str],
    /// The lines, from 1, that break it.
    broken: fn(&str) -> Vec<usize>,
    /// Files that break it all the same. One that no longer does is a failure: the list stays true.
    known: &'static [&'static str],
}

const RULES: [Rule; 5] = [
    // The lints deny it as well; here is where they are allowed.
    Rule { name: "only sys is unsafe", except: &["sys"], broken: rules::unsafe_code, known: &[] },
    Rule {
        name: "only cli prints",
        except: &["cli", "integration"],
        broken: rules::prints,
        known: known::PRINTS,
    },
    Rule {
        name: "only runtime writes events",
        except: &["runtime"],
        broken: rules::writes_events,
        known: &[],
    },
    Rule {
        name: "only words reads ports",
        except: &["words"],
        broken: rules::reads_ports,
        known: &[],
    },
    Rule {
        name: "only words reads sizes",
        except: &["words"],
        broken: rules::reads_sizes,
        known: &[],
    },
];

#[test]
fn crates_know_only_what_is_below_them() {
    let mut wrong = Vec::new();
    for part in &WORKSPACE.parts {
        wrong.extend(arrows::wrong(&part.folder, &part.manifest));
    }
    assert!(wrong.is_empty(), "see ARCHITECTURE.md:\n  {}", wrong.join("\n  "));
}

#[test]
fn sources_keep_to_the_rules() {
    let mut wrong = Vec::new();
    for rule in &RULES {
        for part in WORKSPACE.parts.iter().filter(|part| !rule.except.contains(&&*part.folder)) {
            for source in &part.sources {
                let lines = (rule.broken)(&source.code);
                let known = rule.known.contains(&&*source.path);
                if known && lines.is_empty() {
                    wrong.push(format!("{}: {} is no exception any more", rule.name, source.path));
                }
                if !known {
                    let told = |line| format!("{}: {}:{line}", rule.name, source.path);
                    wrong.extend(lines.into_iter().map(told));
                }
            }
        }
        for gone in rule.known.iter().filter(|path| !WORKSPACE.has(path)) {
            wrong.push(format!("{}: {gone} is no file any more", rule.name));
        }
    }
    assert!(wrong.is_empty(), "see ARCHITECTURE.md:\n  {}", wrong.join("\n  "));
}

#[test]
fn words_ask_nobody() {
    let mut wrong = Vec::new();
    for source in
        WORKSPACE.parts.iter().filter(|part| part.folder == "words").flat_map(|part| &part.sources)
    {
        let told = |line| format!("{}:{line}", source.path);
        wrong.extend(rules::asks_the_world(&source.code).into_iter().map(told));
    }
    assert!(
        wrong.is_empty(),
        "words have no files, no environment, no clock:\n  {}",
        wrong.join("\n  ")
    );
}

#[test]
fn every_crate_has_the_lints() {
    let without: Vec<_> = (WORKSPACE.parts.iter())
        .filter(|part| !part.manifest.contains("[lints]\nworkspace = true"))
        .map(|part| &part.folder)
        .collect();
    assert!(without.is_empty(), "without `[lints] workspace = true`: {without:?}");
}
