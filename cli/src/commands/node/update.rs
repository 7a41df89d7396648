//! `node update`: change labels, role and availability of a node.

use std::io::Write as _;

use coracle_swarm::model::{Availability, NodeSpec, Role};
use coracle_swarm::protocol::Request;
use coracle_view::node;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Change a node
#[derive(Debug, clap::Args)]
pub(crate) struct NodeUpdateArgs {
    /// Whether tasks come to it: active, pause or drain
    #[arg(long, value_name = "string")]
    pub(crate) availability: Option<String>,
    /// Add or change a label, KEY or KEY=VALUE (can be repeated)
    #[arg(long, value_name = "list")]
    pub(crate) label_add: Vec<String>,
    /// Take a label away (can be repeated)
    #[arg(long, value_name = "list")]
    pub(crate) label_rm: Vec<String>,
    /// worker or manager
    #[arg(long, value_name = "string")]
    pub(crate) role: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for NodeUpdateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let name = self.args.first().map_or("", String::as_str);
        app.in_sequence(|app| {
            let swarm = app.manager()?;
            let this = app.this_node(&swarm.state)?;
            let node = node::find(&swarm.state, this, name)?;
            let mut spec = node.spec.clone();
            self.change(&mut spec)?;
            if spec != node.spec {
                let (id, version) = (node.id.clone(), node.meta.version.index);
                app.order(&Request::UpdateNode { id, version, spec })?;
            }
            Ok(())
        })?;
        writeln!(app.ui.data(), "{name}")?;
        Ok(ExitStatus::Success)
    }
}

impl NodeUpdateArgs {
    fn change(&self, spec: &mut NodeSpec) -> Result<(), CliError> {
        if let Some(text) = &self.role {
            spec.role = match text.as_str() {
                "worker" => Role::Worker,
                "manager" => Role::Manager,
                _ => return Err(CliError::engine(format!("invalid Role: {text:?}"))),
            };
        }
        if let Some(text) = &self.availability {
            spec.availability = match text.as_str() {
                "active" => Availability::Active,
                "pause" => Availability::Pause,
                "drain" => Availability::Drain,
                _ => return Err(CliError::engine(format!("invalid Availability: {text:?}"))),
            };
        }
        for label in &self.label_add {
            let (key, value) = label.split_once('=').unwrap_or((label, ""));
            spec.labels.insert(key.to_owned(), value.to_owned());
        }
        for key in &self.label_rm {
            if spec.labels.remove(key).is_none() {
                return Err(CliError::plain(format!("key {key} doesn't exist in node's labels")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;

    #[test]
    fn changes_are_made_or_refused_as_recorded() {
        let change = |words: &[&str]| {
            let command = NodeUpdateArgs::augment_args(Command::new("update").no_binary_name(true));
            let args = NodeUpdateArgs::from_arg_matches(&command.get_matches_from(words)).unwrap();
            let mut spec = NodeSpec::default();
            spec.labels.insert("zone".to_owned(), "a".to_owned());
            args.change(&mut spec).map(|()| spec).map_err(|error| error.message)
        };
        let spec =
            change(&["--label-add", "zone=b", "--label-add", "ssd", "--role", "manager"]).unwrap();
        assert_eq!(spec.role, Role::Manager);
        assert_eq!(
            spec.labels,
            [("ssd", ""), ("zone", "b")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        );
        assert_eq!(
            change(&["--label-rm", "nosuch"]).unwrap_err(),
            "key nosuch doesn't exist in node's labels"
        );
        assert_eq!(
            change(&["--availability", "bogus"]).unwrap_err(),
            "Error response from daemon: invalid Availability: \"bogus\""
        );
        assert_eq!(
            change(&["--role", "bogus"]).unwrap_err(),
            "Error response from daemon: invalid Role: \"bogus\""
        );
        assert_eq!(change(&["--availability", "drain"]).unwrap().availability, Availability::Drain);
    }
}
