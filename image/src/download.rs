//! An archive at a URL, as a stream for whoever reads it.
//!
//! # How it works
//!
//! [`Download::open`] sends the request, again where the server is busy, and wants the
//! answer 200; [`Download::ask`] is for whoever has an earlier answer and wants to know whether it
//! still holds. Reading then takes what has arrived and waits where nothing has; nothing
//! is asked of the network in between, so a slow reader slows the server down and the
//! archive is never held. Proxies and authorities are those of registries.
//!
//! # Limits
//!
//! At most [`DOWNLOAD_BYTES_MAX`](crate::limits::DOWNLOAD_BYTES_MAX) bytes. A transfer that
//! breaks is not taken up again: without a digest nothing tells whether the rest is of the
//! same archive. For the same reason a server listed as insecure must prove itself here.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use reqwest::header::{
    AUTHORIZATION, CONTENT_DISPOSITION, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::{Response, StatusCode, Url};

use crate::auth::Secret;
use crate::limits::DOWNLOAD_BYTES_MAX;
use crate::registry::{
    HostTls, Http, Pace, RegistryError, RegistrySettings, Retry, retry_after, send,
};

/// Why an archive could not be downloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    #[error("`{url}` is no URL that can be downloaded: {reason}")]
    Url { url: String, reason: String },

    #[error("failed to GET {url} with status {status} {reason}")]
    Status { url: String, status: u16, reason: String },

    #[error("the archive at {url} is larger than {limit} bytes")]
    TooLarge { url: String, limit: u64 },

    #[error("cannot start the network loop")]
    Runtime(#[source] io::Error),

    #[error(transparent)]
    Connection(#[from] RegistryError),
}

impl DownloadError {
    /// One sentence that tells the user what to do next, when we know it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Status { status: 401 | 403, .. } => Some(
                "download the archive with its credentials, or pipe it in and name it `-`"
                    .to_owned(),
            ),
            Self::TooLarge { .. } => {
                Some("download the archive first and import the file".to_owned())
            }
            // The registries' own advice does not apply: here nothing is insecure.
            Self::Connection(RegistryError::Transport { reason, .. })
                if reason.starts_with("tls:") =>
            {
                Some(
                    "put the server's CA certificate into certs.d/HOST:PORT/ca.crt, or name it in \
                     SSL_CERT_FILE"
                        .to_owned(),
                )
            }
            _ => None,
        }
    }
}

/// What goes along with a request.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Of an earlier answer, as the server wrote it.
    pub etag: Option<String>,
    /// The same.
    pub last_modified: Option<String>,
    /// The value of the `Authorization` header.
    pub authorization: Option<Secret>,
}

/// What a server says about what it sends, as it writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub content_disposition: Option<String>,
}

/// What comes back.
#[derive(Debug)]
pub enum Answer {
    /// The earlier answer holds.
    Unchanged(Head),
    Content(Box<Download>),
}

/// A download that was answered; reading it waits for the network.
#[derive(Debug)]
pub struct Download {
    network: tokio::runtime::Runtime,
    response: Response,
    /// Without its password.
    url: String,
    current: Bytes,
    received: u64,
    pace: Pace,
}

impl Download {
    /// Asks for `url` and waits for the first bytes of the answer.
    pub fn open(settings: &RegistrySettings, url: &str) -> Result<Self, DownloadError> {
        match Self::ask(settings, url, &Asked::default())? {
            Answer::Content(download) => Ok(*download),
            // Nobody asked whether it is.
            Answer::Unchanged(_) => Err(DownloadError::Status {
                url: url.to_owned(),
                status: StatusCode::NOT_MODIFIED.as_u16(),
                reason: "Not Modified".to_owned(),
            }),
        }
    }

