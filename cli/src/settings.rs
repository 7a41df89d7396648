//! Environment and settings file, read once into plain values.
//!
//! The settings file has the keys of Docker's `daemon.json` and a few of ours;
//! `~/.config/coracle/config.json`, or `/etc/coracle/config.json` for everybody.
//! A key we do not know is an error: a misspelt limit must not pass unseen. Commands that only
//! look, or end and remove what there is, go on without a file that cannot be used, as far as
//! it is clear where the store is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coracle_runtime::damage::salvage;
use coracle_runtime::docker_socket::DockerSocket;
use coracle_runtime::paths::check_session_folder;
use coracle_runtime::{Storage, UnknownStorage};
use coracle_view::{Api, InvalidApi};
use rustix::process::Uid;
use serde::Deserialize;

use crate::client_config::ClientConfig;
use crate::error::CliError;

/// Everything the outside says before the command line does.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Images, containers, volumes.
    pub(crate) data_root: PathBuf,
    /// The login session's folder, with systemd's sockets: for cgroups, nothing of ours is there.
    pub(crate) session_dir: Option<PathBuf>,
    /// Docker's client configuration: credentials, detach keys, formats.
    pub(crate) docker_config: PathBuf,
    /// The file in it, once it is known which folder is meant.
    pub(crate) client: ClientConfig,
    /// `XDG_CONFIG_HOME`, or `.config` in the home directory.
    pub(crate) config_home: PathBuf,
    /// How root filesystems of new containers are made.
    pub(crate) storage: Storage,
    /// Networks do without nf_tables though it may be there (`CORACLE_NETWORK_PATH=packets`).
    pub(crate) packets: bool,
    /// What is added to ports that are root's when they are published; 0: nothing
    /// (`CORACLE_LOW_PORTS`, `low-ports`).
    pub(crate) low_ports: u16,
    /// Limits that this host cannot set are left out, with a warning (`CORACLE_LIMITS`, `limits`).
    pub(crate) limits_optional: bool,
    /// The node of the swarm that is asked, if it is not the machine itself (`--node`, `CORACLE_NODE`).
    pub(crate) node: Option<String>,
    pub(crate) file: FileSettings,
    /// Why the file was left out: it cannot be used.
    pub(crate) broken: Option<CliError>,
    /// Whose documents are printed (`DOCKER_API_VERSION`).
    pub(crate) api: Api,
    /// Why another version was asked for in vain.
    pub(crate) no_api: Option<InvalidApi>,
    pub(crate) environment: Environment,
    /// The session of the Engine API that this process works for.
    pub(crate) owner: Option<String>,
    /// What stands for a daemon's socket in mounts.
    pub(crate) docker_socket: DockerSocket,
}

/// Variables that have a meaning for us.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    /// All of it, for `-e NAME` and `--env-file`.
    pub(crate) all: BTreeMap<String, String>,
}

impl Environment {
    /// The value of a variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable that many tools accept in capitals and small letters.
    pub(crate) fn proxy(&self, name: &str) -> Option<&str> {
        self.get(name).or_else(|| self.get(&name.to_lowercase()))
    }
}

/// The settings file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FileSettings {
    pub(crate) data_root: Option<PathBuf>,
    pub(crate) registry_mirrors: Vec<String>,
    pub(crate) insecure_registries: Vec<String>,
    pub(crate) max_concurrent_downloads: Option<usize>,
    pub(crate) max_concurrent_uploads: Option<usize>,
    pub(crate) max_download_attempts: Option<u32>,
    pub(crate) storage_driver: Option<String>,
    pub(crate) log_driver: Option<String>,
    pub(crate) log_opts: BTreeMap<String, String>,
    pub(crate) dns: Vec<String>,
    pub(crate) dns_opts: Vec<String>,
    pub(crate) dns_search: Vec<String>,
    pub(crate) init: Option<bool>,
    /// `warn` or `require`.
    pub(crate) limits: Option<String>,
    /// `+8000`.
    pub(crate) low_ports: Option<String>,
    pub(crate) shutdown_timeout: Option<i64>,
    /// Short names and what they stand for.
    pub(crate) aliases: BTreeMap<String, String>,
    /// Registries tried, in order, for a name without one.
    pub(crate) unqualified_search_registries: Vec<String>,
    /// `local`: work here though `DOCKER_HOST` or a context names another engine.
    pub(crate) docker_host: Option<String>,
    /// `own`: containers may have the socket of the user's own Engine API.
    pub(crate) docker_socket: Option<String>,
    /// A usual place that is closed to this user, as when HOME is somebody else's.
    #[serde(skip)]
    pub(crate) closed: Option<PathBuf>,
}

