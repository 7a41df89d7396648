//! What `inspect` tells of a task.

use coracle_runtime::Home;
use coracle_swarm::model::Task;
use coracle_swarm::model::task::Attachment;
use serde_json::{Value, json};

use crate::ViewError;
use crate::document::value_of;
use crate::service::task_as_told;

/// What Docker tells of a task, in its order.
///
/// # Errors
/// When it has no JSON form, or the engine cannot be opened.
pub fn document(home: &Home, task: &Task) -> Result<Value, ViewError> {
    let networks = &home.engine()?.networks;
    of(task, |id| networks.find(id).map(|network| network.name).unwrap_or_default())
}

fn of(task: &Task, network_name: impl Fn(&str) -> String) -> Result<Value, ViewError> {
    let mut told = task.clone();
    task_as_told(&mut told.spec);
    let mut document = value_of(&told)?;
    let Value::Object(map) = &mut document else { return Ok(document) };
    map.remove("Coracle");
    let one = |attachment: &Attachment| {
        let name = network_name(&attachment.network);
        json!({
            "Network": { "ID": attachment.network, "Spec": { "Name": name } },
            "Addresses": attachment.addresses,
        })
    };
    if !task.networks_attachments.is_empty() {
        let attachments: Vec<Value> = task.networks_attachments.iter().map(one).collect();
        map.insert("NetworksAttachments".to_owned(), attachments.into());
    }
    // Cluster volumes, which there are none of.
    map.insert("Volumes".to_owned(), Value::Null);
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_dockers_members() {
        let mut task = Task { id: "z6uvo6".to_owned(), slot: 1, ..Task::default() };
        task.service_id = "rl2ss5".to_owned();
        task.node_id = "mhexz1".to_owned();
        task.own.service_name = "s1".to_owned();
        task.networks_attachments = vec![Attachment {
            network: "n1".to_owned(),
            addresses: vec!["10.0.1.3/24".to_owned()],
        }];
        let document = of(&task, |id| format!("name of {id}")).unwrap();
        let keys: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "ID",
                "Version",
                "CreatedAt",
                "UpdatedAt",
                "Labels",
                "Spec",
                "ServiceID",
                "Slot",
                "NodeID",
                "Status",
                "DesiredState",
                "NetworksAttachments",
                "Volumes",
            ]
        );
        assert_eq!(document["NetworksAttachments"][0]["Network"]["Spec"]["Name"], "name of n1");
    }
}
