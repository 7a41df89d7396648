//! `network connect`: join a container to a network.

use std::collections::BTreeMap;

use coracle_runtime::model::{EndpointIpam, EndpointSettings};

use super::rows::{container_of, joinable};
use crate::app::App;
use crate::args::Runnable;
use crate::args::values;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::run_flags::{attachment, run_values};

/// Connect a container to a network
#[derive(Debug, clap::Args)]
pub(crate) struct NetworkConnectArgs {
    /// Further name of the container in this network
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    pub(crate) alias: Vec<String>,
    /// Option key=value of the endpoint: com.docker.network.endpoint.ifname
    #[arg(long, value_name = "strings", value_delimiter = ',', value_parser = attachment::driver_option)]
    pub(crate) driver_opt: Vec<(String, String)>,
    /// The network with the highest number is the way out
    #[arg(long, value_name = "int", value_parser = values::int)]
    pub(crate) gw_priority: Option<i64>,
    /// Fixed IPv4 address
    #[arg(long, value_name = "ip", value_parser = run_values::own_ip)]
    pub(crate) ip: Option<String>,
    /// Fixed IPv6 address
    #[arg(long, value_name = "ip", value_parser = run_values::own_ip)]
    pub(crate) ip6: Option<String>,
    /// Legacy link NAME[:ALIAS]
    #[arg(long, value_name = "list")]
    pub(crate) link: Vec<String>,
    /// Link-local address for the endpoint
    #[arg(long, value_name = "list")]
    pub(crate) link_local_ip: Vec<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NetworkConnectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if !self.link_local_ip.is_empty() {
            let why = "an endpoint has one address of each family";
            return Err(CliError::unsupported("--link-local-ip", why));
        }
        let priority = self.gw_priority.unwrap_or(0);
        let gw_priority = i32::try_from(priority)
            .map_err(|_| CliError::plain(format!("invalid gw-priority: {priority}")))?;
        let wish = EndpointSettings {
            ipam_config: Some(EndpointIpam {
                ipv4_address: self.ip.unwrap_or_default(),
                ipv6_address: self.ip6.unwrap_or_default(),
                link_local_ips: Vec::new(),
            }),
            links: (!self.link.is_empty()).then_some(self.link),
            aliases: Some(self.alias),
            driver_opts: Some(self.driver_opt.into_iter().collect::<BTreeMap<_, _>>()),
            gw_priority,
            ..EndpointSettings::default()
        };
        joinable(app, &self.args[0])?;
        let container = container_of(app, &self.args[1])?;
        app.engine()?.connect_network(&self.args[0], &container, wish)?;
        Ok(ExitStatus::Success)
    }
}