    /// The same, if it is no longer what it was.
    pub fn ask(
        settings: &RegistrySettings,
        url: &str,
        asked: &Asked,
    ) -> Result<Answer, DownloadError> {
        let (parsed, shown) = parse(url)?;
        let network = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(DownloadError::Runtime)?;
        let response = network.block_on(request(settings, &parsed, &shown, asked))?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Answer::Unchanged(head(response.headers())));
        }
        if response.content_length().is_some_and(|bytes| bytes > DOWNLOAD_BYTES_MAX) {
            return Err(DownloadError::TooLarge { url: shown, limit: DOWNLOAD_BYTES_MAX });
        }
        let (current, pace) = (Bytes::new(), Pace::default());
        let download = Self { network, response, url: shown, current, received: 0, pace };
        Ok(Answer::Content(Box::new(download)))
    }

    pub fn head(&self) -> Head {
        head(self.response.headers())
    }

    /// Bytes, where the server tells.
    pub fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// Where it comes from, as it may be shown: without a password.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Read for Download {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            let next = self.pace.chunk(&mut self.response, &self.url);
            let chunk = self.network.block_on(next).map_err(io::Error::other)?;
            let Some(chunk) = chunk else { return Ok(0) };
            self.received = self.received.saturating_add(chunk.len() as u64);
            if self.received > DOWNLOAD_BYTES_MAX {
                let (url, limit) = (self.url.clone(), DOWNLOAD_BYTES_MAX);
                return Err(io::Error::other(DownloadError::TooLarge { url, limit }));
            }
            self.current = chunk;
        }
        let n = buf.len().min(self.current.len());
        buf[..n].copy_from_slice(&self.current[..n]);
        self.current.advance(n);
        Ok(n)
    }
}

/// The URL, and how it is shown.
fn parse(url: &str) -> Result<(Url, String), DownloadError> {
    let failed = |reason: &dyn std::fmt::Display| DownloadError::Url {
        url: url.to_owned(),
        reason: reason.to_string(),
    };
    let parsed = Url::parse(url).map_err(|error| failed(&error))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(failed(&"only http and https are known"));
    }
    if parsed.password().is_none() {
        return Ok((parsed, url.to_owned()));
    }
    let mut shown = parsed.clone();
    shown.set_password(Some("xxxxx")).map_err(|()| failed(&"it takes no password"))?;
    Ok((parsed, shown.into()))
}

/// Sends the request until it is answered for good.
async fn request(
    settings: &RegistrySettings,
    url: &Url,
    shown: &str,
    asked: &Asked,
) -> Result<Response, DownloadError> {
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (name, Some(port)) => format!("{name}:{port}"),
        (name, None) => name.to_owned(),
    };
    // Plain HTTP may lead to a server with TLS, so authorities are loaded for both.
    let tls = HostTls::load(settings, &host, true)?;
    let guarded = !url.username().is_empty() || asked.authorization.is_some();
    let http = Http::new(settings, &host, &tls, false, guarded)?;
    let headers = headers(asked, shown)?;
    let asks = asked.etag.is_some() || asked.last_modified.is_some();
    let answers = |status| status == StatusCode::OK || asks && status == StatusCode::NOT_MODIFIED;
    let mut retry = Retry::new(settings.retry);
    loop {
        let sent = http.get(url.as_str()).headers(headers.clone());
        let error = match send("Get", shown, sent).await {
            Ok(response) if answers(response.status()) => return Ok(response),
            Ok(response) => status_of(&response),
            Err(error) => error,
        };
        let pause = retry.after(error).map_err(|error| match error {
            RegistryError::Status { status, reason, .. } => {
                DownloadError::Status { url: shown.to_owned(), status, reason }
            }
            error => error.into(),
        })?;
        tokio::time::sleep(pause).await;
    }
}

fn headers(asked: &Asked, shown: &str) -> Result<HeaderMap, DownloadError> {
    let mut headers = HeaderMap::new();
    let conditions = [(IF_NONE_MATCH, &asked.etag), (IF_MODIFIED_SINCE, &asked.last_modified)];
    for (name, value) in conditions {
        // What cannot be a header was none: then everything is asked for.
        if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    }
    if let Some(secret) = &asked.authorization {
        let value = HeaderValue::from_str(secret.reveal());
        let mut value = value.map_err(|_| DownloadError::Url {
            url: shown.to_owned(),
            reason: "its secret for the Authorization header has characters that no header has"
                .to_owned(),
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

fn head(headers: &HeaderMap) -> Head {
    let text = |name: HeaderName| Some(headers.get(name)?.to_str().ok()?.to_owned());
    Head {
        etag: text(ETAG),
        last_modified: text(LAST_MODIFIED),
        content_disposition: text(CONTENT_DISPOSITION),
    }
}

/// An answer that brings no archive, as an error that may be worth another attempt.
fn status_of(response: &Response) -> RegistryError {
    let status = response.status();
    RegistryError::Status {
        status: status.as_u16(),
        reason: status.canonical_reason().unwrap_or_default().to_owned(),
        retry_after: retry_after(response.headers()),
    }
}
