//! Looking up, keeping and forgetting credentials.
//!
//! # How it works
//!
//! Reading asks, in this order: the JSON given in the environment, the separate
//! authentication file if one is named, else `config.json`. Within a file a helper
//! program of the server comes first, then the general helper, then the entries of
//! the file itself. Entries of a separate file may be limited to a namespace
//! (`h.io/team`); the longest one that matches is used.
//!
//! Writing goes to the helper if one is configured, and to the file otherwise.
//!
//! # Not here
//!
//! Whether a credential is any good: [`crate::login`] asks the registry.

use std::io;
use std::path::{Path, PathBuf};

use super::config_file::ConfigFile;
use super::credential::Credential;
use super::helper::{Helper, HelperError};
use crate::reference::{DEFAULT_DOMAIN, Reference};

/// The key of Docker Hub in configuration files.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";
const CONFIG_FILE: &str = "config.json";

/// Where credentials are kept; the caller takes these from its environment.
#[derive(Debug, Clone, Default)]
pub struct AuthSettings {
    /// `DOCKER_CONFIG`, or `.docker` in the home directory.
    pub config_dir: PathBuf,
    /// The JSON text in `DOCKER_AUTH_CONFIG`.
    pub inline_json: Option<String>,
    /// `REGISTRY_AUTH_FILE`: read and written instead of `config.json`.
    pub auth_file: Option<PathBuf>,
}

/// Why credentials could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    #[error("cannot read the credentials in `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },

    #[error("cannot write the credentials to `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },

    #[error("DOCKER_AUTH_CONFIG is not the JSON of a credentials file")]
    Inline(#[source] serde_json::Error),

    #[error(transparent)]
    Helper(#[from] HelperError),
}

impl AuthError {
    /// One sentence that tells the user what to do next, when we know it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Helper(error) => error.hint(),
            _ => None,
        }
    }
}

/// Where a credential was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredIn {
    /// A helper program of this name.
    Helper(String),
    /// This file, unencrypted.
    File(PathBuf),
}

impl StoredIn {
    /// The warning Docker prints after writing a password to a plain file.
    pub fn warning(&self) -> Option<String> {
        let Self::File(path) = self else { return None };
        Some(format!(
            "\nWARNING! Your credentials are stored unencrypted in '{}'.\n\
             Configure a credential helper to remove this warning. See\n\
             https://docs.docker.com/go/credential-store/\n",
            path.display()
        ))
    }
}

/// The credentials of one user.
#[derive(Debug, Clone)]
pub struct CredentialStore {
    settings: AuthSettings,
}

impl CredentialStore {
    pub fn new(settings: AuthSettings) -> Self {
        Self { settings }
    }

    /// The credential for pulling or pushing `reference`, if there is one.
    pub fn for_reference(&self, reference: &Reference) -> Result<Option<Credential>, AuthError> {
        self.lookup(reference.domain(), reference.path())
    }

    /// The credential of a registry, whatever the repository.
    pub fn for_registry(&self, registry: &str) -> Result<Option<Credential>, AuthError> {
        self.lookup(registry, "")
    }

    fn lookup(&self, domain: &str, path: &str) -> Result<Option<Credential>, AuthError> {
        let server = server_key(domain);
        if let Some(text) = self.settings.inline_json.as_deref().filter(|text| !text.is_empty()) {
            let inline = ConfigFile::parse(text).map_err(AuthError::Inline)?;
            if let Some(credential) = find_in(&inline, domain, path) {
                return Ok(Some(credential));
            }
        }
        // Whoever reads `config.json` for its other keys tells that it cannot be read.
        let config = match self.read() {
            Err(_) if self.settings.auth_file.is_none() => ConfigFile::default(),
            other => other?,
        };
        if let Some(name) = config.helper(server)
            && let Some(credential) = Helper::new(name).get(server)?
        {
            return Ok(Some(credential));
        }
        Ok(find_in(&config, domain, path))
    }

    /// Keeps a credential for later commands.
    pub fn store(&self, registry: &str, credential: &Credential) -> Result<StoredIn, AuthError> {
        let server = server_key(registry);
        let mut config = self.read()?;
        let stored = match config.helper(server).map(str::to_owned) {
            Some(name) => {
                Helper::new(&name).store(server, credential)?;
                config.insert(server, None);
                StoredIn::Helper(name)
            }
            None => {
                config.insert(server, Some(credential));
                StoredIn::File(self.path())
            }
        };
        self.write(&config)?;
        Ok(stored)
    }

    /// Forgets the credential of a registry; says whether there was one in the file.
    pub fn erase(&self, registry: &str) -> Result<bool, AuthError> {
        let server = server_key(registry);
        let mut config = self.read()?;
        if let Some(name) = config.helper(server) {
            Helper::new(name).erase(server)?;
        }
        let removed = config.remove(server);
        if removed {
            self.write(&config)?;
        }
        Ok(removed)
    }

