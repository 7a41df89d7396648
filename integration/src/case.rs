//! Console cases: shell lines with the output that Docker was seen to give.
//!
//! # The format
//!
//! Only blocks fenced with ` ```console ` count; a `## ` heading begins a section, and each section is one
//! test in one world. In a block, `$ ` begins a command (`> ` continues it), lines with `! ` are expected on
//! standard error, a last line `[7]` is the exit status (0 otherwise), all other lines are standard output.
//! In expected lines `[ID]` is 64 hexadecimal digits, `[SHORT]` 12, `[TIME]` an RFC 3339 time, `[OBJECT]` the id of
//! an object of a swarm and `[OBJ]` its first 12 characters, `[HOST]` the machine's host name, `[~]` one blank or
//! more, `[..]` any text, `\r` a carriage return, and a line `[...]` any number of lines (of standard error once a
//! `!` line has been seen). `$ROOT` is the world's folder; `$PORT1` to `$PORT9` are free ports, in commands too.
//!
//! A command after `% ` instead of `$ ` is given again and again until it answers as shown, at most for as long as
//! tests wait: what Docker's recording waits for by the clock.
//!
//! Lines of the product that begin with `hint: ` are ignored unless the case shows one.
//!
//! Cases that are known to differ stand in `integration/known-gaps.txt`; they are reported as skipped. A line
//! there whose case answers as recorded, or that names no case, fails.
//!
//! # Not here
//!
//! No knowledge of the product.

use std::fmt::Write as _;

use crate::{Output, TestEnv};

const ANY_LINES: &str = "[...]";

/// One command and what it should say.
#[derive(Debug, PartialEq, Eq)]
pub struct Case {
    line: usize,
    command: String,
    stdout: Vec<String>,
    stderr: Vec<String>,
    code: i32,
    /// Whether the answer is waited for.
    awaited: bool,
}

/// The titles of a file's sections.
pub fn sections(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("## ")).map(str::trim).collect()
}

/// Declares a test for each section of a file in `recorded/`, and one that proves that none is forgotten.
#[macro_export]
macro_rules! recorded {
    ($file:literal: $($test:ident = $section:literal),+ $(,)?) => {
        const RECORDED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/recorded/", $file));

        #[test]
        fn every_recorded_section_is_a_test() {
            assert_eq!($crate::case::sections(RECORDED), [$($section),+]);
        }

        $(#[test]
        fn $test() {
            let env = $crate::TestEnv::new();
            $crate::case::run_section(&env, RECORDED, $section);
        })+
    };
}

/// Runs the cases of one section in `env` and fails the test with every difference found.
#[track_caller]
pub fn run_section(env: &TestEnv, text: &str, section: &str) {
    let mut cases = parse(text, section);
    assert!(!cases.is_empty(), "no cases in section `{section}`");
    with_free_ports(&mut cases);
    let mut report = String::new();
    let mut failed = 0;
    for case in &cases {
        let mut difference = case.check(&env.sh(&case.command), env);
        if case.awaited && difference.is_some() {
            crate::wait::poll(crate::wait::DEADLINE, || {
                difference = case.check(&env.sh(&case.command), env);
                difference.is_none().then_some(())
            });
        }
        let known = is_gap(GAPS, section, &case.command);
        if known && difference.is_some() {
            crate::skip::record(&format!("differs: $ {}", case.first_line()));
        } else if let Some(text) = verdict(difference, known) {
            failed += 1;
            writeln!(report, "\nline {}: $ {}\n{text}", case.line, case.command).expect("memory");
        }
    }
    assert!(failed == 0, "{failed} of {} cases differ{report}", cases.len());
}

const GAPS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/known-gaps.txt"));

