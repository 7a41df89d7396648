//! `network create`: make a network.

use std::io::Write as _;

use clap::ArgAction;
use coracle_netns::prefix::Prefix;
use coracle_runtime::networks::{CreateNetwork, IpamConfig, OVERLAY, SwarmNetwork};
use coracle_swarm::command::NOT_A_MANAGER;
use coracle_view::node::{self, Standing};
use coracle_words::pairs;

use super::rows::{error, local_only};
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::run_flags::run_values;

/// Create a network
#[derive(Debug, clap::Args)]
pub(crate) struct NetworkCreateArgs {
    /// Containers that no service started may join an overlay network
    #[arg(long)]
    pub(crate) attachable: bool,
    /// Address that is never given out, NAME=IP
    #[arg(long, value_name = "map")]
    pub(crate) aux_address: Vec<String>,
    /// Network whose settings are taken over
    #[arg(long, value_name = "string")]
    pub(crate) config_from: Option<String>,
    /// Only keep the settings, for --config-from
    #[arg(long)]
    pub(crate) config_only: bool,
    /// Driver: bridge, or overlay, in a swarm one of its networks
    #[arg(long, short = 'd', value_name = "string")]
    pub(crate) driver: Option<String>,
    /// Gateway of the subnet
    #[arg(long, value_name = "ipSlice", value_delimiter = ',', value_parser = run_values::ip_of_slice)]
    pub(crate) gateway: Vec<String>,
    /// The network of ports that services publish
    #[arg(long)]
    pub(crate) ingress: bool,
    /// No way out of this network
    #[arg(long)]
    pub(crate) internal: bool,
    /// Give out addresses of this part of the subnet only
    #[arg(long, value_name = "ipNetSlice", value_delimiter = ',', value_parser = run_values::block)]
    pub(crate) ip_range: Vec<String>,
    /// Driver of addresses
    #[arg(long, value_name = "string")]
    pub(crate) ipam_driver: Option<String>,
    /// Option of that driver, key=value
    #[arg(long, value_name = "map")]
    pub(crate) ipam_opt: Vec<String>,
    /// Give IPv4 addresses
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    pub(crate) ipv4: bool,
    /// Give IPv6 addresses
    #[arg(long)]
    pub(crate) ipv6: bool,
    /// KEY=VALUE label of the network
    #[arg(long, value_name = "list")]
    pub(crate) label: Vec<String>,
    /// Driver option key=value
    #[arg(long, short = 'o', value_name = "map")]
    pub(crate) opt: Vec<String>,
    /// Scope: local, or swarm
    #[arg(long, value_name = "string")]
    pub(crate) scope: Option<String>,
    /// Subnet as address/prefix
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    pub(crate) subnet: Vec<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NetworkCreateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        self.refuse()?;
        let in_swarm = app.engine()?.networks.have_swarm().map_err(error)?;
        let driver = self.driver.as_deref().unwrap_or_default();
        let scoped = self.ingress || self.scope.as_deref() == Some("swarm");
        if scoped && !in_swarm {
            return Err(app.of_engine(NOT_A_MANAGER));
        }
        let is_swarms = scoped || in_swarm && driver == OVERLAY;
        check_node(app, is_swarms)?;
        let request = CreateNetwork {
            name: self.args[0].clone(),
            driver: self.driver.clone().unwrap_or_default(),
            ipv4: self.ipv4,
            ipv6: self.ipv6,
            ipam: self.blocks().map_err(CliError::plain)?,
            internal: self.internal,
            attachable: self.attachable,
            options: pairs(&self.opt),
            labels: pairs(&self.label),
            swarm: is_swarms
                .then(|| SwarmNetwork { ingress: self.ingress, ..SwarmNetwork::default() }),
            bare_ipam: false,
        };
        let network = app.engine()?.create_network(request)?;
        if network.driver == OVERLAY && !network.swarm {
            let text = "note: there is no swarm, so this overlay network is a bridge";
            writeln!(app.ui.status(), "{text}")?;
        }
        if network.driver == OVERLAY && network.options.contains_key("encrypted") {
            let text = "note: nothing in it leaves this machine, and nothing is encrypted";
            writeln!(app.ui.status(), "{text}")?;
        }
        writeln!(app.ui.data(), "{}", network.id)?;
        Ok(ExitStatus::Success)
    }
}

