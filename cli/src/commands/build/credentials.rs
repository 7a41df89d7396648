//! Secrets and ssh agents that flags name: found among files, variables and sockets of the caller.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use coracle_builder::flags::secrets::{self, SECRET_BYTES_MAX, SecretSpec, SshSpec};
use coracle_builder::request::Secret;

use super::args::failed;
use super::wanted::{absolute, bad};
use crate::error::CliError;
use crate::files::reason;
use crate::settings::Environment;

/// What `--secret` names.
pub(super) fn secrets(
    given: &[String],
    environment: &Environment,
) -> Result<BTreeMap<String, Secret>, CliError> {
    let mut found = BTreeMap::new();
    for text in given {
        let spec = secrets::secret(text).map_err(bad)?;
        let secret = secret(&spec, environment)?;
        found.insert(spec.id, secret);
    }
    Ok(found)
}

/// A secret that is named by its id alone is a variable of that name, else a file.
pub(crate) fn secret(spec: &SecretSpec, environment: &Environment) -> Result<Secret, CliError> {
    let by_id = spec.path.is_none() && environment.all.contains_key(&spec.id);
    let variable = spec.env.as_ref().or(by_id.then_some(&spec.id));
    if let (Some(name), None) = (variable, &spec.path) {
        let value = environment.all.get(name).cloned().unwrap_or_default();
        return Ok(Secret::Value(value.into_bytes()));
    }
    let path = spec.path.as_ref().unwrap_or(&spec.id);
    let meta = fs::metadata(path).map_err(|error| {
        failed(&format!("failed to stat {path}: stat {path}: {}", reason(&error)))
    })?;
    if meta.len() > SECRET_BYTES_MAX {
        return Err(failed(&format!("secret {} too big. max size 500KB", spec.id)));
    }
    Ok(Secret::File(absolute(Path::new(path))?))
}

/// What `--ssh` names.
pub(super) fn agents(
    given: &[String],
    environment: &Environment,
) -> Result<BTreeMap<String, PathBuf>, CliError> {
    let mut found = BTreeMap::new();
    for text in given {
        let spec = secrets::ssh(text).map_err(bad)?;
        let agent = agent(&spec, environment)?;
        found.insert(spec.id, agent);
    }
    Ok(found)
}

/// The socket of an agent.
pub(crate) fn agent(spec: &SshSpec, environment: &Environment) -> Result<PathBuf, CliError> {
    let SshSpec { id, paths } = spec;
    let refuse = |why: &str| {
        let paths = paths.join(" ");
        failed(&format!("failed to convert agent config {{{id} [{paths}] false}}: {why}"))
    };
    let path = match paths.as_slice() {
        [] => environment.get("SSH_AUTH_SOCK").ok_or_else(|| {
            refuse("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set")
        })?,
        [path] => path,
        _ => {
            let what = format!("--ssh {id}={}", paths.join(","));
            return Err(CliError::unsupported(&what, "one agent belongs to an id"));
        }
    };
    let convert =
        |why: String| refuse(&format!("failed to convert agent config for ID: {id:?}: {why}"));
    let meta =
        fs::metadata(path).map_err(|error| convert(format!("stat {path}: {}", reason(&error))))?;
    let kind = meta.file_type();
    if kind.is_file() {
        let why = "a key is used by an agent: `ssh-add` it to one, and name its socket";
        return Err(CliError::unsupported(&format!("--ssh {id}={path}"), why));
    }
    if !kind.is_socket() {
        return Err(convert(format!("{path} is not a socket")));
    }
    absolute(Path::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        let all = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Environment { all: all.collect() }
    }

    #[test]
    fn secrets_are_files_or_variables() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s").to_string_lossy().into_owned();
        fs::write(&path, "x").unwrap();
        let environment = environment(&[("T", "value"), ("byid", "v")]);
        let one = |text: String| {
            let mut found = secrets(&[text], &environment)?;
            Ok::<_, CliError>(found.pop_first().unwrap().1)
        };
        assert!(one(format!("id=a,src={path}")).unwrap() == Secret::File(path.into()));
        assert!(one("id=a,env=T".into()).unwrap() == Secret::Value(b"value".to_vec()));
        assert!(one("id=byid".into()).unwrap() == Secret::Value(b"v".to_vec()));
        assert!(one("id=a,type=env,env=NOSUCH".into()).unwrap() == Secret::Value(Vec::new()));
        let why = |text: &str| one(text.to_owned()).unwrap_err().message;
        assert_eq!(
            why("id=x,src=nosuch"),
            "ERROR: failed to build: failed to stat nosuch: stat nosuch: no such file or directory"
        );
        assert_eq!(
            why("id=x"),
            "ERROR: failed to build: failed to stat x: stat x: no such file or directory"
        );
        assert_eq!(why("src=nosuch"), "ERROR: failed to build: secret missing ID");
    }

    #[test]
    fn agents_are_sockets() {
        let none = environment(&[]);
        let why = |text: &str| agents(&[text.to_owned()], &none).unwrap_err().message;
        assert_eq!(
            why("default"),
            "ERROR: failed to build: failed to convert agent config {default [] false}: invalid empty ssh agent \
             socket: make sure SSH_AUTH_SOCK is set"
        );
        assert_eq!(
            why("k=nosuch"),
            "ERROR: failed to build: failed to convert agent config {k [nosuch] false}: failed to convert agent \
             config for ID: \"k\": stat nosuch: no such file or directory"
        );
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let with = environment(&[("SSH_AUTH_SOCK", &socket.to_string_lossy())]);
        assert_eq!(agents(&["default".to_owned()], &with).unwrap()["default"], socket);
        let key = folder.path().join("key");
        fs::write(&key, "k").unwrap();
        let why = why(&format!("k={}", key.display()));
        assert!(why.contains("not supported: a key is used by an agent"), "{why}");
    }
}