/// Puts a free port wherever `$PORT1` to `$PORT9` stand.
fn with_free_ports(cases: &mut [Case]) {
    for name in (1..=9).map(|number| format!("$PORT{number}")) {
        if cases.iter().any(|case| case.command.contains(&name)) {
            let port = crate::port::free_port().to_string();
            for case in &mut *cases {
                let lines = case.stdout.iter_mut().chain(&mut case.stderr);
                for text in lines.chain([&mut case.command]) {
                    *text = text.replace(&name, &port);
                }
            }
        }
    }
}

/// What fails the test: a difference nobody knows of, or a known one that is gone.
fn verdict(difference: Option<String>, known: bool) -> Option<String> {
    match (difference, known) {
        (Some(difference), false) => Some(difference),
        (None, true) => Some("  answers as recorded: take it out of known-gaps.txt\n".to_owned()),
        (Some(_), true) | (None, false) => None,
    }
}

/// Whether a command is known to differ from what was recorded.
fn is_gap(gaps: &str, section: &str, command: &str) -> bool {
    let first = with_recorded_port(command.lines().next().unwrap_or_default());
    gap_lines(gaps).any(|line| line.split_once(": ") == Some((section, first.as_str())))
}

/// Lines `SECTION: FIRST LINE OF THE COMMAND`.
fn gap_lines(gaps: &str) -> impl Iterator<Item = &str> {
    gaps.lines().filter(|line| !line.starts_with('#'))
}

/// The registry's port as it was recorded, not the free one of this run.
fn with_recorded_port(command: &str) -> String {
    const HOST: &str = "127.0.0.1:";
    match command.split_once(HOST) {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}{HOST}5000{rest}")
        }
        None => command.to_owned(),
    }
}

/// The cases of one section.
pub fn parse(text: &str, section: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let (mut wanted, mut fenced) = (false, false);
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            fenced = !fenced && line.trim_end() == "```console";
        } else if !fenced {
            if let Some(title) = line.strip_prefix("## ") {
                wanted = title.trim() == section;
            }
        } else if wanted {
            add_line(&mut cases, index + 1, line);
        }
    }
    for case in &mut cases {
        if let Some(code) = case.stdout.last().and_then(|line| exit_line(line)) {
            case.code = code;
            case.stdout.pop();
        }
    }
    cases
}

fn add_line(cases: &mut Vec<Case>, number: usize, line: &str) {
    let (once, awaited) = (line.strip_prefix("$ "), line.strip_prefix("% "));
    if let Some(command) = once.or(awaited) {
        let (command, awaited) = (command.to_owned(), awaited.is_some());
        let (stdout, stderr) = (Vec::new(), Vec::new());
        cases.push(Case { line: number, command, stdout, stderr, code: 0, awaited });
        return;
    }
    let Some(case) = cases.last_mut() else { panic!("line {number}: output before a command") };
    if let Some(more) = line.strip_prefix("> ") {
        case.command.push('\n');
        case.command.push_str(more);
    } else if line == "!" || line.starts_with("! ") {
        case.stderr.push(line.get(2..).unwrap_or_default().to_owned());
    } else if line == ANY_LINES && !case.stderr.is_empty() {
        case.stderr.push(line.to_owned());
    } else {
        case.stdout.push(line.to_owned());
    }
}

