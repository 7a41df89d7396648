//! Nodes as lists show them.

use coracle_swarm::model::Node;
use coracle_swarm::model::node::{NodeState, Reachability};
use serde_json::Value;

use crate::commands::task::rows::capital;
use crate::format::{Columns, Row};

pub(crate) const COLUMNS: Columns = Columns {
    titles: &[
        ("ID", "ID"),
        ("Self", ""),
        ("Hostname", "HOSTNAME"),
        ("Status", "STATUS"),
        ("Availability", "AVAILABILITY"),
        ("ManagerStatus", "MANAGER STATUS"),
        ("EngineVersion", "ENGINE VERSION"),
        ("TLSStatus", "TLS STATUS"),
    ],
    table: "ID Hostname Status Availability ManagerStatus EngineVersion",
    quiet: "ID",
    raw: "node_id: {{.ID}}\nhostname: {{.Hostname}}\nstatus: {{.Status}}\navailability: {{.Availability}}\n\
          manager_status: {{.ManagerStatus}}\n",
};

/// The plain table: the node that is asked has a star.
pub(crate) const TABLE: &str = "table {{.ID}} {{if .Self}}*{{else}} {{ end }}\t{{.Hostname}}\t{{.Status}}\t\
                                {{.Availability}}\t{{.ManagerStatus}}\t{{.EngineVersion}}";

pub(crate) fn row(node: &Node, is_self: bool) -> Row {
    let mut row = Row::new("*node.nodeContext");
    row.set("ID", node.id.as_str())
        .set("Self", Value::Bool(is_self))
        .set("Hostname", node.description.hostname.as_str())
        .set("Status", capital(state_word(node.status.state)))
        .set("Availability", capital(&node.spec.availability.to_string()))
        .set("ManagerStatus", manager_status(node))
        .set("EngineVersion", node.description.engine.engine_version.as_str())
        // No certificate has to be renewed anywhere.
        .set("TLSStatus", "Ready");
    row
}

pub(crate) fn state_word(state: NodeState) -> &'static str {
    match state {
        NodeState::Unknown => "unknown",
        NodeState::Down => "down",
        NodeState::Ready => "ready",
        NodeState::Disconnected => "disconnected",
    }
}

pub(crate) fn reachability_word(reachability: Reachability) -> &'static str {
    match reachability {
        Reachability::Unknown => "unknown",
        Reachability::Unreachable => "unreachable",
        Reachability::Reachable => "reachable",
    }
}

fn manager_status(node: &Node) -> String {
    match &node.manager_status {
        None => String::new(),
        Some(status) if status.leader => "Leader".to_owned(),
        Some(status) => capital(reachability_word(status.reachability)),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use coracle_swarm::model::Role;
    use coracle_swarm::model::node::ManagerStatus;
    use coracle_words::template::Fields as _;

    use super::*;
    use crate::format::Listing;

    pub(crate) fn node(id: &str, name: &str, manager: Option<bool>) -> Node {
        let mut node = Node { id: id.to_owned(), ..Node::default() };
        node.description.hostname = name.to_owned();
        node.description.engine.engine_version = "28.5.2".to_owned();
        node.status.state = NodeState::Ready;
        if let Some(leader) = manager {
            node.spec.role = Role::Manager;
            node.manager_status = Some(ManagerStatus { leader, ..ManagerStatus::default() });
        }
        node
    }

    #[test]
    fn the_table_is_the_recorded_one() {
        let rows = [
            row(&node("aaifzj4ue1cfxjz76a70k3wxy", "swm1", Some(true)), true),
            row(&node("nc1tu9fidywt8tvxrj9p9yfon", "swm2", Some(false)), false),
            row(&node("i1x1nudnvteacq9p77wntn81r", "swm3", None), false),
        ];
        let listing = Listing::new(&COLUMNS, Some(TABLE), false).unwrap();
        assert_eq!(
            listing.render(&rows).unwrap(),
            "ID                            HOSTNAME   STATUS    AVAILABILITY   MANAGER STATUS   ENGINE VERSION\n\
             aaifzj4ue1cfxjz76a70k3wxy *   swm1       Ready     Active         Leader           28.5.2\n\
             nc1tu9fidywt8tvxrj9p9yfon     swm2       Ready     Active         Reachable        28.5.2\n\
             i1x1nudnvteacq9p77wntn81r     swm3       Ready     Active                          28.5.2\n"
        );
        assert_eq!(
            listing.render([]).unwrap(),
            "ID        HOSTNAME   STATUS    AVAILABILITY   MANAGER STATUS   ENGINE VERSION\n"
        );
    }

    #[test]
    fn the_json_line_is_the_recorded_one() {
        assert_eq!(
            row(&node("aaifzj4ue1cfxjz76a70k3wxy", "swm1", Some(true)), true).json(),
            r#"{"Availability":"Active","EngineVersion":"28.5.2","Hostname":"swm1","ID":"aaifzj4ue1cfxjz76a70k3wxy","ManagerStatus":"Leader","Self":true,"Status":"Ready","TLSStatus":"Ready"}"#
        );
    }
}
