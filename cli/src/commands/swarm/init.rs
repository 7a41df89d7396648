//! `swarm init`: start a swarm on this machine, with rehearsal nodes if wanted.

use std::io::Write as _;

use coracle_swarm::command::{A_WORKER, IN_A_SWARM};
use coracle_swarm::journal::Reader;
use coracle_swarm::model::{Availability, ClusterSpec, Node, Role};
use coracle_swarm::protocol::{Init, Request};
use coracle_view::node;

use super::address::{self, OWN};
use super::settings::SettingFlags;
use super::words;
use crate::app::App;
use crate::args::Runnable;
use crate::args::values;
use crate::commands::machine::description;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Rehearsal nodes have addresses 127.77.0.N.
const NODES_MAX: usize = 200;

/// Start a swarm on this machine, or on the machine that is chosen
#[derive(Debug, clap::Args)]
pub(crate) struct SwarmInitArgs {
    /// Address or interface that is told to others; only this machine's nodes can use it
    #[arg(long, value_name = "string")]
    pub(crate) advertise_addr: Option<String>,
    /// Keep the key of secrets off the disk: after a restart it must be typed
    #[arg(long)]
    pub(crate) autolock: bool,
    /// Whether tasks come to this node: active, pause or drain (default active)
    #[arg(long, value_name = "string")]
    pub(crate) availability: Option<String>,
    /// Address or interface of data traffic, which stays on this machine
    #[arg(long, value_name = "string")]
    pub(crate) data_path_addr: Option<String>,
    /// Port of data traffic, noted and shown (1024-49151, default 4789)
    #[arg(long, value_name = "uint32")]
    pub(crate) data_path_port: Option<u32>,
    /// Pool that overlay networks are cut from, in CIDR notation (can be repeated)
    #[arg(long, value_name = "ipNetSlice")]
    pub(crate) default_addr_pool: Vec<String>,
    /// Length of the prefix of networks cut from the pool (default 24)
    #[arg(long, value_name = "uint32")]
    pub(crate) default_addr_pool_mask_length: Option<u32>,
    /// One manager of what is left of a swarm whose managers are gone
    #[arg(long)]
    pub(crate) force_new_cluster: bool,
    /// Address and port of managers; nothing listens there (default 0.0.0.0:2377)
    #[arg(long, value_name = "node-addr")]
    pub(crate) listen_addr: Option<String>,
    /// Managers among the nodes on this machine, itself included
    #[arg(long, value_name = "N", value_parser = values::uint16)]
    pub(crate) managers: Option<u16>,
    /// Nodes on this machine, itself included: all but the first are for rehearsal
    #[arg(long, value_name = "N", value_parser = values::uint16)]
    pub(crate) nodes: Option<u16>,
    /// Workers among the nodes on this machine
    #[arg(long, value_name = "N", value_parser = values::uint16)]
    pub(crate) workers: Option<u16>,
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}

impl Runnable for SwarmInitArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let mut request = self.request()?;
        let (_, reader) = app.swarm_state()?;
        let choice = app.settings.node.as_deref();
        let asked = node::chosen(&reader.state, choice);
        self.check(app, &reader, asked)?;
        if let Some(machine) = asked.filter(|node| node.own.number != 0) {
            let name = node::name_of(machine);
            name.clone_into(&mut request.node.hostname);
            request.machine = Some(name.to_owned());
            if self.advertise_addr.is_none() {
                request.advertise_addr.clone_from(&machine.status.addr);
            }
        }
        app.order(&Request::Init(Box::new(request)))?;
        let (_, reader) = app.swarm_state()?;
        let choice = app.settings.node.as_deref();
        let mut text = match node::chosen(&reader.state, choice).filter(|node| !node.own.left) {
            Some(node) => {
                let mut text = words::initialized(app.program, &reader.state, node);
                if !self.force_new_cluster {
                    text.push_str(&words::others(&reader.state, node));
                }
                text
            }
            None => return Err(CliError::plain("the agent of the swarm made no node")),
        };
        if self.autolock {
            let key = app.text_of(&Request::UnlockKey { rotate: false })?;
            text.push_str(&words::unlock(app.program, &key));
        }
        app.ui.data().write_all(text.as_bytes())?;
        Ok(ExitStatus::Success)
    }
}

