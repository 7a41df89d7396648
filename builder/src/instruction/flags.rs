//! The `--flag` words of an instruction.

use crate::similar::{did_you_mean, similar};
use crate::source::Fault;

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Bool,
    Text,
    /// It may be given again.
    Texts,
}

/// The flags an instruction has.
pub(super) type Known = [(&'static str, Takes)];

/// Those that were given, with their values in order.
#[derive(Debug, Default)]
pub(super) struct Flags(Vec<(&'static str, String)>);

impl Flags {
    pub(super) fn read(words: &[String], known: &Known) -> Result<Self, Fault> {
        let mut read = Self::default();
        for word in words {
            let (written, value) = match word.split_once('=') {
                Some((written, value)) => (written, Some(value)),
                None => (word.as_str(), None),
            };
            let name = written.trim_start_matches("--");
            let Some(&(name, takes)) = known.iter().find(|(other, _)| *other == name) else {
                let near = similar(name, known.iter().map(|(name, _)| *name));
                return Err(Fault::new(did_you_mean(format!("unknown flag: {written}"), near)));
            };
            if takes != Takes::Texts && read.text(name).is_some() {
                return Err(Fault::new(format!("duplicate flag specified: {written}")));
            }
            let value = match (takes, value) {
                (Takes::Bool, None) => "true".to_owned(),
                (Takes::Bool, Some(value)) => truth(written, value)?,
                (Takes::Text | Takes::Texts, Some(value)) => value.to_owned(),
                (Takes::Text | Takes::Texts, None) => return Err(missing(written)),
            };
            read.0.push((name, value));
        }
        Ok(read)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// Whether a switch was given, and how.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        self.text(name).map(|value| value == "true")
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let given = self.0.iter().filter(|(other, _)| *other == name);
        given.map(|(_, value)| value.clone()).collect()
    }
}

fn truth(flag: &str, value: &str) -> Result<String, Fault> {
    match value.to_lowercase().as_str() {
        "" => Err(missing(flag)),
        word @ ("true" | "false") => Ok(word.to_owned()),
        _ => Err(Fault::new(format!("expecting boolean value for flag {flag}, not: {value}"))),
    }
}

fn missing(flag: &str) -> Fault {
    Fault::new(format!("missing a value on flag: {flag}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &Known =
        &[("chown", Takes::Text), ("link", Takes::Bool), ("exclude", Takes::Texts)];

    fn read(words: &[&str]) -> Result<Flags, String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        Flags::read(&words, KNOWN).map_err(|fault| fault.message)
    }

    #[test]
    fn values_by_name() {
        let flags = read(&["--chown=a=b", "--link", "--exclude=x", "--exclude=y"]).unwrap();
        assert_eq!(flags.text("chown"), Some("a=b"));
        assert_eq!((flags.switch("link"), flags.switch("parents")), (Some(true), None));
        assert_eq!(flags.texts("exclude"), ["x", "y"]);
        assert_eq!(read(&["--link=False"]).unwrap().switch("link"), Some(false));
    }

    #[test]
    fn what_is_refused() {
        for (words, why) in [
            (&["--bogus=1"][..], "unknown flag: --bogus"),
            (&["--chwon=1"], "unknown flag: --chwon (did you mean chown?)"),
            (&["--chown"], "missing a value on flag: --chown"),
            (&["--link="], "missing a value on flag: --link"),
            (&["--link=1"], "expecting boolean value for flag --link, not: 1"),
            (&["--link", "--link"], "duplicate flag specified: --link"),
        ] {
            assert_eq!(read(words).unwrap_err(), why);
        }
    }
}
