//! Volumes of a container by the names that its node has for them.

use coracle_runtime::home::Scope;
use coracle_runtime::model::{HostConfig, MountPoint, MountType};
use coracle_swarm::container::volumes::{NAME_LABEL, NODE_LABEL, from_stored};

/// What the chosen node calls a volume that the engine calls so; without a choice, that is its name.
fn name_on(scope: Option<&Scope>, stored: &str) -> Option<String> {
    let number = scope?.number;
    let (of, name) = from_stored(stored)?;
    (of == number).then(|| name.to_owned())
}

/// Where something is mounted.
pub(super) fn mounts<'a>(scope: Option<&Scope>, mounts: impl Iterator<Item = &'a mut MountPoint>) {
    for mount in mounts.filter(|mount| mount.kind == MountType::Volume) {
        if let Some(name) = name_on(scope, &mount.name) {
            mount.name = name;
        }
    }
}

/// What was asked for.
pub(super) fn host(scope: Option<&Scope>, host: &mut HostConfig) {
    for bind in host.binds.iter_mut().flatten() {
        if let Some((stored, rest)) = bind.split_once(':')
            && let Some(name) = name_on(scope, stored)
        {
            *bind = format!("{name}:{rest}");
        }
    }
    for mount in host.mounts.iter_mut().filter(|mount| mount.kind == MountType::Volume) {
        let Some(name) = name_on(scope, &mount.source) else { continue };
        mount.source = name;
        if let Some(options) = &mut mount.volume_options {
            options.labels.retain(|label, _| label != NODE_LABEL && label != NAME_LABEL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_sees_the_names_it_gave() {
        let scope = |number: u8| Scope {
            label: "node",
            nodes: vec!["n".to_owned()],
            number,
            is_machine: number == 0,
            is_manager: true,
        };
        let binds = |number: u8| {
            let binds = Some(vec!["/etc:/x".to_owned(), "node-2.data:/data:ro".to_owned()]);
            let mut asked = HostConfig { binds, ..HostConfig::default() };
            host(Some(&scope(number)), &mut asked);
            asked.binds.unwrap_or_default()
        };
        assert_eq!(binds(2), ["/etc:/x", "data:/data:ro"]);
        assert_eq!(binds(3), ["/etc:/x", "node-2.data:/data:ro"]);
        let mut mount = MountPoint { name: "node-2.data".to_owned(), ..MountPoint::default() };
        mount.kind = MountType::Volume;
        mounts(Some(&scope(2)), std::iter::once(&mut mount));
        assert_eq!(mount.name, "data");
    }
}
