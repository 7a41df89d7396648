//! Errors of talking to a registry, worded as Docker words them.
//!
//! # How it works
//!
//! A registry explains a refusal in a small JSON body; its first entry becomes
//! [`Refusal`] and prints as `code in words: message`. Network failures are turned
//! into the short form that Docker users know, `Get "URL": reason`.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use oci_client::errors::{DigestError, OciDistributionError, OciEnvelope};
use serde_json::Value;

use crate::auth::AuthError;

/// Why a registry could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    #[error("{method} \"{url}\": {reason}")]
    Transport { method: &'static str, url: String, reason: String, retryable: bool },

    #[error("{method} \"{url}\": no basic auth credentials")]
    NoCredentials { method: &'static str, url: String },

    #[error(
        "refusing to send credentials to `{realm}`: the registry speaks TLS, its token server \
         plain HTTP"
    )]
    PlainRealm { realm: String },

    #[error("{refusal}")]
    Refused { refusal: Refusal, status: u16, retry_after: Option<Duration> },

    #[error("received unexpected HTTP status: {status} {reason}")]
    Status { status: u16, reason: String, retry_after: Option<Duration> },

    #[error("login attempt to {url} failed with status: {status} {reason}")]
    Login { url: String, status: u16, reason: String },

    #[error("Get \"{url}\": {refusal}")]
    LoginRefused { url: String, refusal: Refusal },

    #[error("failed to resolve reference \"{reference}\": {reference}: not found")]
    ManifestNotFound { reference: String, refusal: Refusal },

    #[error("failed to resolve reference \"{reference}\": failed to do request: {error}")]
    Unresolved { reference: String, error: Box<RegistryError> },

    #[error(
        "failed to resolve reference \"{reference}\": pull access denied, repository does not \
         exist or may require authorization: authorization failed: no basic auth credentials"
    )]
    Unauthorized { reference: String, url: String },

    #[error(
        "pull access denied for {repository}, repository does not exist or may require \
         'docker login': {refusal}"
    )]
    AccessDenied { repository: String, refusal: Refusal },

    #[error("repository {repository} not found: {refusal}")]
    RepositoryNotFound { repository: String, refusal: Refusal },

    #[error("the answer of `{url}` is not understood: {what}")]
    Protocol { url: String, what: String },

    #[error("the {what} at `{url}` is larger than {limit} bytes")]
    TooLarge { what: &'static str, url: String, limit: usize },

    #[error("{what} has digest {actual}, expected {expected}")]
    DigestMismatch { what: String, expected: String, actual: String },

    #[error("cannot use the TLS file `{path}`")]
    TlsFile { path: String, source: io::Error },

    #[error("`{value}` in {setting} is not understood")]
    Setting { setting: &'static str, value: String },

    #[error("cannot set up the connection to `{host}`: {reason}")]
    Client { host: String, reason: String },

    #[error(
        "`{host}` is configured with a client certificate, which is supported for pulling only"
    )]
    ClientCertificate { host: String },

    #[error(transparent)]
    Auth(#[from] AuthError),
}

/// What a registry gave as its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code as the registry wrote it, for example `MANIFEST_UNKNOWN`.
    pub code: String,
    pub message: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = self.code.replace('_', " ").to_lowercase();
        if self.message.is_empty() {
            return f.write_str(&words);
        }
        write!(f, "{words}: {}", self.message)
    }
}

