//! The file of cases, read.

use serde_json::Value;

use super::seen::string;

const CASES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/stacks/cases.txt"));

/// One case of the file.
#[derive(Default)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) variables: Vec<(String, String)>,
    pub(super) files: Vec<(String, String)>,
    pub(super) steps: Vec<Value>,
    pub(super) cleanup: Vec<String>,
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for part in CASES.split("#=# ").skip(1) {
        let (line, text) = part.split_once('\n').expect("whole lines");
        let (word, rest) = line.split_once(' ').expect("a word and its value");
        if word == "case" {
            cases.push(Case { name: rest.to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().expect("a case comes first");
        let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        match word {
            "env" => {
                let (name, value) = rest.split_once('=').expect("a variable");
                case.variables.push((name.to_owned(), value.to_owned()));
            }
            "file" => case.files.push((rest.to_owned(), text.to_owned())),
            "quoted" => {
                let (path, text) = rest.split_once(' ').expect("a path and a text");
                case.files.push((path.to_owned(), string(&read(text))));
            }
            "step" => case.steps.push(read(rest)),
            "cleanup" => case.cleanup.push(rest.to_owned()),
            other => panic!("{other}: not a word of cases"),
        }
    }
    cases
}
