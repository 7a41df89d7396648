//! A connection to one server: version check, manifests, blobs.
//!
//! # How it works
//!
//! [`Connection::open`] finds out whether the server speaks TLS and how it wants to
//! be shown credentials. Manifests are small: they are fetched whole and bounded.
//! Blobs are streams, fetched from any offset by [`Http`], because the OCI client library
//! keeps no headers of a refusal and so not the pause it asks for; the caller counts and
//! hashes them. Uploads are the library's. A 401 makes one new attempt with a new token; other
//! failures are the caller's to repeat, see [`super::retry`].
//!
//! # Limits
//!
//! The OCI client library cannot present client certificates, so a server that wants one
//! cannot be pushed to.

use bytes::Bytes;
use oci_client::{RegistryOperation, secrets::RegistryAuth};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RANGE};
use reqwest::{Response, StatusCode};

use super::challenge::Challenge;
use super::endpoint::{Endpoint, Scheme};
use super::error::RegistryError;
use super::http::{self, Http, expect_success, read_body, send};
use super::manifest::ACCEPTED_MANIFESTS;
use super::pace::Pace;
use super::retry::Retry;
use super::settings::{RegistrySettings, RetryPolicy};
use super::tls::HostTls;
use super::token::{Authenticator, Authorization, Scope};
use crate::auth::Credential;
use crate::digest::Digest;
use crate::limits::MANIFEST_BYTES_MAX;

const DIGEST_HEADER: &str = "Docker-Content-Digest";

/// A server that has answered.
pub(crate) struct Connection {
    pub(super) host: String,
    pub(super) scheme: Scheme,
    pub(super) has_identity: bool,
    pub(super) oci: oci_client::Client,
    http: Http,
    authenticator: Authenticator,
    retry: RetryPolicy,
}

/// A manifest as it was received.
#[derive(Debug, Clone)]
pub(crate) struct FetchedManifest {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
}

/// The content of a blob, from some offset on.
pub(crate) struct BlobBody {
    response: Response,
    url: String,
    pace: Pace,
    /// Whether it begins at the start of the blob, wherever it was asked to begin.
    pub(crate) from_start: bool,
}

impl BlobBody {
    /// The next piece; `None` at the end of the answer.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, RegistryError> {
        self.pace.chunk(&mut self.response, &self.url).await
    }
}

