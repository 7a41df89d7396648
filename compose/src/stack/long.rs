//! The short forms that Docker's loader of stack files reads otherwise than Compose: command lines, hosts, ports
//! and volumes.

use super::words;
use crate::stages::interpolate::Warnings;
use crate::stages::merge::shown;
use crate::text::{port, volume};
use crate::tree::{At, Fault, Map, Node, Path, Result, Value};
use coracle_words::port::PortRange;

pub(super) fn write_out(root: &mut Node, warnings: &Warnings) -> Result<()> {
    let services = root.get_mut("services").and_then(Node::as_map_mut);
    for (name, service) in services.into_iter().flatten() {
        let path = Path::ROOT.key("services");
        let path = path.key(name);
        for key in ["command", "entrypoint"] {
            at_key(service, key, &path, command)?;
        }
        at_key(service, "extra_hosts", &path, hosts)?;
        at_key(service, "ports", &path, |node| ports(node, warnings))?;
        at_key(service, "volumes", &path, volumes)?;
        if let Some(build) = service.get_mut("build") {
            at_key(build, "extra_hosts", &path, hosts)?;
        }
        if let Some(size) = service.get_mut("shm_size") {
            size.value = Value::Text(shown(size));
        }
    }
    Ok(())
}

/// Does something to an attribute that may be missing.
fn at_key(
    service: &mut Node,
    key: &str,
    path: &Path<'_>,
    change: impl FnOnce(&mut Node) -> std::result::Result<(), String>,
) -> Result<()> {
    let Some(node) = service.get_mut(key) else { return Ok(()) };
    let at = node.at;
    change(node).map_err(|message| Fault::new(at, &path.key(key), message))
}

fn command(node: &mut Node) -> std::result::Result<(), String> {
    let Some(line) = node.as_text() else { return Ok(()) };
    let words = words::split(line).ok_or_else(|| format!("invalid command line: {line}"))?;
    let at = node.at;
    node.value = Value::List(words.into_iter().map(|word| Node::text(at, word)).collect());
    Ok(())
}

/// `HOST:ADDRESS` in the order of the file; in that of the hosts when they are a mapping.
#[expect(clippy::unnecessary_wraps, reason = "stands beside those that can fail")]
fn hosts(node: &mut Node) -> std::result::Result<(), String> {
    let mut out = Vec::new();
    let mut add = |host: &str, address: &str| {
        let bare = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        out.push(format!("{host}:{}", bare.filter(|a| !a.is_empty()).unwrap_or(address)));
    };
    for (host, address) in node.entries().filter(|(_, address)| !address.is_null()) {
        add(host, &shown(address));
    }
    for item in node.items() {
        let text = shown(item);
        // What has neither is no host, and Docker drops it.
        if let Some((host, address)) = text.split_once('=').or_else(|| text.split_once(':')) {
            add(host, address);
        }
    }
    let at = node.at;
    node.value = Value::List(out.into_iter().map(|host| Node::text(at, host)).collect());
    Ok(())
}

fn ports(node: &mut Node, warnings: &Warnings) -> std::result::Result<(), String> {
    let Value::List(items) = &mut node.value else { return Ok(()) };
    let mut out = Vec::with_capacity(items.len());
    for item in std::mem::take(items) {
        if item.as_map().is_some() {
            out.push(item);
            continue;
        }
        for port in port::parse(&shown(&item))? {
            warn_of_address(&port, warnings);
            out.extend(published(&port)?.map(|number| long_port(&port, number, item.at)));
        }
    }
    *items = out;
    Ok(())
}

/// Each port that a range of the host stands for; 0 for one that is chosen later.
fn published(port: &port::Port) -> std::result::Result<std::ops::RangeInclusive<u16>, String> {
    if port.published.is_empty() {
        return Ok(0..=0);
    }
    let range: std::result::Result<PortRange, _> = port.published.parse();
    range.map(PortRange::numbers).map_err(|_| format!("invalid port: {}", port.published))
}

fn long_port(port: &port::Port, published: u16, at: At) -> Node {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| drop(map.insert(key.to_owned(), Node::new(at, value)));
    put("mode", Value::Text("ingress".to_owned()));
    put("target", Value::Int(port.target.into()));
    put("published", Value::Int(published.into()));
    put("protocol", Value::Text(port.protocol.to_string()));
    Node::new(at, Value::Map(map))
}

/// Services listen on all addresses.
fn warn_of_address(port: &port::Port, warnings: &Warnings) {
    let Ok(ip) = port.host_ip.parse::<std::net::IpAddr>() else { return };
    if ip.is_unspecified() {
        return;
    }
    let host = if ip.is_ipv6() { format!("[{}]", port.host_ip) } else { port.host_ip.clone() };
    let (published, target, protocol) = (&port.published, port.target, port.protocol);
    warnings.add(format!(
        "ignoring IP-address ({host}:{published}:{target}/{protocol}) \
         service will listen on '0.0.0.0'"
    ));
}

fn volumes(node: &mut Node) -> std::result::Result<(), String> {
    let Value::List(items) = &mut node.value else { return Ok(()) };
    for item in items {
        if let Some(text) = item.as_text() {
            item.value = mount(&volume::parse(text)?, item.at);
        }
    }
    Ok(())
}

fn mount(volume: &volume::Volume, at: At) -> Value {
    let mut map = Map::new();
    let text = |text: &str| Node::text(at, text);
    let mut put = |key: &str, node: Node| drop(map.insert(key.to_owned(), node));
    put("type", text(if volume.is_bind() { "bind" } else { "volume" }));
    put("source", text(&volume.source));
    put("target", text(&volume.target));
    if volume.read_only {
        put("read_only", Node::bool(at, true));
    }
    if let Some(propagation) = &volume.propagation {
        put("bind", Node::map(at, [("propagation", text(propagation))]));
    }
    if volume.nocopy {
        put("volume", Node::map(at, [("nocopy", Node::bool(at, true))]));
    }
    Value::Map(map)
}
