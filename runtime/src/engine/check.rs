//! What a container cannot be asked for, in Docker's words; and names it takes from others.

use super::Engine;
use crate::error::EngineError;
use crate::model::{Config, HostConfig};
use crate::spec::NetworkMode;

/// Refuses options that contradict each other or mean nothing.
pub(super) fn conflicts(config: &Config, host: &HostConfig) -> Result<(), EngineError> {
    let refuse = |text: &str| Err(EngineError::Refuse(text.to_owned()));
    if !config.stop_signal.is_empty() && crate::signals::parse(&config.stop_signal).is_none() {
        return refuse(&format!("invalid signal: {}", config.stop_signal));
    }
    let named = !config.hostname.is_empty();
    if named && host.uts_mode == "host" {
        return refuse("conflicting options: hostname and the UTS mode");
    }
    let set = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    if let NetworkMode::Container(_) = NetworkMode::parse(&host.network_mode) {
        if named {
            return refuse("conflicting options: hostname and the network mode");
        }
        if set(&host.dns) {
            return refuse("conflicting options: dns and the network mode");
        }
        if set(&host.extra_hosts) {
            return refuse("conflicting options: custom host-to-IP mapping and the network mode");
        }
    }
    Ok(())
}

/// Refuses devices that are not there.
pub(super) fn devices(host: &HostConfig) -> Result<(), EngineError> {
    for device in host.resources.devices.as_deref().unwrap_or_default() {
        if std::fs::metadata(&device.path_on_host).is_err() {
            let path = &device.path_on_host;
            return Err(EngineError::Start(crate::Failure::new(
                127,
                format!(
                    "error gathering device information while adding custom device \"{path}\": \
                     no such file or directory"
                ),
            )));
        }
    }
    Ok(())
}

impl Engine {
    /// The host name of a container that was given none.
    pub(super) fn host_name(&self, id: &str, host: &HostConfig) -> Result<String, EngineError> {
        let own = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        Ok(match NetworkMode::parse(&host.network_mode) {
            NetworkMode::Host => own(),
            NetworkMode::Container(other) => {
                self.records.load(&self.records.find(&other)?)?.config.hostname
            }
            _ if host.uts_mode == "host" => own(),
            _ => id[..12].to_owned(),
        })
    }
}
