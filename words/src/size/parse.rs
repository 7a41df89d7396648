//! Sizes as users write them: a number and a unit, such as `64m`, `1.5 GB`, `100`.
//!
//! # How it works
//!
//! The units are those of [`UNITS`] with an optional `b` or `ib` behind them, in any case. Docker
//! has two bases: a log's `max-size` counts in powers of 1000, all else in powers of 1024,
//! whether or not an `i` is written. Where a size is written decides, besides, what may stand
//! around the number and which mistakes are forgiven: one function for each such place.

/// Why a text is no size, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSize {
    #[error("invalid size: '{0}'")]
    Size(String),
    #[error("invalid suffix: '{0}'")]
    Suffix(String),
}

/// What a unit is a power of.
#[derive(Debug, Clone, Copy)]
enum Base {
    Binary,
    Decimal,
}

/// The letters of units: the first is one power of the base, the second two.
const LETTERS: &str = "kmgtp";

/// The units of one place where sizes are written, in small letters.
struct Units {
    base: Base,
    /// What stands for single bytes.
    bytes: &'static [&'static str],
    /// What may follow one of [`LETTERS`].
    tails: &'static [&'static str],
}

const FLAG: Units = Units { base: Base::Binary, bytes: &["", "b"], tails: &["", "b", "i", "ib"] };
const MOUNT: Units =
    Units { base: Base::Binary, bytes: &["", "b", "bb", "bib"], tails: &["", "b", "ib"] };
const LOG: Units =
    Units { base: Base::Decimal, bytes: &["", "b", "i", "ib"], tails: &["", "b", "i", "ib"] };
const COMPOSE: Units = Units { base: Base::Binary, bytes: &["", "b"], tails: &["", "b", "ib"] };

impl Units {
    /// The bytes of one `unit`, in any case.
    fn scale(&self, unit: &str) -> Option<u64> {
        let base: u64 = match self.base {
            Base::Binary => 1024,
            Base::Decimal => 1000,
        };
        let unit = unit.to_ascii_lowercase();
        if self.bytes.contains(&unit.as_str()) {
            return Some(1);
        }
        LETTERS.chars().zip(1..).find_map(|(letter, power)| {
            let tail = unit.strip_prefix(letter)?;
            self.tails.contains(&tail).then(|| base.pow(power))
        })
    }
}

/// The value of a flag such as `--memory`: `64m`, `1.5g`, `512 KiB`.
///
/// # Errors
/// When it is no size, or is beyond 63 bits.
pub fn flag(text: &str) -> Result<i64, InvalidSize> {
    let (number, unit) = digits(text);
    let bytes = number.parse().ok().zip(FLAG.scale(unit.trim())).map(product);
    let bytes = bytes.filter(|bytes| *bytes <= FLAG_MAX).map(whole);
    bytes.ok_or_else(|| InvalidSize::Size(text.to_owned()))
}

/// What a flag takes at most: as good as 63 bits.
const FLAG_MAX: f64 = 9e18;

/// `tmpfs-size` of a mount.
///
/// # Errors
/// When it is no size, or is beyond 63 bits.
pub fn mount(text: &str) -> Result<i64, InvalidSize> {
    let unit = text.trim().trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let number = text.trim().strip_suffix(unit).unwrap_or_default().trim_end();
    let number = number.strip_prefix('+').unwrap_or(number);
    let bytes = MOUNT.scale(unit).filter(|_| !number.ends_with('.'));
    let bytes = bytes.and_then(|scale| exact(number, scale));
    let bytes = bytes.and_then(|bytes| i64::try_from(bytes).ok());
    bytes.ok_or_else(|| InvalidSize::Size(text.to_owned()))
}

/// `max-size` of a log.
///
/// # Errors
/// When it is no size, or is beyond 64 bits.
pub fn log(text: &str) -> Result<u64, InvalidSize> {
    let (number, unit) = digits(text);
    let bytes = LOG.scale(unit.strip_prefix(' ').unwrap_or(unit));
    let bytes = bytes.and_then(|scale| exact(number, scale));
    bytes.ok_or_else(|| InvalidSize::Size(text.to_owned()))
}

/// A size in a file of Compose's, which tells a bad unit apart. What is beyond 63 bits is the
/// most that they hold.
///
/// # Errors
/// When it is no size.
pub fn compose(text: &str) -> Result<i64, InvalidSize> {
    let invalid = || InvalidSize::Size(text.to_owned());
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
    let (number, unit) = text.split_at(end.ok_or_else(invalid)? + 1);
    let number = number.strip_suffix(' ').unwrap_or(number).parse().ok();
    let number = number.filter(|number: &f64| *number >= 0.0 && number.is_finite());
    let number = number.ok_or_else(invalid)?;
    match COMPOSE.scale(unit) {
        Some(scale) => Ok(whole(product((number, scale)))),
        None => Err(InvalidSize::Suffix(unit.to_owned())),
    }
}