fn exit_line(line: &str) -> Option<i32> {
    line.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

impl Case {
    fn first_line(&self) -> &str {
        self.command.lines().next().unwrap_or_default()
    }

    fn check(&self, output: &Output, env: &TestEnv) -> Option<String> {
        let root = env.root().display().to_string();
        let lines = |text: &str| {
            let text = text.replace(&root, "$ROOT").replace('\r', "\\r");
            // A lone newline is one empty line, unlike no output.
            let none = text.is_empty();
            let text = text.strip_suffix('\n').unwrap_or(&text);
            text.split('\n').filter(|_| !none).map(str::to_owned).collect::<Vec<_>>()
        };
        let mut report = String::new();
        if output.status() != self.code {
            writeln!(report, "  exit status {}, expected {}", output.status(), self.code)
                .expect("memory");
        }
        for (name, expected, seen) in [
            ("stdout", &self.stdout, lines(&output.stdout())),
            ("stderr", &self.stderr, lines(&output.stderr())),
        ] {
            let seen = without_unexpected_hints(expected, seen);
            if !lines_match(expected, &seen) {
                for line in expected {
                    writeln!(report, "  {name} - {line}").expect("memory");
                }
                for line in &seen {
                    writeln!(report, "  {name} + {line}").expect("memory");
                }
            }
        }
        (!report.is_empty()).then_some(report)
    }
}

/// Docker gives no hints; ours are compared only where a case shows one.
fn without_unexpected_hints(expected: &[String], mut seen: Vec<String>) -> Vec<String> {
    let is_hint = |line: &String| line.starts_with("hint: ");
    if !expected.iter().any(is_hint) {
        seen.retain(|line| !is_hint(line));
    }
    seen
}

/// Whether the lines match, where `[...]` stands for any number of them.
fn lines_match(expected: &[String], seen: &[String]) -> bool {
    match expected.split_first() {
        None => seen.is_empty(),
        Some((first, rest)) if first == ANY_LINES => {
            (0..=seen.len()).any(|skip| lines_match(rest, &seen[skip..]))
        }
        Some((first, rest)) => seen
            .split_first()
            .is_some_and(|(line, more)| line_matches(first, line) && lines_match(rest, more)),
    }
}

/// Measures what a marker stands for at the start of a text.
type Length = fn(&str) -> Option<usize>;

const MARKERS: [(&str, Length); 7] = [
    ("[ID]", hex_digits::<64>),
    ("[SHORT]", hex_digits::<12>),
    ("[TIME]", crate::redact::time_length),
    ("[OBJECT]", object_id::<25>),
    ("[OBJ]", object_id::<12>),
    ("[HOST]", host_name),
    ("[~]", blanks),
];

fn hex_digits<const COUNT: usize>(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    (digits >= COUNT).then_some(COUNT)
}

fn object_id<const COUNT: usize>(text: &str) -> Option<usize> {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    (text.bytes().take_while(is_digit).count() == COUNT).then_some(COUNT)
}

fn host_name(text: &str) -> Option<usize> {
    let uname = rustix::system::uname();
    let name = uname.nodename().to_str().ok()?;
    text.starts_with(name).then_some(name.len())
}

fn blanks(text: &str) -> Option<usize> {
    let count = text.bytes().take_while(|byte| *byte == b' ').count();
    (count > 0).then_some(count)
}

/// Whether one line matches its pattern.
fn line_matches(pattern: &str, line: &str) -> bool {
    let Some(start) = pattern.find('[') else { return pattern == line };
    if !line.starts_with(&pattern[..start]) {
        return false;
    }
    let (pattern, line) = (&pattern[start..], &line[start..]);
    if let Some(rest) = pattern.strip_prefix("[..]") {
        return line
            .char_indices()
            .map(|(index, _)| index)
            .chain([line.len()])
            .any(|index| line_matches(rest, &line[index..]));
    }
    for (marker, length) in MARKERS {
        if let Some(rest) = pattern.strip_prefix(marker) {
            return length(line).is_some_and(|length| line_matches(rest, &line[length..]));
        }
    }
    line.strip_prefix('[').is_some_and(|line| line_matches(&pattern[1..], line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# t\n## One\ntext\n```console\n$ a \\\n> b\nout\n! err\n!\n[3]\n$ c\n```\n\
                        ```sh\n$ no\n```\n## Two\n```console\n$ d\n[]\n```\n";

    #[test]
    fn commands_outputs_and_status_are_read() {
        assert_eq!(sections(FILE), ["One", "Two"]);
        let cases = parse(FILE, "One");
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[0].command, "a \\\nb");
        assert_eq!((cases[0].code, cases[0].line), (3, 5));
        assert_eq!(cases[0].stdout, ["out"]);
        assert_eq!(cases[0].stderr, ["err", ""]);
        assert_eq!((cases[1].command.as_str(), cases[1].code), ("c", 0));
        assert_eq!(parse(FILE, "Two")[0].stdout, ["[]"]);
    }

    #[test]
    fn a_gap_that_is_closed_fails_as_an_unknown_one_does() {
        let differs = || Some("differs".to_owned());
        assert!(is_gap("# c\nOne: a \\\n", "One", "a \\\nb"));
        assert!(!is_gap("# One: a\n", "One", "a"));
        assert_eq!(verdict(differs(), false), differs());
        assert_eq!(verdict(differs(), true), None);
        assert_eq!(verdict(None, false), None);
        assert!(verdict(None, true).unwrap().contains("take it out of known-gaps.txt"));
    }

    /// The known gaps that name no case of `files`.
    fn unknown_gaps<'a>(gaps: &'a str, files: &[String]) -> Vec<&'a str> {
        let names = |line: &str| {
            files.iter().any(|file| {
                sections(file).iter().any(|section| {
                    let mut cases = parse(file, section).into_iter();
                    cases.any(|case| line == format!("{section}: {}", case.first_line()))
                })
            })
        };
        gap_lines(gaps).filter(|line| !names(line)).collect()
    }

    #[test]
    fn every_known_gap_names_a_case() {
        assert_eq!(unknown_gaps("Two: d\nTwo: e\n", &[FILE.to_owned()]), ["Two: e"]);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/recorded");
        let files: Vec<String> = [folder.to_owned(), format!("{folder}/peers")]
            .iter()
            .flat_map(|folder| std::fs::read_dir(folder).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|name| name == "md"))
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect();
        assert!(unknown_gaps(GAPS, &files).is_empty(), "{:?}", unknown_gaps(GAPS, &files));
    }

    #[test]
    fn patterns_match_whole_lines_only() {
        let id = "ab".repeat(32);
        assert!(line_matches("x [ID] y", &format!("x {id} y")));
        assert!(!line_matches("[ID]", &format!("{id}0")));
        assert!(line_matches("a[..]c [..]", "abbbc "));
        assert!(!line_matches("a[..]c", "abbbd"));
        assert!(line_matches("[a] [TIME]", "[a] 2026-11-20T23:52:13Z"));
        assert!(!line_matches("exact", "exactly"));
    }

    #[test]
    fn markers_of_a_swarm_match_whole_ids() {
        let id = "z6uvo6lhjiyzsl4aqandv6fye";
        assert!(line_matches("s1.1.[OBJECT] up", &format!("s1.1.{id} up")));
        assert!(!line_matches("[OBJECT]", &id[1..]));
        assert!(line_matches("[OBJ]   s1[~]3/3", &format!("{}   s1  3/3", &id[..12])));
        assert!(!line_matches("[OBJ]", id));
        assert!(!line_matches("a[~]b", "ab"));
        let uname = rustix::system::uname();
        assert!(line_matches("a [HOST]", &format!("a {}", uname.nodename().to_str().unwrap())));
    }

    #[test]
    fn an_awaited_command_and_free_ports_are_read() {
        let mut cases = parse("## A\n```console\n% d ls $PORT1\n*:$PORT1\n$ e\n```\n", "A");
        assert_eq!((cases[0].awaited, cases[1].awaited), (true, false));
        with_free_ports(&mut cases);
        let port = cases[0].command.strip_prefix("d ls ").unwrap();
        assert!(port.parse::<u16>().is_ok());
        assert_eq!(cases[0].stdout, [format!("*:{port}")]);
    }

    #[test]
    fn any_lines_may_stand_between() {
        let to_lines =
            |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        assert!(lines_match(&to_lines(&["a", "[...]", "z"]), &to_lines(&["a", "b", "c", "z"])));
        assert!(lines_match(&to_lines(&["[...]"]), &[]));
        assert!(!lines_match(&to_lines(&["a"]), &to_lines(&["a", "b"])));
    }
}
