//! The host's `git`, in an environment of its own.
//!
//! # How it works
//!
//! Nothing of the user's or the system's configuration is read and nobody is asked for anything. Hooks, templates and
//! helpers are off. Only protocols of a list are spoken, by submodules too, so that no address names a program or a
//! file of this machine. A secret goes by the environment, which nobody else can read, and never by an argument.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coracle_image::{RegistrySettings, Secret};

use crate::limits::GIT_OUTPUT_BYTES_MAX;

/// How the host's git is reached, and how it reaches others.
#[derive(Debug, Clone)]
pub struct GitSettings {
    /// `PATH`: where `git` and `ssh` are.
    pub search: OsString,
    /// Proxies and authorities.
    pub network: RegistrySettings,
    /// The user's list of hosts and their keys.
    pub known_hosts: Option<PathBuf>,
}

/// What may be spoken.
const PROTOCOLS: &str = "git:http:https:ssh";

const OPTIONS: [&str; 10] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    // It would note the user's name and machine.
    "core.logAllRefUpdates=false",
    "credential.helper=",
    "gc.auto=0",
    "maintenance.auto=false",
    "init.defaultBranch=master",
    "advice.detachedHead=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
];

pub(super) struct Git<'a> {
    pub(super) settings: &'a GitSettings,
    /// The beginning of the addresses that the secret is for.
    pub(super) authorization: Option<(String, &'a Secret)>,
    pub(super) agent: Option<&'a Path>,
    /// A folder of this call alone.
    pub(super) scratch: &'a Path,
    pub(super) git_dir: Option<&'a Path>,
    pub(super) work_tree: Option<&'a Path>,
}

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no git.
    Missing,
    /// In the words of git.
    Refused(String),
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What a command wrote, the latter to standard error.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) out: String,
    pub(super) notes: String,
}

impl Git<'_> {
    pub(super) fn run<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
    ) -> Result<Written, Failure> {
        let notes_path = self.scratch.join("notes");
        let mut command = self.command();
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped());
        // A file takes what nobody reads, so that the two streams need not be read at once.
        command.stderr(File::create(&notes_path)?);
        coracle_sys::exec::end_with_parent(&mut command, rustix::process::Signal::KILL);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::Missing,
            _ => Failure::Io(error),
        })?;
        let mut out = Vec::new();
        let limit = GIT_OUTPUT_BYTES_MAX as u64;
        let read = match child.stdout.take() {
            Some(pipe) => pipe.take(limit + 1).read_to_end(&mut out),
            None => Ok(0),
        };
        // The pipe is closed: one that writes on and on ends by that.
        let status = child.wait()?;
        read?;
        let mut notes = Vec::new();
        File::open(&notes_path)?.take(limit).read_to_end(&mut notes)?;
        let notes = String::from_utf8_lossy(&notes).into_owned();
        if out.len() > GIT_OUTPUT_BYTES_MAX {
            return Err(Failure::Refused(format!(
                "git writes more than {GIT_OUTPUT_BYTES_MAX} bytes"
            )));
        }
        if !status.success() {
            let code = status
                .code()
                .map_or_else(|| status.to_string(), |code| format!("exit status {code}"));
            return Err(Failure::Refused(format!("git stderr:\n{notes}: {code}")));
        }
        Ok(Written { out: String::from_utf8_lossy(&out).into_owned(), notes })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.env_clear().env("PATH", &self.settings.search);
        command.current_dir(self.work_tree.unwrap_or(self.scratch));
        for (name, value) in [
            ("GIT_ALLOW_PROTOCOL", PROTOCOLS),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_SSH_VARIANT", "ssh"),
            ("HOME", "/dev/null"),
            ("LC_ALL", "C"),
        ] {
            command.env(name, value);
        }
        command.env("GIT_SSH_COMMAND", self.ssh());
        if let Some(agent) = self.agent {
            command.env("SSH_AUTH_SOCK", agent);
        }
        self.add_network(&mut command);
        for option in OPTIONS {
            command.args(["-c", option]);
        }
        if let Some(path) = self.git_dir {
            command.arg("--git-dir").arg(path);
        }
        if let Some(path) = self.work_tree {
            command.arg("--work-tree").arg(path);
        }
        command
    }

    fn add_network(&self, command: &mut Command) {
        let network = &self.settings.network;
        for (names, value) in [
            (["http_proxy", "HTTP_PROXY"], &network.http_proxy),
            (["https_proxy", "HTTPS_PROXY"], &network.https_proxy),
            (["no_proxy", "NO_PROXY"], &network.no_proxy),
        ] {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                command.envs(names.map(|name| (name, value)));
            }
        }
        if let Some(path) = &network.ca_file {
            command.env("GIT_SSL_CAINFO", path);
        }
        if let Some(path) = network.ca_dirs.as_deref().and_then(|list| list.split(':').next()) {
            command.env("GIT_SSL_CAPATH", path);
        }
        if let Some((scope, secret)) = &self.authorization {
            command.env("GIT_CONFIG_COUNT", "1");
            command.env("GIT_CONFIG_KEY_0", format!("http.{scope}.extraheader"));
            command.env("GIT_CONFIG_VALUE_0", format!("Authorization: {}", secret.reveal()));
        }
    }

    /// Nobody's keys but the agent's. A host that is not known is trusted once; one with another key than before never.
    fn ssh(&self) -> String {
        let mut hosts = self.scratch.join("known_hosts").display().to_string();
        if let Some(known) = self.settings.known_hosts.as_deref().and_then(Path::to_str) {
            hosts = format!("{hosts} {known}");
        }
        // The words go through a shell and the reader of ssh's options.
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._- ".contains(c);
        if !hosts.chars().all(plain) {
            "/dev/null".clone_into(&mut hosts);
        }
        format!(
            "ssh -F /dev/null -o BatchMode=yes -o IdentityFile=none \
             -o StrictHostKeyChecking=accept-new -o 'UserKnownHostsFile={hosts}'"
        )
    }
}
