//! The HTTP client of one server, for what is asked of it in small pieces.
//!
//! # How it works
//!
//! Trust, client certificate and proxies come from the settings. Bodies read whole
//! are bounded. The transfer client below it, of the OCI client library, is set up
//! here too, so that both reach the server in the same way.
//!
//! # Not here
//!
//! Nothing is tried again here, and no credentials are added.

use std::sync::Once;
use std::time::Duration;

use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use reqwest::header::{HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{NoProxy, Proxy, RequestBuilder, Response, StatusCode};

use super::endpoint::Scheme;
use super::error::RegistryError;
use super::pace::Pace;
use super::settings::RegistrySettings;
use super::tls::HostTls;

pub(crate) const USER_AGENT: &str = concat!("coracle/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest silence in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest body of an error answer that is looked at.
const ERROR_BODY_MAX: usize = 64 << 10;

/// A client for one server.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
}

impl Http {
    /// `guarded`: requests may carry credentials, which no redirect takes from TLS to plain
    /// HTTP.
    pub(crate) fn new(
        settings: &RegistrySettings,
        host: &str,
        tls: &HostTls,
        insecure: bool,
        guarded: bool,
    ) -> Result<Self, RegistryError> {
        install_crypto();
        let failed = |error: reqwest::Error| client_error(host, &error);
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            // The environment is the caller's to read.
            .no_proxy();
        if guarded {
            builder = builder.redirect(reqwest::redirect::Policy::custom(keep_tls));
        }
        if insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        let mut roots = Vec::with_capacity(tls.roots.len());
        for der in &tls.roots {
            roots.push(reqwest::Certificate::from_der(der).map_err(failed)?);
        }
        builder = builder.tls_certs_only(roots);
        if let Some(pem) = &tls.identity {
            builder = builder.identity(reqwest::Identity::from_pem(pem).map_err(failed)?);
        }
        for (address, for_https) in [(&settings.http_proxy, false), (&settings.https_proxy, true)] {
            let Some(address) = address.as_deref().filter(|address| !address.is_empty()) else {
                continue;
            };
            let proxy = if for_https { Proxy::https(address) } else { Proxy::http(address) };
            let except = NoProxy::from_string(&settings.no_proxy_list());
            builder = builder.proxy(proxy.map_err(failed)?.no_proxy(except));
        }
        Ok(Self { client: builder.build().map_err(failed)? })
    }

    pub(crate) fn get(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }

    pub(crate) fn post(&self, url: &str) -> RequestBuilder {
        self.client.post(url)
    }
}

/// As many as the library follows by itself.
const REDIRECTS_MAX: usize = 10;

fn keep_tls(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    let from = attempt.previous().last().map_or("", |url| url.scheme());
    if from == "https" && attempt.url().scheme() != "https" {
        let to = attempt.url().origin().ascii_serialization();
        return attempt.error(format!("refusing a redirect from TLS to plain HTTP at {to}"));
    }
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error("too many redirects");
    }
    attempt.follow()
}

/// Longest wait for the head of an answer, however it drips.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// Sends a request; an answer of any status is a success here.
pub(crate) async fn send(
    method: &'static str,
    url: &str,
    request: RequestBuilder,
) -> Result<Response, RegistryError> {
    match tokio::time::timeout(HEAD_TIMEOUT, request.send()).await {
        Ok(answer) => answer.map_err(|error| RegistryError::from_reqwest(method, url, &error)),
        Err(_) => Err(no_answer(method, url, HEAD_TIMEOUT)),
    }
}

/// Waits for a call of the transfer client, which sends little and has no bound of its own.
pub(super) async fn bounded<T>(
    method: &'static str,
    url: &str,
    call: impl Future<Output = Result<T, OciDistributionError>>,
) -> Result<T, RegistryError> {
    match tokio::time::timeout(HEAD_TIMEOUT, call).await {
        Ok(answer) => answer.map_err(|error| RegistryError::from_oci(method, url, error)),
        Err(_) => Err(no_answer(method, url, HEAD_TIMEOUT)),
    }
}

