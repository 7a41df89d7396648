//! One JSON file with credentials: `config.json` or `auth.json`.
//!
//! # How it works
//!
//! The file is kept as a JSON tree, so that keys unknown to us survive a rewrite.
//! It is written to a new file of mode 0600 in the same directory and renamed into
//! place, indented by tabs as Docker writes it. A symbolic link is followed, so that
//! a configuration kept elsewhere stays there.
//!
//! # Limits
//!
//! At most 4 MiB are read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::credential::{Credential, Secret, decode_basic, encode_basic};

const FILE_MAX: u64 = 4 << 20;

/// The parsed file.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfigFile {
    tree: Map<String, Value>,
}

impl ConfigFile {
    /// Reads `path`; a missing or empty file is an empty configuration.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            other => other?,
        };
        let mut text = String::new();
        file.take(FILE_MAX).read_to_string(&mut text)?;
        Self::parse(&text).map_err(io::Error::from)
    }

    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        Ok(Self { tree: serde_json::from_str(text)? })
    }

    /// The helper that keeps credentials of `server`, if one is configured.
    pub(crate) fn helper(&self, server: &str) -> Option<&str> {
        let own = self.tree.get("credHelpers").and_then(|helpers| helpers.get(server));
        let name = own.or_else(|| self.tree.get("credsStore")).and_then(Value::as_str)?;
        (!name.is_empty()).then_some(name)
    }

    /// The credential in the file itself under exactly this key, or else under a key
    /// that is a URL of the same host.
    pub(crate) fn credential(&self, server: &str) -> Option<Credential> {
        let auths = self.tree.get("auths")?.as_object()?;
        let entry = auths.get(server).or_else(|| {
            let host = host_of(server);
            auths.iter().find(|(key, _)| host_of(key) == host).map(|(_, entry)| entry)
        })?;
        entry_credential(entry)
    }

    /// The credential under exactly this key, which may name a namespace: `h.io/team`.
    pub(crate) fn scoped(&self, key: &str) -> Option<Credential> {
        entry_credential(self.tree.get("auths")?.get(key)?)
    }

    /// Puts a credential into the file; without one, only notes that the server is
    /// known (its credential is with a helper).
    pub(crate) fn insert(&mut self, server: &str, credential: Option<&Credential>) {
        let entry = match credential {
            None => json!({}),
            Some(Credential::Basic { username, password }) => {
                json!({ "auth": encode_basic(username, password.reveal()) })
            }
            Some(Credential::IdentityToken(token)) => json!({ "identitytoken": token.reveal() }),
            Some(Credential::RegistryToken(token)) => json!({ "registrytoken": token.reveal() }),
        };
        let auths = self.tree.entry("auths").or_insert_with(|| json!({}));
        if !auths.is_object() {
            *auths = json!({});
        }
        if let Some(auths) = auths.as_object_mut() {
            auths.insert(server.to_owned(), entry);
        }
    }

    /// Removes the entries of `server`; says whether there was one.
    pub(crate) fn remove(&mut self, server: &str) -> bool {
        let Some(auths) = self.tree.get_mut("auths").and_then(Value::as_object_mut) else {
            return false;
        };
        let before = auths.len();
        let host = host_of(server).to_owned();
        auths.retain(|key, _| key != server && host_of(key) != host);
        auths.len() != before
    }

    /// Replaces `path` by this configuration.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let path = follow_link(path);
        let directory = path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;

        let mut text = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
        // Sorted, whether or not this build of serde_json keeps the order of keys.
        let mut tree = serde_json::to_value(&self.tree)?;
        tree.sort_all_objects();
        tree.serialize(&mut serializer)?;

        let temporary = temporary_name(&path);
        let written = write_new(&temporary, &text).and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            // The write's own error is the one worth reporting.
            drop(fs::remove_file(&temporary));
        }
        written
    }
}

