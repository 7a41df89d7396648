//! `--call METHOD[,format=FORMAT][,ignorestatus]`: what is asked of a build.

use coracle_words::strconv::parse_bool;

use super::args::failed;
use crate::error::CliError;

/// What is asked instead of a build.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    #[default]
    Check,
    /// What can be given to the target.
    Outline,
    Targets,
    /// Which methods there are.
    Describe,
}

impl Method {
    /// As documents name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Outline => "outline",
            Self::Targets => "targets",
            Self::Describe => "subrequests.describe",
        }
    }
}

/// What is asked, and how the answer is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Call {
    pub(super) method: Method,
    pub(super) is_json: bool,
    /// Findings are no failure.
    pub(super) ignores_status: bool,
}

/// What is asked for; `None` for a build.
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
    call.method = match method {
        "" | "build" => return Ok(None),
        "check" | "lint" => Method::Check,
        "outline" => Method::Outline,
        "targets" => Method::Targets,
        "subrequests.describe" => Method::Describe,
        other => {
            let why = format!("unsupported request frontend.{other}");
            return Err(failed(&format!("failed to solve: {why}: {why}")));
        }
    };
    Ok(Some(call))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_their_options() {
        assert_eq!(parse("build").unwrap(), None);
        assert_eq!(parse("check").unwrap(), Some(Call::default()));
        let all = Call { is_json: true, ignores_status: true, ..Call::default() };
        assert_eq!(parse("lint,format=json,ignorestatus").unwrap(), Some(all));
        let why = |text| parse(text).unwrap_err().message;
        let outline = Call { method: Method::Outline, is_json: true, ..Call::default() };
        assert_eq!(parse("outline,format=json").unwrap(), Some(outline));
        assert!(why("bogus").ends_with(
            "failed to solve: unsupported request frontend.bogus: unsupported request frontend.bogus"
        ));
        assert!(why("check,format=xml").contains("a format \"xml\""));
    }
}
