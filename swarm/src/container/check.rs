//! What is refused when a service is made or changed, so that no task fails for ever because of it.

use serde_json::Value;

use super::{ContainerError, files, mounts, templates};
use crate::model::{ContainerSpec, Node, ServiceSpec, Task};

/// Refuses a service of which no container could ever be made. What depends on the machine is not looked at.
///
/// # Errors
/// In the words of Docker where it has some.
pub fn check(service: &ServiceSpec) -> Result<(), ContainerError> {
    let task = &service.task_template;
    if !matches!(task.runtime.as_str(), "" | "container") {
        return Err(ContainerError::Unsupported {
            what: format!("runtime {:?}", task.runtime),
            why: "tasks are containers",
        });
    }
    let spec = &task.container_spec;
    if !matches!(spec.isolation.as_str(), "" | "default") {
        return Err(ContainerError::Unsupported {
            what: format!("isolation {:?}", spec.isolation),
            why: "it is for Windows",
        });
    }
    security_options(spec)?;
    if spec.configs.iter().any(|used| used.runtime.is_some()) {
        return Err(credential_spec());
    }
    mounts::check(&spec.mounts)?;
    files::uses(spec)?;
    for network in &task.networks {
        if let Some(option) = network.driver_opts.keys().next() {
            return Err(ContainerError::Unsupported {
                what: format!("driver option {option:?} of network {}", network.target),
                why: "networks take no options for one service",
            });
        }
    }
    let ports = service.endpoint_spec.iter().flat_map(|endpoint| &endpoint.ports);
    for port in ports {
        if !matches!(port.protocol.as_str(), "" | "tcp" | "udp") {
            return Err(ContainerError::Unsupported {
                what: format!("port {}/{}", port.target_port, port.protocol),
                why: "ports are published for tcp and udp",
            });
        }
    }
    templates::expanded(&sample(service), &Node::default())?;
    Ok(())
}

/// A task as there may be one.
fn sample(service: &ServiceSpec) -> Task {
    let mut task = Task {
        id: "taskid".to_owned(),
        service_id: "serviceid".to_owned(),
        node_id: "nodeid".to_owned(),
        slot: u64::from(!service.mode.is_global()),
        spec: service.task_template.clone(),
        ..Task::default()
    };
    task.own.service_name.clone_from(&service.name);
    task.own.service_labels.clone_from(&service.labels);
    task
}

fn credential_spec() -> ContainerError {
    ContainerError::Unsupported { what: "credential spec".to_owned(), why: "it is for Windows" }
}

/// `Privileges` as options of the engine: the one that can be honoured is `NoNewPrivileges`.
pub(super) fn security_options(spec: &ContainerSpec) -> Result<Vec<String>, ContainerError> {
    let mut options = Vec::new();
    let given = spec.privileges.iter().filter_map(Value::as_object).flatten();
    for (key, value) in given {
        match (key.as_str(), value) {
            (_, Value::Null | Value::Bool(false)) => {}
            (_, Value::Object(map)) if map.is_empty() => {}
            ("NoNewPrivileges", Value::Bool(true)) => options.push("no-new-privileges".to_owned()),
            ("CredentialSpec", _) => return Err(credential_spec()),
            ("SELinuxContext", Value::Object(map))
                if map.get("Disable") == Some(&Value::Bool(true)) => {}
            (key, _) => {
                return Err(ContainerError::Unsupported {
                    what: format!("privileges: {key}"),
                    why: "a task has the filters that every container has",
                });
            }
        }
    }
    Ok(options)
}