    /// The file that [`Self::store`] writes.
    pub fn path(&self) -> PathBuf {
        match &self.settings.auth_file {
            Some(path) => path.clone(),
            None => self.settings.config_dir.join(CONFIG_FILE),
        }
    }

    fn read(&self) -> Result<ConfigFile, AuthError> {
        let path = self.path();
        ConfigFile::read(&path).map_err(|source| AuthError::Read { path, source })
    }

    fn write(&self, config: &ConfigFile) -> Result<(), AuthError> {
        let path = self.path();
        config.write(&path).map_err(|source| AuthError::Write { path, source })
    }
}

/// The name a server has in configuration files.
fn server_key(domain: &str) -> &str {
    match domain {
        DEFAULT_DOMAIN | "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB_KEY,
        other => other,
    }
}

/// The entry of the longest namespace of `domain/path`, then that of the server.
fn find_in(config: &ConfigFile, domain: &str, path: &str) -> Option<Credential> {
    let full = format!("{domain}/{path}");
    let mut scope = Path::new(full.trim_end_matches('/'));
    while let Some(parent) = scope.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        if let Some(key) = scope.to_str()
            && let Some(credential) = config.scoped(key)
        {
            return Some(credential);
        }
        scope = parent;
    }
    config.credential(server_key(domain)).or_else(|| config.scoped(domain))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn store_with(config: &str) -> (tempfile::TempDir, CredentialStore) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(CONFIG_FILE), config).unwrap();
        let settings =
            AuthSettings { config_dir: directory.path().to_owned(), ..AuthSettings::default() };
        (directory, CredentialStore::new(settings))
    }

    fn reference(name: &str) -> Reference {
        Reference::parse(name).unwrap()
    }

    #[test]
    fn docker_hub_has_its_own_key() {
        let (_dir, store) =
            store_with(r#"{"auths":{"https://index.docker.io/v1/":{"auth":"dTpwdw=="}}}"#);
        let expected = Some(Credential::basic("u", "pw"));
        assert_eq!(store.for_reference(&reference("alpine")).unwrap(), expected);
        assert_eq!(store.for_reference(&reference("h.io/alpine")).unwrap(), None);
    }

    #[test]
    fn the_longest_namespace_wins() {
        let (_dir, store) =
            store_with(r#"{"auths":{"h.io":{"auth":"aG9zdDpw"},"h.io/a/b":{"auth":"bnM6cA=="}}}"#);
        let user = |name: &str| store.for_reference(&reference(name)).unwrap();
        assert_eq!(user("h.io/a/b/c"), Some(Credential::basic("ns", "p")));
        assert_eq!(user("h.io/a/b"), Some(Credential::basic("ns", "p")));
        assert_eq!(user("h.io/a/bc"), Some(Credential::basic("host", "p")));
        assert_eq!(store.for_registry("h.io").unwrap(), Some(Credential::basic("host", "p")));
    }

    #[test]
    fn the_environment_is_asked_first_and_the_named_file_instead_of_config_json() {
        let (dir, store) = store_with(r#"{"auths":{"h.io":{"auth":"aG9zdDpw"}}}"#);
        let mut settings = store.settings.clone();
        settings.inline_json = Some(r#"{"auths":{"h.io":{"auth":"bnM6cA=="}}}"#.to_owned());
        let found = CredentialStore::new(settings.clone()).for_registry("h.io").unwrap();
        assert_eq!(found, Some(Credential::basic("ns", "p")));

        settings.inline_json = Some("{".to_owned());
        let error = CredentialStore::new(settings.clone()).for_registry("h.io").unwrap_err();
        assert_eq!(error.to_string(), "DOCKER_AUTH_CONFIG is not the JSON of a credentials file");

        settings.inline_json = None;
        settings.auth_file = Some(dir.path().join("auth.json"));
        let separate = CredentialStore::new(settings);
        assert_eq!(separate.for_registry("h.io").unwrap(), None);
        separate.store("h.io", &Credential::basic("u", "pw")).unwrap();
        assert!(dir.path().join("auth.json").exists());
    }

    #[test]
    fn storing_in_a_file_warns_and_erasing_forgets() {
        let (dir, store) = store_with("{}");
        let stored = store.store("h.io", &Credential::basic("u", "pw")).unwrap();
        let expected = format!(
            "\nWARNING! Your credentials are stored unencrypted in '{}/config.json'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n",
            dir.path().display()
        );
        assert_eq!(stored.warning().unwrap(), expected);
        assert!(store.erase("h.io").unwrap());
        assert!(!store.erase("h.io").unwrap());
        assert_eq!(store.for_registry("h.io").unwrap(), None);
    }
}
