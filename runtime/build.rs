//! Turns the default seccomp profile into a table of numbers, so that starting a
//! container neither parses JSON nor looks up names.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

#[path = "src/seccomp/abi.rs"]
#[expect(dead_code, reason = "shared with the crate, which uses the rest")]
mod abi;
#[path = "src/seccomp/arch.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with the crate, which uses the rest")]
mod arch;
#[path = "src/seccomp/error.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with the crate, which uses the rest")]
mod error;
#[path = "src/seccomp/ints.rs"]
mod ints;
#[path = "src/seccomp/json.rs"]
mod json;
#[path = "src/seccomp/parse.rs"]
#[expect(unreachable_pub, reason = "shared with the crate, which uses the rest")]
mod parse;
#[path = "src/seccomp/rules.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with the crate, which uses the rest")]
mod rules;

use arch::{KernelVersion, ParseKernelError};
use error::ProfileError;
use rules::{Condition, Profile, Requirements, Rule};

const SOURCE: &str = "src/data/seccomp-default.json";

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=src/seccomp");
    let text = fs::read_to_string(SOURCE).expect("the profile is in the source tree");
    let profile = Profile::from_json(&text).expect("the profile is well-formed");
    #[expect(clippy::disallowed_methods, reason = "cargo hands OUT_DIR to build scripts this way")]
    let directory = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&directory).join("seccomp_default.rs"), source_of(&profile))
        .expect("OUT_DIR is writable");
}

fn source_of(profile: &Profile) -> String {
    let mut coverage = String::new();
    for one in profile.coverage.iter() {
        let others: String = one.others.iter().map(|abi| format!("Abi::{abi:?}, ")).collect();
        put(
            &mut coverage,
            &format!(
                "Coverage {{ native: Abi::{:?}, others: Cow::Borrowed(&[{others}]) }},\n",
                one.native
            ),
        );
    }
    let rules: String = profile.rules.iter().map(rule).collect();
    format!(
        "pub(super) static PROFILE: Profile = Profile {{\n\
         default: Action({:#x}),\n\
         coverage: Cow::Borrowed(&[\n{coverage}]),\n\
         rules: Cow::Borrowed(&[\n{rules}]),\n}};\n",
        profile.default.0
    )
}

fn rule(rule: &Rule) -> String {
    let numbers: String =
        rule.numbers.iter().map(|numbers| format!("Cow::Borrowed(&{numbers:?}), ")).collect();
    let conditions: String = rule.conditions.iter().map(condition).collect();
    format!(
        "Rule {{ numbers: [{numbers}], action: Action({:#x}), \
         conditions: Cow::Borrowed(&[{conditions}]), includes: {}, excludes: {} }},\n",
        rule.action.0,
        requirements(&rule.includes),
        requirements(&rule.excludes)
    )
}

fn condition(condition: &Condition) -> String {
    let Condition { index, op, value, value_two, bits } = condition;
    format!(
        "Condition {{ index: {index}, op: Op::{op:?}, value: {value}, value_two: {value_two}, \
         bits: {bits:?} }}, "
    )
}

fn requirements(requirements: &Requirements) -> String {
    let words = |list: &[std::borrow::Cow<'_, str>]| {
        let words: String = list.iter().map(|word| format!("Cow::Borrowed({word:?}), ")).collect();
        format!("Cow::Borrowed(&[{words}])")
    };
    let kernel = match requirements.min_kernel {
        None => "None".to_owned(),
        Some(KernelVersion { major, minor }) => {
            format!("Some(KernelVersion {{ major: {major}, minor: {minor} }})")
        }
    };
    format!(
        "Requirements {{ caps: {}, arches: {}, min_kernel: {kernel} }}",
        words(&requirements.caps),
        words(&requirements.arches)
    )
}

fn put(text: &mut String, line: &str) {
    text.write_str(line).expect("writing to a String does not fail");
}
