//! No input makes the loader panic: neither odd bytes nor files that are nearly right.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use crate::support::{Case, Memory, PARENT, cases};
use coracle_compose::{LoadOptions, Stages, load};
use proptest::prelude::*;

const OWN: &str = include_str!("../cases/own.txt");
const SEEDS: &str = include_str!("../cases/seeds.txt");
const DERIVED: &str = include_str!("../cases/derived.txt");

fn load_text(text: &str, interpolate: bool) {
    let files = Memory { stdin: text.to_owned(), ..Memory::default() };
    let options = LoadOptions {
        files: vec!["-".to_owned()],
        environment: BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]),
        current_dir: PathBuf::from(PARENT),
        stages: Stages { interpolate, ..Stages::default() },
        ..LoadOptions::default()
    };
    if let Ok(loaded) = load(&options, &files) {
        // What is printed can be loaded again, and says the same; but for dollars in keys,
        // which are doubled and, as keys, not read as variables, and for what Compose leaves out
        // though it is required: the port 0, a device without a name.
        let yaml = loaded.yaml();
        if interpolate && !text.contains('$') {
            let files = Memory { stdin: yaml.clone(), ..Memory::default() };
            match load(&options, &files) {
                Ok(again) => assert_eq!(again.project, loaded.project, "\n{yaml}"),
                Err(error) => assert!(error.message.contains("missing"), "{error}\n{yaml}"),
            }
        }
    }
}

static ALL: LazyLock<Vec<Case>> =
    LazyLock::new(|| [OWN, SEEDS, DERIVED].iter().flat_map(|text| cases(text)).collect());

/// Files of the cases, to be changed a little.
fn texts() -> Vec<String> {
    let parts = OWN.split("#=# file compose.yaml\n").skip(1);
    parts.filter_map(|part| part.split("#=# ").next()).map(str::to_owned).collect()
}

/// Pieces that mean something somewhere.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~\n]{0,8}",
        prop::sample::select(vec![
            ": ",
            "- ",
            "\n  ",
            "{",
            "}",
            "[",
            "]",
            "&a ",
            "*a",
            "<<: ",
            "!reset ",
            "!override ",
            "${A:-",
            "$",
            "|\n",
            "\"",
            "'",
            "null",
            "true",
            "0",
            "-1",
            "1e9",
            "services:",
            "x-a: ",
            "image",
            "extends: ",
            "\t",
            "\u{feff}",
            "é",
            "---\n",
            "99999999999999999999",
            "?",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn pieces_in_any_order(pieces in prop::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        load_text(&text, true);
        load_text(&text, false);
    }

    #[test]
    fn cases_with_a_change(
        case in 0..100_usize,
        at in 0.0..1.0_f64,
        length in 0..12_usize,
        new in piece(),
    ) {
        let texts = texts();
        let text = &texts[case % texts.len()];
        let mut chars: Vec<char> = text.chars().collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the text")]
        let start = (at * chars.len() as f64) as usize;
        let end = (start + length).min(chars.len());
        chars.splice(start..end, new.chars());
        let text: String = chars.into_iter().collect();
        load_text(&text, true);
        load_text(&text, false);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Several files, with what they include and extend, and files of variables.
    #[test]
    fn any_file_of_a_case_with_a_change(
        case in 0..1000_usize,
        file in 0..10_usize,
        at in 0.0..1.0_f64,
        length in 0..12_usize,
        new in piece(),
    ) {
        let mut case = ALL[case % ALL.len()].clone();
        case.change_file(file, |text| {
            let mut chars: Vec<char> = text.chars().collect();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the text")]
            let start = (at * chars.len() as f64) as usize;
            let end = (start + length).min(chars.len());
            chars.splice(start..end, new.chars());
            chars.into_iter().collect()
        });
        // What comes out is printed; what is refused says why.
        match case.load() {
            Ok(loaded) => prop_assert!(!loaded.yaml().is_empty()),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn every_case_is_printed_and_read_again() {
    let mut loaded = 0;
    // Dollars in keys are doubled in print and not read as variables; relative paths that were
    // left so are made absolute by the second reading.
    let changed = ["interp-keys", "out-no-path-resolution"];
    for case in cases(OWN).iter().filter(|case| !changed.contains(&case.name.as_str())) {
        let Ok(project) = case.load() else { continue };
        loaded += 1;
        let files = Memory { stdin: project.yaml().replace('$', "$$"), ..Memory::default() };
        let options = LoadOptions {
            files: vec!["-".to_owned()],
            profiles: project.profiles.clone(),
            current_dir: case.root().into(),
            ..LoadOptions::default()
        };
        let stages = Stages { check_consistency: false, ..Stages::default() };
        let again = load(&LoadOptions { stages, ..options }, &files);
        let again = again.unwrap_or_else(|e| panic!("{}: {e}\n{}", case.name, project.yaml()));
        assert_eq!(again.project["services"], project.project["services"], "{}", case.name);
    }
    assert!(loaded > 90, "{loaded}");
}
