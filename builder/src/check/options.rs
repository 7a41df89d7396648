//! `check=skip=…;error=…;experimental=…`: at the top of a file, above an instruction, or as an argument.

use coracle_words::strconv;

use crate::dockerfile::directive;

/// Which rules are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    skip: Names,
    experimental: Names,
    /// A finding fails the build.
    pub(super) is_error: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names {
    all: bool,
    some: Vec<String>,
}

impl Names {
    fn read(text: &str) -> Self {
        match text.trim() {
            "all" => Self { all: true, some: Vec::new() },
            names => Self {
                all: false,
                some: names.split(',').map(|name| name.trim().to_owned()).collect(),
            },
        }
    }

    fn have(&self, name: &str) -> bool {
        self.all || self.some.iter().any(|other| other == name)
    }
}

impl Options {
    /// # Errors
    /// In BuildKit's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        let text = text.trim();
        if text.is_empty() {
            return Ok(options);
        }
        for part in text.splitn(3, ';') {
            let Some((key, value)) = part.split_once('=') else {
                return Err(format!("invalid check option {part:?}"));
            };
            match key.trim() {
                "skip" => options.skip = Names::read(value),
                "experimental" => options.experimental = Names::read(value),
                "error" => {
                    options.is_error = strconv::truth(value.trim())
                        .map_err(|why| format!("failed to parse check option {part:?}: {why}"))?;
                }
                key => return Err(format!("invalid check option {key:?}")),
            }
        }
        Ok(options)
    }

    /// Those of the comments above an instruction. Only the first `check=` counts, up to the first
    /// blank; what cannot be read says nothing.
    pub(super) fn of_comments(comments: &[String]) -> Option<Self> {
        let value = comments.iter().find_map(|comment| directive::check_comment(comment))?;
        Self::parse(value.split(' ').next().unwrap_or_default()).ok()
    }

    pub(super) fn skips(&self, rule: &str) -> bool {
        self.skip.have(rule)
    }

    pub(super) fn tries(&self, rule: &str) -> bool {
        self.experimental.have(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn names_are_compared_exactly() {
        let options = Options::parse("skip=A, B;error=true").unwrap();
        assert!(options.skips("A") && options.skips("B") && !options.skips("b"));
        assert!(options.is_error && !options.tries("A"));
        let all = Options::parse("skip=all; experimental = all").unwrap();
        assert!(all.skips("X") && all.tries("Y"));
    }

    #[test]
    fn what_is_no_option() {
        let why = |text| Options::parse(text).unwrap_err();
        assert_eq!(why("bogus"), "invalid check option \"bogus\"");
        assert_eq!(why("bogus=1"), "invalid check option \"bogus\"");
        assert_eq!(
            why("error=maybe"),
            "failed to parse check option \"error=maybe\": strconv.ParseBool: parsing \"maybe\": \
             invalid syntax"
        );
    }

    #[test]
    fn comments_above_an_instruction() {
        let of = |comments: &[&str]| {
            let comments: Vec<String> = comments.iter().map(|&text| text.to_owned()).collect();
            Options::of_comments(&comments)
        };
        let first = of(&["why", "check=skip=A reason", "check=skip=B"]).unwrap();
        assert!(first.skips("A") && !first.skips("B"));
        assert!(!of(&["check=skip=A, B"]).unwrap().skips("B"), "it ends at the first blank");
        assert_eq!(of(&["check=bogus=1"]), None);
        assert_eq!(of(&[]), None);
    }
}
