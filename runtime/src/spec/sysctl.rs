//! `--sysctl`: only those that belong to a namespace the container has to itself.

use std::collections::{BTreeMap, HashMap};

use super::SpecError;

/// Settings of the IPC namespace.
pub const IPC_SYSCTLS: &[&str] = &[
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// Which namespaces are not the host's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owned {
    pub(super) network: bool,
    /// The network namespace is new, so Docker's defaults may be set in it.
    pub(super) fresh_network: bool,
    pub(super) ipc: bool,
    pub(super) uts: bool,
}

/// How TCP sends in a container. Its connections end in memory, at another container or at the
/// network helper, which goes on with what the host has chosen for the world; a choice like `bbr`
/// would only slow them down by its timers. Every kernel has this one and allows it to everybody.
const CONGESTION_CONTROL: (&str, &str) = ("net.ipv4.tcp_congestion_control", "reno");

/// Checks `wanted` against the container's namespaces and adds Docker's defaults: any port may
/// be bound and any of the `ids` mapped groups may ping; and [`CONGESTION_CONTROL`].
pub(super) fn resolve(
    wanted: &BTreeMap<String, String>,
    owned: Owned,
    ids: u32,
) -> Result<HashMap<String, String>, SpecError> {
    let mut all = HashMap::new();
    if owned.fresh_network {
        let (name, value) = CONGESTION_CONTROL;
        all.insert(name.to_owned(), value.to_owned());
        all.insert("net.ipv4.ip_unprivileged_port_start".to_owned(), "0".to_owned());
        all.insert(
            "net.ipv4.ping_group_range".to_owned(),
            format!("0 {}", ids.saturating_sub(1).min(crate::start::users::ID_MAX)),
        );
    }
    for (name, value) in wanted {
        check(name, owned)?;
        all.insert(name.clone(), value.clone());
    }
    Ok(all)
}

fn check(name: &str, owned: Owned) -> Result<(), SpecError> {
    let dotted = name.replace('/', ".");
    let refuse = |namespace| SpecError::SysctlInHostNamespace { name: name.to_owned(), namespace };
    if dotted.starts_with("net.") {
        return if owned.network { Ok(()) } else { Err(refuse("network")) };
    }
    if dotted.starts_with("fs.mqueue.") || IPC_SYSCTLS.contains(&dotted.as_str()) {
        return if owned.ipc { Ok(()) } else { Err(refuse("IPC")) };
    }
    if dotted == "kernel.domainname" {
        return if owned.uts { Ok(()) } else { Err(refuse("UTS")) };
    }
    Err(SpecError::SysctlNotNamespaced { name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Owned = Owned { network: true, fresh_network: true, ipc: true, uts: true };

    fn wanted(name: &str) -> BTreeMap<String, String> {
        [(name.to_owned(), "9".to_owned())].into()
    }

    #[test]
    fn adds_dockers_defaults_and_ours_to_a_new_network() {
        let all = resolve(&BTreeMap::new(), OWN, 65537).unwrap();
        assert_eq!(all["net.ipv4.ip_unprivileged_port_start"], "0");
        assert_eq!(all["net.ipv4.ping_group_range"], "0 65536");
        assert_eq!(all["net.ipv4.tcp_congestion_control"], "reno");
        assert_eq!(all.len(), 3);
        let joined = Owned { fresh_network: false, ..OWN };
        assert!(resolve(&BTreeMap::new(), joined, 65537).unwrap().is_empty());
    }

    #[test]
    fn the_users_value_wins() {
        for name in ["net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_congestion_control"] {
            assert_eq!(resolve(&wanted(name), OWN, 1).unwrap()[name], "9");
        }
    }

    #[test]
    fn refuses_the_hosts_settings() {
        let host = Owned { network: false, fresh_network: false, ipc: false, uts: true };
        let error = resolve(&wanted("net.ipv4.ip_default_ttl"), host, 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"sysctl "net.ipv4.ip_default_ttl" not allowed in host network namespace"#
        );
        assert!(resolve(&wanted("kernel.sem"), host, 1).is_err());
        assert!(resolve(&wanted("kernel.panic"), OWN, 1).is_err());
        assert!(resolve(&wanted("kernel.sem"), OWN, 1).is_ok());
    }
}
