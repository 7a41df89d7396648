//! The processes of a container as a table.
//!
//! # How it works
//!
//! As Docker does: the host's `ps` lists with the options given, and the rows whose PID
//! belongs to the container stay. Without `ps` the usual table is made from `/proc`.
//!
//! # Not here
//!
//! Laying out columns; the command line does that.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, Datelike, Local, TimeDelta};

use crate::processes::find::ProcessStat;
use crate::processes::stats::TICKS_PER_SECOND;

/// The options of `ps` when none are given.
const DEFAULT_OPTIONS: [&str; 1] = ["-ef"];

/// Column titles and rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub titles: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TopError {
    #[error("ps: {message}")]
    Ps { message: String },
    #[error("cannot run ps")]
    Run { source: io::Error },
    #[error("ps is not installed on this machine; without it only the usual table can be shown")]
    NoPs,
    #[error("Couldn't find PID field in ps output")]
    NoPidColumn,
    #[error("Unexpected pid '{text}'")]
    BadPid { text: String },
}

/// Lists `processes` with the options of ps(1) in `options`.
///
/// # Errors
/// When `ps` refuses the options or prints no PID.
pub fn top(processes: &[ProcessStat], options: &[String]) -> Result<Table, TopError> {
    let Some(ps) = ["/usr/bin/ps", "/bin/ps"].into_iter().find(|path| Path::new(path).exists())
    else {
        return if options.is_empty() { Ok(own_table(processes)) } else { Err(TopError::NoPs) };
    };
    let pids: Vec<i32> = processes.iter().map(|process| process.pid).collect();
    parse(&run_ps(ps, options, &pids)?, &pids)
}

fn run_ps(ps: &str, options: &[String], pids: &[i32]) -> Result<String, TopError> {
    let list = pids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let run = |with_list: bool| {
        let mut command = Command::new(ps);
        if options.is_empty() {
            command.args(DEFAULT_OPTIONS);
        }
        command.args(options);
        if with_list {
            command.args(["-q", &list]);
        }
        command.output().map_err(|source| TopError::Run { source })
    };
    // Some options (such as `f`), and small versions of ps, do not go with a list.
    let mut output = run(true)?;
    if !output.status.success() {
        output = run(false)?;
    }
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("failed");
        let message = first.strip_prefix("error: ").unwrap_or(first).trim().to_owned();
        return Err(TopError::Ps { message });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Keeps the rows of `pids`; the last column takes the rest of its line.
fn parse(output: &str, pids: &[i32]) -> Result<Table, TopError> {
    let mut lines = output.lines();
    let titles: Vec<String> =
        lines.next().unwrap_or("").split_ascii_whitespace().map(ToOwned::to_owned).collect();
    let column = titles.iter().position(|title| title == "PID").ok_or(TopError::NoPidColumn)?;
    let mut rows = Vec::new();
    let mut keeps_threads = false;
    for line in lines.filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let pid = fields.get(column).copied().unwrap_or("");
        // With threads shown, `-` says that the row belongs to the process above.
        keeps_threads = match pid {
            "-" => keeps_threads,
            pid => {
                let number = pid.parse().map_err(|_| TopError::BadPid { text: pid.to_owned() })?;
                pids.contains(&number)
            }
        };
        if keeps_threads {
            let (columns, rest) = fields.split_at((titles.len() - 1).min(fields.len()));
            let mut row: Vec<String> = columns.iter().map(ToString::to_string).collect();
            row.push(rest.join(" "));
            rows.push(row);
        }
    }
    Ok(Table { titles, rows })
}

/// The table of `ps -ef`, from `/proc`.
fn own_table(processes: &[ProcessStat]) -> Table {
    let now = Local::now();
    let uptime_ticks = fs::read_to_string("/proc/uptime")
        .ok()
        .and_then(|text| ticks_of_seconds(text.split_ascii_whitespace().next()?))
        .unwrap_or(0);
    let names = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let rows = processes
        .iter()
        .map(|process| {
            let age_ticks = uptime_ticks.saturating_sub(process.start_ticks);
            let age_s = i64::try_from(age_ticks / TICKS_PER_SECOND).unwrap_or(0);
            vec![
                owner(process.pid, &names),
                process.pid.to_string(),
                process.ppid.to_string(),
                share(process.own_ticks, age_ticks),
                start_time(now - TimeDelta::seconds(age_s), now),
                terminal(process.terminal),
                cpu_time(process.own_ticks / TICKS_PER_SECOND),
                command(process),
            ]
        })
        .collect();
    let titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];
    Table { titles: titles.map(ToOwned::to_owned).to_vec(), rows }
}