/// Only a manager makes networks of the swarm, and only the machine those of one node.
fn check_node(app: &App, is_swarms: bool) -> Result<(), CliError> {
    if !is_swarms {
        return local_only(app, "network create of a network that is not the swarm's");
    }
    let (swarm, reader) = app.swarm_state()?;
    if !reader.is_swarm() {
        // Networks that outlived it.
        return Ok(());
    }
    let node = app.this_node(&reader.state)?;
    match node::standing(&reader.state, node) {
        // Docker has other words for it here than elsewhere.
        Standing::Worker => Err(app.of_engine(NOT_A_MANAGER)),
        Standing::Manager | Standing::NoQuorum => app.check_manager(&swarm, &reader),
    }
}

impl NetworkCreateArgs {
    fn refuse(&self) -> Result<(), CliError> {
        let set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let driver = self.ipam_driver.as_deref().unwrap_or_default();
        if !matches!(driver, "" | "default") {
            return Err(CliError::engine(format!("plugin {driver:?} not found")));
        }
        let scope = self.scope.as_deref().unwrap_or_default();
        let given = [
            ("--config-from", "a network is made with its own settings", set(&self.config_from)),
            ("--config-only", "a network is made with its own settings", self.config_only),
            ("--ipam-opt", "addresses are given out without options", !self.ipam_opt.is_empty()),
            (
                "--scope",
                "a network is local or a swarm's",
                !matches!(scope, "" | "local" | "swarm"),
            ),
        ];
        match given.iter().find(|(_, _, given)| *given) {
            Some((flag, why, _)) => Err(CliError::unsupported(flag, why)),
            None => Ok(()),
        }
    }

    /// Puts ranges, gateways and addresses to their subnets, as Docker's client does.
    fn blocks(&self) -> Result<Vec<IpamConfig>, String> {
        let subnets = &self.subnet;
        if subnets.len() < self.ip_range.len() || subnets.len() < self.gateway.len() {
            return Err("every ip-range or gateway must have a corresponding subnet".to_owned());
        }
        let mut blocks: Vec<IpamConfig> = Vec::new();
        for subnet in subnets {
            prefix_of_go(subnet)?;
            let overlaps = |other: &IpamConfig| match (prefix(subnet), prefix(&other.subnet)) {
                (Some(a), Some(b)) => a.overlaps(&b),
                _ => false,
            };
            if blocks.iter().any(overlaps) {
                return Err("multiple overlapping subnet configuration is not supported".into());
            }
            blocks.push(IpamConfig { subnet: subnet.clone(), ..IpamConfig::default() });
        }
        for range in &self.ip_range {
            let address = range.split('/').next().unwrap_or_default();
            let block = home(&mut blocks, address, "range", range)?;
            if !block.ip_range.is_empty() {
                let (former, subnet) = (&block.ip_range, &block.subnet);
                return Err(format!(
                    "cannot configure multiple ranges ({range}, {former}) on the same subnet \
                     ({subnet})"
                ));
            }
            block.ip_range.clone_from(range);
        }
        for gateway in &self.gateway {
            let block = home(&mut blocks, gateway, "gateway", gateway)?;
            if !block.gateway.is_empty() {
                let (former, subnet) = (&block.gateway, &block.subnet);
                return Err(format!(
                    "cannot configure multiple gateways ({gateway}, {former}) for the same subnet \
                     ({subnet})"
                ));
            }
            block.gateway.clone_from(gateway);
        }
        for (name, address) in pairs(&self.aux_address) {
            let block = home(&mut blocks, &address, "aux-address", &address)?;
            block.auxiliary_addresses.insert(name, address);
        }
        Ok(blocks)
    }
}

