//! `~/.docker/config.json`: what Docker's client keeps for this user.
//!
//! Read once, as a JSON tree. A file that cannot be used is told of and passed over, as by
//! Docker; credentials are looked up by `coracle_image`, which reads the file for itself.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use serde_json::{Map, Value};

/// More than this is no configuration.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Keys of a set of proxies, and the variables they become.
const PROXIES: &[(&str, &str)] = &[
    ("httpProxy", "HTTP_PROXY"),
    ("httpsProxy", "HTTPS_PROXY"),
    ("noProxy", "NO_PROXY"),
    ("ftpProxy", "FTP_PROXY"),
    ("allProxy", "ALL_PROXY"),
];

const UNUSED: &[(&str, &str)] = &[
    ("HttpHeaders", "they are for a daemon, and there is none"),
    ("aliases", "there is no builder to give another name to"),
    ("plugins", "Docker's plugins are not run"),
    ("cliPluginsExtraDirs", "Docker's plugins are not run"),
];

/// The client's configuration file; empty when there is none.
#[derive(Debug, Default)]
pub(crate) struct ClientConfig {
    tree: Map<String, Value>,
    /// Why the file was passed over, in Docker's words.
    pub(crate) warning: Option<String>,
}

impl ClientConfig {
    /// Reads the file in this folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let path = folder.join("config.json");
        let mut text = String::new();
        let read = std::fs::File::open(&path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
        match read {
            Ok(_) => {}
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Self::default();
            }
            Err(e) => {
                let reason = match e.kind() {
                    ErrorKind::PermissionDenied => "permission denied".to_owned(),
                    _ => e.to_string(),
                };
                let why = format!("loading config file: open {}: {reason}", path.display());
                return Self { warning: Some(why), ..Self::default() };
            }
        }
        if text.trim().is_empty() {
            return Self::default();
        }
        match serde_json::from_str(&text) {
            Ok(tree) => Self { tree, warning: None },
            Err(e) => {
                let why = format!("parsing config file ({}): {e}", path.display());
                Self { warning: Some(why), ..Self::default() }
            }
        }
    }

    /// A text that is set and not empty.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.tree.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    /// The proxies of containers, as `KEY=VALUE` in capitals and small letters: those of the
    /// engine with one of these addresses, else the usual ones.
    pub(crate) fn proxies(&self, addresses: &[String]) -> Vec<String> {
        let Some(all) = self.tree.get("proxies") else { return Vec::new() };
        let chosen = addresses.iter().find_map(|address| all.get(address));
        let Some(chosen) = chosen.or_else(|| all.get("default")) else { return Vec::new() };
        let set =
            PROXIES.iter().filter_map(|(key, name)| Some((*name, chosen.get(key)?.as_str()?)));
        set.filter(|(_, value)| !value.is_empty())
            .flat_map(|(name, value)| {
                [name.to_owned(), name.to_lowercase()].map(|n| format!("{n}={value}"))
            })
            .collect()
    }

    /// Filters that every prune has besides its own.
    pub(crate) fn prune_filters(&self) -> impl Iterator<Item = (&str, &str)> {
        let list = self.tree.get("pruneFilters").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|filter| filter.as_str()?.split_once('='))
    }

    /// Keys that are set and have no use here, each with the reason.
    pub(crate) fn unused(&self) -> impl Iterator<Item = String> {
        let is_set = |key: &str| match self.tree.get(key) {
            Some(Value::Object(object)) => !object.is_empty(),
            Some(Value::Array(list)) => !list.is_empty(),
            _ => false,
        };
        UNUSED
            .iter()
            .filter(move |(key, _)| is_set(key))
            .map(|(key, why)| format!("{key} in Docker's config.json is not used: {why}"))
    }
}
