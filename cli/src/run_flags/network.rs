//! Networks of a container: `--network` with all that belongs to it.

use coracle_runtime::model::{EndpointIpam, EndpointSettings};
use coracle_runtime::networks::BRIDGE;

use super::{Attachment, CreateFlags};
use crate::error::CliError;

/// The mode of the container, and the networks it joins; the first belongs to the mode.
pub(super) struct Networks {
    pub(super) mode: String,
    /// `--link`, where it is not an endpoint's.
    pub(super) links: Option<Vec<String>>,
    pub(super) endpoints: Vec<(String, EndpointSettings)>,
}

pub(super) fn build(flags: &CreateFlags) -> Result<Networks, CliError> {
    let mut given: Vec<Attachment> = flags.net.iter().chain(&flags.network).cloned().collect();
    if given.is_empty() {
        given.push(Attachment { name: BRIDGE.to_owned(), ..Attachment::default() });
    }
    for attachment in &mut given {
        if attachment.name == "default" {
            BRIDGE.clone_into(&mut attachment.name);
        }
    }
    if let Some(first) = given.first_mut() {
        apply_flags(first, flags)?;
    }
    check(&given)?;
    let mode = given[0].name.clone();
    let links = (!is_users(&mode) && !flags.link.is_empty()).then(|| flags.link.clone());
    let endpoints: Vec<_> = given.into_iter().map(endpoint).collect();
    Ok(Networks { mode, links, endpoints })
}

/// `--network-alias`, `--ip` and the like are about the first network.
fn apply_flags(first: &mut Attachment, flags: &CreateFlags) -> Result<(), CliError> {
    let conflict = |flag: &str, what: &str| {
        Err(CliError::plain(format!(
            "conflicting options: cannot specify both {flag} and per-network {what}"
        )))
    };
    let aliases: Vec<String> =
        flags.network_alias.iter().chain(&flags.net_alias).cloned().collect();
    if !aliases.is_empty() && !first.aliases.is_empty() {
        return conflict("--network-alias", "alias");
    }
    first.aliases.extend(aliases);
    if is_users(&first.name) {
        first.links.clone_from(&flags.link);
    }
    for (slot, value, flag, what) in [
        (&mut first.ip, &flags.ip, "--ip", "IPv4 address"),
        (&mut first.ip6, &flags.ip6, "--ip6", "IPv6 address"),
        (&mut first.mac, &flags.mac_address, "--mac-address", "MAC address"),
    ] {
        let Some(value) = value.as_ref().filter(|value| !value.is_empty()) else { continue };
        if !slot.is_empty() {
            return conflict(flag, what);
        }
        slot.clone_from(value);
    }
    if !first.mac.is_empty() {
        first.mac = super::mac(first.mac.trim()).map_err(CliError::plain)?;
    }
    Ok(())
}

/// Whether a name is that of a network of the user's.
fn is_users(name: &str) -> bool {
    !matches!(name, BRIDGE | "default" | "host" | "none") && !name.starts_with("container:")
}

fn check(given: &[Attachment]) -> Result<(), CliError> {
    let refuse = |text: &str| Err(CliError::plain(text));
    for (at, one) in given.iter().enumerate() {
        if one.name.trim().is_empty() {
            return refuse("no name set for network");
        }
        if !is_users(&one.name) && !one.aliases.is_empty() {
            return refuse("network-scoped aliases are only supported for user-defined networks");
        }
        if given[..at].iter().any(|other| other.name == one.name) {
            let text = format!("network {:?} is specified multiple times", one.name);
            return Err(CliError::plain(text));
        }
    }
    let users = given.iter().filter(|one| is_users(&one.name)).count();
    if users != 0 && users != given.len() {
        return refuse(
            "conflicting options: cannot attach both user-defined and non-user-defined \
             network-modes",
        );
    }
    if given.iter().any(|one| one.name == "container:") {
        let text = "invalid network mode: invalid container format container:<name|id>";
        return Err(CliError::engine(text));
    }
    // Only one of these can be meant, and they cannot be combined.
    if users == 0 && given.len() > 1 {
        let text = "none, host, bridge and container:NAME exclude each other";
        return Err(CliError::unsupported("--network", text));
    }
    Ok(())
}

