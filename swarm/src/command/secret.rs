//! Secrets and configs: made and removed, their labels changed. The content is sealed by the caller.

use std::collections::BTreeMap;

use coracle_words::ErrorKind;

use crate::model::{Config, Sealed, Secret, SecretSpec, Service};
use crate::state::{Change, Object, State};

use super::service::there;
use super::{Code, CommandError};

/// Names have at most so many bytes.
const NAME_MAX: usize = 64;

/// One of the two.
struct Sort {
    name: &'static str,
    /// The content is shorter than that.
    size: usize,
    all: fn(&State) -> &BTreeMap<String, Secret>,
    is_used: fn(&Service, &str) -> bool,
    put: fn(Secret) -> Change,
    remove: fn(String) -> Change,
}

const SECRET: Sort = Sort {
    name: "secret",
    size: 500 * 1024,
    all: |state| &state.secrets,
    is_used: |service, id| {
        let spec = &service.spec.task_template.container_spec;
        spec.secrets.iter().any(|used| used.secret_id == id)
    },
    put: |secret| Change::Put(Object::Secret(Box::new(secret))),
    remove: Change::RemoveSecret,
};

const CONFIG: Sort = Sort {
    name: "config",
    size: 1000 * 1024,
    all: |state| &state.configs,
    is_used: |service, id| {
        let spec = &service.spec.task_template.container_spec;
        spec.configs.iter().any(|used| used.config_id == id)
    },
    put: |config: Config| Change::Put(Object::Config(Box::new(config))),
    remove: Change::RemoveConfig,
};

/// A new secret, of so many bytes.
///
/// # Errors
/// When the name makes no sense or is taken, or the content is too large.
pub fn create_secret(
    state: &State,
    spec: SecretSpec,
    id: String,
    size: usize,
    sealed: Sealed,
) -> Result<Vec<Change>, CommandError> {
    create(&SECRET, state, spec, id, size, sealed)
}

/// A new config, of so many bytes.
///
/// # Errors
/// When the name makes no sense or is taken, or the content is too large.
pub fn create_config(
    state: &State,
    spec: SecretSpec,
    id: String,
    size: usize,
    sealed: Sealed,
) -> Result<Vec<Change>, CommandError> {
    create(&CONFIG, state, spec, id, size, sealed)
}

/// Other labels for a secret.
///
/// # Errors
/// When anything else changes, and when the secret is not the one that was seen.
pub fn update_secret(
    state: &State,
    id: &str,
    version: u64,
    spec: SecretSpec,
) -> Result<Vec<Change>, CommandError> {
    update(&SECRET, state, id, version, spec)
}

/// Other labels for a config.
///
/// # Errors
/// When anything else changes, and when the config is not the one that was seen.
pub fn update_config(
    state: &State,
    id: &str,
    version: u64,
    spec: SecretSpec,
) -> Result<Vec<Change>, CommandError> {
    update(&CONFIG, state, id, version, spec)
}

/// # Errors
/// When there is none, or a service uses it.
pub fn remove_secret(state: &State, id: &str) -> Result<Vec<Change>, CommandError> {
    remove(&SECRET, state, id)
}

/// # Errors
/// When there is none, or a service uses it.
pub fn remove_config(state: &State, id: &str) -> Result<Vec<Change>, CommandError> {
    remove(&CONFIG, state, id)
}

fn create(
    sort: &Sort,
    state: &State,
    spec: SecretSpec,
    id: String,
    size: usize,
    sealed: Sealed,
) -> Result<Vec<Change>, CommandError> {
    if spec.name.is_empty() {
        return Err(CommandError::invalid("name must be provided"));
    }
    if spec.name.len() > NAME_MAX || !is_name(&spec.name) {
        return Err(CommandError::invalid(
            "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end \
             character must be [a-zA-Z0-9]",
        ));
    }
    if spec.driver.is_some() {
        let words = format!("a driver for a {}: not supported: there are no plugins", sort.name);
        return Err(CommandError { kind: ErrorKind::Unsupported, words });
    }
    if !(1..sort.size).contains(&size) {
        return Err(CommandError::invalid(format!(
            "{} data must be larger than 0 and less than {} bytes",
            sort.name, sort.size
        )));
    }
    let mut all = (sort.all)(state).values();
    if all.any(|other| other.spec.name.eq_ignore_ascii_case(&spec.name)) {
        let words = format!("{} {} already exists", sort.name, spec.name);
        return Err(CommandError::rpc(Code::AlreadyExists, words));
    }
    Ok(vec![(sort.put)(Secret { id, spec, sealed, ..Secret::default() })])
}

fn find<'a>(sort: &Sort, state: &'a State, id: &str) -> Result<&'a Secret, CommandError> {
    (sort.all)(state).get(id).ok_or_else(|| CommandError::not_found(sort.name, id))
}

fn update(
    sort: &Sort,
    state: &State,
    id: &str,
    version: u64,
    spec: SecretSpec,
) -> Result<Vec<Change>, CommandError> {
    let mut secret = find(sort, state, id)?.clone();
    if (SecretSpec { labels: spec.labels.clone(), ..secret.spec.clone() }) != spec {
        return Err(CommandError::invalid("only updates to Labels are allowed"));
    }
    if secret.meta.version.index != version {
        return Err(CommandError::out_of_sequence());
    }
    secret.spec = spec;
    Ok(vec![(sort.put)(secret)])
}

fn remove(sort: &Sort, state: &State, id: &str) -> Result<Vec<Change>, CommandError> {
    let secret = find(sort, state, id)?;
    let users = there(state).filter(|service| (sort.is_used)(service, id));
    let mut users: Vec<&str> = users.map(|service| service.spec.name.as_str()).collect();
    users.sort_unstable();
    if !users.is_empty() {
        let plural = if users.len() == 1 { "" } else { "s" };
        return Err(CommandError::invalid(format!(
            "{} '{}' is in use by the following service{plural}: {}",
            sort.name,
            secret.spec.name,
            users.join(", ")
        )));
    }
    Ok(vec![(sort.remove)(id.to_owned())])
}

/// As swarmkit has it: `^[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$`.
fn is_name(name: &str) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}
