//! What stands below the progress of a build: warnings, and why it failed with its place in the Dockerfile.

use coracle_builder::{Span, excerpt};

use super::colours::paint;
use super::trace::Warned;
use crate::error::CliError;

/// The warnings, one a line, and `more` says how to have more of them. Without: with what the rule says, where to read
/// about it, and its place.
pub(super) fn warnings(warnings: &[Warned], more: Option<&str>, colour: &str) -> String {
    let count = match warnings.len() {
        0 => return String::new(),
        1 => "1 warning found".to_owned(),
        many => format!("{many} warnings found"),
    };
    let hint = more.map(|more| format!(" ({more})")).unwrap_or_default();
    let mut out = format!("\n {}", paint(&format!("{count}{hint}:\n"), colour));
    for warned in warnings {
        out += &format!(" - {}\n", warned.short());
        if more.is_some() {
            continue;
        }
        let finding = &warned.finding;
        out += &format!("{}\n", finding.description);
        if !finding.url.is_empty() {
            out += &format!("More info: {}\n", finding.url);
        }
        out += &excerpt(&warned.source.path, &warned.source.text, &finding.at);
        out.push('\n');
    }
    out
}

/// The last words of a build that failed. Nothing is shown of a Dockerfile that it is not about.
pub(crate) fn failure(message: &str, path: &str, text: &str, at: &[Span]) -> CliError {
    let place = excerpt(path, text, at);
    CliError::plain(format!("{place}ERROR: failed to build: failed to solve: {message}"))
}