impl Connection {
    /// Reaches the server, over TLS unless it is one that need not have it.
    pub(crate) async fn open(
        settings: &RegistrySettings,
        endpoint: &Endpoint,
        credential: Option<Credential>,
    ) -> Result<Self, RegistryError> {
        let tls = HostTls::load(settings, &endpoint.host, !endpoint.insecure)?;
        let guarded = credential.is_some() && !endpoint.insecure;
        let http = Http::new(settings, &endpoint.host, &tls, endpoint.insecure, guarded)?;
        let (scheme, challenge) = ping(&http, endpoint, settings.retry).await?;
        let oci = http::transfer_client(settings, &endpoint.host, scheme, &tls, endpoint.insecure)?;
        Ok(Self {
            host: endpoint.host.clone(),
            scheme,
            has_identity: tls.identity.is_some(),
            oci,
            http,
            authenticator: Authenticator::new(
                challenge,
                credential,
                scheme == Scheme::Https && !endpoint.insecure,
            ),
            retry: settings.retry,
        })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}://{}/v2/{path}", self.scheme.as_str(), self.host)
    }

    /// Fetches a manifest by tag or digest; by digest it is verified.
    pub(crate) async fn manifest(
        &self,
        repository: &str,
        tag_or_digest: &str,
    ) -> Result<FetchedManifest, RegistryError> {
        let url = self.url(&format!("{repository}/manifests/{tag_or_digest}"));
        let scopes = [Scope::pull(repository)];
        let mut retry = Retry::new(self.retry);
        loop {
            match self.manifest_once(&url, &scopes, tag_or_digest).await {
                Ok(manifest) => return Ok(manifest),
                Err(error) => tokio::time::sleep(retry.after(error)?).await,
            }
        }
    }

    async fn manifest_once(
        &self,
        url: &str,
        scopes: &[Scope],
        tag_or_digest: &str,
    ) -> Result<FetchedManifest, RegistryError> {
        let accept = ACCEPTED_MANIFESTS.join(", ");
        // Docker asks by HEAD first, so that is the word its users know from errors.
        let response = self
            .send_authorized("Head", url, scopes, |http| http.get(url).header(ACCEPT, &accept))
            .await?;
        let response = expect_success(response).await?;
        let media_type = media_type(response.headers());
        let claimed = response
            .headers()
            .get(DIGEST_HEADER)
            .and_then(|value| value.to_str().ok()?.parse::<Digest>().ok());
        let bytes = read_body(response, "manifest", MANIFEST_BYTES_MAX).await?;
        let digest = Digest::of(&bytes);
        for expected in tag_or_digest.parse().ok().into_iter().chain(claimed) {
            if digest != expected {
                return Err(RegistryError::DigestMismatch {
                    what: format!("manifest at {url}"),
                    expected: expected.to_string(),
                    actual: digest.to_string(),
                });
            }
        }
        Ok(FetchedManifest { bytes, media_type, digest })
    }

    /// Starts reading a blob at `offset`. A server that knows no ranges starts over.
    pub(crate) async fn blob(
        &self,
        repository: &str,
        digest: &Digest,
        offset: u64,
    ) -> Result<BlobBody, RegistryError> {
        let url = self.url(&format!("{repository}/blobs/{digest}"));
        let scopes = [Scope::pull(repository)];
        let range = format!("bytes={offset}-");
        let response = self
            .send_authorized("Get", &url, &scopes, |http| {
                let request = http.get(&url);
                if offset == 0 { request } else { request.header(RANGE, &range) }
            })
            .await?;
        let response = expect_success(response).await?;
        let from_start = response.status() != StatusCode::PARTIAL_CONTENT;
        Ok(BlobBody { response, url, pace: Pace::default(), from_start })
    }

    /// Sends a request with what the server asks for; once more if it asks for
    /// something else in answer.
    pub(super) async fn send_authorized(
        &self,
        method: &'static str,
        url: &str,
        scopes: &[Scope],
        build: impl Fn(&Http) -> reqwest::RequestBuilder,
    ) -> Result<Response, RegistryError> {
        let authorization = self.authorization(method, url, scopes).await?;
        let response = send(method, url, authorization.apply(build(&self.http))).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        if !self.authenticator.challenged(Challenge::from_headers(response.headers())).await {
            return Ok(response);
        }
        let authorization = self.authorization(method, url, scopes).await?;
        send(method, url, authorization.apply(build(&self.http))).await
    }

    async fn authorization(
        &self,
        method: &'static str,
        url: &str,
        scopes: &[Scope],
    ) -> Result<Authorization, RegistryError> {
        self.authenticator
            .authorization(&self.http, scopes)
            .await?
            .ok_or_else(|| RegistryError::NoCredentials { method, url: url.to_owned() })
    }

    /// Hands the library what it is to send for a repository. It would ask the token
    /// server itself, but knows neither identity tokens nor how to report a refusal.
    pub(super) async fn authorize_library(
        &self,
        method: &'static str,
        url: &str,
        repository: &str,
        scopes: &[Scope],
    ) -> Result<(), RegistryError> {
        use oci_client::token_cache::{RegistryToken, RegistryTokenType};
        let token = match self.authorization(method, url, scopes).await? {
            Authorization::None => return Ok(()),
            Authorization::Basic { username, password } => {
                RegistryTokenType::Basic(username, password.reveal().to_owned())
            }
            Authorization::Bearer(token) => {
                RegistryTokenType::Bearer(RegistryToken::Token { token: token.reveal().to_owned() })
            }
        };
        self.oci.store_auth_if_needed(&self.host, &RegistryAuth::Anonymous).await;
        let image = self.library_reference(repository, "latest");
        for operation in [RegistryOperation::Pull, RegistryOperation::Push] {
            self.oci.tokens.insert(&image, operation, token.clone()).await;
        }
        Ok(())
    }

    /// Forgets tokens; whether that may help.
    pub(super) async fn renew(&self) -> bool {
        self.authenticator.renew().await
    }

    pub(super) fn library_reference(&self, repository: &str, name: &str) -> oci_client::Reference {
        let with = match name.parse::<Digest>() {
            Ok(_) => oci_client::Reference::with_digest,
            Err(_) => oci_client::Reference::with_tag,
        };
        with(self.host.clone(), repository.to_owned(), name.to_owned())
    }

    /// Ends what only the library can do where it cannot be used.
    pub(super) fn refuse_identity(&self) -> Result<(), RegistryError> {
        if self.has_identity {
            return Err(RegistryError::ClientCertificate { host: self.host.clone() });
        }
        Ok(())
    }

    pub(crate) fn retry(&self) -> Retry {
        Retry::new(self.retry)
    }
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split_once(';').map_or(value, |(name, _)| name).trim().to_owned()
}

/// Asks for `/v2/` in each permitted way until one gets an answer.
pub(super) async fn ping(
    http: &Http,
    endpoint: &Endpoint,
    policy: RetryPolicy,
) -> Result<(Scheme, Challenge), RegistryError> {
    let mut last = None;
    for &scheme in &endpoint.schemes {
        let url = format!("{}://{}/v2/", scheme.as_str(), endpoint.host);
        let mut retry = Retry::new(policy);
        loop {
            let outcome = ping_once(http, &url).await;
            match outcome {
                Ok(challenge) => return Ok((scheme, challenge)),
                Err(error @ RegistryError::Transport { .. }) if endpoint.schemes.len() > 1 => {
                    last = Some(error);
                    break;
                }
                Err(error) => tokio::time::sleep(retry.after(error)?).await,
            }
        }
    }
    Err(last.unwrap_or_else(|| RegistryError::Client {
        host: endpoint.host.clone(),
        reason: "there is no way to reach it".to_owned(),
    }))
}

async fn ping_once(http: &Http, url: &str) -> Result<Challenge, RegistryError> {
    let response = send("Get", url, http.get(url)).await?;
    let challenge = Challenge::from_headers(response.headers());
    match response.status() {
        StatusCode::UNAUTHORIZED => Ok(challenge),
        status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
            expect_success(response).await.map(|_| challenge)
        }
        // Some registries answer 404 or 403 here and serve images nevertheless.
        _ => Ok(challenge),
    }
}