/// Seconds with two decimals, as clock ticks.
fn ticks_of_seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let hundredths: u64 = format!("{fraction:0<2}").get(..2)?.parse().ok()?;
    Some(whole.parse::<u64>().ok()? * TICKS_PER_SECOND + hundredths)
}

fn owner(pid: i32, names: &str) -> String {
    let uid = fs::read_to_string(format!("/proc/{pid}/status"))
        .ok()
        .and_then(|text| {
            // Real, effective, saved, file system: ps shows the effective one.
            let line = text.lines().find_map(|line| line.strip_prefix("Uid:"))?;
            line.split_ascii_whitespace().nth(1).map(ToOwned::to_owned)
        })
        .unwrap_or_else(|| "?".to_owned());
    let name = names.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    name.unwrap_or(uid)
}

/// CPU time over lifetime in percent, two digits at most.
fn share(used: u64, age: u64) -> String {
    let percent = used.saturating_mul(100).checked_div(age).unwrap_or(0);
    percent.min(99).to_string()
}

fn start_time(start: DateTime<Local>, now: DateTime<Local>) -> String {
    let format = if start.date_naive() == now.date_naive() {
        "%H:%M"
    } else if start.year() == now.year() {
        "%b%d"
    } else {
        "%Y"
    };
    start.format(format).to_string()
}

/// The name of a terminal by its device number (major 4: consoles, 136 to 143: pts).
fn terminal(device: i32) -> String {
    let device = device.cast_unsigned();
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
    match major {
        4 if minor < 64 => format!("tty{minor}"),
        4 => format!("ttyS{}", minor - 64),
        136..=143 => format!("pts/{}", (major - 136) * 256 + minor),
        _ => "?".to_owned(),
    }
}

fn cpu_time(seconds: u64) -> String {
    let (days, hours) = (seconds / 86400, seconds / 3600 % 24);
    let clock = format!("{hours:02}:{:02}:{:02}", seconds / 60 % 60, seconds % 60);
    if days > 0 { format!("{days}-{clock}") } else { clock }
}

fn command(process: &ProcessStat) -> String {
    let bytes = fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let words: Vec<&str> = text.split('\0').filter(|word| !word.is_empty()).collect();
    match (words.is_empty(), process.state) {
        (true, 'Z') => format!("[{}] <defunct>", process.command),
        (true, _) => format!("[{}]", process.command),
        (false, _) => words.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use crate::processes::top::*;

    #[test]
    fn rows_of_other_processes_go() {
        let output = "UID          PID    PPID  C STIME TTY          TIME CMD\n\
                      root       30062   30038  0 23:54 ?        00:00:00 sleep  1000\n\
                      root       30063   30038  0 23:54 ?        00:00:00 other\n";
        let table = parse(output, &[30062]).unwrap();
        assert_eq!(table.titles, ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
        assert_eq!(
            table.rows,
            [["root", "30062", "30038", "0", "23:54", "?", "00:00:00", "sleep 1000"]]
        );
    }

    #[test]
    fn threads_go_with_their_process() {
        let output =
            "  PID   LWP CMD\n    7     - a\n    -     8 -\n    9     - b\n    -     9 -\n";
        let table = parse(output, &[7]).unwrap();
        assert_eq!(table.rows, [["7", "-", "a"], ["-", "8", "-"]]);
    }

    #[test]
    fn a_list_without_pids_is_refused() {
        assert_eq!(
            parse("COMMAND\nsleep\n", &[1]).unwrap_err().to_string(),
            "Couldn't find PID field in ps output"
        );
    }

    #[test]
    fn columns_of_our_own() {
        assert_eq!(terminal(0), "?");
        assert_eq!(terminal(34817), "pts/1");
        assert_eq!(terminal(0x440), "ttyS0");
        assert_eq!(cpu_time(86400 + 3661), "1-01:01:01");
        assert_eq!(ticks_of_seconds("12.5"), Some(1250));
        assert_eq!(share(50, 200), "25");
        let child = std::process::id();
        let me = ProcessStat::read(i32::try_from(child).unwrap()).unwrap();
        let table = own_table(std::slice::from_ref(&me));
        assert_eq!(table.rows[0][1], child.to_string());
        assert_eq!(table.rows[0].len(), table.titles.len());
    }
}
