//! What the caller decides about registries: trust, mirrors, proxies, limits.
//!
//! # Not here
//!
//! No file is read and no variable of the environment looked at; the caller fills
//! in [`RegistrySettings`].

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::auth::AuthSettings;

/// Blobs fetched at once unless configured otherwise.
const DEFAULT_DOWNLOADS: usize = 3;
/// Blobs sent at once unless configured otherwise.
const DEFAULT_UPLOADS: usize = 5;

/// How registries are reached.
#[derive(Debug, Clone)]
pub struct RegistrySettings {
    pub auth: AuthSettings,
    /// `SSL_CERT_FILE`: replaces the system's file of certification authorities.
    pub ca_file: Option<PathBuf>,
    /// `SSL_CERT_DIR`: directories, separated by `:`, with more of them.
    pub ca_dirs: Option<String>,
    /// Directories with one subdirectory per `HOST[:PORT]`, which holds `*.crt`
    /// (authorities), `*.cert` and `*.key` (client certificates).
    pub certs_dirs: Vec<PathBuf>,
    /// Hosts (`HOST[:PORT]`) and networks (`10.0.0.0/8`) that may be reached without
    /// verified TLS, or without TLS. Loopback always may.
    pub insecure_registries: Vec<String>,
    /// URLs tried before Docker Hub itself.
    pub mirrors: Vec<String>,
    pub http_proxy: Option<String>,
    pub https_proxy: Option<String>,
    pub no_proxy: Option<String>,
    pub max_concurrent_downloads: usize,
    pub max_concurrent_uploads: usize,
    pub retry: RetryPolicy,
}

impl Default for RegistrySettings {
    fn default() -> Self {
        Self {
            auth: AuthSettings::default(),
            ca_file: None,
            ca_dirs: None,
            certs_dirs: vec![PathBuf::from("/etc/docker/certs.d")],
            insecure_registries: Vec::new(),
            mirrors: Vec::new(),
            http_proxy: None,
            https_proxy: None,
            no_proxy: None,
            max_concurrent_downloads: DEFAULT_DOWNLOADS,
            max_concurrent_uploads: DEFAULT_UPLOADS,
            retry: RetryPolicy::default(),
        }
    }
}

/// How often and how patiently a failed request is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in a row without any progress, the first included.
    pub attempts: u32,
    /// Pause after the first failure; doubles each time.
    pub first_delay: Duration,
    /// Longest pause, also when the registry asks for a longer one.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(60),
        }
    }
}

impl RegistrySettings {
    /// Whether `host` (`HOST[:PORT]`) may be reached without verified TLS.
    pub(crate) fn is_insecure(&self, host: &str) -> bool {
        let name = host_name(host);
        if name == "localhost" {
            return true;
        }
        let address: Option<IpAddr> = name.parse().ok();
        if address.is_some_and(|address| address.is_loopback()) {
            return true;
        }
        self.insecure_registries.iter().any(|entry| {
            let entry = entry.strip_prefix("http://").unwrap_or(entry);
            let entry = entry.strip_prefix("https://").unwrap_or(entry).trim_end_matches('/');
            entry == host
                || entry == name
                || address.is_some_and(|address| network_contains(entry, address))
        })
    }

    /// Hosts that no proxy is used for, beside the configured ones.
    pub(crate) fn no_proxy_list(&self) -> String {
        let local = "localhost,127.0.0.0/8,::1";
        match self.no_proxy.as_deref().filter(|list| !list.is_empty()) {
            Some(list) => format!("{list},{local}"),
            None => local.to_owned(),
        }
    }
}

/// The host of `HOST[:PORT]`, without the brackets of an IPv6 address.
fn host_name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(address, _)| address);
    }
    host.split_once(':').map_or(host, |(name, _)| name)
}

/// Whether `network`, written `address/bits`, contains `address`.
fn network_contains(network: &str, address: IpAddr) -> bool {
    let Some((base, bits)) = network.split_once('/') else { return false };
    let (Ok(base), Ok(bits)) = (base.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            base.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(base), IpAddr::V6(address)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            base.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_always_insecure_and_others_when_listed() {
        let settings = RegistrySettings {
            insecure_registries: ["10.0.0.0/8", "plain.io", "http://ported.io:5000", "fd00::/8"]
                .map(str::to_owned)
                .to_vec(),
            ..RegistrySettings::default()
        };
        for host in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "127.9.9.9",
            "[::1]:5000",
            "10.1.2.3:80",
            "plain.io",
            "plain.io:5000",
            "ported.io:5000",
            "[fd12::1]",
        ] {
            assert!(settings.is_insecure(host), "{host}");
        }
        for host in
            ["docker.io", "11.0.0.1", "ported.io", "ported.io:1", "[fe80::1]", "localhost.io"]
        {
            assert!(!settings.is_insecure(host), "{host}");
        }
    }

    #[test]
    fn network_edges() {
        let contains = |network, address: &str| network_contains(network, address.parse().unwrap());
        assert!(contains("0.0.0.0/0", "8.8.8.8"));
        assert!(contains("8.8.8.8/32", "8.8.8.8"));
        assert!(!contains("8.8.8.8/32", "8.8.8.9"));
        assert!(!contains("8.8.8.8/33", "8.8.8.8"));
        assert!(!contains("8.8.8.8", "8.8.8.8"));
        assert!(!contains("::/0", "8.8.8.8"));
    }

    #[test]
    fn no_proxy_for_this_machine() {
        let settings =
            RegistrySettings { no_proxy: Some(".corp".to_owned()), ..RegistrySettings::default() };
        assert_eq!(settings.no_proxy_list(), ".corp,localhost,127.0.0.0/8,::1");
    }
}
