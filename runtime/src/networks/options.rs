//! Options of the bridge driver: which are honoured, which are refused.
//!
//! What has no prefix of Docker's is kept and shown, and means nothing, as in Docker.

use std::collections::BTreeMap;

use coracle_words::strconv::parse_bool;

use super::NetworkError;

const ICC: &str = "com.docker.network.bridge.enable_icc";
const MTU: &str = "com.docker.network.driver.mtu";
const MASQUERADE: &str = "com.docker.network.bridge.enable_ip_masquerade";
const BINDING: &str = "com.docker.network.bridge.host_binding_ipv4";
const GATEWAY_MODES: [&str; 2] =
    ["com.docker.network.bridge.gateway_mode_ipv4", "com.docker.network.bridge.gateway_mode_ipv6"];

/// Options that change what cannot be changed here.
const REFUSED: [(&str, &str); 4] = [
    ("com.docker.network.bridge.inhibit_ipv4", "the gateway always has its address"),
    ("com.docker.network.bridge.trusted_host_interfaces", "the bridge is not on the host"),
    ("com.docker.network.container_iface_prefix", "devices in containers are named eth0, eth1, …"),
    ("com.docker.network.bridge.default_bridge", "there is one default bridge already"),
];

/// The smallest MTU of IPv4 that Linux takes, and the largest of a veth device.
const MTU_RANGE: std::ops::RangeInclusive<u32> = 68..=65535;

/// What the options say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) talk: bool,
    /// 0: the usual.
    pub(super) mtu: u32,
}

impl Settings {
    /// Of options that were checked when the network was made.
    pub(super) fn of(options: &BTreeMap<String, String>) -> Self {
        Self {
            talk: options.get(ICC).and_then(|text| parse_bool(text)).unwrap_or(true),
            mtu: options.get(MTU).and_then(|text| text.parse().ok()).unwrap_or(0),
        }
    }
}

/// Where ports without a host address are bound, if the network has a say in it.
pub(crate) fn host_binding(options: &BTreeMap<String, String>) -> Option<std::net::IpAddr> {
    options
        .get(BINDING)?
        .parse()
        .ok()
        .filter(|address: &std::net::IpAddr| !address.is_unspecified())
}

/// Refuses options that are wrong or cannot be honoured.
pub(super) fn check(options: &BTreeMap<String, String>) -> Result<(), NetworkError> {
    for (key, value) in options {
        let invalid =
            || Err(NetworkError::InvalidOption { key: key.clone(), value: value.clone() });
        let refuse = |why| Err(NetworkError::Unsupported { what: format!("option {key}"), why });
        if let Some((_, why)) = REFUSED.iter().find(|(name, _)| name == key) {
            return refuse(why);
        }
        match key.as_str() {
            ICC if parse_bool(value).is_none() => return invalid(),
            MTU if !value.parse().is_ok_and(|mtu| mtu == 0 || MTU_RANGE.contains(&mtu)) => {
                return invalid();
            }
            BINDING if value.parse::<std::net::Ipv4Addr>().is_err() => return invalid(),
            MASQUERADE => match parse_bool(value) {
                None => return invalid(),
                Some(false) => return refuse("the way out is always in the host's name"),
                Some(true) => {}
            },
            mode if GATEWAY_MODES.contains(&mode) && value != "nat" => {
                return refuse("the only mode without privileges is nat");
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(key: &str, value: &str) -> BTreeMap<String, String> {
        [(key.to_owned(), value.to_owned())].into()
    }

    #[test]
    fn what_can_be_honoured_is() {
        assert_eq!(Settings::of(&BTreeMap::new()), Settings { talk: true, mtu: 0 });
        assert!(!Settings::of(&options(ICC, "false")).talk);
        assert_eq!(Settings::of(&options(MTU, "1400")).mtu, 1400);
        for (key, value) in [
            (ICC, "true"),
            (MTU, "1400"),
            (MASQUERADE, "true"),
            (GATEWAY_MODES[0], "nat"),
            (BINDING, "127.0.0.1"),
            ("bogus.option", "1"),
            ("com.docker.network.bridge.name", "brx"),
        ] {
            assert!(check(&options(key, value)).is_ok(), "{key}");
        }
        assert_eq!(host_binding(&options(BINDING, "127.0.0.1")), "127.0.0.1".parse().ok());
        assert_eq!(host_binding(&options(BINDING, "0.0.0.0")), None);
    }

    #[test]
    fn what_cannot_is_refused() {
        for (key, value) in [
            (ICC, "maybe"),
            (MTU, "x"),
            (MTU, "67"),
            (MASQUERADE, "false"),
            (GATEWAY_MODES[1], "routed"),
            (BINDING, "::1"),
            (REFUSED[0].0, "true"),
        ] {
            assert!(check(&options(key, value)).is_err(), "{key}={value}");
        }
        assert_eq!(
            check(&options(MASQUERADE, "false")).unwrap_err().to_string(),
            "option com.docker.network.bridge.enable_ip_masquerade: not supported: the way out is \
             always in the host's name"
        );
    }
}
