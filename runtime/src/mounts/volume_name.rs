//! Names of volumes.

use super::MountError;

/// Checks a name for a volume.
///
/// # Errors
/// When it is too short or has characters Docker does not allow.
pub fn check_volume_name(name: &str) -> Result<(), MountError> {
    if name.len() < 2 {
        return Err(MountError::ShortName { name: name.to_owned() });
    }
    let first = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let all = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if first && all { Ok(()) } else { Err(MountError::Name { name: name.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::check_volume_name;

    #[test]
    fn allows_dockers_names() {
        for name in ["v1", "A_b.c-d", "00"] {
            assert!(check_volume_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn refuses_others_in_dockers_words() {
        assert_eq!(
            check_volume_name("sub/dir").unwrap_err().to_string(),
            "create sub/dir: \"sub/dir\" includes invalid characters for a local volume name, \
             only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. \
             If you intended to pass a host directory, use absolute path"
        );
        assert_eq!(
            check_volume_name("x").unwrap_err().to_string(),
            "create x: volume name is too short, names should be at least two alphanumeric characters"
        );
        for name in ["..", "-a", "a b", ".hidden", "a/../b"] {
            assert!(check_volume_name(name).is_err(), "{name}");
        }
    }
}
