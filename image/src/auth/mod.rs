//! Registry credentials: where they are kept, and how helper programs are asked.

mod config_file;
mod credential;
mod helper;
mod store;

pub use credential::{Credential, Secret};
pub use helper::HelperError;
pub use store::{AuthError, AuthSettings, CredentialStore, StoredIn};
