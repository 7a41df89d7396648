//! Trying a credential at its registry, before it is kept.

use reqwest::StatusCode;

use super::connection::Connection;
use super::endpoint::push_endpoint;
use super::error::{RegistryError, status_text};
use super::settings::RegistrySettings;
use crate::auth::Credential;
use crate::transfer::{TransferError, in_network_loop};

/// Asks `registry` (`HOST[:PORT]`, or `docker.io`) whether it admits the credential.
pub fn login(
    settings: &RegistrySettings,
    registry: &str,
    credential: &Credential,
) -> Result<(), TransferError> {
    in_network_loop(async {
        let endpoint = push_endpoint(settings, registry);
        let connection = Connection::open(settings, &endpoint, Some(credential.clone())).await?;
        let url = connection.url("");
        let outcome = connection.send_authorized("Get", &url, &[], |http| http.get(&url)).await;
        let response = outcome.map_err(|error| match error {
            RegistryError::Refused { refusal, .. } => {
                RegistryError::LoginRefused { url: url.clone(), refusal }
            }
            other => other,
        })?;
        if response.status() == StatusCode::OK {
            return Ok(());
        }
        let status = response.status().as_u16();
        Err(RegistryError::Login { url, status, reason: status_text(status) }.into())
    })
}
