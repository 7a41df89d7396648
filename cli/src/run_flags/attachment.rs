//! One `--network`: a name, or `name=…,alias=…,ip=…` and so on.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// A network to be joined, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    /// From `--link`.
    pub(crate) links: Vec<String>,
    pub(crate) ip: String,
    pub(crate) ip6: String,
    pub(crate) mac: String,
    pub(crate) gw_priority: i32,
    pub(crate) driver_opts: BTreeMap<String, String>,
}

/// The one option of an endpoint that is honoured.
const IF_NAME: &str = "com.docker.network.endpoint.ifname";

pub(crate) fn network(text: &str) -> Result<Attachment, String> {
    let mut out = Attachment::default();
    if !is_long(text) {
        text.clone_into(&mut out.name);
        return Ok(out);
    }
    for field in text.split(',') {
        let (key, value) = field
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| format!("invalid field {field}"))?;
        let value = value.trim();
        match key.trim().to_lowercase().as_str() {
            "name" => value.clone_into(&mut out.name),
            "alias" => out.aliases.push(value.to_owned()),
            "ip" => out.ip = address(value)?,
            "ip6" => out.ip6 = address(value)?,
            "mac-address" => out.mac = mac(value)?,
            "gw-priority" => {
                out.gw_priority =
                    value.parse().map_err(|_| format!("invalid gw-priority ({value})"))?;
            }
            "driver-opt" => {
                let (key, value) = driver_option(value)?;
                out.driver_opts.insert(key, value);
            }
            "link-local-ip" => {
                return Err("link-local-ip: an endpoint has one address of each family".to_owned());
            }
            other => return Err(format!("invalid field key {other}")),
        }
    }
    if out.name.is_empty() {
        return Err("network name/id is not specified".to_owned());
    }
    Ok(out)
}

/// Whether there is a `key=value` in it.
fn is_long(text: &str) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        *byte == b'='
            && word(at.checked_sub(1).and_then(|at| bytes.get(at)))
            && word(bytes.get(at + 1))
    })
}

fn address(text: &str) -> Result<String, String> {
    let parsed: Result<IpAddr, _> = text.parse();
    parsed.map(|address| address.to_string()).map_err(|_| format!("invalid IP address: {text}"))
}

/// A hardware address in the form it is shown in.
pub(crate) fn mac(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    let is_octet =
        |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    if parts.len() == 6 && parts.iter().all(is_octet) {
        return Ok(parts.join(":").to_lowercase());
    }
    Err(format!("{text} is not a valid mac address"))
}

/// `key=value` of an endpoint, refused when it would mean nothing.
pub(crate) fn driver_option(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| "invalid key/value pair format in driver options".to_owned())?;
    if key != IF_NAME {
        return Err(format!("{key} is not supported: of an endpoint's options {IF_NAME} is"));
    }
    /// What the kernel takes, without the NUL.
    const NAME_BYTES_MAX: usize = 15;
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b':';
    if value.is_empty() || value.len() > NAME_BYTES_MAX || !value.bytes().all(fits) {
        return Err(format!("invalid interface name {value:?}"));
    }
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::run_flags::attachment::*;

    #[test]
    fn short_and_long_forms() {
        let short = Attachment { name: "n1".to_owned(), ..Attachment::default() };
        assert_eq!(network("n1"), Ok(short.clone()));
        assert_eq!(network("name=n1"), Ok(short));
        assert_eq!(network("container:a").unwrap().name, "container:a");
        let long = network("name=n9,alias=aa,alias=bb,ip=172.30.0.5,gw-priority=-5").unwrap();
        assert_eq!((long.name.as_str(), long.gw_priority), ("n9", -5));
        assert_eq!(
            (long.aliases, long.ip.as_str()),
            (vec!["aa".into(), "bb".into()], "172.30.0.5")
        );
        let option = network("name=n,driver-opt=com.docker.network.endpoint.ifname=lan0").unwrap();
        assert_eq!(option.driver_opts[IF_NAME], "lan0");
    }

    #[test]
    fn wrong_forms() {
        for (text, message) in [
            ("alias=a", "network name/id is not specified"),
            ("name=n,bogus=1", "invalid field key bogus"),
            ("name=n,bogus", "invalid field bogus"),
            ("name=n,ip=x", "invalid IP address: x"),
            ("name=n,gw-priority=x", "invalid gw-priority (x)"),
            ("name=n,mac-address=x", "x is not a valid mac address"),
        ] {
            assert_eq!(network(text).unwrap_err(), message);
        }
        assert!(network("name=n,driver-opt=a=b").unwrap_err().contains("is not supported"));
    }

    #[test]
    fn hardware_addresses() {
        assert_eq!(mac("92-D0-C6-0A-29-33").as_deref(), Ok("92:d0:c6:0a:29:33"));
        assert!(mac("92:d0:c6:0a:29").is_err());
    }
}
