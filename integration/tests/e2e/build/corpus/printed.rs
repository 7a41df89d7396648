//! What a build prints, without what differs from time to time.

use std::collections::{BTreeMap, BTreeSet};

/// Names of steps, `CACHED ` before those that came from the cache: without those that are about images and contexts.
/// An `ADD` of an address may be there twice, and is not always cached.
pub(super) fn steps(text: &str) -> Vec<String> {
    let mut names: BTreeMap<u32, String> = BTreeMap::new();
    let mut cached = BTreeSet::new();
    for line in text.lines() {
        let Some((number, rest)) = line.strip_prefix('#').and_then(|line| line.split_once(' '))
        else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        if rest == "CACHED" {
            cached.insert(number);
        } else if rest.starts_with('[') {
            names.entry(number).or_insert_with(|| without_digests(rest));
        }
    }
    let counts = |name: &str| {
        let is_of_image = name.split_once("] ").is_some_and(|(_, rest)| rest.starts_with("FROM "));
        !name.starts_with("[internal]") && !name.starts_with("[context ") && !is_of_image
    };
    let told = |(number, name): (u32, String)| match cached.contains(&number) {
        true if !name.contains(" ADD http") => format!("CACHED {name}"),
        _ => name,
    };
    names.into_iter().filter(|(_, name)| counts(name)).map(told).collect()
}

fn without_digests(name: &str) -> String {
    let mut parts = name.split("@sha256:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.get(64..).unwrap_or_default());
    }
    out
}

/// Checks by name and line: those at the end of a build, and those of `--check`.
pub(super) fn warnings(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let mut out = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let listed = line.trim_start().strip_prefix("- ").and_then(|rest| rest.split_once(": "));
        if let Some((name, rest)) = listed.filter(|(name, _)| is_name(name)) {
            let number = rest.rsplit_once(" (line ").map(|(_, rest)| rest.trim_end_matches(')'));
            out.push(format!("{name} (line {})", number.unwrap_or("None")));
        }
        let checked = line
            .strip_prefix("WARNING: ")
            .map(|rest| rest.split_once(" - ").map_or(rest, |(name, _)| name));
        if let Some(name) = checked.filter(|name| is_name(name)) {
            let place = lines.iter().skip(at).take(5).find_map(|line| {
                let (file, number) = line.rsplit_once(':')?;
                let is_place = !file.is_empty() && !file.contains(' ');
                number.parse::<u32>().ok().filter(|_| is_place)
            });
            let number = place.map_or_else(|| "?".to_owned(), |number| number.to_string());
            out.push(format!("{name} (line {number})"));
        }
    }
    out
}

/// The end of what a failed build prints: from the first line that reports the failure.
pub(super) fn problem(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    let is_place = |line: &str| {
        let Some((file, number)) = line.rsplit_once(':') else { return false };
        file.to_lowercase().contains("dockerfile") && number.parse::<u32>().is_ok()
    };
    let begins = |line: &&str| {
        line.starts_with("------") || line.to_lowercase().starts_with("error:") || is_place(line)
    };
    let at = lines.iter().position(begins).unwrap_or(lines.len().saturating_sub(12));
    lines[at..].join("\n")
}
