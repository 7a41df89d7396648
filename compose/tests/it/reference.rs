//! The documentation of the format is that of the table, and the table is that of the format.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coracle_compose::reference::attributes;

const BEGIN: &str = "<!-- attributes: begin -->\n";
const END: &str = "<!-- attributes: end -->\n";

fn table() -> String {
    let mut out =
        "| attribute | accepts | values | honoured |\n| --- | --- | --- | --- |\n".to_owned();
    for attribute in attributes() {
        let types = attribute.types.replace(" | ", ", ");
        let allowed = attribute.allowed.join(", ");
        let line =
            format!("| `{}` | {types} | {allowed} | {} |\n", attribute.path, attribute.support);
        out.push_str(&line);
    }
    out
}

#[expect(clippy::disallowed_methods, reason = "only tests look there")]
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

/// `CORACLE_UPDATE_DOCS=1 cargo test -p coracle-compose` writes the table.
#[test]
fn the_documentation_lists_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compose.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the page marks the table");
    let (found, after) = rest.split_once(END).expect("the page marks the end of the table");
    if variable("CORACLE_UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    assert!(found == table(), "docs/compose.md is old: CORACLE_UPDATE_DOCS=1 brings it up to date");
}

/// What the format's table has and this program has not, and why.
fn left_out(path: &str) -> bool {
    let newer = ["services.*.build.no_cache_filter"];
    // Extensions of swarm, tags of YAML, and the old form that becomes `name`.
    let other = ["volumes.*.x-", "x-*", "!", "secrets.*.external.", "configs.*.external."];
    let old = ["networks.*.external.", "volumes.*.external."];
    // Entries that are part of how their attribute is read.
    let inner = [
        "services.*.extra_hosts.",
        "services.*.build.extra_hosts.",
        "services.*.provider.options.",
    ];
    newer.iter().chain(&other).chain(&old).chain(&inner).any(|prefix| path.starts_with(prefix))
}

fn sorted(text: &str, separator: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(separator)
        .map(|word| {
            let mut inner: Vec<&str> =
                word.trim().trim_start_matches("list of ").split('/').collect();
            inner.sort_unstable();
            let list = if word.trim().starts_with("list of ") { "list of " } else { "" };
            format!("{list}{}", inner.join("/"))
        })
        .collect();
    words.sort();
    words
}

#[test]
fn the_table_is_that_of_the_format() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let path = variable("CORACLE_SHARED").unwrap_or(beside).join("reference/compose-file.tsv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is absent", path.display());
        return;
    };
    let ours: BTreeMap<String, _> =
        attributes().into_iter().map(|attribute| (attribute.path.clone(), attribute)).collect();
    let mut wrong = Vec::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [path, types, allowed, _, support, ..] = fields[..] else { panic!("{line}") };
        if left_out(path) || support == "rejected" {
            continue;
        }
        let Some(known) = ours.get(path) else {
            wrong.push(format!("{path} ({types}) is missing"));
            continue;
        };
        if sorted(types, "|") != sorted(&known.types, "|") {
            wrong.push(format!("{path} accepts {}, not {types}", known.types));
        }
        if allowed != known.allowed.join(",") {
            wrong.push(format!("{path} takes {:?}, not {allowed}", known.allowed));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
