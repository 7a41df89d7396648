//! Rules between the attributes of one object that types cannot express.

use std::net::IpAddr;

use crate::tree::{Fault, Node, Path, Result};

pub(crate) fn check(root: &Node) -> Result<()> {
    let section = |name: &'static str| root.get(name).into_iter().flat_map(Node::entries);
    for (name, volume) in section("volumes") {
        let path = Path::ROOT.key("volumes");
        external_alone(volume, &path.key(name))?;
    }
    for (name, config) in section("configs") {
        let path = Path::ROOT.key("configs");
        one_source(config, &["file", "environment", "content"], &path.key(name))?;
    }
    for (name, secret) in section("secrets") {
        let path = Path::ROOT.key("secrets");
        one_source(secret, &["file", "environment"], &path.key(name))?;
    }
    for (name, service) in section("services") {
        let path = Path::ROOT.key("services");
        check_service(service, &path.key(name))?;
    }
    Ok(())
}

/// An external volume is somebody else's: it has a name and nothing more.
fn external_alone(volume: &Node, path: &Path<'_>) -> Result<()> {
    if volume.get("external").and_then(Node::as_bool) != Some(true) {
        return Ok(());
    }
    for (key, value) in volume.entries() {
        if !["name", "external"].contains(&key.as_str()) && !key.starts_with("x-") {
            let text = format!("conflicting parameters \"external\" and {key:?} specified");
            return Err(Fault::new(value.at, path, text));
        }
    }
    Ok(())
}

fn one_source(object: &Node, sources: &[&str], path: &Path<'_>) -> Result<()> {
    let count = sources.iter().filter(|source| object.get(source).is_some()).count();
    let names = sources.join("|");
    if count > 1 {
        let text = format!("{names} attributes are mutually exclusive");
        return Err(Fault::new(object.at, path, text));
    }
    let elsewhere = object.get("driver").is_some() || object.get("external").is_some();
    if count == 0 && !elsewhere {
        return Err(Fault::new(object.at, path, format!("one of {names} must be set")));
    }
    Ok(())
}

fn check_service(service: &Node, path: &Path<'_>) -> Result<()> {
    let list = |key: &'static str| service.get(key).into_iter().flat_map(Node::items).enumerate();
    for (index, port) in list("ports") {
        if let Some(ip) = port.get("host_ip").and_then(Node::as_text)
            && ip.parse::<IpAddr>().is_err()
        {
            let path = path.key("ports");
            let text = format!("invalid ip address: {ip}");
            return Err(Fault::new(port.at, &path.index(index), text));
        }
    }
    for (index, request) in list("gpus") {
        count_or_ids(request, &path.key("gpus").index(index))?;
    }
    let watch = service.get("develop").and_then(|develop| develop.get("watch"));
    for rule in watch.into_iter().flat_map(Node::items) {
        if rule.get("path").and_then(Node::as_text) == Some("") {
            let path = path.key("develop");
            let path = path.key("watch");
            return Err(Fault::new(rule.at, &path.key("path"), "value can't be blank"));
        }
    }
    let reserved = service.get("deploy").and_then(|deploy| deploy.get("resources"));
    let devices = reserved.and_then(|r| r.get("reservations")).and_then(|r| r.get("devices"));
    for (index, request) in devices.into_iter().flat_map(Node::items).enumerate() {
        let path = path.key("deploy.resources.reservations.devices");
        count_or_ids(request, &path.index(index))?;
    }
    Ok(())
}

fn count_or_ids(request: &Node, path: &Path<'_>) -> Result<()> {
    if request.get("count").is_some() && request.get("device_ids").is_some() {
        let text = "\"count\" and \"device_ids\" attributes are exclusive";
        return Err(Fault::new(request.at, path, text));
    }
    Ok(())
}