/// The digits and points that `text` begins with, and the rest.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()))
}

/// As Docker's library multiplies.
fn product((number, scale): (f64, u64)) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "of such powers all digits fit")]
    let scale = scale as f64;
    number * scale
}

fn whole(bytes: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "parts of bytes are dropped, it saturates")]
    let whole = bytes as i64;
    whole
}

/// `number`, digits with perhaps a fraction, times `scale`, without the parts of a byte.
fn exact(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // What further digits add is less than a byte, whatever the unit.
    let fraction = &fraction[..fraction.len().min(DIGITS_MAX)];
    let denominator = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let part = u128::from(scale) * fraction.parse::<u128>().unwrap_or(0) / denominator;
    let bytes = whole.parse::<u128>().ok()?.checked_mul(scale.into())?.checked_add(part)?;
    u64::try_from(bytes).ok()
}

/// Digits of a fraction that are counted.
const DIGITS_MAX: usize = 18;

#[cfg(test)]
mod tests {
    use super::{compose, flag, log, mount};

    /// What each of the four makes of a text; `-` is a refusal, `?` one for the unit.
    fn outcomes(text: &str) -> String {
        let shown = |outcome: Result<i64, super::InvalidSize>| match outcome {
            Ok(bytes) => bytes.to_string(),
            Err(why) if why.to_string() == format!("invalid size: '{text}'") => "-".to_owned(),
            Err(_) => "?".to_owned(),
        };
        let log = log(text).map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        [flag(text), mount(text), log, compose(text)].map(shown).join(" ")
    }

    #[test]
    fn each_place_has_its_own_spellings() {
        // As flag, mount, log, in a file of Compose's.
        for (text, wanted) in [
            ("0", "0 0 0 0"),
            ("7", "7 7 7 7"),
            ("100", "100 100 100 100"),
            ("64m", "67108864 67108864 64000000 67108864"),
            ("64M", "67108864 67108864 64000000 67108864"),
            ("1.5g", "1610612736 1610612736 1500000000 1610612736"),
            ("512k", "524288 524288 512000 524288"),
            ("512kb", "524288 524288 512000 524288"),
            ("64 MB", "67108864 67108864 64000000 67108864"),
            ("64MiB", "67108864 67108864 64000000 67108864"),
            ("64 MiB", "67108864 67108864 64000000 67108864"),
            ("1 KiB", "1024 1024 1000 1024"),
            ("2ki", "2048 - 2000 ?"),
            ("2ib", "- - 2 ?"),
            ("2i", "- - 2 ?"),
            ("10b", "10 10 10 10"),
            ("7bb", "- 7 - ?"),
            ("7bib", "- 7 - ?"),
            ("1t", "1099511627776 1099511627776 1000000000000 1099511627776"),
            ("1p", "1125899906842624 1125899906842624 1000000000000000 1125899906842624"),
            ("1e", "- - - ?"),
            (".5m", "524288 - - 524288"),
            ("1.m", "1048576 - 1000000 1048576"),
            ("1.", "1 - 1 1"),
            ("1.5", "1 1 1 1"),
            ("0.29k", "296 296 290 296"),
            ("4.35k", "4454 4454 4350 4454"),
            ("1.2.3k", "- - - -"),
            ("", "- - - -"),
            ("m", "- - - -"),
            ("x", "- - - -"),
            ("1x", "- - - ?"),
            ("5mm", "- - - ?"),
            ("-1", "- - - -"),
            ("-5m", "- - - -"),
            ("+5", "- 5 - 5"),
            ("64  m", "67108864 67108864 - -"),
            (" 64m", "- 67108864 - -"),
            ("64m ", "67108864 67108864 - -"),
            ("64\tm", "67108864 67108864 - ?"),
            ("1e5", "- - - 100000"),
            ("inf ", "- - - -"),
            ("1.x", "- - - ?"),
            (
                "9223372036854775807",
                "- 9223372036854775807 9223372036854775807 9223372036854775807",
            ),
            ("9999999999999g", "- - - 9223372036854775807"),
            ("99999999999p", "- - - 9223372036854775807"),
            ("0.0000000000000000000009g", "0 0 0 0"),
        ] {
            assert_eq!(outcomes(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_bad_unit_is_named_as_it_was_written() {
        assert_eq!(compose("5X").unwrap_err().to_string(), "invalid suffix: 'X'");
    }
}
