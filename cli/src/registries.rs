//! What the settings say about registries, and errors of transfers in Docker's words.

use std::path::PathBuf;

use coracle_image::{AuthSettings, RegistrySettings, TransferError};

use crate::error::CliError;
use crate::settings::Settings;

/// The variable that holds a credentials file.
pub(crate) const AUTH: &str = "DOCKER_AUTH_CONFIG";

/// Where passwords of registries are kept.
pub(crate) fn auth(settings: &Settings) -> AuthSettings {
    let environment = &settings.environment;
    AuthSettings {
        config_dir: settings.docker_config.clone(),
        inline_json: environment.get(AUTH).map(str::to_owned),
        auth_file: environment.get("REGISTRY_AUTH_FILE").map(Into::into),
    }
}

/// How registries are reached, from the environment and the settings file.
pub(crate) fn settings(settings: &Settings) -> RegistrySettings {
    let environment = &settings.environment;
    let file = &settings.file;
    let owned = |name: &str| environment.get(name).map(str::to_owned);
    let proxy = |name: &str| environment.proxy(name).map(str::to_owned);
    let defaults = RegistrySettings::default();
    let mut certs_dirs = defaults.certs_dirs;
    certs_dirs.push(PathBuf::from("/etc/coracle/certs.d"));
    certs_dirs.push(settings.docker_config.join("certs.d"));
    certs_dirs.push(settings.config_home.join("docker/certs.d"));
    certs_dirs.push(settings.config_home.join("coracle/certs.d"));
    let mut retry = defaults.retry;
    retry.attempts = file.max_download_attempts.unwrap_or(retry.attempts);
    RegistrySettings {
        auth: auth(settings),
        ca_file: environment.get("SSL_CERT_FILE").map(PathBuf::from),
        ca_dirs: owned("SSL_CERT_DIR"),
        certs_dirs,
        insecure_registries: file.insecure_registries.clone(),
        mirrors: file.registry_mirrors.clone(),
        http_proxy: proxy("HTTP_PROXY"),
        https_proxy: proxy("HTTPS_PROXY"),
        no_proxy: proxy("NO_PROXY"),
        max_concurrent_downloads: file
            .max_concurrent_downloads
            .unwrap_or(defaults.max_concurrent_downloads),
        max_concurrent_uploads: file
            .max_concurrent_uploads
            .unwrap_or(defaults.max_concurrent_uploads),
        retry,
    }
}

/// Once a transfer began its errors come without preface, as in Docker.
pub(crate) fn failure(error: &TransferError, began: bool) -> CliError {
    let hint = error.hint();
    let mut out = CliError::library(error, hint);
    if began {
        out.message = error.to_string();
    }
    out
}
