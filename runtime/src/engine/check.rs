//! What a container cannot be asked for, in Docker's words; and names it takes from others.

use super::Engine;
use crate::error::EngineError;
use crate::model::{Config, HostConfig};
use crate::spec::{NetworkMode, SecurityOptions, SpecError};

/// `__NEW_UTS_LEN` of the kernel.
const HOST_NAME_BYTES_MAX: usize = 64;

/// Refuses options that contradict each other or mean nothing.
pub(super) fn conflicts(config: &Config, host: &HostConfig) -> Result<(), EngineError> {
    let refuse = |text: &str| Err(EngineError::Refuse(text.to_owned()));
    if !config.stop_signal.is_empty()
        && crate::processes::signals::parse(&config.stop_signal).is_none()
    {
        return refuse(&format!("invalid signal: {}", config.stop_signal));
    }
    if !matches!(host.userns_mode.as_str(), "" | "host") {
        return Err(user_namespace(&host.userns_mode));
    }
    for (what, name) in [("hostname", &config.hostname), ("domainname", &config.domainname)] {
        if name.len() > HOST_NAME_BYTES_MAX {
            return refuse(&format!(
                "{what} {name:?} is too long (maximum {HOST_NAME_BYTES_MAX} bytes)"
            ));
        }
    }
    if let Some(port) = host.port_bindings.keys().find(|port| port.number() == Some(0)) {
        return refuse(&format!("invalid port specification: \"{port}\""));
    }
    let named = !config.hostname.is_empty();
    if named && host.uts_mode == "host" {
        return refuse("conflicting options: hostname and the UTS mode");
    }
    if !config.domainname.is_empty() && host.uts_mode == "host" {
        return refuse(
            "conflicting options: domainname and the UTS mode: unable to set domainname without \
             a private UTS namespace",
        );
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

/// Why a container has no user namespace of its own.
fn user_namespace(mode: &str) -> EngineError {
    if mode != "keep-id" && !mode.starts_with("keep-id:") {
        return EngineError::Refuse(format!("invalid user namespace mode: {mode}"));
    }
    EngineError::Refuse(format!(
        "user namespace mode {mode}: not supported: for it the files of the image would have to be \
         copied for each container, because the kernel lets no user map the ids of a mount; \
         without `--user` the program is root in the container, and what it writes is yours"
    ))
}

/// Refuses what does not go with the network of another container or the host's; `asked` is
/// what the user said, without the image.
pub(super) fn network_conflicts(asked: &Config, host: &HostConfig) -> Result<(), EngineError> {
    let refuse = |text: &str| Err(EngineError::Refuse(format!("conflicting options: {text}")));
    let linked = host.links.as_ref().is_some_and(|links| !links.is_empty());
    match NetworkMode::parse(&host.network_mode) {
        NetworkMode::Container(_) if linked => refuse(
            "container type network can't be used with links. This would result in undefined \
             behavior",
        ),
        NetworkMode::Container(_) if !host.port_bindings.is_empty() || host.publish_all_ports => {
            refuse("port publishing and the container type network mode")
        }
        NetworkMode::Container(_) if !asked.exposed_ports.is_empty() => {
            refuse("port exposing and the container type network mode")
        }
        NetworkMode::Host if linked => refuse(
            "host type networking can't be used with links. This would result in undefined \
             behavior",
        ),
        _ => Ok(()),
    }
}

/// Refuses devices that are not there.
pub(super) fn devices(host: &HostConfig) -> Result<(), EngineError> {
    for device in host.resources.devices.as_deref().unwrap_or_default() {
        if is_cdi_name(&device.path_on_host) {
            return Err(EngineError::Start(crate::Failure {
                hint: Some(
                    "specifications of CDI are not read here: name the device nodes, as in \
                     --device /dev/dri/renderD128"
                        .to_owned(),
                ),
                ..crate::Failure::setup(format!(
                    "CDI device injection failed: unresolvable CDI devices {}",
                    device.path_on_host
                ))
            }));
        }
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

/// A name as `vendor.com/class=device`.
fn is_cdi_name(text: &str) -> bool {
    let Some((kind, device)) = text.split_once('=') else { return false };
    let Some((vendor, class)) = kind.split_once('/') else { return false };
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:".contains(c))
    };
    [vendor, class, device].into_iter().all(is_name)
}

impl Engine {
    /// Refuses namespaces and links of containers that are not there: as in Docker, such a
    /// container is not even made.
    pub(super) fn check_others(
        &self,
        name: Option<&str>,
        host: &HostConfig,
    ) -> Result<(), EngineError> {
        let options = host.security_opt.as_deref().unwrap_or_default();
        if let Err(error @ SpecError::SecurityOption { .. }) = SecurityOptions::parse(options) {
            return Err(EngineError::Refuse(error.to_string()));
        }
        for mode in [&host.ipc_mode, &host.pid_mode] {
            if let Some(other) = mode.strip_prefix("container:") {
                self.records.find(other)?;
            }
        }
        if let NetworkMode::Container(other) = NetworkMode::parse(&host.network_mode)
            && name.is_some_and(|name| name.trim_start_matches('/') == other)
            && self.records.find(&other).is_err()
        {
            return Err(EngineError::Refuse("cannot join own network namespace".to_owned()));
        }
        crate::networks::check_links(&self.records, host).map_err(EngineError::Refuse)
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Empty;

    #[test]
    fn ports_and_links_do_not_go_with_anothers_network() {
        let on = |mode: &str| HostConfig { network_mode: mode.to_owned(), ..HostConfig::default() };
        let complaint = |asked: &Config, host: &HostConfig| {
            network_conflicts(asked, host).err().map(|error| error.to_string())
        };
        let mut exposing = Config::default();
        exposing.exposed_ports.insert("80/tcp".into(), Empty {});
        assert_eq!(
            complaint(&exposing, &on("container:a")).as_deref(),
            Some("conflicting options: port exposing and the container type network mode")
        );
        assert_eq!(complaint(&exposing, &on("host")), None);
        let publishing = HostConfig { publish_all_ports: true, ..on("container:a") };
        assert_eq!(
            complaint(&Config::default(), &publishing).as_deref(),
            Some("conflicting options: port publishing and the container type network mode")
        );
        let links = Some(vec!["a".to_owned()]);
        let linked = HostConfig { links: links.clone(), ..on("host") };
        let text = complaint(&Config::default(), &linked).unwrap();
        assert!(text.contains("host type networking can't be used with links"), "{text}");
        assert_eq!(complaint(&exposing, &HostConfig { links, ..on("bridge") }), None);
    }
}
