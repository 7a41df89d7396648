//! `-v` as the client reads it: which are binds, which are paths of anonymous volumes.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::model::Empty;

use super::MountError;

/// Where the `-v` options go in a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VolumeFlags {
    /// `HostConfig.Binds`.
    pub binds: Vec<String>,
    /// `Config.Volumes`.
    pub anonymous: BTreeMap<String, Empty>,
}

/// Reads all `-v` options of a command given in `directory`.
///
/// # Errors
/// For an empty option, an empty part or too many parts.
pub fn volume_flags(options: &[String], directory: &Path) -> Result<VolumeFlags, MountError> {
    let mut flags = VolumeFlags::default();
    for (at, option) in options.iter().enumerate() {
        check(option)?;
        // The same option again says nothing new; the same place in other words is a conflict.
        if options[..at].contains(option) {
            continue;
        }
        match option.split_once(':') {
            None => {
                flags.anonymous.insert(option.clone(), Empty {});
            }
            Some((source, rest)) if source.starts_with('.') => {
                flags.binds.push(format!("{}:{rest}", absolute(directory, source)));
            }
            Some(_) => flags.binds.push(option.clone()),
        }
    }
    Ok(flags)
}

fn check(option: &str) -> Result<(), MountError> {
    if option.is_empty() {
        return Err(MountError::EmptyVolume);
    }
    let refuse = |reason| Err(MountError::VolumeSpec { spec: option.to_owned(), reason });
    let parts: Vec<&str> = option.split(':').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return refuse("empty section between colons");
    }
    if parts.len() > 3 {
        return refuse("too many colons");
    }
    Ok(())
}

/// `path` from `directory`, without `.` and `..`.
pub(super) fn absolute(directory: &Path, path: &str) -> String {
    let mut clean = PathBuf::new();
    for part in directory.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                // At the root it stays there, as the shell's `cd ..` does.
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(options: &[&str]) -> Result<VolumeFlags, MountError> {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        volume_flags(&options, Path::new("/srv/demo"))
    }

    #[test]
    fn sorts_binds_from_anonymous_volumes() {
        let flags = flags(&["/a:/m", "./src:/m:ro", "../x/./y:/y", "name:/m", "/data"]).unwrap();
        assert_eq!(flags.binds, ["/a:/m", "/srv/demo/src:/m:ro", "/srv/x/y:/y", "name:/m"]);
        assert_eq!(flags.anonymous.keys().collect::<Vec<_>>(), ["/data"]);
    }

    #[test]
    fn refuses_malformed_options() {
        let text = |option| flags(&[option]).unwrap_err().to_string();
        assert_eq!(text(""), "invalid empty volume spec");
        assert_eq!(text(":/m"), "invalid spec: :/m: empty section between colons");
        assert_eq!(text("/a:"), "invalid spec: /a:: empty section between colons");
        assert_eq!(text("/a:/b:ro:x"), "invalid spec: /a:/b:ro:x: too many colons");
    }
}