/// A subnet as Go's `netip.ParsePrefix` reads it, whose words the client passes on.
fn prefix_of_go(text: &str) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("netip.ParsePrefix({text:?}): {why}"));
    let Some((address, length)) = text.rsplit_once('/') else { return refuse("no '/'") };
    if address.parse::<std::net::IpAddr>().is_err() {
        return refuse(&format!("ParseAddr({address:?}): unable to parse IP"));
    }
    if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse(&format!("bad bits after slash: {length:?}"));
    }
    match prefix(text) {
        Some(_) => Ok(()),
        None => refuse("prefix length out of range"),
    }
}

fn prefix(text: &str) -> Option<Prefix> {
    text.parse().ok()
}

/// The block an address is in.
fn home<'a>(
    blocks: &'a mut [IpamConfig],
    address: &str,
    kind: &str,
    shown: &str,
) -> Result<&'a mut IpamConfig, String> {
    let inside = |block: &&mut IpamConfig| {
        prefix(&block.subnet)
            .zip(address.parse().ok())
            .is_some_and(|(subnet, address)| subnet.contains(address))
    };
    let found = blocks.iter_mut().find(inside);
    found.ok_or_else(|| format!("no matching subnet for {kind} {shown}"))
}

#[cfg(test)]
mod tests {
    use crate::commands::network::create::*;
    use clap::Parser;

    #[derive(Parser)]
    #[command(disable_help_flag = true)]
    struct Line {
        #[command(flatten)]
        args: NetworkCreateArgs,
    }

    fn on(words: &[&str]) -> NetworkCreateArgs {
        Line::try_parse_from([&["create"], words].concat()).unwrap().args
    }

    #[test]
    fn blocks_are_put_together() {
        let blocks = on(&[
            "--subnet=172.30.0.0/24,fd00:1::/64",
            "--gateway=172.30.0.254",
            "--ip-range=172.30.0.128/25",
            "--aux-address=r=172.30.0.129",
            "n2",
        ])
        .blocks()
        .unwrap();
        assert_eq!(blocks[0].gateway, "172.30.0.254");
        assert_eq!(blocks[0].ip_range, "172.30.0.128/25");
        assert_eq!(blocks[0].auxiliary_addresses["r"], "172.30.0.129");
        let six = IpamConfig { subnet: "fd00:1::/64".to_owned(), ..IpamConfig::default() };
        assert_eq!(blocks[1..], [six]);
    }

    #[test]
    fn what_does_not_fit_is_told_in_dockers_words() {
        for (words, message) in [
            (
                &["--subnet=10.1.0.0/24", "--gateway=10.2.0.1", "n3"][..],
                "no matching subnet for gateway 10.2.0.1",
            ),
            (
                &["--gateway=10.2.0.1", "n3"],
                "every ip-range or gateway must have a corresponding subnet",
            ),
            (
                &["--ip-range=10.9.0.0/25", "n5"],
                "every ip-range or gateway must have a corresponding subnet",
            ),
            (
                &["--subnet=10.0.0.0/8", "--subnet=10.1.0.0/16", "n"],
                "multiple overlapping subnet configuration is not supported",
            ),
            (&["--subnet=bad", "n3"], "netip.ParsePrefix(\"bad\"): no '/'"),
            (
                &["--subnet=10.1.0.0/33", "n3"],
                "netip.ParsePrefix(\"10.1.0.0/33\"): prefix length out of range",
            ),
            (
                &["--subnet=10.1.0.0/24", "--aux-address=a=10.2.0.1", "n"],
                "no matching subnet for aux-address 10.2.0.1",
            ),
        ] {
            assert_eq!(on(words).blocks().unwrap_err(), message);
        }
    }

    #[test]
    fn flags_that_cannot_be_honoured_are_refused_by_name() {
        for (words, flag) in [
            (&["--config-only", "n"][..], "--config-only"),
            (&["--scope=global", "n"], "--scope"),
            (&["--ipam-opt=a=b", "n"], "--ipam-opt"),
        ] {
            let error = on(words).refuse().unwrap_err();
            assert!(error.message.starts_with(&format!("{flag}: not supported")), "{error}");
        }
        assert!(on(&["--scope=local", "--attachable", "n"]).refuse().is_ok());
    }
}
