//! The third part of `-v source:target:MODE`: words with commas between them.

use super::MountError;

const PROPAGATIONS: &[&str] = &["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/// What a mode says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) read_only: bool,
    pub(super) no_copy: bool,
    pub(super) propagation: Option<String>,
}

/// Words of one kind exclude each other.
fn kind(word: &str) -> Option<usize> {
    match word {
        "rw" | "ro" => Some(0),
        "z" | "Z" => Some(1),
        "nocopy" => Some(2),
        "consistent" | "cached" | "delegated" => Some(3),
        word if is_propagation(word) => Some(4),
        _ => None,
    }
}

pub(super) fn is_propagation(word: &str) -> bool {
    PROPAGATIONS.contains(&word)
}

/// True for a well-formed mode; the empty one is.
pub(super) fn is_valid(text: &str) -> bool {
    let mut seen = [false; 5];
    text.is_empty()
        || text.split(',').all(|word| match kind(word) {
            Some(kind) => !std::mem::replace(&mut seen[kind], true),
            None => false,
        })
}

pub(super) fn parse(text: &str) -> Result<Mode, MountError> {
    if !is_valid(text) {
        return Err(MountError::Mode { mode: text.to_owned() });
    }
    let words = || text.split(',');
    Ok(Mode {
        read_only: words().any(|word| word == "ro"),
        no_copy: words().any(|word| word == "nocopy"),
        propagation: words().find(|word| is_propagation(word)).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_modes() {
        assert_eq!(parse("").unwrap(), Mode::default());
        let mode = parse("z,ro,rslave,nocopy,cached").unwrap();
        assert!(mode.read_only && mode.no_copy);
        assert_eq!(mode.propagation.as_deref(), Some("rslave"));
    }

    #[test]
    fn refuses_others() {
        for text in ["bogus", "ro,rw", "/c", "ro,", "z,Z", "shared,slave"] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid mode: {text}"));
        }
    }
}
