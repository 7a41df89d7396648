//! The tags of a repository.

use oci_client::secrets::RegistryAuth;

use super::connection::Connection;
use super::error::RegistryError;
use super::token::Scope;

/// Tags asked for at once.
const PAGE: usize = 1000;
/// Pages read at most: a server that never ends its list is cut off.
const PAGES_MAX: usize = 1000;

impl Connection {
    /// All tags of a repository, in the server's order.
    pub(crate) async fn tags(&self, repository: &str) -> Result<Vec<String>, RegistryError> {
        let url = self.url(&format!("{repository}/tags/list"));
        let mut retry = self.retry();
        loop {
            match self.tags_once(&url, repository).await {
                Ok(tags) => return Ok(tags),
                Err(error) => tokio::time::sleep(retry.after(error)?).await,
            }
        }
    }

    async fn tags_once(&self, url: &str, repository: &str) -> Result<Vec<String>, RegistryError> {
        self.refuse_identity()?;
        self.authorize_library("Get", url, repository, &[Scope::pull(repository)]).await?;
        let image = self.library_reference(repository, "latest");
        let mut tags: Vec<String> = Vec::new();
        for _ in 0..PAGES_MAX {
            let last = tags.last().cloned();
            let page = self
                .oci
                .list_tags(&image, &RegistryAuth::Anonymous, Some(PAGE), last.as_deref())
                .await
                .map_err(|error| RegistryError::from_oci("Get", url, error))?
                .tags;
            let complete = page.len() < PAGE;
            // Servers that know no pages send everything again.
            let repeated = page.iter().any(|tag| Some(tag) == last.as_ref());
            if !repeated {
                tags.extend(page);
            }
            if complete || repeated {
                break;
            }
        }
        Ok(tags)
    }
}
