//! `--secret` and `--ssh`: what is named, before anybody looks for it.

use super::FlagError;
use crate::instruction::fields;

/// A secret: `id=ID,src=PATH`, `id=ID,env=NAME`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretSpec {
    pub id: String,
    pub path: Option<String>,
    pub env: Option<String>,
}

/// Largest content of a secret.
pub const SECRET_BYTES_MAX: u64 = 500 * 1024;

/// Reads a value of `--secret`.
pub fn secret(text: &str) -> Result<SecretSpec, FlagError> {
    let cut = fields(text).map_err(|fault| {
        FlagError::Bad(format!("failed to parse csv secret: {}", fault.message))
    })?;
    let mut spec = SecretSpec::default();
    let mut is_variable = false;
    for field in &cut {
        let Some((key, value)) = field.split_once('=') else {
            let words = format!("invalid field '{field}' must be a key=value pair");
            return Err(FlagError::Bad(words));
        };
        let given = Some(value.to_owned()).filter(|value| !value.is_empty());
        match key.to_lowercase().as_str() {
            "type" if value == "file" => is_variable = false,
            "type" if value == "env" => is_variable = true,
            "type" => return Err(FlagError::Bad(format!("unsupported secret type {value:?}"))),
            "id" => value.clone_into(&mut spec.id),
            "source" | "src" => spec.path = given,
            "env" => spec.env = given,
            key => {
                return Err(FlagError::Bad(format!("unexpected key '{key}' in '{field}'")));
            }
        }
    }
    if is_variable && spec.env.is_none() {
        spec.env = spec.path.take();
    }
    if spec.id.is_empty() {
        return Err(FlagError::bad("secret missing ID"));
    }
    Ok(spec)
}

/// An agent or keys: `default`, `ID=PATH[,PATH]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSpec {
    pub id: String,
    /// None: the agent of the caller.
    pub paths: Vec<String>,
}

/// Reads a value of `--ssh`.
pub fn ssh(text: &str) -> Result<SshSpec, FlagError> {
    let (id, paths) = text.split_once('=').unwrap_or((text, ""));
    let paths: Vec<_> =
        paths.split(',').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    if paths.iter().any(|path| path.starts_with("raw=")) {
        let what = format!("--ssh {text}");
        return Err(FlagError::unsupported(what, "an agent is forwarded as such only"));
    }
    let id = if id.is_empty() { "default" } else { id };
    Ok(SshSpec { id: id.to_owned(), paths })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets() {
        let spec = |id: &str, path: Option<&str>, env: Option<&str>| SecretSpec {
            id: id.to_owned(),
            path: path.map(str::to_owned),
            env: env.map(str::to_owned),
        };
        assert_eq!(secret("id=x").unwrap(), spec("x", None, None));
        assert_eq!(secret("id=x,src=f").unwrap(), spec("x", Some("f"), None));
        assert_eq!(secret("id=x,type=env,src=V").unwrap(), spec("x", None, Some("V")));
        assert_eq!(secret("id=x,env=V").unwrap(), spec("x", None, Some("V")));
        let why = |text| secret(text).unwrap_err().to_string();
        assert_eq!(why("src=nosuch"), "secret missing ID");
        assert_eq!(why("x"), "invalid field 'x' must be a key=value pair");
        assert_eq!(why("id=x,type=y"), "unsupported secret type \"y\"");
        assert_eq!(why("id=x,a=b"), "unexpected key 'a' in 'a=b'");
    }

    #[test]
    fn agents() {
        let spec = |id: &str, paths: &[&str]| SshSpec {
            id: id.to_owned(),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        };
        assert_eq!(ssh("default").unwrap(), spec("default", &[]));
        assert_eq!(ssh("k=a,b").unwrap(), spec("k", &["a", "b"]));
        assert!(ssh("k=raw=true").is_err());
    }
}
