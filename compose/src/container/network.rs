//! The networks of a service's container.

use std::collections::BTreeMap;

use coracle_runtime::model::{EndpointIpam, EndpointSettings};

use super::{ContainerError, Facts};
use crate::project::{NetworkUse, Project, Service};

/// The option of an endpoint that names its interface.
pub(super) const IF_NAME: &str = "com.docker.network.endpoint.ifname";

type Networks = Vec<(String, EndpointSettings)>;

/// The network mode, and the networks to join, the first being that of the mode.
pub(super) fn networks(
    project: &Project,
    service: &Service,
    facts: &Facts,
) -> Result<(String, Networks), ContainerError> {
    let mode = service.network_mode.as_deref().unwrap_or_default();
    if let Some(mode) = super::host::shared("network namespace", facts, mode)? {
        let mode = if mode == "default" { "bridge".to_owned() } else { mode };
        return Ok((mode.clone(), vec![(mode, EndpointSettings::default())]));
    }
    let nothing = NetworkUse::default();
    let mut wanted: Vec<(&String, &NetworkUse)> = service
        .networks
        .iter()
        .map(|(key, settings)| (key, settings.as_ref().unwrap_or(&nothing)))
        .collect();
    // The network of the highest priority is the one of the mode.
    wanted.sort_by_key(|(key, settings)| (std::cmp::Reverse(settings.priority), (*key).clone()));
    let mut all = Networks::new();
    for (key, settings) in wanted {
        if !project.networks.contains_key(key) {
            return Err(ContainerError::Undefined {
                service: service.name.clone(),
                kind: "network",
                name: key.clone(),
            });
        }
        all.push((project.network_name(key), endpoint(project, service, facts, settings)));
    }
    let mode = all.first().map_or_else(|| "none".to_owned(), |(name, _)| name.clone());
    if all.is_empty() {
        all.push((mode.clone(), EndpointSettings::default()));
    }
    Ok((mode, all))
}

fn endpoint(
    project: &Project,
    service: &Service,
    facts: &Facts,
    settings: &NetworkUse,
) -> EndpointSettings {
    let mut aliases = vec![project.container_name(service, facts.number), service.name.clone()];
    for alias in &settings.aliases {
        if !aliases.contains(alias) {
            aliases.push(alias.clone());
        }
    }
    let asks = !settings.ipv4_address.is_empty() || !settings.ipv6_address.is_empty();
    let ipam_config = asks.then(|| EndpointIpam {
        ipv4_address: settings.ipv4_address.clone(),
        ipv6_address: settings.ipv6_address.clone(),
        link_local_ips: Vec::new(),
    });
    let links = super::host::links(project, service, facts);
    let mut options: BTreeMap<String, String> = settings.driver_opts.clone();
    if !settings.interface_name.is_empty() {
        options.entry(IF_NAME.to_owned()).or_insert_with(|| settings.interface_name.clone());
    }
    let mac = match settings.mac_address.as_str() {
        "" => service.mac_address.clone(),
        own => own.to_owned(),
    };
    EndpointSettings {
        ipam_config,
        links: (!links.is_empty()).then_some(links),
        aliases: Some(aliases),
        mac_address: mac,
        driver_opts: (!options.is_empty()).then_some(options),
        gw_priority: i32::try_from(settings.gw_priority).unwrap_or(0),
        ..EndpointSettings::default()
    }
}