impl SwarmInitArgs {
    /// Whether a swarm can begin on the machine that is asked: there is one swarm at a time.
    fn check(&self, app: &App, reader: &Reader, asked: Option<&Node>) -> Result<(), CliError> {
        if !reader.is_swarm() {
            return Ok(());
        }
        let state = &reader.state;
        let Some(node) = asked.filter(|node| !node.own.left) else {
            let program = app.program;
            let manager = state.nodes.values().find(|it| it.manager_status.is_some());
            let manager = manager.map_or("another machine", node::name_of);
            let why = format!("there is a swarm on this machine, with the manager {manager}");
            return Err(CliError::unsupported("a second swarm", &why).hint(format!(
                "`{program} --node {manager} swarm join-token worker` tells how to join it"
            )));
        };
        if !self.force_new_cluster {
            return Err(app.of_engine(IN_A_SWARM));
        }
        match node.spec.role {
            Role::Manager => Ok(()),
            Role::Worker => Err(app.of_engine(A_WORKER)),
        }
    }

    fn request(&self) -> Result<Init, CliError> {
        let availability =
            self.availability.as_deref().map_or(Ok(Availability::Active), availability)?;
        let mut spec = ClusterSpec::default();
        self.settings.apply(&mut spec)?;
        spec.encryption_config.auto_lock_managers = self.autolock;
        let advertised = match self.advertise_addr.as_deref() {
            None => OWN,
            Some(text) => {
                let given = address::advertised(text, "advertise address", address::of_interface)?;
                if given.port != address::PORT {
                    let why = "managers have port 2377, on which nothing listens";
                    return Err(CliError::unsupported("--advertise-addr with another port", why));
                }
                given.address
            }
        };
        if let Some(text) = self.data_path_addr.as_deref() {
            address::advertised(text, "data path address", address::of_interface)?;
        }
        if let Some(text) = self.listen_addr.as_deref() {
            address::check_listen(text, address::of_interface)?;
        }
        let port = self.data_path_port.unwrap_or(0);
        if port != 0 && !(1024..=49151).contains(&port) {
            let words = format!("Datapath port number is not in valid range (1024-49151) : {port}");
            return Err(CliError::engine(words));
        }
        let size = self.default_addr_pool_mask_length.unwrap_or(24);
        pools(&self.default_addr_pool, size)?;
        let (managers, workers) = self.nodes()?;
        Ok(Init {
            spec,
            advertise_addr: advertised.to_string(),
            default_addr_pool: (!self.default_addr_pool.is_empty())
                .then(|| self.default_addr_pool.clone()),
            subnet_size: size,
            data_path_port: if port == 0 { 4789 } else { port },
            availability,
            force_new_cluster: self.force_new_cluster,
            node: description(),
            machine: None,
            managers,
            workers,
        })
    }

    /// Names of rehearsal nodes: managers and workers.
    fn nodes(&self) -> Result<(Vec<String>, Vec<String>), CliError> {
        let given = |count: Option<u16>| count.map(usize::from);
        let (managers, workers) =
            match (given(self.nodes), given(self.managers), given(self.workers)) {
                (None, managers, workers) => (managers.unwrap_or(1), workers.unwrap_or(0)),
                (Some(nodes), managers, workers) => {
                    let managers = managers.unwrap_or_else(|| {
                        nodes.saturating_sub(workers.unwrap_or(nodes - 1.min(nodes)))
                    });
                    let workers = workers.unwrap_or_else(|| nodes.saturating_sub(managers));
                    if managers + workers != nodes {
                        return Err(CliError::plain(format!(
                            "--nodes {nodes} are not --managers {managers} and --workers {workers}"
                        )));
                    }
                    (managers, workers)
                }
            };
        if managers == 0 {
            return Err(CliError::plain("a swarm needs a manager, which is this machine"));
        }
        if managers + workers > NODES_MAX {
            return Err(CliError::plain(format!("a machine has at most {NODES_MAX} nodes")));
        }
        let name = |number: usize| format!("node{number}");
        Ok((
            (2..=managers).map(name).collect(),
            (managers + 1..=managers + workers).map(name).collect(),
        ))
    }
}