impl Settings {
    /// Reads the environment and the settings file.
    pub(crate) fn read() -> Result<Self, CliError> {
        let environment = Environment {
            all: std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
        };
        let uid = rustix::process::geteuid();
        let home = match environment.get("HOME") {
            Some(home) => PathBuf::from(home),
            None => home_of(uid).unwrap_or_else(|| PathBuf::from("/")),
        };
        let config_home =
            environment.get("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
        let (file, broken) = FileSettings::read(&environment, &config_home)?;
        let data_root = match (environment.get("CORACLE_DATA_ROOT"), &file.data_root) {
            (Some(path), _) => PathBuf::from(path),
            (None, Some(path)) => path.clone(),
            (None, None) if uid.is_root() => PathBuf::from("/var/lib/coracle"),
            (None, None) => environment
                .get("XDG_DATA_HOME")
                .map_or_else(|| home.join(".local/share"), PathBuf::from)
                .join("coracle"),
        };
        // A command may go elsewhere, and what outlives it must find the same place.
        let data_root = std::path::absolute(&data_root).map_err(|e| {
            CliError::plain(format!("cannot tell where {} is: {e}", data_root.display()))
        })?;
        let session_dir = session_dir(environment.get("XDG_RUNTIME_DIR"), uid);
        let storage = environment.get("CORACLE_STORAGE").or(file.storage_driver.as_deref());
        let storage = storage
            .map(str::parse)
            .transpose()
            .map_err(|e: UnknownStorage| CliError::plain(e.to_string()))?
            .unwrap_or_default();
        let packets = packets(environment.get("CORACLE_NETWORK_PATH"))?;
        let low_ports = environment.get("CORACLE_LOW_PORTS").or(file.low_ports.as_deref());
        let low_ports = low_ports.map(raise_by).transpose()?.unwrap_or_default();
        let limits = environment.get("CORACLE_LIMITS").or(file.limits.as_deref());
        let limits_optional = limits.map(limits_optional).transpose()?.unwrap_or_default();
        let api = environment.get("DOCKER_API_VERSION").map(Api::for_client).transpose();
        let (api, no_api) = match api {
            Ok(api) => (api, None),
            Err(error) => (None, Some(error)),
        };
        let docker_config =
            environment.get("DOCKER_CONFIG").map_or_else(|| home.join(".docker"), PathBuf::from);
        let docker_socket = docker_socket(session_dir.as_deref(), &environment, &file)?;
        Ok(Self {
            data_root,
            session_dir,
            docker_config,
            client: ClientConfig::default(),
            config_home,
            storage,
            packets,
            low_ports,
            limits_optional,
            node: environment.get("CORACLE_NODE").map(str::to_owned),
            file,
            broken,
            api: api.unwrap_or_default(),
            no_api,
            environment,
            owner: None,
            docker_socket,
        })
    }
}

/// Whether networks do without `nf_tables` though it may be there.
fn packets(variable: Option<&str>) -> Result<bool, CliError> {
    match variable {
        None | Some("nf_tables") => Ok(false),
        Some("packets") => Ok(true),
        Some(other) => Err(CliError::plain(format!(
            "CORACLE_NETWORK_PATH is {other:?}: it is nf_tables or packets"
        ))),
    }
}

/// The socket of the user's own Engine API, and whether containers may have it.
fn docker_socket(
    session_dir: Option<&Path>,
    environment: &Environment,
    file: &FileSettings,
) -> Result<DockerSocket, CliError> {
    let own = session_dir.map(|folder| folder.join("coracle/docker.sock"));
    let variable = environment.get("CORACLE_DOCKER_SOCKET");
    match variable.or(file.docker_socket.as_deref()) {
        None => Ok(DockerSocket { own, allowed: false }),
        Some("own") => Ok(DockerSocket { own, allowed: true }),
        Some(other) => {
            let name = if variable.is_some() { "CORACLE_DOCKER_SOCKET" } else { "docker-socket" };
            Err(CliError::plain(format!("{name} is {other:?}: the only value is \"own\"")))
        }
    }
}

impl Settings {
    /// Refuses a version of the API that nobody here speaks, to a command that asks an engine.
    pub(crate) fn check_api(&self) -> Result<(), CliError> {
        match &self.no_api {
            None => Ok(()),
            Some(error @ InvalidApi::TooOld(_)) => Err(CliError::engine(error)),
            Some(error @ InvalidApi::Format(_)) => Err(CliError::plain(error.to_string())),
        }
    }
}

/// What `low-ports` adds.
fn raise_by(text: &str) -> Result<u16, CliError> {
    let number = text.strip_prefix('+').and_then(|digits| digits.parse().ok());
    number.filter(|by| *by > 0).ok_or_else(|| {
        let text =
            format!("low-ports is {text:?}: it is what is added to such a port, as in +8000");
        CliError::plain(text)
    })
}

/// Whether limits may be left out.
pub(crate) fn limits_optional(text: &str) -> Result<bool, CliError> {
    match text {
        "warn" => Ok(true),
        "require" => Ok(false),
        other => Err(CliError::plain(format!("limits is {other:?}: it is warn or require"))),
    }
}

/// The home directory that /etc/passwd gives a user.
fn home_of(uid: Uid) -> Option<PathBuf> {
    let wanted = uid.as_raw().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':').skip(2);
        (fields.next()? == wanted).then_some(())?;
        fields.nth(2).filter(|home| !home.is_empty()).map(PathBuf::from)
    })
}

