//! `--security-opt`, as the command line hands it down.

use crate::seccomp::{Profile, ProfileError};
use coracle_words::strconv::parse_bool;

use super::SpecError;

/// What the options say.
#[derive(Debug, Clone, Default)]
pub struct SecurityOptions {
    pub no_new_privileges: bool,
    pub seccomp: SeccompChoice,
    /// Labels for a security module; accepted, and without effect where there is none.
    pub labels: Vec<String>,
    pub apparmor: Option<String>,
}

/// Which system calls are filtered.
#[derive(Debug, Clone, Default)]
pub enum SeccompChoice {
    /// Docker's default profile.
    #[default]
    Default,
    Unconfined,
    Custom(Box<Profile>),
}

impl SecurityOptions {
    /// Reads options such as `no-new-privileges`, `seccomp=unconfined` or `seccomp={…}`.
    ///
    /// A profile comes as its text: the command line has read the file.
    ///
    /// # Errors
    /// For an unknown option or a profile that cannot be read.
    pub fn parse(options: &[String]) -> Result<Self, SpecError> {
        let mut parsed = Self::default();
        for option in options {
            parsed.apply(option)?;
        }
        Ok(parsed)
    }

    fn apply(&mut self, option: &str) -> Result<(), SpecError> {
        let (key, value) = match option.split_once('=').or_else(|| option.split_once(':')) {
            Some(pair) => pair,
            None if option == "no-new-privileges" => (option, "true"),
            None if option == "disable" => return Ok(()),
            None => return Err(SpecError::SecurityOption { part: 1, option: option.to_owned() }),
        };
        match key {
            "label" => self.labels.push(value.to_owned()),
            "apparmor" => self.apparmor = Some(value.to_owned()),
            "seccomp" => self.seccomp = seccomp(value)?,
            "no-new-privileges" => {
                self.no_new_privileges = parse_bool(value).ok_or_else(|| {
                    SpecError::SecurityOption { part: 2, option: option.to_owned() }
                })?;
            }
            _ => return Err(SpecError::SecurityOption { part: 2, option: option.to_owned() }),
        }
        Ok(())
    }
}

fn seccomp(value: &str) -> Result<SeccompChoice, SpecError> {
    match value {
        "unconfined" => Ok(SeccompChoice::Unconfined),
        "builtin" | "default" => Ok(SeccompChoice::Default),
        text => Profile::from_json(text)
            .map(|profile| SeccompChoice::Custom(Box::new(profile)))
            .map_err(|source: ProfileError| SpecError::Seccomp { source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(options: &[&str]) -> Result<SecurityOptions, SpecError> {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        SecurityOptions::parse(&options)
    }

    #[test]
    fn reads_the_known_options() {
        assert!(parse(&["no-new-privileges"]).unwrap().no_new_privileges);
        assert!(parse(&["no-new-privileges:true"]).unwrap().no_new_privileges);
        assert!(!parse(&["no-new-privileges=false"]).unwrap().no_new_privileges);
        let unconfined = parse(&["seccomp=unconfined", "label=disable"]).unwrap();
        assert!(matches!(unconfined.seccomp, SeccompChoice::Unconfined));
        assert_eq!(unconfined.labels, ["disable"]);
        assert!(matches!(parse(&[]).unwrap().seccomp, SeccompChoice::Default));
        let custom = parse(&[r#"seccomp={"defaultAction":"SCMP_ACT_ALLOW"}"#]).unwrap();
        assert!(matches!(custom.seccomp, SeccompChoice::Custom(_)));
    }

    #[test]
    fn refuses_unknown_options() {
        assert_eq!(
            parse(&["bogus=1"]).unwrap_err().to_string(),
            r#"invalid --security-opt 2: "bogus=1""#
        );
        assert_eq!(
            parse(&["bogus"]).unwrap_err().to_string(),
            r#"invalid --security-opt 1: "bogus""#
        );
        assert!(parse(&["no-new-privileges=maybe"]).is_err());
        assert!(parse(&["seccomp={"]).is_err());
    }
}
