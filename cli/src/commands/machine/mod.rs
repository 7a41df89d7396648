//! Commands on machines: the nodes that rehearse here, in a swarm or in none. As `docker-machine` has them, which this
//! program is when called by that name; what needs a virtual machine is refused in words.

mod create;
mod description;
mod env;
mod inspect;
mod list;
mod power;
mod refused;
mod rm;
mod ssh;
pub(crate) mod table;

pub(crate) use description::description;

use coracle_swarm::model::Node;
use coracle_swarm::state::State;
use coracle_view::node;

use crate::error::CliError;

/// The machine of that name.
fn find<'a>(program: &str, state: &'a State, name: &str) -> Result<&'a Node, CliError> {
    let machine = node::machines(state).into_iter().find(|machine| node::name_of(machine) == name);
    machine.ok_or_else(|| {
        CliError::plain(format!(
            "Docker machine {name:?} does not exist. Use \"{program} machine ls\" to list machines. Use \"{program} \
             machine create\" to add a new one."
        ))
    })
}

/// The same, when it is switched on.
fn find_running<'a>(program: &str, state: &'a State, name: &str) -> Result<&'a Node, CliError> {
    let machine = find(program, state, name)?;
    match machine.own.off_since {
        None => Ok(machine),
        Some(_) => {
            let hint = format!("`{program} machine start {name}` switches it on");
            Err(CliError::plain("Host is not running").hint(hint))
        }
    }
}

/// What a machine is doing.
fn state_of(machine: &Node) -> &'static str {
    if machine.own.off_since.is_some() { "Stopped" } else { "Running" }
}
