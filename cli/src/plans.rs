//! Plans, as commands show them, keep them in files, and hold them against what would be done now: those of
//! `compose plan`, `service plan` and `stack plan`.

use std::io::Write as _;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::error::CliError;

/// Exit code of a plan with something to do.
pub(crate) const SOMETHING_TO_DO: u8 = 2;

/// Prints a plan as JSON, or as these lines; without any there is nothing to do.
pub(crate) fn print(
    app: &mut App,
    plan: &impl Serialize,
    lines: &[String],
    is_empty: bool,
    format: Option<&str>,
) -> Result<(), CliError> {
    let out = app.ui.data();
    match format {
        None | Some("" | "text" | "table") => {
            for line in lines {
                writeln!(out, "{line}")?;
            }
            if is_empty {
                writeln!(out, "Nothing to do.")?;
            }
        }
        Some("json") => out.write_all(json(plan)?.as_bytes())?,
        Some(other) => {
            let message = format!("invalid --format {other:?}: it is text or json");
            return Err(CliError::plain(message));
        }
    }
    Ok(())
}

/// A plan as it is kept.
pub(crate) fn json(plan: &impl Serialize) -> Result<String, CliError> {
    let text = serde_json::to_string_pretty(plan)
        .map_err(|error| CliError::plain(format!("cannot write the plan: {error}")))?;
    Ok(text + "\n")
}

/// Reads a plan that was kept; `hint` says how one is made.
pub(crate) fn read<P: DeserializeOwned>(path: &str, hint: &str) -> Result<P, CliError> {
    let text = std::fs::read(path)
        .map_err(|error| CliError::plain(format!("cannot read the plan {path}: {error}")))?;
    serde_json::from_slice(&text)
        .map_err(|error| CliError::plain(format!("{path} is no plan: {error}")).hint(hint))
}

/// The refusal of a plan that is not what would be done now, by the lines of both.
pub(crate) fn misfit(path: &str, kept: &[String], now: &[String], hint: &str) -> CliError {
    let only = |one: &[String], other: &[String]| {
        let own = one.iter().filter(|line| !other.contains(line));
        own.map(|line| format!("\n  {line}")).collect::<String>()
    };
    let message = format!(
        "the plan {path} does not fit any more, and nothing was done\nonly in the plan:{}\nonly now:{}",
        only(kept, now),
        only(now, kept)
    );
    CliError::plain(message).hint(hint)
}
