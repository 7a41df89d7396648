//! Which way progress is shown: `--progress`, `-q`, `BUILDKIT_PROGRESS`, and what standard error is.

use crate::error::CliError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Plain,
    /// Drawn over.
    Tree,
    RawJson,
    /// Nothing but the id of the image, by whoever builds.
    Quiet,
    Nothing,
}

/// What there is to go by.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wish<'a> {
    /// `--progress`.
    pub(crate) flag: Option<&'a str>,
    /// `BUILDKIT_PROGRESS`.
    pub(crate) variable: Option<&'a str>,
    pub(crate) is_quiet: bool,
    /// Standard error is a terminal.
    pub(crate) is_terminal: bool,
    /// `TERM=dumb`: one on which nothing can be drawn over.
    pub(crate) is_dumb: bool,
}

impl Mode {
    pub(crate) fn of(wish: Wish<'_>) -> Result<Self, CliError> {
        let given = wish.flag.filter(|given| !matches!(*given, "" | "auto"));
        // Whoever asks for quiet asks more loudly than a variable.
        let variable = wish.variable.filter(|wanted| !wanted.is_empty() && !wish.is_quiet);
        let wanted = given.or(variable).unwrap_or("auto");
        let mode = match wanted {
            "auto" if wish.is_terminal && !wish.is_dumb => Self::Tree,
            "auto" | "plain" => Self::Plain,
            "tty" if wish.is_terminal => Self::Tree,
            "tty" => {
                let why = "ERROR: failed to get console: provided file is not a console";
                return Err(CliError::plain(why));
            }
            "rawjson" => Self::RawJson,
            "quiet" => Self::Quiet,
            "none" => Self::Nothing,
            other => {
                return Err(CliError::plain(format!("ERROR: invalid progress mode {other}"))
                    .hint("modes are auto, plain, tty, quiet, rawjson and none"));
            }
        };
        match wish.is_quiet {
            true if !["auto", "quiet"].contains(&wanted) => Err(CliError::plain(format!(
                "ERROR: progress={wanted} and quiet cannot be used together"
            ))),
            true => Ok(Self::Quiet),
            false => Ok(mode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_before_variables() {
        let terminal = Wish { is_terminal: true, ..Wish::default() };
        assert_eq!(Mode::of(Wish::default()).unwrap(), Mode::Plain);
        assert_eq!(Mode::of(terminal).unwrap(), Mode::Tree);
        assert_eq!(Mode::of(Wish { is_dumb: true, ..terminal }).unwrap(), Mode::Plain);
        let plain = Wish { variable: Some("plain"), ..terminal };
        assert_eq!(Mode::of(plain).unwrap(), Mode::Plain);
        assert_eq!(Mode::of(Wish { is_quiet: true, ..plain }).unwrap(), Mode::Quiet);
        assert_eq!(Mode::of(Wish { flag: Some("rawjson"), ..plain }).unwrap(), Mode::RawJson);
        assert_eq!(Mode::of(Wish { is_quiet: true, ..terminal }).unwrap(), Mode::Quiet);
    }

    #[test]
    fn what_is_refused() {
        let why = |flag, is_quiet| {
            Mode::of(Wish { flag: Some(flag), is_quiet, ..Wish::default() }).unwrap_err().message
        };
        assert_eq!(why("bogus", false), "ERROR: invalid progress mode bogus");
        assert_eq!(
            why("tty", false),
            "ERROR: failed to get console: provided file is not a console"
        );
        assert!(why("plain", true).contains("progress=plain and quiet cannot be used together"));
    }
}
