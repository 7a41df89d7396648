//! Rules on the words of a source. Each gives the lines, from 1, that break it.

/// `unsafe`, as a word of the language.
pub(super) fn unsafe_code(code: &str) -> Vec<usize> {
    lines(code, |line| {
        let outside = line.split('"').step_by(2);
        outside
            .flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '_'))
            .any(|word| word == "unsafe")
    })
}

/// Something is written to the streams of the process.
pub(super) fn prints(code: &str) -> Vec<usize> {
    let marks = ["print!(", "println!(", "dbg!(", "stdout()", "stderr()"];
    lines(code, |line| marks.iter().any(|mark| line.contains(mark)))
}

/// An event is recorded.
pub(super) fn writes_events(code: &str) -> Vec<usize> {
    let marks = ["events.object(", "events.container(", "events.record("];
    lines(code, |line| marks.iter().any(|mark| line.contains(mark)))
}

/// The text of a port, `80/tcp`, is taken apart: a cut at a slash with a protocol near it.
pub(super) fn reads_ports(code: &str) -> Vec<usize> {
    let cuts = ["split_once('/')", "split('/')"];
    let protocols = ["\"tcp\"", "\"udp\"", "protocol"];
    let all: Vec<&str> = code.lines().collect();
    let near = |at: usize| &all[at.saturating_sub(2)..(at + 3).min(all.len())];
    let breaks = |at: &usize| {
        cuts.iter().any(|cut| all[*at].contains(cut))
            && near(*at).iter().any(|line| protocols.iter().any(|word| line.contains(word)))
    };
    (0..all.len()).filter(breaks).map(|at| at + 1).collect()
}

/// The unit of a size is told from others.
pub(super) fn reads_sizes(code: &str) -> Vec<usize> {
    let units = ["\"k\"", "\"kb\"", "\"kib\"", "'k'", "\"K\"", "\"KB\"", "\"KiB\""];
    lines(code, |line| units.iter().any(|unit| line.contains(unit)))
}

/// Something that is not in the arguments is asked for: files, the environment, other processes, the clock.
pub(super) fn asks_the_world(code: &str) -> Vec<usize> {
    let folders = ["fs", "env", "net", "process", "os"];
    let marks = ["::now()", "SystemTime", "rustix::", "libc::", "File::", "stdin()"];
    lines(code, |line| {
        let line: String = line.split_whitespace().collect();
        let of_std = |name: &&str| {
            line.contains(&format!("std::{name}"))
                || line
                    .split_once("std::{")
                    .is_some_and(|(_, list)| list.split([',', '}', ':']).any(|part| part == *name))
        };
        marks.iter().any(|mark| line.contains(mark)) || folders.iter().any(of_std)
    })
}

fn lines(code: &str, breaks: impl Fn(&str) -> bool) -> Vec<usize> {
    (1..).zip(code.lines()).filter(|(_, line)| breaks(line)).map(|(number, _)| number).collect()
}

#[test]
fn unsafe_is_a_word_of_the_language() {
    assert_eq!(unsafe_code("let a = 1;\nunsafe { call() }"), [2]);
    assert_eq!(unsafe_code("unsafe fn call() {}"), [1]);
    assert!(unsafe_code("say(\"unsafe\"); not_unsafe(); unsafely()").is_empty());
}

#[test]
fn printing_is_seen() {
    for code in
        ["println!(\"a\")", "eprint!(\"a\")", "std::io::stdout().lock()", "write(stderr(), b)"]
    {
        assert_eq!(prints(code), [1], "{code}");
    }
    assert!(prints("child.stdout.take(); imprint(); let stdout = 1;").is_empty());
}

#[test]
fn events_are_seen() {
    assert_eq!(writes_events("a();\nself.engine.events.object(kind, \"create\", name, &[]);"), [2]);
    assert_eq!(writes_events("app.engine()?.events.container(&container, \"restart\", &[]);"), [1]);
    assert!(writes_events("engine.events.read(span, filter, each)").is_empty());
}

#[test]
fn ports_taken_apart_are_seen() {
    let code = "let (number, protocol) = port.split_once('/').unwrap_or((port, \"tcp\"));";
    assert_eq!(reads_ports(code), [1]);
    let below = "let parts = text.split('/');\n\nmatch parts.next() {\n    Some(\"udp\") => 1,\n}";
    assert!(reads_ports(below).is_empty(), "too far apart");
    assert_eq!(reads_ports("let (a, b) = text.split_once('/')?;\nif b == \"udp\" {}"), [1]);
    assert!(reads_ports("for part in path.split('/') {}").is_empty());
}

#[test]
fn units_of_sizes_are_seen() {
    assert_eq!(reads_sizes("match unit {\n    \"k\" | \"kb\" => 1,\n}"), [2]);
    assert_eq!(reads_sizes("const UNITS: [(char, u32); 2] = [('b', 0), ('k', 10)];"), [1]);
    assert!(reads_sizes("map.get(\"key\")").is_empty());
}

#[test]
fn asking_the_world_is_seen() {
    for code in [
        "use std::fs::File;",
        "use std::{collections::BTreeMap, env};",
        "let now = std::time::Instant::now();",
        "chrono::Utc::now()",
        "std::process::id()",
    ] {
        assert_eq!(asks_the_world(code), [1], "{code}");
    }
    assert!(
        asks_the_world("use std::{fmt, collections::BTreeMap};\nuse std::io;\nknow()").is_empty()
    );
}