/// As `init` and `join` take it.
pub(crate) fn availability(text: &str) -> Result<Availability, CliError> {
    match text.to_lowercase().as_str() {
        "active" => Ok(Availability::Active),
        "pause" => Ok(Availability::Pause),
        "drain" => Ok(Availability::Drain),
        _ => Err(CliError::plain(format!(
            "invalid availability {text:?}, only active, pause and drain are supported"
        ))),
    }
}

/// Each pool must have room for networks of that size, and none may lie in another.
fn pools(given: &[String], size: u32) -> Result<(), CliError> {
    use coracle_runtime::networks::Prefix;
    let mut known: Vec<Prefix> = Vec::new();
    for text in given {
        let pool: Prefix = text.parse().map_err(|_| {
            CliError::engine(format!("invalid CIDR: {text:?}. invalid CIDR address: {text}"))
        })?;
        if u32::from(pool.length) > size {
            return Err(CliError::engine(format!(
                "invalid CIDR: {text:?}. Subnet size is too small for pool: {size}"
            )));
        }
        if known.iter().any(|other| other.overlaps(&pool)) {
            return Err(CliError::engine(format!(
                "invalid CIDR: {text:?}. Pool overlaps with another"
            )));
        }
        known.push(pool);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;

    fn args(words: &[&str]) -> SwarmInitArgs {
        let command = SwarmInitArgs::augment_args(Command::new("init").no_binary_name(true));
        SwarmInitArgs::from_arg_matches(&command.get_matches_from(words)).unwrap()
    }

    #[test]
    fn rehearsal_nodes_are_counted_with_the_machine() {
        let of = |words: &[&str]| {
            args(words)
                .nodes()
                .map(|(m, w)| (m.join(" "), w.join(" ")))
                .map_err(|error| error.message)
        };
        let ok = |managers: &str, workers: &str| Ok((managers.to_owned(), workers.to_owned()));
        assert_eq!(of(&[]), ok("", ""));
        assert_eq!(of(&["--nodes", "3"]), ok("", "node2 node3"));
        assert_eq!(of(&["--nodes", "1"]), ok("", ""));
        assert_eq!(of(&["--managers", "3", "--workers", "2"]), ok("node2 node3", "node4 node5"));
        assert_eq!(of(&["--nodes", "5", "--managers", "3"]), ok("node2 node3", "node4 node5"));
        assert_eq!(of(&["--nodes", "5", "--workers", "2"]), ok("node2 node3", "node4 node5"));
        assert!(of(&["--nodes", "5", "--managers", "3", "--workers", "3"]).is_err());
        assert!(of(&["--nodes", "0"]).is_err());
        assert!(of(&["--managers", "0"]).is_err());
        assert!(of(&["--nodes", "1000"]).is_err());
    }

    #[test]
    fn what_cannot_be_is_said_as_recorded() {
        assert_eq!(
            availability("bogus").unwrap_err().message,
            "invalid availability \"bogus\", only active, pause and drain are supported"
        );
        assert_eq!(availability("Drain").unwrap(), Availability::Drain);
        assert_eq!(
            pools(&["10.20.0.0/16".to_owned()], 8).unwrap_err().message,
            "Error response from daemon: invalid CIDR: \"10.20.0.0/16\". Subnet size is too small for pool: 8"
        );
        assert!(pools(&["10.20.0.0/16".to_owned(), "10.30.0.0/16".to_owned()], 24).is_ok());
        assert!(pools(&["10.20.0.0/16".to_owned(), "10.20.3.0/24".to_owned()], 24).is_err());
    }

    #[test]
    fn certificates_are_refused_in_words() {
        let mut spec = ClusterSpec::default();
        let flags = args(&["--cert-expiry", "48h"]).settings;
        assert!(
            flags.apply(&mut spec).unwrap_err().message.starts_with("--cert-expiry: not supported")
        );
        let flags = args(&["--task-history-limit", "2", "--dispatcher-heartbeat", "10s"]).settings;
        flags.apply(&mut spec).unwrap();
        assert_eq!(spec.orchestration.task_history_retention_limit, 2);
        assert_eq!(spec.dispatcher.heartbeat_period, 10_000_000_000);
    }
}
