//! The file of cases, read.

use coracle_integration::corpus;
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
    corpus::cases(CASES).iter().map(Case::of).collect()
}

impl Case {
    fn of(read: &corpus::Case<'_>) -> Self {
        let mut case = Self { name: read.name.to_owned(), ..Self::default() };
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        for part in &read.parts {
            match part.word {
                "env" => {
                    let (name, value) = part.value.split_once('=').expect("a variable");
                    case.variables.push((name.to_owned(), value.to_owned()));
                }
                "file" => case.files.push((part.value.to_owned(), part.text.to_owned())),
                "quoted" => {
                    let (path, text) = part.value.split_once(' ').expect("a path and a text");
                    case.files.push((path.to_owned(), string(&json(text))));
                }
                "step" => case.steps.push(json(part.value)),
                "cleanup" => case.cleanup.push(part.value.to_owned()),
                other => panic!("{other}: not a word of cases"),
            }
        }
        case
    }
}
