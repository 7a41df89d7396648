//! Access tokens: asked of the token server, kept until shortly before they expire.
//!
//! # How it works
//!
//! A token is for a set of scopes (`repository:PATH:pull`). With a user name and
//! password, or nothing, it is fetched by GET; an identity token is exchanged by
//! POST. Whoever needs a token while it is being fetched waits for that fetch.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::sync::Mutex;

use super::challenge::Challenge;
use super::error::RegistryError;
use super::http::{Http, USER_AGENT, expect_success, read_body, send};
use crate::auth::{Credential, Secret};

/// What a token is good for when the server does not say, and at least.
const LIFETIME_MIN: Duration = Duration::from_secs(60);
/// Tokens are renewed this long before they expire.
const MARGIN: Duration = Duration::from_secs(15);
/// No token is kept for longer, whatever the server says.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);
const TOKEN_BODY_MAX: usize = 1 << 20;

/// What may be done with one repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    pub(crate) repository: String,
    pub(crate) push: bool,
}

impl Scope {
    pub(crate) fn pull(repository: &str) -> Self {
        Self { repository: repository.to_owned(), push: false }
    }

    pub(crate) fn push(repository: &str) -> Self {
        Self { repository: repository.to_owned(), push: true }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions = if self.push { "pull,push" } else { "pull" };
        write!(f, "repository:{}:{actions}", self.repository)
    }
}

/// What a request is sent with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authorization {
    None,
    Basic { username: String, password: Secret },
    Bearer(Secret),
}

impl Authorization {
    pub(crate) fn apply(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match self {
            Self::None => request,
            Self::Basic { username, password } => {
                request.basic_auth(username, Some(password.reveal()))
            }
            Self::Bearer(token) => request.bearer_auth(token.reveal()),
        }
    }
}

/// Answers one server's challenge.
#[derive(Debug)]
pub(crate) struct Authenticator {
    credential: Option<Credential>,
    /// The server is reached by TLS that proves who it is.
    secured: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    challenge: Challenge,
    tokens: HashMap<String, (Secret, Instant)>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    /// A number of seconds, if the server keeps to what is agreed.
    #[serde(default)]
    expires_in: serde_json::Value,
}

impl TokenAnswer {
    fn lifetime(&self) -> Duration {
        let asked = self.expires_in.as_u64().map_or(LIFETIME_MIN, Duration::from_secs);
        asked.clamp(LIFETIME_MIN, LIFETIME_MAX) - MARGIN
    }
}

/// Whether a password or a token that stands for one would be shown to whoever listens: a
/// registry with TLS names a token server without.
fn exposes(secured: bool, realm: &str) -> bool {
    let scheme = realm.split_once(':').map_or(realm, |(scheme, _)| scheme);
    secured && !scheme.eq_ignore_ascii_case("https")
}

impl Authenticator {
    pub(crate) fn new(challenge: Challenge, credential: Option<Credential>, secured: bool) -> Self {
        Self { credential, secured, state: Mutex::new(State { challenge, tokens: HashMap::new() }) }
    }

    /// A server may ask for more on a later request than it did at first. Says
    /// whether trying again makes sense.
    pub(crate) async fn challenged(&self, challenge: Challenge) -> bool {
        let mut state = self.state.lock().await;
        let again = matches!(challenge, Challenge::Bearer { .. })
            || (challenge == Challenge::Basic && state.challenge == Challenge::None);
        state.tokens.clear();
        if again {
            state.challenge = challenge;
        }
        again
    }

