//! Truth and whole numbers as Go's `strconv` reads them, with its words for what is neither.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

/// Reads one of Go's spellings of truth.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// A text is none of what a function of Go's reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("strconv.{function}: parsing {text:?}: {why}")]
pub struct InvalidSyntax {
    function: &'static str,
    text: String,
    why: &'static str,
}

impl InvalidSyntax {
    fn new(function: &'static str, text: &str) -> Self {
        Self { function, text: text.to_owned(), why: "invalid syntax" }
    }
}

/// As [`parse_bool`].
///
/// # Errors
/// In Go's words.
pub fn truth(text: &str) -> Result<bool, InvalidSyntax> {
    parse_bool(text).ok_or_else(|| InvalidSyntax::new("ParseBool", text))
}

/// # Errors
/// In Go's words.
pub fn parse_int(text: &str) -> Result<i64, InvalidSyntax> {
    number("ParseInt", text)
}

/// A number of a port and its like.
///
/// # Errors
/// In Go's words.
pub fn parse_uint16(text: &str) -> Result<u16, InvalidSyntax> {
    number("ParseUint", text)
}

/// # Errors
/// In Go's words.
pub fn parse_uint(text: &str) -> Result<u64, InvalidSyntax> {
    number("ParseUint", text)
}

/// # Errors
/// In Go's words.
pub fn parse_float(text: &str) -> Result<f64, InvalidSyntax> {
    text.parse().map_err(|_| InvalidSyntax::new("ParseFloat", text))
}

fn number<N: FromStr<Err = ParseIntError>>(
    function: &'static str,
    text: &str,
) -> Result<N, InvalidSyntax> {
    text.parse::<N>().map_err(|error| {
        let invalid = InvalidSyntax::new(function, text);
        match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => {
                InvalidSyntax { why: "value out of range", ..invalid }
            }
            _ => invalid,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{parse_int, parse_uint16, truth};

    #[test]
    fn what_is_none_is_refused_in_gos_words() {
        assert_eq!((truth("T"), truth("False")), (Ok(true), Ok(false)));
        let why = truth("yes").unwrap_err().to_string();
        assert_eq!(why, r#"strconv.ParseBool: parsing "yes": invalid syntax"#);
        assert_eq!(parse_int("-5"), Ok(-5));
        let why = parse_int("5x").unwrap_err().to_string();
        assert_eq!(why, r#"strconv.ParseInt: parsing "5x": invalid syntax"#);
        let why = parse_uint16("65536").unwrap_err().to_string();
        assert_eq!(why, r#"strconv.ParseUint: parsing "65536": value out of range"#);
    }
}