impl RegistryError {
    /// Whether the same request may succeed a little later.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Transport { retryable, .. } => *retryable,
            Self::Refused { status, .. } | Self::Status { status, .. } => {
                *status == 429 || (*status >= 500 && *status != 501)
            }
            _ => false,
        }
    }

    /// Whether there was no way to the registry, as without a network.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Transport { reason, .. } => {
                reason.starts_with("dial tcp") || reason == "i/o timeout"
            }
            Self::Unresolved { error, .. } => error.is_unreachable(),
            _ => false,
        }
    }

    /// How long the registry asked us to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the registry wants (other) credentials.
    pub(crate) fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. } | Self::Status { status: 401, .. })
    }

    /// One sentence that tells the user what to do next, when we know it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Transport { reason, .. } if reason.starts_with("tls:") => Some(
                "put the registry's CA certificate into certs.d/HOST:PORT/ca.crt, or list the \
                 registry under `insecure-registries`"
                    .to_owned(),
            ),
            Self::Transport { reason, .. }
                if reason.ends_with("gave HTTP response to HTTPS client") =>
            {
                Some("list the registry under `insecure-registries` to use plain HTTP".to_owned())
            }
            Self::Unresolved { error, .. } => error.hint(),
            Self::NoCredentials { url, .. } | Self::Unauthorized { url, .. } => {
                Some(format!("log in first: `coracle login {}`", authority(url)))
            }
            Self::PlainRealm { .. } => Some(
                "ask whoever runs the registry; `insecure-registries` allows it, and lets others \
                 read the password"
                    .to_owned(),
            ),
            Self::Auth(error) => error.hint(),
            _ => None,
        }
    }

    /// Reads the reason out of the body of an HTTP error.
    pub(crate) fn from_body(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        match refusal_in(status, body) {
            Some(refusal) => Self::Refused { refusal, status, retry_after },
            None => Self::Status { status, reason: status_text(status), retry_after },
        }
    }

    pub(crate) fn from_reqwest(method: &'static str, url: &str, error: &reqwest::Error) -> Self {
        let (reason, retryable) = transport_reason(error, url);
        Self::Transport { method, url: url.to_owned(), reason, retryable }
    }

    /// A stream of blob data that ended early.
    pub(crate) fn from_stream(url: &str, error: io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>());
        if let Some(inner) = inner {
            return Self::from_reqwest("Get", url, inner);
        }
        if let Some(DigestError::VerificationError { expected, actual }) =
            error.get_ref().and_then(|inner| inner.downcast_ref())
        {
            return Self::DigestMismatch {
                what: format!("blob at {url}"),
                expected: expected.clone(),
                actual: actual.clone(),
            };
        }
        let (reason, retryable) = io_reason(&error, url);
        Self::Transport { method: "Get", url: url.to_owned(), reason, retryable }
    }

    pub(crate) fn from_oci(method: &'static str, url: &str, error: OciDistributionError) -> Self {
        match error {
            OciDistributionError::RequestError(error) => match error.status() {
                Some(status) => Self::from_body(status.as_u16(), b"", None),
                None => Self::from_reqwest(method, url, &error),
            },
            OciDistributionError::UnauthorizedError { .. } => Self::from_body(401, b"", None),
            OciDistributionError::ServerError { code, message, .. } => {
                Self::from_body(code, message.as_bytes(), None)
            }
            OciDistributionError::RegistryError { envelope, .. } => from_envelope(envelope),
            OciDistributionError::IoError(error) => Self::from_stream(url, error),
            other => Self::Protocol { url: url.to_owned(), what: other.to_string() },
        }
    }
}

/// oci-client keeps no status beside an error envelope; the code implies it.
fn from_envelope(envelope: OciEnvelope) -> RegistryError {
    let body = serde_json::to_vec(&envelope).unwrap_or_default();
    let status = match refusal_in(400, &body) {
        Some(refusal) if refusal.code == "TOOMANYREQUESTS" => 429,
        Some(refusal) if refusal.code == "UNAUTHORIZED" => 401,
        Some(refusal) if refusal.code == "DENIED" => 403,
        Some(refusal) if refusal.code.ends_with("_UNKNOWN") => 404,
        _ => 400,
    };
    RegistryError::from_body(status, &body, None)
}

/// The first error of a registry's body. Token servers use `details` instead, and
/// answers to HEAD have no body.
fn refusal_in(status: u16, body: &[u8]) -> Option<Refusal> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    if let Some(first) = body.get("errors").and_then(|errors| errors.get(0)) {
        return Some(Refusal { code: text(first, "code"), message: text(first, "message") });
    }
    let details = text(&body, "details");
    let (code, usual) = match status {
        401 => ("UNAUTHORIZED", "authentication required"),
        403 => ("DENIED", "requested access to the resource is denied"),
        429 => ("TOOMANYREQUESTS", ""),
        _ => ("UNKNOWN", ""),
    };
    let message = if details.is_empty() { usual.to_owned() } else { details };
    (!message.is_empty()).then(|| Refusal { code: code.to_owned(), message })
}

