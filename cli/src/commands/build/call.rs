//! `--call METHOD[,format=FORMAT][,ignorestatus]`: what is asked of a build.

use coracle_words::strconv::parse_bool;

use super::args::failed;
use crate::error::CliError;

/// How the findings of a check are told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) is_json: bool,
    /// Findings are no failure.
    pub(super) ignores_status: bool,
}

/// The check that is asked for; `None` for a build.
pub(super) fn parse(text: &str) -> Result<Option<Call>, CliError> {
    let mut call = Call::default();
    let mut method = "";
    for field in text.split(',') {
        match field.split_once('=').unwrap_or((field, "")) {
            ("format", "json") => call.is_json = true,
            ("format", "" | "text") => {}
            ("format", format) => {
                return Err(CliError::unsupported("--call", &format!("a format {format:?}")));
            }
            ("ignorestatus", "") => call.ignores_status = true,
            ("ignorestatus", value) => {
                let bad = || failed(&format!("invalid ignorestatus value: {value}"));
                call.ignores_status = parse_bool(value).ok_or_else(bad)?;
            }
            (name, "") | ("type", name) => method = name,
            (key, _) => return Err(failed(&format!("invalid key {key} for call function"))),
        }
    }
    match method {
        "" | "build" => Ok(None),
        "check" | "lint" => Ok(Some(call)),
        other => {
            let why = format!("of the methods, only check is part of this version, not {other}");
            Err(CliError::unsupported("--call", &why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_their_options() {
        assert_eq!(parse("build").unwrap(), None);
        assert_eq!(parse("check").unwrap(), Some(Call::default()));
        let all = Call { is_json: true, ignores_status: true };
        assert_eq!(parse("lint,format=json,ignorestatus").unwrap(), Some(all));
        let why = |text| parse(text).unwrap_err().message;
        assert!(why("outline").contains("only check is part of this version, not outline"));
        assert!(why("check,format=xml").contains("a format \"xml\""));
    }
}