fn endpoint(one: Attachment) -> (String, EndpointSettings) {
    let asks = !one.ip.is_empty() || !one.ip6.is_empty();
    let settings = EndpointSettings {
        ipam_config: asks.then(|| EndpointIpam {
            ipv4_address: one.ip,
            ipv6_address: one.ip6,
            link_local_ips: Vec::new(),
        }),
        links: (!one.links.is_empty()).then_some(one.links),
        aliases: (!one.aliases.is_empty()).then_some(one.aliases),
        mac_address: one.mac,
        driver_opts: (!one.driver_opts.is_empty()).then_some(one.driver_opts),
        gw_priority: one.gw_priority,
        ..EndpointSettings::default()
    };
    (one.name, settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    #[command(disable_help_flag = true)]
    struct Line {
        #[command(flatten)]
        flags: CreateFlags,
    }

    fn attachments(words: &[&str]) -> Result<Vec<Attachment>, CliError> {
        let flags = Line::try_parse_from([&["run"], words].concat()).unwrap().flags;
        let mut given: Vec<Attachment> = flags.net.iter().chain(&flags.network).cloned().collect();
        apply_flags(&mut given[0], &flags)?;
        Ok(given)
    }

    #[test]
    fn flags_belong_to_the_first_network() {
        let words = &[
            "--net=n1",
            "--net=n9",
            "--network-alias=x",
            "--ip=172.18.0.9",
            "--mac-address=92-d0-c6-0a-29-33",
        ];
        let given = attachments(words).unwrap();
        let (name, first) = endpoint(given[0].clone());
        assert_eq!((name.as_str(), first.mac_address.as_str()), ("n1", "92:d0:c6:0a:29:33"));
        assert_eq!(first.aliases, Some(vec!["x".to_owned()]));
        assert_eq!(first.ipam_config.unwrap().ipv4_address, "172.18.0.9");
        assert_eq!(endpoint(given[1].clone()).1, EndpointSettings::default());
    }

    #[test]
    fn what_is_said_twice_conflicts() {
        let complaint = |words: &[&str]| attachments(words).unwrap_err().message;
        assert_eq!(
            complaint(&["--network=name=n,alias=a", "--network-alias=b"]),
            "conflicting options: cannot specify both --network-alias and per-network alias"
        );
        assert_eq!(
            complaint(&["--network=name=n,ip=1.2.3.4", "--ip=1.2.3.5"]),
            "conflicting options: cannot specify both --ip and per-network IPv4 address"
        );
        assert_eq!(complaint(&["--net=n", "--mac-address=x"]), "x is not a valid mac address");
    }

    #[test]
    fn modes_that_do_not_go_together() {
        let complaint = |words: &[&str]| check(&attachments(words).unwrap()).unwrap_err().message;
        for words in [&["--net=none", "--net=n1"], &["--net=host", "--net=n1"]] {
            assert_eq!(
                complaint(words),
                "conflicting options: cannot attach both user-defined and non-user-defined \
                 network-modes"
            );
        }
        for words in [&["--net=container:u1", "--net-alias=x"], &["--net=bridge", "--net-alias=z"]]
        {
            assert_eq!(
                complaint(words),
                "network-scoped aliases are only supported for user-defined networks"
            );
        }
        assert_eq!(
            complaint(&["--net=n1", "--net=n1"]),
            "network \"n1\" is specified multiple times"
        );
        assert!(complaint(&["--net=container:"]).ends_with("container:<name|id>"));
        assert!(check(&attachments(&["--net=host"]).unwrap()).is_ok());
    }
}