/// The folder of the login session, where systemd's user manager listens; it is only believed to be ours when it is (`su` and
/// `sudo` keep the variable), and when nobody else may write in it.
fn session_dir(variable: Option<&str>, uid: Uid) -> Option<PathBuf> {
    let usual = PathBuf::from(format!("/run/user/{}", uid.as_raw()));
    let ours = |path: &PathBuf| check_session_folder(path, uid.as_raw()).is_ok();
    variable.map(PathBuf::from).into_iter().chain([usual]).find(ours)
}

impl Settings {
    /// Reads the client's configuration file, from the folder that is meant by now.
    pub(crate) fn read_client_config(&mut self) {
        self.client = ClientConfig::read(&self.docker_config);
    }

    /// Addresses that mean this engine: the socket of this user, in the login session's folder.
    pub(crate) fn own_sockets(&self) -> Vec<PathBuf> {
        let uid = rustix::process::geteuid();
        let usual = match uid.is_root() {
            true => PathBuf::from("/run"),
            false => PathBuf::from(format!("/run/user/{}", uid.as_raw())),
        };
        let named = self.environment.get("XDG_RUNTIME_DIR").map(PathBuf::from);
        let folders = named.into_iter().chain(self.session_dir.clone()).chain([usual]);
        folders.map(|folder| folder.join("coracle/docker.sock")).collect()
    }

    /// Proxies for new containers, from the client's configuration file.
    pub(crate) fn proxies(&self) -> Vec<String> {
        let own = self.own_sockets();
        let own = own.iter().map(|socket| format!("unix://{}", socket.display()));
        let named = self.environment.get("DOCKER_HOST").map(str::to_owned);
        self.client.proxies(&named.into_iter().chain(own).collect::<Vec<_>>())
    }

    /// Whether this machine is meant, whatever engine `DOCKER_HOST` and contexts name.
    pub(crate) fn works_locally(&self) -> Result<bool, CliError> {
        let variable = self.environment.get("CORACLE_DOCKER_HOST");
        match variable.or(self.file.docker_host.as_deref()) {
            None => Ok(false),
            Some("local") => Ok(true),
            Some(other) => {
                let name = if variable.is_some() { "CORACLE_DOCKER_HOST" } else { "docker-host" };
                Err(CliError::plain(format!("{name} is {other:?}: the only value is \"local\"")))
            }
        }
    }
}

