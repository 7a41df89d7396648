//! The table: one line a row, with the promise and whether it is kept.

use std::io::{Write, stdout};

/// What we promise.
pub(crate) enum Promise {
    /// At most so many of the row's unit.
    AtMost(f64),
    /// At most so many times what this peer takes.
    Times(f64, &'static str),
    /// At least so many times what this peer gets: more is better.
    Share(f64, &'static str),
}

pub(crate) fn head() {
    line("what", "coracle", "peers", "ratio", "promise", "kept");
    line("---", "---:", "---", "---", "---", "---");
}

pub(crate) fn line(what: &str, ours: &str, peers: &str, ratio: &str, promise: &str, kept: &str) {
    writeln!(stdout(), "| {what} | {ours} | {peers} | {ratio} | {promise} | {kept} |")
        .expect("standard output");
}

/// Prints a row. The first median is ours.
pub(crate) fn row(what: &str, unit: &str, promise: &Promise, medians: &[(String, Option<f64>)]) {
    let (ours, peers) = medians.split_first().expect("we are among the contenders");
    let ours = ours.1;
    let shown = |amount: Option<f64>| amount.map_or("-".to_owned(), |amount| show(amount, unit));
    let ratio_to = |peer: Option<f64>| Some(ours? / peer?);
    let values: Vec<_> =
        peers.iter().map(|(name, amount)| format!("{name} {}", shown(*amount))).collect();
    let ratios: Vec<_> = peers
        .iter()
        .map(|(_, amount)| ratio_to(*amount).map_or("-".to_owned(), |ratio| format!("{ratio:.2}")))
        .collect();
    let ratio_to_named = |name: &str| {
        ratio_to(peers.iter().find(|(peer, _)| peer == name).and_then(|(_, amount)| *amount))
    };
    let (text, kept) = match promise {
        Promise::AtMost(limit) => (show(*limit, unit), ours.map(|ours| ours <= *limit)),
        Promise::Times(limit, name) => {
            (format!("≤ {limit} × {name}"), ratio_to_named(name).map(|ratio| ratio <= *limit))
        }
        Promise::Share(limit, name) => {
            (format!("≥ {limit} × {name}"), ratio_to_named(name).map(|ratio| ratio >= *limit))
        }
    };
    let kept = match kept {
        Some(true) => "PASS",
        Some(false) => "MISS",
        // The peer that it is measured by is not here.
        None => "-",
    };
    line(what, &shown(ours), &values.join(", "), &ratios.join(", "), &text, kept);
}

fn show(amount: f64, unit: &str) -> String {
    match amount {
        amount if amount < 100.0 => format!("{amount:.1} {unit}"),
        amount => format!("{amount:.0} {unit}"),
    }
}