pub(crate) fn status_text(status: u16) -> String {
    reqwest::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Unknown")
        .to_owned()
}

/// The reason in a few words, and whether trying again may help.
fn transport_reason(error: &reqwest::Error, url: &str) -> (String, bool) {
    if error.is_timeout() {
        return ("net/http: request canceled (Client.Timeout exceeded)".to_owned(), true);
    }
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let mut innermost = error.to_string();
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return (tls_reason(tls), false);
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            let io = innermost_io(io);
            if let Some(tls) = io.get_ref().and_then(|inner| inner.downcast_ref()) {
                return (tls_reason(tls), false);
            }
            if io.to_string().starts_with("failed to lookup address information") {
                let host = authority(url);
                let host = host.rsplit_once(':').map_or(&*host, |(name, _)| name);
                return (format!("dial tcp: lookup {host}: no such host"), false);
            }
            if io.raw_os_error().is_some() || io.get_ref().is_none() {
                return io_reason(io, url);
            }
        }
        innermost = error.to_string();
        cause = error.source();
    }
    // What is left are answers that ended or stalled half way.
    (innermost, !error.is_builder())
}

/// An I/O error may wrap another, which `source` steps over.
fn innermost_io(mut error: &io::Error) -> &io::Error {
    while let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        error = inner;
    }
    error
}

fn tls_reason(error: &rustls::Error) -> String {
    use rustls::CertificateError as C;
    let why = match error {
        rustls::Error::InvalidMessage(_) => {
            return "http: server gave HTTP response to HTTPS client".to_owned();
        }
        rustls::Error::InvalidCertificate(C::UnknownIssuer) => {
            "certificate signed by unknown authority".to_owned()
        }
        rustls::Error::InvalidCertificate(
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
        ) => "certificate has expired or is not yet valid".to_owned(),
        other => other.to_string(),
    };
    format!("tls: failed to verify certificate: x509: {why}")
}

fn io_reason(error: &io::Error, url: &str) -> (String, bool) {
    use io::ErrorKind as K;
    let dial = |why: &str| (format!("dial tcp {}: connect: {why}", authority(url)), false);
    match error.kind() {
        K::ConnectionRefused => dial("connection refused"),
        K::HostUnreachable => dial("no route to host"),
        K::NetworkUnreachable => dial("network is unreachable"),
        K::ConnectionReset => ("read: connection reset by peer".to_owned(), true),
        K::BrokenPipe => ("write: broken pipe".to_owned(), true),
        K::TimedOut => ("i/o timeout".to_owned(), true),
        K::UnexpectedEof => ("unexpected EOF".to_owned(), true),
        _ => (error.to_string(), true),
    }
}

/// `HOST:PORT` of a URL.
fn authority(url: &str) -> String {
    let Ok(url) = reqwest::Url::parse(url) else { return String::new() };
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_prints_as_docker_prints_it() {
        let body =
            br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{}}]}"#;
        let error = RegistryError::from_body(404, body, None);
        assert_eq!(error.to_string(), "manifest unknown: manifest unknown");
        assert!(!error.is_retryable());
    }

    #[test]
    fn a_token_server_explains_itself_in_details() {
        let body = br#"{"details":"incorrect username or password"}"#;
        let error = RegistryError::from_body(401, body, None);
        assert_eq!(error.to_string(), "unauthorized: incorrect username or password");
        assert!(error.is_unauthorized());
        let error = RegistryError::from_body(401, b"", None);
        assert_eq!(error.to_string(), "unauthorized: authentication required");
    }

    #[test]
    fn other_bodies_leave_the_status() {
        let error = RegistryError::from_body(503, b"<html>", Some(Duration::from_secs(7)));
        assert_eq!(error.to_string(), "received unexpected HTTP status: 503 Service Unavailable");
        assert!(error.is_retryable());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }

    #[test]
    fn an_envelope_implies_its_status() {
        let envelope: OciEnvelope = serde_json::from_str(
            r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#,
        )
        .unwrap();
        let error = from_envelope(envelope);
        assert_eq!(error.to_string(), "toomanyrequests: slow down");
        assert!(error.is_retryable());
    }
}
