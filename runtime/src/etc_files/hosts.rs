//! `/etc/hosts` and `/etc/hostname`.

use std::fmt::Write as _;
use std::net::IpAddr;

/// What every container's file begins with.
const STANDARD: &str = "127.0.0.1\tlocalhost\n\
    ::1\tlocalhost ip6-localhost ip6-loopback\n\
    fe00::\tip6-localnet\n\
    ff00::\tip6-mcastprefix\n\
    ff02::1\tip6-allnodes\n\
    ff02::2\tip6-allrouters\n";

/// The address that stands for the host in `--add-host name:host-gateway`.
const HOST_GATEWAY: &str = "host-gateway";

/// An address the container has in one of its networks.
pub type Address = IpAddr;

/// What `/etc/hosts` is made from.
#[derive(Debug, Clone, Default)]
pub struct Hosts<'a> {
    pub hostname: &'a str,
    pub domainname: &'a str,
    /// `--add-host` entries: `name:address`.
    pub extra: &'a [String],
    /// Addresses of containers it is linked to, with their names.
    pub links: &'a [(Address, String)],
    /// The container's own addresses.
    pub addresses: &'a [Address],
    /// Where the container reaches the host, if it does.
    pub host_gateway: Option<IpAddr>,
    /// The host's file when the container is in the host's network.
    pub host_file: Option<&'a str>,
}

/// Why the file cannot be written; texts are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostsError {
    #[error("bad format for add-host: {entry:?}")]
    Format { entry: String },
    #[error("invalid IP address in add-host: {address:?}")]
    Address { address: String },
    #[error("unable to derive the IP value for host-gateway")]
    NoGateway,
}

impl Hosts<'_> {
    /// The file's text.
    ///
    /// In the host's network it is the host's own, unless names were added.
    ///
    /// # Errors
    /// For a malformed entry, or `host-gateway` where the host cannot be reached.
    pub fn text(&self) -> Result<String, HostsError> {
        if let (Some(host_file), []) = (self.host_file, self.extra) {
            return Ok(host_file.to_owned());
        }
        let mut text = STANDARD.to_owned();
        for entry in self.extra {
            let (name, address) = self.extra_entry(entry)?;
            line(&mut text, &address, name);
        }
        for (address, names) in self.links {
            line(&mut text, address, names);
        }
        let names = self.names();
        for address in self.addresses {
            line(&mut text, address, &names);
        }
        Ok(text)
    }

    fn extra_entry<'e>(&self, entry: &'e str) -> Result<(&'e str, IpAddr), HostsError> {
        let (name, address) = entry
            .split_once([':', '='])
            .filter(|(name, address)| !name.is_empty() && !address.is_empty())
            .ok_or_else(|| HostsError::Format { entry: entry.to_owned() })?;
        if address == HOST_GATEWAY {
            return Ok((name, self.host_gateway.ok_or(HostsError::NoGateway)?));
        }
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let parsed = bare.unwrap_or(address).parse();
        parsed
            .map(|address| (name, address))
            .map_err(|_| HostsError::Address { address: address.to_owned() })
    }

    /// The qualified name and the short one.
    fn names(&self) -> String {
        if !self.domainname.is_empty() {
            return format!("{0}.{1} {0}", self.hostname, self.domainname);
        }
        match self.hostname.split_once('.') {
            Some((short, _)) => format!("{} {short}", self.hostname),
            None => self.hostname.to_owned(),
        }
    }
}

fn line(text: &mut String, address: &IpAddr, names: &str) {
    writeln!(text, "{address}\t{names}").expect("writing to a String does not fail");
}

/// The text of `/etc/hostname`.
pub fn hostname_file(hostname: &str) -> String {
    format!("{hostname}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(hosts: &Hosts<'_>) -> String {
        hosts.text().unwrap().strip_prefix(STANDARD).unwrap().to_owned()
    }

    #[test]
    fn starts_like_dockers() {
        let text = Hosts::default().text().unwrap();
        assert_eq!(text.lines().next(), Some("127.0.0.1\tlocalhost"));
        assert_eq!(text.lines().last(), Some("ff02::2\tip6-allrouters"));
        assert_eq!(text.lines().count(), 6);
    }

    #[test]
    fn names_the_container() {
        let addresses = ["172.17.0.2".parse().unwrap()];
        let hosts = |hostname, domainname| Hosts {
            hostname,
            domainname,
            addresses: &addresses,
            ..Hosts::default()
        };
        assert_eq!(tail(&hosts("3cef45ef4894", "")), "172.17.0.2\t3cef45ef4894\n");
        assert_eq!(
            tail(&hosts("myhost", "example.org")),
            "172.17.0.2\tmyhost.example.org myhost\n"
        );
        assert_eq!(tail(&hosts("my.fq.dn", "")), "172.17.0.2\tmy.fq.dn my\n");
        assert_eq!(tail(&Hosts { hostname: "x", ..Hosts::default() }), "");
    }

    #[test]
    fn adds_names() {
        let extra = ["foo:1.2.3.4", "bar:::1", "six=[::2]", "gw:host-gateway"].map(str::to_owned);
        let gateway = Some("172.17.0.1".parse().unwrap());
        let hosts = Hosts { extra: &extra, host_gateway: gateway, ..Hosts::default() };
        assert_eq!(tail(&hosts), "1.2.3.4\tfoo\n::1\tbar\n::2\tsix\n172.17.0.1\tgw\n");
    }

    #[test]
    fn links_stand_before_the_own_name() {
        let links = [("172.17.0.2".parse().unwrap(), "lk fe6235328337 defl".to_owned())];
        let addresses = ["172.17.0.3".parse().unwrap()];
        let hosts =
            Hosts { hostname: "me", links: &links, addresses: &addresses, ..Hosts::default() };
        assert_eq!(tail(&hosts), "172.17.0.2\tlk fe6235328337 defl\n172.17.0.3\tme\n");
    }

    #[test]
    fn refuses_malformed_names() {
        let error = |entry: &str| {
            let extra = [entry.to_owned()];
            Hosts { extra: &extra, ..Hosts::default() }.text().unwrap_err().to_string()
        };
        assert_eq!(error("foo"), r#"bad format for add-host: "foo""#);
        assert_eq!(error("foo:999.1.1.1"), r#"invalid IP address in add-host: "999.1.1.1""#);
        assert_eq!(error("gw:host-gateway"), "unable to derive the IP value for host-gateway");
    }

    #[test]
    fn the_hosts_network_has_the_hosts_file() {
        let host_file = Some("127.0.0.1 localhost\n10.0.0.1 me\n");
        let mut hosts = Hosts { host_file, ..Hosts::default() };
        assert_eq!(hosts.text().unwrap(), "127.0.0.1 localhost\n10.0.0.1 me\n");
        let extra = ["foo:1.2.3.4".to_owned()];
        hosts.extra = &extra;
        assert_eq!(tail(&hosts), "1.2.3.4\tfoo\n");
    }

    #[test]
    fn hostname_ends_its_line() {
        assert_eq!(hostname_file("bad_host!"), "bad_host!\n");
    }
}
