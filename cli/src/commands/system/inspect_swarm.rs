//! What `inspect` finds in the swarm when no kind is said, or one of the swarm's.

use coracle_swarm::protocol::Request;
use coracle_view::secret::{self, Kind};
use coracle_view::{node, service, task};
use serde_json::Value;

use crate::app::App;
use crate::error::CliError;

/// In the order in which they are tried.
const KINDS: [&str; 5] = ["service", "task", "node", "secret", "config"];

/// The object of any kind of the swarm; `None` when there is none, or nobody to ask.
pub(super) fn any(app: &App, name: &str) -> Option<Value> {
    let (_, reader) = app.swarm_state().ok()?;
    if !reader.is_swarm() {
        return None;
    }
    KINDS.iter().find_map(|kind| document(app, kind, name).ok())
}

/// The object of that kind.
pub(super) fn document(app: &App, kind: &str, name: &str) -> Result<Value, CliError> {
    let swarm = app.manager()?;
    let state = &swarm.state;
    Ok(match kind {
        "service" => service::document(service::find(state, name)?)?,
        "task" => task::document(&app.home, service::find_task(state, name)?)?,
        "node" => node::document(node::find(state, app.this_node(state)?, name)?)?,
        "secret" => secret::document(secret::find(state, Kind::Secret, name)?, None)?,
        _ => {
            let config = secret::find(state, Kind::Config, name)?;
            let data = app.text_of(&Request::ConfigData { id: config.id.clone() })?;
            secret::document(config, Some(&data))?
        }
    })
}