impl FileSettings {
    /// The file, and why it is left out but for the place of the store. An error where that place
    /// cannot be told.
    fn read(
        environment: &Environment,
        config_home: &Path,
    ) -> Result<(Self, Option<CliError>), CliError> {
        let chosen = environment.get("CORACLE_CONFIG").map(PathBuf::from);
        let candidates = match &chosen {
            Some(path) => vec![path.clone()],
            None => vec![
                config_home.join("coracle/config.json"),
                PathBuf::from("/etc/coracle/config.json"),
            ],
        };
        let mut closed = None;
        for path in candidates {
            match std::fs::read(&path) {
                Ok(text) => {
                    let why = match serde_json::from_slice::<Self>(&text) {
                        Ok(file) => match file.check() {
                            Ok(()) => return Ok((Self { closed, ..file }, None)),
                            Err(error) => error.message,
                        },
                        Err(error) => error.to_string(),
                    };
                    let broken = unusable(&path, &why);
                    let data_root = salvage(&text, "data-root").map(PathBuf::from);
                    let is_told = environment.get("CORACLE_DATA_ROOT").is_some()
                        || data_root.is_some()
                        || !String::from_utf8_lossy(&text).contains("data-root");
                    return match is_told {
                        true => Ok((Self { closed, data_root, ..Self::default() }, Some(broken))),
                        false => Err(broken),
                    };
                }
                Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied && chosen.is_none() => {
                    closed = Some(path);
                }
                Err(e) if e.kind() == std::io::ErrorKind::NotFound && chosen.is_none() => {}
                Err(e) => {
                    let message = format!("cannot read settings file {}: {e}", path.display());
                    return Err(CliError::plain(message));
                }
            }
        }
        Ok((Self { closed, ..Self::default() }, None))
    }

    /// Refuses values that make no sense.
    fn check(&self) -> Result<(), CliError> {
        let storage = self.storage_driver.as_deref().map(str::parse::<Storage>).transpose();
        storage.map_err(|e| CliError::plain(e.to_string()))?;
        self.low_ports.as_deref().map(raise_by).transpose()?;
        self.limits.as_deref().map(limits_optional).transpose()?;
        Ok(())
    }
}

fn unusable(path: &Path, why: &str) -> CliError {
    let path = path.display();
    CliError::plain(format!("cannot use settings file {path}: {why}"))
        .hint("correct it there, or move it away: each setting has a default")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::{FileSettings, session_dir};

    #[test]
    fn a_session_folder_that_is_not_ours_alone_is_not_used() {
        let uid = rustix::process::geteuid();
        let temp = tempfile::tempdir().unwrap();
        let mode = |bits| std::fs::set_permissions(temp.path(), PermissionsExt::from_mode(bits));
        let chosen =
            |path: &Path| session_dir(path.to_str(), uid).filter(|found| found == path).is_some();
        assert!(chosen(temp.path()));
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(temp.path(), &link).unwrap();
        assert!(!chosen(&link));
        mode(0o777).unwrap();
        assert!(!chosen(temp.path()));
        mode(0o755).unwrap();
        assert!(chosen(temp.path()));
        let nobody = rustix::process::Uid::from_raw(4_000_000_000);
        assert_eq!(session_dir(temp.path().to_str(), nobody), None);
        assert_eq!(session_dir(Some("/nosuch"), nobody), None);
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let error = serde_json::from_str::<FileSettings>(r#"{"log-drivr": "local"}"#).unwrap_err();
        assert!(error.to_string().starts_with("unknown field `log-drivr`"), "{error}");
    }

    #[test]
    fn low_ports_and_limits_are_told_from_nonsense() {
        assert_eq!(super::raise_by("+8000").unwrap(), 8000);
        for wrong in ["8000", "+0", "+70000", "-1", "", "+"] {
            assert!(super::raise_by(wrong).is_err(), "{wrong}");
        }
        assert!(super::limits_optional("warn").unwrap());
        assert!(!super::limits_optional("require").unwrap());
        assert!(super::limits_optional("maybe").is_err());
    }

    #[test]
    fn keys_of_daemon_json() {
        let text = r#"{"registry-mirrors": ["https://m.example"], "log-opts": {"max-size": "1m"}}"#;
        let settings: FileSettings = serde_json::from_str(text).unwrap();
        assert_eq!(settings.registry_mirrors, ["https://m.example"]);
        assert_eq!(settings.log_opts["max-size"], "1m");
    }
}
