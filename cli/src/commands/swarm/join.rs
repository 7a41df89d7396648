//! `swarm join`: join a swarm as a node. The node that joins is the one that was chosen (`--node`), on this machine.

use std::io::Write as _;

use coracle_swarm::model::{NodeSpec, Role};
use coracle_swarm::protocol::Request;
use coracle_swarm::state::State;
use coracle_view::node;

use super::address;
use super::init::availability;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Join a swarm as a node; on this machine nodes are added by `node add`
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
            let hint = format!("`{} node add NAME` adds a node on this machine", app.program);
            return Err(app
                .of_engine(
                    "This node is already part of a swarm. Use \"docker swarm leave\" to leave this swarm and join \
                     another one.",
                )
                .hint(hint));
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
        if let Some(name) = chosen.filter(|_| reader.is_swarm()) {
            return self.join(app, state, name, token);
        }
        let program = app.program;
        let remote = self.args.first().map_or("", String::as_str);
        Err(CliError::unsupported(
            &format!("swarm join {remote}"),
            "a swarm is of one machine here, and has no others in it",
        )
        .hint(format!(
            "`{program} swarm init` begins one, `{program} swarm init --nodes 3` one with several nodes for rehearsal"
        )))
    }
}

impl SwarmJoinArgs {
    /// A machine outside of the swarm, which is the node that was chosen, joins the one there is.
    fn join(&self, app: &mut App, state: &State, name: String, token: &str) -> CommandResult {
        let remote = self.args.first().map_or("", String::as_str);
        let host = remote.strip_suffix(&format!(":{}", address::PORT)).unwrap_or(remote);
        let managers = state.nodes.values().filter(|node| node.spec.role == Role::Manager);
        if !managers.into_iter().any(|node| node.status.addr == host && !node::is_gone(node)) {
            let port = if remote.contains(':') { "" } else { ":2377" };
            return Err(CliError::engine(format!(
                "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial \
                 tcp {remote}{port}: connect: connection refused\""
            )));
        }
        let tokens = &state.cluster.join_tokens;
        let role = match token {
            token if token == tokens.worker => Role::Worker,
            token if token == tokens.manager => Role::Manager,
            _ => {
                return Err(CliError::engine(
                    "rpc error: code = InvalidArgument desc = A valid join token is necessary to join this cluster",
                ));
            }
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

/// `SWMTKN-VERSION-DIGEST-SECRET`.
fn is_token(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts.as_slice(), ["SWMTKN", "1" | "2", digest, secret]
        if digest.len() == 50 && secret.len() == 25)
}

#[cfg(test)]
mod tests {
    use super::is_token;

    #[test]
    fn tokens_have_a_form() {
        assert!(is_token(
            "SWMTKN-1-2vuyw895rbtstulywweg39bvfrf0kh4c94t9oq0l95qnp6fhqn-aqirh29n3rf7izvs99733ighm"
        ));
        assert!(!is_token("bogus"));
        assert!(!is_token("SWMTKN-1-bad"));
    }
}
