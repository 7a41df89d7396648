//! Contenders take turns; the median of each is kept.

use std::{
    fs::File,
    io::{Write, stderr},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// One that does the work of a row. A turn gives the amount that counts, or why it failed.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'a str,
    turn: Box<dyn FnMut() -> Result<f64, String> + 'a>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: &'a str, turn: impl FnMut() -> Result<f64, String> + 'a) -> Self {
        Self { name, turn: Box::new(turn) }
    }
}

/// Lets each contender work once unmeasured and then `count` times in turn; gives the medians. A contender
/// that fails the first time is out, and standard error says why.
pub(crate) fn medians(
    what: &str,
    count: usize,
    contenders: Vec<Contender<'_>>,
) -> Vec<(String, Option<f64>)> {
    let mut seats: Vec<_> = contenders
        .into_iter()
        .map(|mut contender| {
            let warm = (contender.turn)();
            if let Err(why) = &warm {
                say(&format!("{what}: {}: {why}", contender.name));
            }
            (contender, warm.is_ok(), Vec::with_capacity(count))
        })
        .collect();
    for _ in 0..count {
        for (contender, fit, amounts) in &mut seats {
            if !*fit {
                continue;
            }
            match (contender.turn)() {
                Ok(amount) => amounts.push(amount),
                Err(why) => {
                    say(&format!("{what}: {}: {why}", contender.name));
                    *fit = false;
                }
            }
        }
    }
    seats
        .into_iter()
        .map(|(contender, fit, amounts)| {
            (contender.name.to_owned(), fit.then(|| median(amounts)).flatten())
        })
        .collect()
}

fn median(mut amounts: Vec<f64>) -> Option<f64> {
    amounts.sort_by(f64::total_cmp);
    amounts.get(amounts.len() / 2).copied()
}

fn say(text: &str) {
    writeln!(stderr(), "{text}").expect("standard error");
}

/// Runs a command to its end; its wall-clock time in milliseconds. What it says on standard error goes to a
/// file: a helper that stays behind may hold it open.
pub(crate) fn milliseconds(mut command: Command, said: &Path) -> Result<f64, String> {
    let file = File::create(said).map_err(|error| format!("{}: {error}", said.display()))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let start = Instant::now();
    let status = command.status();
    let time = start.elapsed();
    match status {
        Ok(status) if status.success() => Ok(time.as_secs_f64() * 1000.0),
        Ok(status) => Err(format!("{status}: {}", last_line(said))),
        Err(error) => Err(error.to_string()),
    }
}

/// Runs a command that does not count.
pub(crate) fn aside(command: Command, said: &Path) -> Result<(), String> {
    milliseconds(command, said).map(drop)
}

fn last_line(said: &Path) -> String {
    let text = std::fs::read(said).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
}