    /// What to send for these scopes; `None` when the server wants a password and
    /// there is none.
    pub(crate) async fn authorization(
        &self,
        http: &Http,
        scopes: &[Scope],
    ) -> Result<Option<Authorization>, RegistryError> {
        let mut state = self.state.lock().await;
        let (realm, service) = match &state.challenge {
            Challenge::None => return Ok(Some(Authorization::None)),
            Challenge::Basic => return Ok(self.basic()),
            Challenge::Bearer { realm, service } => (realm.clone(), service.clone()),
        };
        if let Some(Credential::RegistryToken(token)) = &self.credential {
            return Ok(Some(Authorization::Bearer(token.clone())));
        }
        let scopes: Vec<String> = scopes.iter().map(Scope::to_string).collect();
        let key = scopes.join(" ");
        if let Some((token, until)) = state.tokens.get(&key)
            && Instant::now() < *until
        {
            return Ok(Some(Authorization::Bearer(token.clone())));
        }
        let answer = self.fetch(http, &realm, service.as_deref(), &scopes).await?;
        let until = Instant::now() + answer.lifetime();
        let Some(token) = answer.token.or(answer.access_token).map(Secret::new) else {
            let what = "authorization server did not include a token in the response".to_owned();
            return Err(RegistryError::Protocol { url: realm, what });
        };
        state.tokens.insert(key, (token.clone(), until));
        Ok(Some(Authorization::Bearer(token)))
    }

    /// Forgets all tokens; says whether there can be new ones.
    pub(crate) async fn renew(&self) -> bool {
        let mut state = self.state.lock().await;
        state.tokens.clear();
        matches!(state.challenge, Challenge::Bearer { .. })
            && !matches!(self.credential, Some(Credential::RegistryToken(_)))
    }

    fn basic(&self) -> Option<Authorization> {
        match &self.credential {
            Some(Credential::Basic { username, password }) => Some(Authorization::Basic {
                username: username.clone(),
                password: password.clone(),
            }),
            _ => None,
        }
    }

    async fn fetch(
        &self,
        http: &Http,
        realm: &str,
        service: Option<&str>,
        scopes: &[String],
    ) -> Result<TokenAnswer, RegistryError> {
        if self.credential.is_some() && exposes(self.secured, realm) {
            return Err(RegistryError::PlainRealm { realm: realm.to_owned() });
        }
        let mut fields: Vec<(&str, &str)> = Vec::new();
        fields.extend(service.map(|service| ("service", service)));
        let joined = scopes.join(" ");
        let (method, request) = match &self.credential {
            Some(Credential::IdentityToken(token)) => {
                fields.push(("client_id", USER_AGENT));
                fields.push(("grant_type", "refresh_token"));
                fields.push(("refresh_token", token.reveal()));
                if !joined.is_empty() {
                    fields.push(("scope", &joined));
                }
                ("Post", http.post(realm).form(&fields))
            }
            credential => {
                fields.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
                let request = http.get(realm);
                let request = match credential {
                    Some(Credential::Basic { username, password }) => {
                        fields.push(("account", username));
                        request.basic_auth(username, Some(password.reveal()))
                    }
                    _ => request,
                };
                ("Get", request.query(&fields))
            }
        };
        let response = expect_success(send(method, realm, request).await?).await?;
        let body = read_body(response, "token", TOKEN_BODY_MAX).await?;
        serde_json::from_slice(&body).map_err(|error| RegistryError::Protocol {
            url: realm.to_owned(),
            what: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_lifetime_is_too_absurd() {
        for (text, seconds) in [
            (r#"{"token":"t"}"#, 45),
            (r#"{"token":"t","expires_in":null}"#, 45),
            (r#"{"token":"t","expires_in":-1}"#, 45),
            (r#"{"token":"t","expires_in":"soon"}"#, 45),
            (r#"{"token":"t","expires_in":1e300}"#, 45),
            (r#"{"token":"t","expires_in":300}"#, 285),
            (r#"{"token":"t","expires_in":18446744073709551615}"#, 24 * 60 * 60 - 15),
        ] {
            let answer: TokenAnswer = serde_json::from_str(text).unwrap();
            assert_eq!(answer.lifetime(), Duration::from_secs(seconds), "{text}");
        }
    }

    #[test]
    fn a_password_is_not_shown_to_a_plain_token_server() {
        assert!(exposes(true, "http://auth.example/token"));
        assert!(exposes(true, "ftp"));
        assert!(!exposes(true, "HTTPS://auth.example/token"));
        assert!(!exposes(false, "http://auth.example/token"));
    }

    #[test]
    fn scopes_as_token_servers_read_them() {
        assert_eq!(Scope::pull("a/b").to_string(), "repository:a/b:pull");
        assert_eq!(Scope::push("a/b").to_string(), "repository:a/b:pull,push");
    }
}
