//! The file of cases, read.

use std::io::Read;

use coracle_integration::corpus;
use serde_json::Value;

const CASES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/builds/cases.txt"));

/// One case of the file.
#[derive(Default)]
pub(super) struct Case {
    pub(super) name: String,
    /// What is said of the whole case: `base`, `prepare`, `server`, `env`.
    pub(super) plan: Value,
    pub(super) files: Vec<(String, Vec<u8>)>,
    /// Each build with what is expected of it.
    pub(super) builds: Vec<(Value, Value)>,
}

pub(super) fn cases() -> Vec<Case> {
    corpus::cases(CASES).iter().map(Case::of).collect()
}

impl Case {
    fn of(read: &corpus::Case<'_>) -> Self {
        let mut case = Self { name: read.name.to_owned(), ..Self::default() };
        for part in &read.parts {
            let mut values = serde_json::Deserializer::from_str(part.value).into_iter::<Value>();
            let value = values.next().expect("a value").expect("JSON");
            let after = &part.value[values.byte_offset()..];
            let path = || value.as_str().expect("a path").to_owned();
            match part.word {
                "plan" => case.plan = value,
                "file" => case.files.push((path(), part.text.as_bytes().to_vec())),
                "quoted" => {
                    let text: String = serde_json::from_str(after).expect("a text");
                    case.files.push((path(), text.into_bytes()));
                }
                "packed" => case.files.push((path(), unpacked(after.trim()))),
                "build" => case.builds.push((value, Value::Null)),
                "expect" => case.builds.last_mut().expect("a build comes first").1 = value,
                other => panic!("{other}: not a word of cases"),
            }
        }
        case
    }
}

/// gzip in base64.
fn unpacked(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.bytes().filter(|byte| *byte != b'=') {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).expect("eight bits"));
        }
    }
    let mut content = Vec::new();
    flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut content).expect("gzip of ours");
    content
}
