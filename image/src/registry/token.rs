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
    expires_in: Option<u64>,
}

impl Authenticator {
    pub(crate) fn new(challenge: Challenge, credential: Option<Credential>) -> Self {
        Self { credential, state: Mutex::new(State { challenge, tokens: HashMap::new() }) }
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
        let lifetime = answer.expires_in.map_or(LIFETIME_MIN, Duration::from_secs);
        let until = Instant::now() + lifetime.max(LIFETIME_MIN) - MARGIN;
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
    fn scopes_as_token_servers_read_them() {
        assert_eq!(Scope::pull("a/b").to_string(), "repository:a/b:pull");
        assert_eq!(Scope::push("a/b").to_string(), "repository:a/b:pull,push");
    }
}
