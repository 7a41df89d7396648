//! Which servers stand for a registry, in the order they are asked.
//!
//! Docker Hub may have mirrors, which are asked first; its own server is called
//! differently from the registry name. Everything else is its own server.

use super::error::RegistryError;
use super::settings::RegistrySettings;
use crate::reference::DEFAULT_DOMAIN;

/// The server behind `docker.io`.
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// Plain or encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// One server and how it may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// `HOST[:PORT]`.
    pub(crate) host: String,
    /// Tried in order.
    pub(crate) schemes: Vec<Scheme>,
    /// Whether certificates go unverified.
    pub(crate) insecure: bool,
    pub(crate) is_mirror: bool,
}

/// The servers to pull from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PullEndpoints {
    /// Tried first, in order.
    pub(crate) mirrors: Vec<Endpoint>,
    pub(crate) registry: Endpoint,
}

/// The servers to pull from for a registry name.
pub(crate) fn pull_endpoints(
    settings: &RegistrySettings,
    domain: &str,
) -> Result<PullEndpoints, RegistryError> {
    let mut mirrors = Vec::new();
    if domain == DEFAULT_DOMAIN {
        for mirror in &settings.mirrors {
            mirrors.push(mirror_endpoint(settings, mirror)?);
        }
    }
    Ok(PullEndpoints { mirrors, registry: push_endpoint(settings, domain) })
}

/// The server that a registry name stands for; pushes go nowhere else.
pub(crate) fn push_endpoint(settings: &RegistrySettings, domain: &str) -> Endpoint {
    let host = if domain == DEFAULT_DOMAIN { DOCKER_HUB_HOST } else { domain };
    let insecure = settings.is_insecure(host);
    let schemes = if insecure { vec![Scheme::Https, Scheme::Http] } else { vec![Scheme::Https] };
    Endpoint { host: host.to_owned(), schemes, insecure, is_mirror: false }
}

fn mirror_endpoint(settings: &RegistrySettings, mirror: &str) -> Result<Endpoint, RegistryError> {
    let (scheme, rest) = match mirror.split_once("://") {
        Some(("http", rest)) => (Scheme::Http, rest),
        Some(("https", rest)) => (Scheme::Https, rest),
        Some(_) => return Err(bad_mirror(mirror)),
        None => (Scheme::Https, mirror),
    };
    let host = rest.trim_end_matches('/');
    if host.is_empty() || host.contains(['/', '?', '#', '@']) {
        return Err(bad_mirror(mirror));
    }
    let insecure = settings.is_insecure(host);
    Ok(Endpoint { host: host.to_owned(), schemes: vec![scheme], insecure, is_mirror: true })
}

fn bad_mirror(mirror: &str) -> RegistryError {
    RegistryError::Setting { setting: "registry-mirrors", value: mirror.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_hub_has_mirrors_and_another_host_name() {
        let settings = RegistrySettings {
            mirrors: vec!["http://127.0.0.1:5000/".to_owned(), "https://m.io".to_owned()],
            ..RegistrySettings::default()
        };
        let endpoints = pull_endpoints(&settings, "docker.io").unwrap();
        let shown: Vec<_> = endpoints
            .mirrors
            .iter()
            .chain([&endpoints.registry])
            .map(|e| (e.host.as_str(), e.schemes.as_slice(), e.is_mirror))
            .collect();
        assert_eq!(
            shown,
            [
                ("127.0.0.1:5000", &[Scheme::Http][..], true),
                ("m.io", &[Scheme::Https][..], true),
                ("registry-1.docker.io", &[Scheme::Https][..], false),
            ]
        );
        assert_eq!(pull_endpoints(&settings, "ghcr.io").unwrap().mirrors, []);
    }

    #[test]
    fn insecure_servers_are_tried_with_tls_first() {
        let endpoint = push_endpoint(&RegistrySettings::default(), "localhost:5000");
        assert_eq!(endpoint.schemes, [Scheme::Https, Scheme::Http]);
        assert!(endpoint.insecure);
        let endpoint = push_endpoint(&RegistrySettings::default(), "h.io");
        assert_eq!(endpoint.schemes, [Scheme::Https]);
    }

    #[test]
    fn a_mirror_is_a_host() {
        for bad in ["ftp://m.io", "https://", "https://m.io/path", "https://u@m.io"] {
            let settings =
                RegistrySettings { mirrors: vec![bad.to_owned()], ..RegistrySettings::default() };
            assert_eq!(
                pull_endpoints(&settings, "docker.io").unwrap_err().to_string(),
                format!("`{bad}` in registry-mirrors is not understood")
            );
        }
    }
}
