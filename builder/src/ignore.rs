//! `.dockerignore`: what of a context is left out.
//!
//! Source: <https://docs.docker.com/build/concepts/context/#dockerignore-files>.

mod filter;
mod pattern;
mod tokens;

use std::path::Path;

pub use filter::{Filter, Fits};
pub use pattern::{Patterns, clean};

/// The file, read.
#[derive(Debug, Clone)]
pub struct Ignore {
    text: String,
    patterns: Patterns,
    /// It has a line that takes something back: what is left out then depends on what is there.
    takes_back: bool,
    /// It leaves out whatever there is at the root.
    leaves_out_all: bool,
}

impl Ignore {
    pub fn parse(text: &str) -> Self {
        let lines =
            text.trim_start_matches('\u{feff}').lines().filter(|line| !line.starts_with('#'));
        let lines: Vec<&str> = lines.map(str::trim).collect();
        let all = |line: &&str| matches!(line.trim_start_matches('/'), "*" | "**" | "**/*");
        Self {
            text: text.to_owned(),
            patterns: Patterns::of_file(Path::new("/"), text),
            takes_back: lines.iter().any(|line| line.starts_with('!')),
            leaves_out_all: lines.iter().any(all),
        }
    }

    /// Its patterns, for a walk through the context.
    ///
    /// # Errors
    /// The pattern that is malformed.
    pub fn filter(&self) -> Result<Filter, String> {
        let lines = self.text.trim_start_matches('\u{feff}').lines();
        let patterns: Vec<String> = lines
            .filter(|line| !line.starts_with('#'))
            .map(str::trim)
            .map(|line| {
                let (bang, path) = match line.strip_prefix('!') {
                    Some(rest) => ("!", rest.trim()),
                    None => ("", line),
                };
                // There a slash in front stands for the folder of the file.
                let path = if path.len() > 1 { path.trim_start_matches('/') } else { path };
                if path.is_empty() {
                    bang.to_owned()
                } else {
                    format!("{bang}{}", filter::clean(path))
                }
            })
            .collect();
        Filter::new(patterns.iter().map(String::as_str))
    }

    /// A path that `COPY` names, cleaned, if it is surely left out.
    pub(crate) fn leaves_out(&self, path: &str) -> Option<String> {
        if self.takes_back {
            return None;
        }
        let cleaned = clean(&Path::new("/").join(path));
        let cleaned = cleaned.strip_prefix("/").ok()?.to_string_lossy().into_owned();
        if cleaned.is_empty() {
            return self
                .leaves_out_all
                .then(|| if path.starts_with('/') { "/" } else { "." }.to_owned());
        }
        // Patterns fit paths without a slash in front.
        let is_left_out =
            !path.starts_with('/') && self.patterns.matches(&Path::new("/").join(&cleaned));
        is_left_out.then_some(cleaned)
    }
}

#[cfg(test)]
mod tests {
    use super::Ignore;

    #[test]
    fn paths_that_are_surely_left_out() {
        let ignore = Ignore::parse("# a comment\n*.log\nd/\n");
        for (path, wanted) in [
            ("./b.log", Some("b.log")),
            ("*.log", Some("*.log")),
            ("d", Some("d")),
            ("d/x", Some("d/x")),
            ("a.txt", None),
            (".", None),
        ] {
            assert_eq!(ignore.leaves_out(path).as_deref(), wanted, "{path}");
        }
        assert_eq!(Ignore::parse("*").leaves_out(".").as_deref(), Some("."));
        assert_eq!(Ignore::parse("*\n!a").leaves_out("b"), None);
    }
}
