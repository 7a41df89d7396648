//! Small files cannot make the reader work without end or fill the memory, and files that are
//! merely large are read. What would take quadratic time here would take minutes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::support::{Memory, PARENT};
use coracle_compose::{LoadOptions, Loaded, load};

const MANY: usize = 50_000;

fn read(text: String, environment: &[(&str, &str)]) -> Result<Loaded, String> {
    let files = Memory { stdin: text, ..Memory::default() };
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let options = LoadOptions {
        files: vec!["-".to_owned()],
        environment: environment.collect::<BTreeMap<_, _>>(),
        current_dir: PathBuf::from(PARENT),
        ..LoadOptions::default()
    };
    load(&options, &files).map_err(|error| error.to_string())
}

fn fails(text: String, environment: &[(&str, &str)], why: &str) {
    let error = read(text, environment).err().unwrap_or_default();
    assert!(error.contains(why), "expected {why:?}, got {error:?}");
}

/// A line for each number.
fn lines(line: impl Fn(usize) -> String) -> String {
    (0..MANY).map(|n| line(n) + "\n").collect()
}

const SERVICE: &str = "services:\n  w:\n    image: a\n";

#[test]
fn what_multiplies_is_bounded() {
    let aliases = |n: u8| format!("x-{n}: &a{n} [{}]\n", format!("*a{},", n - 1).repeat(9));
    let aliases: String = (1..9).map(aliases).collect();
    fails(format!("x-0: &a0 [1]\n{aliases}{SERVICE}"), &[], "aliases are written out");

    let ports = |n: usize| format!("      - 1.0.0.{}:1-65535:1-65535\n", n + 1);
    let ports: String = (0..200).map(ports).collect();
    fails(format!("{SERVICE}    ports:\n{ports}"), &[], "grows beyond any use");

    let large = lines(|n| format!("      A{n}: x"));
    let heirs = lines(|n| format!("  s{n}: {{extends: w}}"));
    let text = format!("{SERVICE}    environment:\n{large}{heirs}");
    fails(text, &[], "services.s1");

    let value = "x".repeat(100_000);
    let uses = lines(|n| format!("      A{n}: $A"));
    let text = format!("{SERVICE}    environment:\n{uses}");
    fails(text, &[("A", &value)], "bytes that variables put in");

    let bare = lines(|n| format!("  s{n}: {{image: a, environment: [A]}}"));
    fails(format!("services:\n{bare}"), &[("A", &value)], "bytes that variables put in");

    fails(format!("x-a: {}", "[".repeat(MANY)), &[], "levels deep");
    fails(format!("{SERVICE}    user: \"{}{}\"", "${A:-".repeat(99), "}".repeat(99)), &[], "deep");
}

#[test]
fn large_files_are_read() {
    let service = |text: String| read(format!("{SERVICE}{text}"), &[]).unwrap().project;
    let options = service(format!("    security_opt:\n{}", lines(|n| format!("      - a{n}"))));
    assert_eq!(options["services"]["w"]["security_opt"].as_array().unwrap().len(), MANY);

    let hosts = |word: &str| lines(|n| format!("      - {word}{n}=1.1.1.1"));
    let heir = format!("  v:\n    extends: w\n    extra_hosts:\n{}", hosts("v"));
    let project = service(format!("    extra_hosts:\n{}{heir}", hosts("w")));
    assert_eq!(project["services"]["v"]["extra_hosts"].as_array().unwrap().len(), 2 * MANY);

    let many = service(format!("    user: \"{}\"", "${A:-x}".repeat(MANY)));
    assert_eq!(many["services"]["w"]["user"].as_str().unwrap().len(), MANY);

    let text = format!("{SERVICE}    environment:\n{}", lines(|n| format!("      A{n}: $V{n}")));
    assert_eq!(read(text, &[]).unwrap().warnings.len(), MANY);

    let chain = lines(|n| format!("  s{n}: {{image: a, depends_on: [s{}]}}", n + 1));
    let text = format!("services:\n{chain}  s{MANY}: {{image: a}}\n");
    assert_eq!(read(text, &[]).unwrap().services().count(), MANY + 1);
}

#[test]
fn many_mistakes_are_looked_at_once() {
    let text = format!("{SERVICE}{}", lines(|n| format!("    unknwonattribute{n}: 1")));
    fails(text, &[], "-:4:5: services.w.unknwonattribute0: unknown attribute");
}
