//! Parsers of values that only `run` and `create` take.

use std::net::IpAddr;

use coracle_runtime::model::Ulimit;
use coracle_runtime::spec::IPC_SYSCTLS;

/// `KEY=VALUE` or `KEY`.
pub(crate) fn env(text: &str) -> Result<String, String> {
    if text.is_empty() || text.starts_with('=') {
        return Err(format!("invalid environment variable: {text}"));
    }
    Ok(text.to_owned())
}

pub(crate) fn ip(text: &str) -> Result<String, String> {
    address(text).ok_or_else(|| format!("IP address is not correctly formatted: {text}"))
}

/// The address of a container.
pub(crate) fn own_ip(text: &str) -> Result<String, String> {
    address(text).ok_or_else(|| format!("failed to parse IP: {text:?}"))
}

/// One address of a list.
pub(crate) fn ip_of_slice(text: &str) -> Result<String, String> {
    address(text).ok_or_else(|| format!("invalid string being converted to IP address: {text}"))
}

fn address(text: &str) -> Option<String> {
    text.trim().parse::<IpAddr>().ok().map(|address| address.to_string())
}

/// An address block; bits beyond its prefix are cleared.
pub(crate) fn block(text: &str) -> Result<String, String> {
    let parsed: Result<coracle_netns::prefix::Prefix, _> = text.trim().parse();
    parsed
        .map(|block| block.network().to_string())
        .map_err(|_| format!("invalid string being converted to CIDR: {text}"))
}

/// `NAME:IP` or `NAME=IP`; the address may stand in brackets, or be `host-gateway`.
pub(crate) fn add_host(text: &str) -> Result<String, String> {
    let split = text.split_once('=').or_else(|| text.split_once(':'));
    let (name, address) = split
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| format!("bad format for add-host: {text:?}"))?;
    if address == "host-gateway" {
        return Ok(format!("{name}:{address}"));
    }
    let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    match bare.parse::<IpAddr>() {
        Ok(_) => Ok(format!("{name}:{bare}")),
        Err(_) => Err(format!("invalid IP address in add-host: {address:?}")),
    }
}

/// Kernel parameters that belong to a namespace, and only those.
pub(crate) fn sysctl(text: &str) -> Result<String, String> {
    const PREFIXES: [&str; 2] = ["net.", "fs.mqueue."];
    let allowed = text.split_once('=').is_some_and(|(name, _)| {
        IPC_SYSCTLS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    });
    if allowed { Ok(text.to_owned()) } else { Err(format!("sysctl '{text}' is not allowed")) }
}

/// A mount is read twice: here so that a mistake is told with the flag.
pub(crate) fn mount(text: &str) -> Result<String, String> {
    use coracle_runtime::mounts::{Side, mount_flag};

    match mount_flag(text, std::path::Path::new("/")) {
        // The engine would say it, so it is told when the container is made.
        Err(error) if error.side() != Side::Engine => Err(error.to_string()),
        _ => Ok(text.to_owned()),
    }
}

/// `NAME=SOFT[:HARD]`.
pub(crate) fn ulimit(text: &str) -> Result<Ulimit, String> {
    const NAMES: [&str; 15] = [
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("invalid ulimit argument: {text}"))?;
    if !NAMES.contains(&name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let number = |text: &str| match text {
        "unlimited" => Ok(-1),
        _ => crate::args::values::int(text).map_err(|error| error.to_string()),
    };
    let (soft, hard) = match value.split(':').collect::<Vec<_>>().as_slice() {
        [both] => (number(both)?, number(both)?),
        [soft, hard] => (number(soft)?, number(hard)?),
        _ => {
            return Err(format!(
                "too many limit value arguments - {value}, can only have up to two, `soft[:hard]`"
            ));
        }
    };
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(format!(
            "ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
        ));
    }
    Ok(Ulimit { name: name.to_owned(), hard, soft })
}

#[cfg(test)]
mod tests {
    use crate::run_flags::run_values::*;

    #[test]
    fn hosts() {
        assert_eq!(add_host("a:1.2.3.4"), Ok("a:1.2.3.4".into()));
        assert_eq!(add_host("a=[::1]"), Ok("a:::1".into()));
        assert_eq!(add_host("h:host-gateway"), Ok("h:host-gateway".into()));
        assert_eq!(add_host("foo").unwrap_err(), "bad format for add-host: \"foo\"");
        assert_eq!(
            add_host("foo:999.1.1.1").unwrap_err(),
            "invalid IP address in add-host: \"999.1.1.1\""
        );
    }

    #[test]
    fn limits_of_a_process() {
        let ok = Ulimit { name: "nofile".into(), soft: 100, hard: 200 };
        assert_eq!(ulimit("nofile=100:200"), Ok(ok));
        assert_eq!(ulimit("core=-1").map(|u| (u.soft, u.hard)), Ok((-1, -1)));
        assert_eq!(ulimit("bogus=1").unwrap_err(), "invalid ulimit type: bogus");
        assert_eq!(
            ulimit("nofile=200:100").unwrap_err(),
            "ulimit soft limit must be less than or equal to hard limit: 200 > 100"
        );
    }

    #[test]
    fn only_namespaced_sysctls() {
        assert!(sysctl("net.ipv4.ip_default_ttl=99").is_ok());
        assert_eq!(sysctl("kernel.panic=1").unwrap_err(), "sysctl 'kernel.panic=1' is not allowed");
        assert_eq!(sysctl("bogus").unwrap_err(), "sysctl 'bogus' is not allowed");
    }
}
