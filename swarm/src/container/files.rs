//! Secrets and configs of a task as files of its container. Where their content comes from is not known here.

use coracle_runtime::model::DeliveredFile;

use super::ContainerError;
use crate::model::{ContainerSpec, FileTarget};

/// Where secrets with a relative target are.
const SECRETS: &str = "/run/secrets/";
/// The same of configs.
const CONFIGS: &str = "/";

/// A reference to a secret or config, put somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUse<'a> {
    pub secret: bool,
    /// Of the secret or config.
    pub id: &'a str,
    pub name: &'a str,
    pub file: DeliveredFile,
}

/// The files of a task: its configs, then its secrets. Where a config and a secret have one target, the secret is there.
///
/// # Errors
/// When an owner is no number or a target no path, or two of a kind have the same target.
pub fn uses(spec: &ContainerSpec) -> Result<Vec<FileUse<'_>>, ContainerError> {
    let mut all: Vec<FileUse<'_>> = Vec::new();
    for used in &spec.configs {
        let Some(target) = &used.file else { continue };
        let file = file("config", CONFIGS, &used.config_name, target)?;
        all.push(FileUse { secret: false, id: &used.config_id, name: &used.config_name, file });
    }
    for used in &spec.secrets {
        let Some(target) = &used.file else { continue };
        let file = file("secret", SECRETS, &used.secret_name, target)?;
        all.push(FileUse { secret: true, id: &used.secret_id, name: &used.secret_name, file });
    }
    for (index, one) in all.iter().enumerate() {
        let same = |other: &&FileUse<'_>| {
            other.secret == one.secret && other.file.target == one.file.target
        };
        if let Some(other) = all[..index].iter().find(same) {
            let what = if one.secret { "secret" } else { "config" };
            return Err(ContainerError::Invalid(format!(
                "{what} references '{}' and '{}' have a conflicting target: '{}'",
                other.name, one.name, one.file.target
            )));
        }
    }
    let secrets: Vec<String> =
        all.iter().filter(|one| one.secret).map(|one| one.file.target.clone()).collect();
    all.retain(|one| one.secret || !secrets.contains(&one.file.target));
    Ok(all)
}

/// What the container has delivered.
pub(super) fn delivered(spec: &ContainerSpec) -> Result<Vec<DeliveredFile>, ContainerError> {
    Ok(uses(spec)?.into_iter().map(|used| used.file).collect())
}

fn file(
    what: &'static str,
    folder: &str,
    name: &str,
    target: &FileTarget,
) -> Result<DeliveredFile, ContainerError> {
    let invalid = |why: String| {
        ContainerError::Invalid(format!("malformed {what} reference for {name}: {why}"))
    };
    let number = |of: &str, text: &str| match text {
        "" => Ok(0),
        text => text.parse().map_err(|_| {
            invalid(format!("{of} {text:?} is no number: names of the image are not looked up"))
        }),
    };
    let path = if target.name.starts_with('/') {
        target.name.clone()
    } else {
        format!("{folder}{}", target.name)
    };
    let below = path.split('/').any(|part| part == "..");
    if target.name.is_empty() || below || path.ends_with('/') {
        return Err(invalid(format!("target {:?} is not the path of a file", target.name)));
    }
    Ok(DeliveredFile {
        target: path,
        uid: number("uid", &target.uid)?,
        gid: number("gid", &target.gid)?,
        mode: target.mode & 0o7777,
        env: None,
    })
}
