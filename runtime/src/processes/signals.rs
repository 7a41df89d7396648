//! Signals by name and number, as `kill`, `stop` and STOPSIGNAL take them.

/// Numbers of signal(7) that the engine itself sends.
pub const SIGTERM: i32 = 15;
pub const SIGKILL: i32 = 9;

/// signal(7), the numbering shared by x86 and arm.
const NAMES: &[(&str, i32)] = &[
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("IOT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("POLL", 29),
    ("PWR", 30),
    ("SYS", 31),
];

/// The first and last realtime signal that the C library leaves to programs.
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;

/// Every name of a signal but `RTMAX-N`, without `SIG`.
pub fn names() -> impl Iterator<Item = String> {
    let realtime = (0..16).map(|offset| match offset {
        0 => "RTMIN".to_owned(),
        offset => format!("RTMIN+{offset}"),
    });
    NAMES.iter().map(|(name, _)| (*name).to_owned()).chain(realtime).chain(["RTMAX".to_owned()])
}

/// The number of `SIGTERM`, `term`, `15`, `RTMIN+3`; `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse::<i32>() {
        return (1..=RTMAX).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let realtime = |rest: &str, base: i32, sign: i32| {
        let offset = if rest.is_empty() { 0 } else { rest[1..].parse::<i32>().ok()? * sign };
        Some(base + offset).filter(|number| (RTMIN..=RTMAX).contains(number))
    };
    if let Some(rest) = name.strip_prefix("RTMIN").filter(|r| r.is_empty() || r.starts_with('+')) {
        return realtime(rest, RTMIN, 1);
    }
    if let Some(rest) = name.strip_prefix("RTMAX").filter(|r| r.is_empty() || r.starts_with('-')) {
        return realtime(rest, RTMAX, -1);
    }
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use crate::processes::signals::parse;

    #[test]
    fn names_numbers_and_realtime() {
        for (text, number) in [
            ("SIGTERM", Some(15)),
            ("kill", Some(9)),
            ("9", Some(9)),
            ("64", Some(64)),
            ("RTMIN+3", Some(37)),
            ("SIGRTMAX-1", Some(63)),
            ("RTMIN", Some(34)),
            ("0", None),
            ("65", None),
            ("NOSUCH", None),
            ("RTMIN+99", None),
            ("", None),
        ] {
            assert_eq!(parse(text), number, "{text}");
        }
    }
}
