//! `run` and `create` on a rehearsal node: the container is of that node.
//!
//! A label says so, as of tasks. Ports are published at the node's address, and volumes are the node's own.
//! What would reach over to other nodes, or ask for a boot of the node, is refused.

use coracle_runtime::model::MountType;
use coracle_runtime::volumes::CreateVolume;
use coracle_swarm::agent::NODE_LABEL;
use coracle_swarm::container::volumes;
use coracle_swarm::model::Node;
use coracle_view::node;

use crate::app::App;
use crate::commands::network::rows::joinable;
use crate::error::CliError;
use crate::run_flags::Request;

const HOST_NAME: &str = "/etc/hostname";

/// Puts the container on the node that was chosen, if one was.
pub(super) fn place(app: &App, request: &mut Request) -> Result<(), CliError> {
    if app.node.is_none_or(|number| number == 0) {
        return Ok(());
    }
    let (_, reader) = app.swarm_state()?;
    let Some(node) = node::chosen(&reader.state, app.settings.node.as_deref()) else {
        return Ok(());
    };
    match refused(request) {
        Some((what, why)) => {
            let what = format!("{what} on the node {}", node::name_of(node));
            Err(CliError::unsupported(&what, why))
        }
        None => {
            let networks = request.networks.iter();
            networks.map(|(name, _)| name).try_for_each(|name| joinable(app, name))?;
            let id = node::lasting_id(&reader.state, node).to_owned();
            request.config.labels.insert(NODE_LABEL.to_owned(), id);
            on(app, node, request)
        }
    }
}

fn on(app: &App, node: &Node, request: &mut Request) -> Result<(), CliError> {
    for binding in request.host.port_bindings.values_mut().flatten().flatten() {
        match binding.host_ip.as_str() {
            "" | "0.0.0.0" => binding.host_ip.clone_from(&node.status.addr),
            ip if ip == node.status.addr => {}
            ip => {
                let what = format!("a port at {ip} on the node {}", node::name_of(node));
                let why = format!("the address of that node is {}", node.status.addr);
                return Err(CliError::unsupported(&what, &why));
            }
        }
    }
    for bind in request.host.binds.iter_mut().flatten() {
        own_volume(app, node.own.number, bind)?;
    }
    for mount in &mut request.host.mounts {
        if mount.kind == MountType::Volume && !mount.source.is_empty() {
            let options = mount.volume_options.get_or_insert_default();
            options.labels.extend(volumes::labels(node.own.number, &mount.source));
            mount.source = volumes::stored_name(node.own.number, &mount.source);
        }
    }
    Ok(())
}

/// `data:/path` mounts the node's own volume; Docker, too, makes one that is not there before the container.
fn own_volume(app: &App, number: u8, bind: &mut String) -> Result<(), CliError> {
    if bind.starts_with('/') {
        return Ok(());
    }
    let Some((name, rest)) = bind.split_once(':') else { return Ok(()) };
    let stored = volumes::stored_name(number, name);
    let labels = volumes::labels(number, name).into_iter().collect();
    let request = CreateVolume { name: Some(stored.clone()), labels, ..CreateVolume::default() };
    app.engine()?.create_volume(request)?;
    *bind = format!("{stored}:{rest}");
    Ok(())
}

/// What a container of a node cannot have, and why.
fn refused(request: &Request) -> Option<(&'static str, &'static str)> {
    let host = &request.host;
    let binds = || host.binds.iter().flatten();
    let is_of_other = |mode: &String| mode.starts_with("container:");
    let of_others = [&host.network_mode, &host.pid_mode, &host.ipc_mode];
    if host.publish_all_ports {
        return Some(("--publish-all", "say with `-p` which port it is to be"));
    }
    if !matches!(host.restart_policy.name.as_str(), "" | "no") {
        return Some((
            "--restart",
            "a switched-off node starts no containers of its own; a service does",
        ));
    }
    if of_others.into_iter().any(is_of_other) || host.volumes_from.is_some() || host.links.is_some()
    {
        return Some(("use of another container", "it may be on another node"));
    }
    let is_host_name = |bind: &String| bind.split(':').next() == Some(HOST_NAME);
    if binds().any(is_host_name) || host.mounts.iter().any(|mount| mount.source == HOST_NAME) {
        return Some((
            "a mount of /etc/hostname",
            "that is the machine's; a service gets the node's own",
        ));
    }
    None
}
