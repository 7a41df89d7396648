//! What `COPY` and `ADD` may not say, and files they name that are left out of the context.

use crate::check::{Findings, Rule};
use crate::ignore::Ignore;
use crate::instruction::Copy;
use crate::source::{Fault, Span};
use crate::sources::git_url::GitUrl;

pub(super) fn is_http(source: &str) -> bool {
    source.starts_with("http://") || source.starts_with("https://")
}

/// Whether a source is a git repository by its address.
pub(super) fn is_git(source: &str) -> bool {
    matches!(GitUrl::read(source), Ok(Some(url)) if !url.looks_local)
}

/// Refuses what cannot be carried out; values are replaced already.
pub(super) fn check(copy: &Copy, is_add: bool) -> Result<(), Fault> {
    chmod(&copy.chmod)?;
    // The file of a heredoc is made in no folder.
    if let Some(content) = copy.paths.contents.iter().find(|content| content.name.contains('/')) {
        return Err(Fault::new(format!("open /{}: no such file or directory", content.name)));
    }
    let sources = &copy.paths.sources;
    if !copy.checksum.is_empty() {
        let [source] = &sources[..] else {
            return Err(Fault::new("checksum can't be specified for multiple sources"));
        };
        if !is_http(source) && !is_git(source) {
            return Err(Fault::new("checksum requires HTTP(S) or Git sources"));
        }
    }
    for source in sources {
        let git = GitUrl::read(source).map_err(|why| Fault::new(why.to_string()))?;
        if let Some(git) = git.filter(|url| !url.looks_local) {
            if !is_add {
                return Err(Fault::new("source can't be a git ref for COPY"));
            }
            git.with(copy.keep_git_dir, Some(&copy.checksum))
                .map_err(|why| Fault::new(why.to_string()))?;
        } else if is_http(source) {
            if !is_add {
                return Err(Fault::new("source can't be a URL for COPY"));
            }
            checksum(&copy.checksum)?;
        }
    }
    Ok(())
}

/// An octal number up to 07777, or a symbolic mode.
fn chmod(mode: &str) -> Result<(), Fault> {
    let fits = match u32::from_str_radix(mode, 8) {
        Ok(number) => number <= 0o7777,
        Err(_) => mode.split(',').all(is_symbolic),
    };
    if mode.is_empty() || fits {
        return Ok(());
    }
    if !mode.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(
            Fault::new("invalid syntax").within(&format!("invalid chmod parameter: '{mode}'"))
        );
    }
    Err(Fault::new(format!(
        "invalid chmod parameter: '{mode}'. it should be octal string and between 0 and 07777"
    )))
}

/// `u+x`, `go=rX`, `a-w+x`.
fn is_symbolic(clause: &str) -> bool {
    let actions = clause.trim_start_matches(['u', 'g', 'o', 'a']);
    actions.starts_with(['+', '-', '=']) && actions.chars().all(|c| "+-=rwxXstugo".contains(c))
}

/// The digest of a file at a URL.
fn checksum(text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        return Ok(());
    }
    let Some((algorithm, hex)) = text.split_once(':') else {
        return Err(Fault::new("invalid checksum digest format"));
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err(Fault::new("unsupported digest algorithm")),
    };
    if hex.len() != length {
        return Err(Fault::new("invalid checksum digest length"));
    }
    if hex.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f')) {
        return Ok(());
    }
    Err(Fault::new("invalid checksum digest format"))
}

/// Files of the context that it leaves out. Wildcards are taken as they are written.
pub(super) fn ignored(
    copy: &Copy,
    verb: &str,
    ignore: &Ignore,
    at: &[Span],
    findings: &mut Findings,
) {
    let of_context = copy.paths.sources.iter().filter(|path| !is_http(path) && !is_git(path));
    for path in of_context {
        if let Some(path) = ignore.leaves_out(path) {
            findings.add(Rule::CopyIgnoredFile { verb, path: &path }, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{chmod, is_git};

    #[test]
    fn sources_that_are_repositories() {
        for source in [
            "git://h/r",
            "https://h/r.git#v1:sub",
            "git@h:o/r",
            "ssh://h/r",
            "http://h/r.git?ref=x",
        ] {
            assert!(is_git(source), "{source}");
        }
        for source in ["https://h/r", "a.git", "a@b", "github.com/a/b", "x"] {
            assert!(!is_git(source), "{source}");
        }
    }

    #[test]
    fn modes() {
        for mode in ["", "0", "644", "7777", "u+x", "go=rX,a-w", "+x", "u=rw+s"] {
            assert!(chmod(mode).is_ok(), "{mode}");
        }
        for mode in ["999", "10000", "x", "u", "u+q"] {
            assert!(chmod(mode).is_err(), "{mode}");
        }
    }
}
