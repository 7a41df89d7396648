//! The tags of a repository.
//!
//! # Limits
//!
//! At most [`PAGES_MAX`] pages of [`PAGE_BYTES_MAX`] bytes each, and [`TAGS_MAX`] tags: a
//! server that never ends its list is cut off.

use serde::Deserialize;

use super::connection::Connection;
use super::error::RegistryError;
use super::http::{expect_success, read_body};
use super::token::Scope;

/// Tags asked for at once.
const PAGE: usize = 1000;
const PAGES_MAX: usize = 1000;
const PAGE_BYTES_MAX: usize = 4 << 20;
const TAGS_MAX: usize = 1_000_000;

#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
}

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
        let mut tags: Vec<String> = Vec::new();
        for _ in 0..PAGES_MAX {
            let last = tags.last().cloned();
            let page = self.page(url, repository, last.as_deref()).await?;
            let complete = page.len() < PAGE;
            // Servers that know no pages send everything again.
            let repeated = page.iter().any(|tag| Some(tag) == last.as_ref());
            if !repeated {
                tags.extend(page);
            }
            if complete || repeated {
                return Ok(tags);
            }
            if tags.len() > TAGS_MAX {
                break;
            }
        }
        Err(RegistryError::Protocol {
            url: url.to_owned(),
            what: format!("its list of tags does not end after {}", tags.len()),
        })
    }

    async fn page(
        &self,
        url: &str,
        repository: &str,
        last: Option<&str>,
    ) -> Result<Vec<String>, RegistryError> {
        let scopes = [Scope::pull(repository)];
        let count = PAGE.to_string();
        let mut fields = vec![("n", count.as_str())];
        fields.extend(last.map(|last| ("last", last)));
        let response =
            self.send_authorized("Get", url, &scopes, |http| http.get(url).query(&fields)).await?;
        let body =
            read_body(expect_success(response).await?, "list of tags", PAGE_BYTES_MAX).await?;
        let page: Page = serde_json::from_slice(&body).map_err(|error| {
            RegistryError::Protocol { url: url.to_owned(), what: error.to_string() }
        })?;
        Ok(page.tags.unwrap_or_default())
    }
}
