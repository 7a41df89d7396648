//! Sizes, ages and times as Docker writes them.

use chrono::{DateTime, Local, Utc};

pub(crate) use coracle_image::short_id;
pub(crate) use coracle_words::age::ago;
pub(crate) use coracle_words::size::{binary_size, human_size, short_size};

/// `2006-01-02 15:04:05 -0700 MST` in the local zone.
pub(crate) fn created_at(then: DateTime<Utc>) -> String {
    let local = then.with_timezone(&Local);
    let offset = local.format("%z").to_string();
    let zone = if offset == "+0000" { "UTC".to_owned() } else { offset.clone() };
    format!("{} {offset} {zone}", local.format("%Y-%m-%d %H:%M:%S"))
}

/// RFC 3339 in whole seconds, local zone: `2026-11-20T23:56:11Z`.
pub(crate) fn rfc3339_seconds(then: DateTime<Utc>) -> String {
    let local = then.with_timezone(&Local);
    local.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Cuts to `width` characters, the last one an ellipsis.
pub(crate) fn ellipsis(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// A moment as Go prints one: as many digits of the second as there are.
pub(crate) fn go_time(then: DateTime<Utc>) -> String {
    let text = then.format("%Y-%m-%d %H:%M:%S%.9f").to_string();
    let shortest = text.trim_end_matches('0');
    let shortest = shortest.strip_suffix('.').unwrap_or(shortest);
    format!("{shortest} +0000 UTC")
}

#[cfg(test)]
mod tests {
    use super::go_time;

    #[test]
    fn moments_have_the_digits_they_need() {
        let at = |text: &str| go_time(text.parse().unwrap());
        assert_eq!(at("2026-11-20T23:31:41.05Z"), "2026-11-20 23:31:41.05 +0000 UTC");
        assert_eq!(at("2026-11-20T23:31:40Z"), "2026-11-20 23:31:40 +0000 UTC");
    }
}
