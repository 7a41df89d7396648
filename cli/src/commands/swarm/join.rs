//! `swarm join`: join a swarm as a node. The node that joins is the one that was chosen (`--node`), on this machine.

use std::io::Write as _;
use std::net::Ipv4Addr;

use coracle_swarm::command::IN_A_SWARM;
use coracle_swarm::model::{Node, NodeSpec, Role};
use coracle_swarm::protocol::Request;
use coracle_swarm::state::State;
use coracle_view::node;

use super::address;
use super::init::availability;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Join a swarm as a node, on a machine that `machine create` made
#[derive(Debug, clap::Args)]
pub(crate) struct SwarmJoinArgs {
    /// Address or interface that is told to others
    #[arg(long, value_name = "string")]
    pub(crate) advertise_addr: Option<String>,
    /// Whether tasks come to this node: active, pause or drain (default active)
    #[arg(long, value_name = "string")]
    pub(crate) availability: Option<String>,
    /// Address or interface of data traffic
    #[arg(long, value_name = "string")]
    pub(crate) data_path_addr: Option<String>,
    /// Address and port of managers (default 0.0.0.0:2377)
    #[arg(long, value_name = "node-addr")]
    pub(crate) listen_addr: Option<String>,
    /// The token that lets it in
    #[arg(long, value_name = "string")]
    pub(crate) token: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for SwarmJoinArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if let Some(text) = &self.availability {
            availability(text)?;
        }
        let (_, reader) = app.swarm_state()?;
        let state = &reader.state;
        let chosen = app.settings.node.clone();
        if reader.is_swarm()
            && node::chosen(state, chosen.as_deref()).is_some_and(|node| !node.own.left)
        {
            let program = app.program;
            let hint = format!(
                "`{program} node add NAME` adds a node on this machine; `{program} machine create NAME` makes one that joins"
            );
            return Err(app.of_engine(IN_A_SWARM).hint(hint));
        }
        for (text, what) in [
            (&self.advertise_addr, "advertise address"),
            (&self.data_path_addr, "data path address"),
        ] {
            if let Some(text) = text {
                address::advertised(text, what, address::of_interface)?;
            }
        }
        if let Some(text) = &self.listen_addr {
            address::check_listen(text, address::of_interface)?;
        }
        let token = self.token.as_deref().unwrap_or_default();
        if !token.is_empty() && !is_token(token) {
            return Err(CliError::engine("invalid join token"));
        }
        let remote = self.args.first().map_or("", String::as_str);
        let host = remote.strip_suffix(&format!(":{}", address::PORT)).unwrap_or(remote);
        let is_met = managers(state).any(|node| answers(node, host));
        match chosen {
            Some(name) if is_met => self.join(app, state, name, token),
            Some(_) if is_of_machine(state, host) => {
                let port = if remote.contains(':') { "" } else { ":2377" };
                Err(CliError::engine(format!(
                    "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: \
                     dial tcp {remote}{port}: connect: connection refused\""
                )))
            }
            _ => Err(refusal(app.program, state, remote, is_met)),
        }
    }
}

/// The managers that can be asked.
fn managers(state: &State) -> impl Iterator<Item = &Node> {
    state.nodes.values().filter(|it| it.spec.role == Role::Manager && !node::is_gone(it))
}

/// Whether a manager is told of, or is, at that address.
fn answers(node: &Node, host: &str) -> bool {
    let told = node.manager_status.as_ref().map_or("", |status| status.addr.as_str());
    node.status.addr == host || told.strip_suffix(&format!(":{}", address::PORT)) == Some(host)
}

/// Whether what is at an address can only be of this machine.
fn is_of_machine(state: &State, text: &str) -> bool {
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || managers(state).any(|node| answers(node, host))
}