fn entry_credential(entry: &Value) -> Option<Credential> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some(token) = text("identitytoken") {
        return Some(Credential::IdentityToken(Secret::new(token)));
    }
    if let Some(token) = text("registrytoken") {
        return Some(Credential::RegistryToken(Secret::new(token)));
    }
    if let Some(auth) = text("auth") {
        return decode_basic(auth);
    }
    Some(Credential::basic(text("username")?, text("password")?))
}

/// The host of a key that may be written as a URL: `https://h.io/v1/` is `h.io`.
fn host_of(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    bare.split_once('/').map_or(bare, |(host, _)| host)
}

fn follow_link(path: &Path) -> PathBuf {
    match fs::read_link(path) {
        Ok(target) => path.parent().unwrap_or(Path::new(".")).join(target),
        Err(_) => path.to_owned(),
    }
}

fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let open = || OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match open() {
        // Left by a process of the same id that was killed.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            open()?
        }
        other => other?,
    };
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn parse(text: &str) -> ConfigFile {
        ConfigFile::parse(text).unwrap()
    }

    #[test]
    fn helper_of_a_server_wins_over_the_general_one() {
        let config = parse(r#"{"credHelpers":{"h.io":"own"},"credsStore":"general"}"#);
        assert_eq!(config.helper("h.io"), Some("own"));
        assert_eq!(config.helper("other.io"), Some("general"));
        assert_eq!(parse("{}").helper("h.io"), None);
    }

    #[test]
    fn keys_may_be_urls() {
        let config = parse(r#"{"auths":{"https://h.io/v1/":{"auth":"dTpwdw=="}}}"#);
        assert_eq!(config.credential("h.io"), Some(Credential::basic("u", "pw")));
        assert_eq!(config.credential("other.io"), None);
    }

    #[test]
    fn all_forms_of_entries() {
        let config = parse(
            r#"{"auths":{
                "a":{"auth":"dTpwdw==","identitytoken":"id"},
                "b":{"registrytoken":"reg"},
                "c":{"username":"u","password":"pw"},
                "d":{}}}"#,
        );
        assert_eq!(config.credential("a"), Some(Credential::IdentityToken(Secret::new("id"))));
        assert_eq!(config.credential("b"), Some(Credential::RegistryToken(Secret::new("reg"))));
        assert_eq!(config.credential("c"), Some(Credential::basic("u", "pw")));
        assert_eq!(config.credential("d"), None);
    }

    #[test]
    fn writes_as_docker_does_and_keeps_unknown_keys() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sub/config.json");
        let mut config = parse(r#"{"psFormat":"x","zz":{"unknown":[1]}}"#);
        config.insert("127.0.0.1:5001", Some(&Credential::basic("u", "pw")));
        config.write(&path).unwrap();

        let expected = "{\n\t\"auths\": {\n\t\t\"127.0.0.1:5001\": {\n\t\t\t\"auth\": \"dTpwdw==\"\n\t\t}\n\t},\n\t\"psFormat\": \"x\",\n\t\"zz\": {\n\t\t\"unknown\": [\n\t\t\t1\n\t\t]\n\t}\n}";
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);

        let mut config = ConfigFile::read(&path).unwrap();
        assert!(config.remove("127.0.0.1:5001"));
        assert!(!config.remove("127.0.0.1:5001"));
    }

    #[test]
    fn a_symbolic_link_stays_one() {
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("real.json"), directory.path().join("link.json"));
        std::os::unix::fs::symlink("real.json", &link).unwrap();
        let mut config = ConfigFile::default();
        config.insert("h.io", None);
        config.write(&link).unwrap();
        assert_eq!(
            fs::read_to_string(real).unwrap(),
            "{\n\t\"auths\": {\n\t\t\"h.io\": {}\n\t}\n}"
        );
        assert!(fs::symlink_metadata(link).unwrap().is_symlink());
    }

    #[test]
    fn an_unreadable_file_is_an_error_and_a_missing_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        assert!(ConfigFile::read(&path).unwrap().tree.is_empty());
        fs::write(&path, "{").unwrap();
        assert!(ConfigFile::read(&path).is_err());
    }
}
