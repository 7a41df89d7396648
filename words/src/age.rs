//! Ages as Docker writes them.

use chrono::{DateTime, Utc};

/// How long ago, in words: `About a minute`.
pub fn age(seconds: i64) -> String {
    let minutes = seconds / 60;
    // Rounded to the nearest hour, as Docker does.
    let hours = (seconds + 1800) / 3600;
    match (seconds, minutes, hours) {
        (i64::MIN..=0, ..) => "Less than a second".into(),
        (1, ..) => "1 second".into(),
        (2..=59, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".into(),
        (_, 2..=59, _) => format!("{minutes} minutes"),
        (_, _, 1) => "About an hour".into(),
        (_, _, 2..=47) => format!("{hours} hours"),
        (_, _, 48..=335) => format!("{} days", hours / 24),
        (_, _, 336..=1439) => format!("{} weeks", hours / 24 / 7),
        (_, _, 1440..=17519) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

/// `age` between a moment and now, followed by `ago`.
pub fn ago(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} ago", age((now - then).num_seconds()))
}
