//! Options of the local driver: what a container gets instead of the volume's own folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::VolumeError;

/// What is mounted for a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The volume's own folder.
    Folder,
    /// A directory of the host.
    Bind { device: PathBuf, read_only: bool },
    /// Memory, with the options of `mount -o`.
    Tmpfs { options: String },
}

/// Options that Docker's local driver has, with those that each needs beside it.
const KNOWN: [(&str, &[&str]); 4] =
    [("device", &["type"]), ("o", &["device", "type"]), ("size", &[]), ("type", &["device"])];

impl Source {
    /// Reads the options of the volume `name`.
    ///
    /// # Errors
    /// For options that the driver does not have, and for file systems that only a
    /// privileged user can mount.
    pub fn parse(
        name: &str,
        options: Option<&BTreeMap<String, String>>,
    ) -> Result<Self, VolumeError> {
        let Some(options) = options.filter(|options| !options.is_empty()) else {
            return Ok(Self::Folder);
        };
        for option in options.keys() {
            let Some((_, needed)) = KNOWN.iter().find(|(known, _)| known == option) else {
                return Err(VolumeError::InvalidOption {
                    name: name.to_owned(),
                    option: option.clone(),
                });
            };
            if let Some(&option) = needed.iter().find(|needed| !options.contains_key(**needed)) {
                return Err(VolumeError::MissingOption { name: name.to_owned(), option });
            }
        }
        if options.contains_key("size") {
            // A quota of the file system; ours cannot set one.
            return Err(VolumeError::InvalidOption {
                name: name.to_owned(),
                option: "size".to_owned(),
            });
        }
        let get = |option: &str| options.get(option).map(String::as_str).unwrap_or_default();
        let mut words = get("o").split(',');
        let bind =
            get("type") == "bind" || words.clone().any(|word| matches!(word, "bind" | "rbind"));
        if bind {
            let read_only = words.any(|word| word == "ro");
            return Ok(Self::Bind { device: PathBuf::from(get("device")), read_only });
        }
        match get("type") {
            "tmpfs" => Ok(Self::Tmpfs { options: get("o").to_owned() }),
            kind => {
                Err(VolumeError::UnsupportedType { name: name.to_owned(), kind: kind.to_owned() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn parse(options: &[(&str, &str)]) -> Result<Source, String> {
        let options = options.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        Source::parse("v", Some(&options)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_mounted() {
        assert_eq!(Source::parse("v", None).unwrap(), Source::Folder);
        assert_eq!(parse(&[]), Ok(Source::Folder));
        assert_eq!(
            parse(&[("type", "tmpfs"), ("device", "tmpfs"), ("o", "size=1m,uid=7")]),
            Ok(Source::Tmpfs { options: "size=1m,uid=7".to_owned() })
        );
        assert_eq!(
            parse(&[("type", "none"), ("device", "/srv/x"), ("o", "bind,ro")]),
            Ok(Source::Bind { device: "/srv/x".into(), read_only: true })
        );
    }

    #[test]
    fn what_is_refused() {
        assert_eq!(parse(&[("foo", "x")]), Err("create v: invalid option: \"foo\"".to_owned()));
        assert_eq!(
            parse(&[("type", "none")]),
            Err("create v: missing required option: \"device\"".to_owned())
        );
        assert_eq!(
            parse(&[("type", "nfs"), ("device", ":/x"), ("o", "addr=1.2.3.4")]),
            Err("create v: a volume of type \"nfs\" needs privileges on the host".to_owned())
        );
    }
}