/// Why this machine itself does not join, or a machine on it no other swarm, and what can be done.
fn refusal(program: &str, state: &State, remote: &str, is_met: bool) -> CliError {
    let what = format!("swarm join {remote}");
    let manager = managers(state).min_by_key(|node| node.own.number).map(node::name_of);
    match manager {
        Some(manager) if is_met => {
            let why = "this machine itself is in a swarm that it began, or in none";
            CliError::unsupported(&what, why).hint(format!(
                "`{program} machine create NAME` and `{program} --node NAME swarm join …` make another node, and so does \
                 `{program} --node {manager} node add NAME`"
            ))
        }
        Some(manager) => {
            let why = "a swarm is of one machine here, and has no others in it";
            CliError::unsupported(&what, why).hint(format!(
                "the swarm of this machine is joined at its manager {manager}: `{program} --node {manager} swarm \
                 join-token worker`"
            ))
        }
        None => {
            let why = "a swarm is of one machine here, and has no others in it";
            CliError::unsupported(&what, why).hint(format!(
                "`{program} swarm init` begins one, `{program} swarm init --nodes 3` one with several nodes for \
                 rehearsal, `{program} machine create NAME` makes a machine that can join one"
            ))
        }
    }
}

impl SwarmJoinArgs {
    /// A machine outside of the swarm, which is the node that was chosen, joins the one there is.
    fn join(&self, app: &mut App, state: &State, name: String, token: &str) -> CommandResult {
        let tokens = &state.cluster.join_tokens;
        let role = match token {
            token if token == tokens.worker => Role::Worker,
            token if token == tokens.manager => Role::Manager,
            token => return Err(CliError::engine(wrong_token(token, &tokens.worker))),
        };
        let availability = self.availability.as_deref().map(availability).transpose()?;
        let spec = NodeSpec {
            role,
            availability: availability.unwrap_or_default(),
            ..NodeSpec::default()
        };
        app.order(&Request::AddNode { name, spec })?;
        writeln!(app.ui.data(), "This node joined a swarm as a {role}.")?;
        Ok(ExitStatus::Success)
    }
}

/// What the manager says of a token that lets nobody in: that of another swarm names another certificate.
fn wrong_token(given: &str, known: &str) -> String {
    match (digest(given), digest(known)) {
        (Some(given), Some(known)) if given != known => {
            format!("remote CA does not match fingerprint. Expected: {}", fingerprint(given))
        }
        _ => "rpc error: code = InvalidArgument desc = A valid join token is necessary to join this cluster".to_owned(),
    }
}

fn digest(token: &str) -> Option<&str> {
    token.split('-').nth(2)
}

/// A digest as tokens write it, a number of base 36, in hexadecimal digits.
fn fingerprint(digest: &str) -> String {
    let mut bytes = [0_u8; 32];
    for digit in digest.chars().filter_map(|c| c.to_digit(36)) {
        let mut carry = digit;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 36;
            // The rest is carried on.
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `SWMTKN-VERSION-DIGEST-SECRET`.
fn is_token(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts.as_slice(), ["SWMTKN", "1" | "2", digest, secret]
        if digest.len() == 50 && secret.len() == 25)
}

#[cfg(test)]
mod tests {
    use super::{is_token, wrong_token};

    #[test]
    fn a_token_of_another_swarm_is_told_apart() {
        let ours =
            "SWMTKN-1-2zlm799p2zjwyqvfbau9pjpwgaku1q1328ntec39mqut9r767w-893bp2ublv9q6q1hrdbqgcyvb";
        assert_eq!(
            wrong_token(&ours.replace("-2zlm", "-0zlm"), ours),
            "remote CA does not match fingerprint. Expected: \
             27ad43922221a4ecfe71f9efda40d17cbb614c5c290ef4fd1599d921a9db2a3c"
        );
        for other in [&ours.replace("gcyvb", "gcabc"), ""] {
            assert_eq!(
                wrong_token(other, ours),
                "rpc error: code = InvalidArgument desc = A valid join token is necessary to join this cluster"
            );
        }
    }

    #[test]
    fn tokens_have_a_form() {
        assert!(is_token(
            "SWMTKN-1-2vuyw895rbtstulywweg39bvfrf0kh4c94t9oq0l95qnp6fhqn-aqirh29n3rf7izvs99733ighm"
        ));
        assert!(!is_token("bogus"));
        assert!(!is_token("SWMTKN-1-bad"));
    }
}
