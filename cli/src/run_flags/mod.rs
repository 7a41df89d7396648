//! From the flags of `run` and `create` to what the engine takes.
//!
//! Everything here is a matter of words: values are parsed and checked as
//! Docker's client does, flags that cannot be honoured are refused by name.
//! What depends on the image, other containers or the host is left to the engine.

pub(crate) mod attachment;
mod config;
mod files;
mod flags;
mod health;
mod host;
mod limits;
mod network;
mod ports;
mod refused;
mod resources;
pub(crate) mod run_values;
#[cfg(test)]
mod tests;

use coracle_runtime::model::{Config, EndpointSettings, HostConfig};
use coracle_runtime::mounts::{self, MountError, Side};

use crate::error::CliError;
use crate::settings::Settings;

pub(crate) use attachment::{Attachment, mac, network as attachment_of};
pub(crate) use files::{completed, environment};
pub(crate) use flags::CreateFlags;
pub(crate) use host::{profile, restart_policy};
pub(crate) use limits::{CpuFlags, MemoryFlags};
pub(crate) use ports::{port_error, published};

/// When an image is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PullPolicy {
    Always,
    Missing,
    Never,
}

/// A container as asked for on the command line.
#[derive(Debug)]
pub(crate) struct Request {
    /// Set when a monitor waits for the container.
    pub(crate) id: Option<String>,
    pub(crate) image: String,
    pub(crate) name: Option<String>,
    pub(crate) config: Config,
    pub(crate) host: HostConfig,
    pub(crate) platform: Option<String>,
    pub(crate) pull: PullPolicy,
    pub(crate) quiet: bool,
    pub(crate) cidfile: Option<String>,
    /// The networks to join, the first being that of the network mode.
    pub(crate) networks: Vec<(String, EndpointSettings)>,
}

/// Puts a request together. `words` are the image and the command.
pub(crate) fn request(
    flags: CreateFlags,
    words: Vec<String>,
    detach: bool,
    settings: &Settings,
) -> Result<Request, CliError> {
    refused::check(&flags)?;
    let mut words = words.into_iter();
    let image = words.next().unwrap_or_default();
    let command: Vec<String> = words.collect();
    let pull = pull_policy(flags.pull.as_deref())?;
    if let Some(path) = flags.cidfile.as_deref().filter(|path| !path.is_empty())
        && std::path::Path::new(path).exists()
    {
        return Err(CliError::plain(format!(
            "container ID file found, make sure the other container isn't running or delete {path}"
        )));
    }
    let networks = network::build(&flags)?;
    let mut host = host::build(&flags, networks.mode, settings)?;
    host.links = networks.links;
    let mut config = config::build(&flags, &image, command, detach, settings)?;
    mount_flags(&flags, &mut host, &mut config)?;
    Ok(Request {
        id: None,
        image,
        name: flags.name,
        config,
        host,
        platform: flags
            .platform
            .filter(|platform| !platform.is_empty())
            .or_else(|| settings.environment.get("DOCKER_DEFAULT_PLATFORM").map(str::to_owned)),
        pull,
        quiet: flags.quiet,
        cidfile: flags.cidfile.filter(|path| !path.is_empty()),
        networks: networks.endpoints,
    })
}

fn pull_policy(text: Option<&str>) -> Result<PullPolicy, CliError> {
    match text {
        None | Some("" | "missing") => Ok(PullPolicy::Missing),
        Some("always") => Ok(PullPolicy::Always),
        Some("never") => Ok(PullPolicy::Never),
        Some(other) => Err(CliError::plain(format!(
            "invalid pull option: '{other}': must be one of \"always\", \"missing\" or \"never\""
        ))),
    }
}

/// `-v` and `--mount`, as the engine takes them.
fn mount_flags(
    flags: &CreateFlags,
    host: &mut HostConfig,
    config: &mut Config,
) -> Result<(), CliError> {
    if flags.volume.is_empty() && flags.mount.is_empty() {
        return Ok(());
    }
    let directory = std::env::current_dir()
        .map_err(|e| CliError::plain(format!("cannot tell the current folder: {e}")))?;
    let volumes = mounts::volume_flags(&flags.volume, &directory).map_err(mount_error)?;
    host.binds = (!volumes.binds.is_empty()).then_some(volumes.binds);
    config.volumes = (!volumes.anonymous.is_empty()).then_some(volumes.anonymous);
    host.mounts = flags
        .mount
        .iter()
        .map(|option| mounts::mount_flag(option, &directory).map_err(mount_error))
        .collect::<Result<_, _>>()?;
    Ok(())
}

pub(crate) fn mount_error(error: MountError) -> CliError {
    match error.side() {
        Side::Engine => CliError::engine(error),
        Side::Flag | Side::Client => CliError::plain(error.to_string()),
    }
}