pub(super) fn no_answer(method: &'static str, url: &str, waited: Duration) -> RegistryError {
    RegistryError::Transport {
        method,
        url: url.to_owned(),
        reason: format!("no answer in {} seconds", waited.as_secs()),
        retryable: true,
    }
}

/// Turns an answer that is no success into the error it explains.
pub(crate) async fn expect_success(response: Response) -> Result<Response, RegistryError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = retry_after(response.headers());
    // A token that does not reach this far means a refusal, not a missing login.
    let denied = status == StatusCode::UNAUTHORIZED && lacks_scope(response.headers());
    let status = if denied { StatusCode::FORBIDDEN } else { status };
    // An explanation that cannot be read leaves the status, which is explanation enough.
    let body = match denied {
        true => Vec::new(),
        false => read_body(response, "error message", ERROR_BODY_MAX).await.unwrap_or_default(),
    };
    Err(RegistryError::from_body(status.as_u16(), &body, retry_after))
}

/// Reads a whole body of at most `limit` bytes.
pub(crate) async fn read_body(
    mut response: Response,
    what: &'static str,
    limit: usize,
) -> Result<Vec<u8>, RegistryError> {
    let url = response.url().to_string();
    let (mut body, mut pace) = (Vec::new(), Pace::default());
    while let Some(chunk) = pace.chunk(&mut response, &url).await? {
        if body.len() + chunk.len() > limit {
            return Err(RegistryError::TooLarge { what, url, limit });
        }
        body.extend(&chunk);
    }
    Ok(body)
}

fn lacks_scope(headers: &HeaderMap) -> bool {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("insufficient_scope"))
}

/// The pause asked for, when given in seconds.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The transfer client, which reaches the server in the same way as [`Http`].
pub(crate) fn transfer_client(
    settings: &RegistrySettings,
    host: &str,
    scheme: Scheme,
    tls: &HostTls,
    insecure: bool,
) -> Result<oci_client::Client, RegistryError> {
    install_crypto();
    let text = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let (mut http_proxy, https_proxy) = (text(&settings.http_proxy), text(&settings.https_proxy));
    let mut no_proxy = settings.no_proxy_list();
    if http_proxy.is_none() && https_proxy.is_none() {
        // Without any proxy the library would look at the environment; one that
        // is used for no host keeps it from that.
        http_proxy = Some("http://127.0.0.1:9".to_owned());
        "*,0.0.0.0/0,::/0".clone_into(&mut no_proxy);
    }
    // Plain HTTP is trusted for nothing but digests, and loading no roots is faster.
    let unverified = insecure || scheme == Scheme::Http;
    let roots = if unverified { &[][..] } else { &tls.roots };
    let config = ClientConfig {
        protocol: match scheme {
            Scheme::Http => ClientProtocol::Http,
            Scheme::Https => ClientProtocol::Https,
        },
        accept_invalid_certificates: unverified,
        tls_certs_only: roots
            .iter()
            .map(|der| Certificate { encoding: CertificateEncoding::Der, data: der.clone() })
            .collect(),
        platform_resolver: None,
        use_monolithic_push: true,
        // Tokens are renewed by us, ahead of time.
        default_token_expiration_secs: 24 * 60 * 60,
        // It would count from the beginning of an upload, however well that goes: each call has
        // a bound of ours instead.
        read_timeout: None,
        connect_timeout: Some(CONNECT_TIMEOUT),
        user_agent: USER_AGENT,
        http_proxy,
        https_proxy,
        no_proxy: Some(no_proxy),
        ..ClientConfig::default()
    };
    oci_client::Client::try_from(config).map_err(|error| client_error(host, &error))
}

fn client_error(host: &str, error: &dyn std::error::Error) -> RegistryError {
    let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    RegistryError::Client { host: host.to_owned(), reason }
}

/// Names the one cryptography provider of the process.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Fails only when a provider is installed already, which is then used.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}
