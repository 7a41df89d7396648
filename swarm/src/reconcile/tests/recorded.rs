//! Recorded timelines, read.

use std::collections::BTreeMap;

/// What was seen, at milliseconds from the command.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Seen {
    Task {
        name: String,
        desired: String,
        state: String,
        error: String,
    },
    Gone(String),
    /// State and message of an update.
    Update(String),
    Node {
        name: String,
        state: String,
    },
    /// Another command is given.
    Command,
}

/// What a command listed afterwards.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    pub(super) command: String,
    pub(super) lines: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    pub(super) window: i64,
    pub(super) seen: Vec<(i64, Seen)>,
    pub(super) listings: Vec<Listing>,
}

/// Timelines by service and number: `t 1`.
pub(super) fn read(text: &str) -> BTreeMap<String, Timeline> {
    let mut timelines: BTreeMap<String, Timeline> = BTreeMap::new();
    let mut key = String::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            let (name, seconds) = title.split_once(", ").unwrap();
            let window = seconds.trim_end_matches(" s").parse::<i64>().unwrap() * 1000;
            name.clone_into(&mut key);
            timelines.insert(key.clone(), Timeline { window, ..Timeline::default() });
        }
        let Some(timeline) = timelines.get_mut(&key) else { continue };
        if let Some(command) = line.strip_prefix("-- ") {
            let command = command.to_owned();
            timeline.listings.push(Listing { command, lines: Vec::new() });
        } else if let Some(listing) = timeline.listings.last_mut() {
            listing.lines.push(line.to_owned());
        } else if line.starts_with(' ') {
            timeline.seen.push(seen(line));
        }
    }
    timelines
}

fn seen(line: &str) -> (i64, Seen) {
    let (time, what) = line.trim_start().split_once(" s  ").unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
    let time = (time.parse::<f64>().unwrap() * 1000.0).round() as i64;
    if let Some(status) = what.strip_prefix("-- update status: ") {
        return (time, Seen::Update(without_task(status)));
    }
    if what.starts_with("-- command: ") {
        return (time, Seen::Command);
    }
    if let Some(node) = what.strip_prefix("-- node ") {
        let (name, rest) = node.split_once(": ").unwrap();
        let state = rest.split(',').next().unwrap().to_owned();
        return (time, Seen::Node { name: name.to_owned(), state });
    }
    let words: Vec<&str> = what.split_whitespace().collect();
    let name = words[0].to_owned();
    if what.contains("(removed from history)") {
        return (time, Seen::Gone(name));
    }
    assert_eq!((words[2], words[4]), ("desired", "state"), "{line}");
    let error = what.split('"').nth(1).unwrap_or_default().to_owned();
    let (desired, state) = (words[3].to_owned(), words[5].to_owned());
    (time, Seen::Task { name, desired, state, error })
}

/// A message without the id of a task at its end.
pub(super) fn without_task(message: &str) -> String {
    match message.split_once(" of task ") {
        Some((before, _)) => before.to_owned(),
        None => message.to_owned(),
    }
}

/// The rows of a table, by the words of its head.
pub(super) fn rows(lines: &[String]) -> Vec<BTreeMap<String, String>> {
    let Some((head, rows)) = lines.split_first() else { return Vec::new() };
    let mut columns: Vec<(usize, String)> = Vec::new();
    let mut at = 0;
    for word in head.split("  ") {
        if !word.trim().is_empty() {
            let indent = word.len() - word.trim_start().len();
            columns.push((at + indent, word.trim().to_owned()));
        }
        at += word.len() + 2;
    }
    let cells = |row: &String| {
        let row: Vec<char> = row.chars().collect();
        let ends = columns.iter().skip(1).map(|(at, _)| *at).chain([usize::MAX]);
        let cell = |((at, name), end): (&(usize, String), usize)| {
            let cell = row.iter().take(end).skip(*at).collect::<String>();
            (name.clone(), cell.trim().to_owned())
        };
        columns.iter().zip(ends).map(cell).collect()
    };
    rows.iter().map(cells).collect()
}
