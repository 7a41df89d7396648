//! `KEY=VALUE` of a build: variables, labels, annotations, hosts; what is allowed.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::FlagError;

/// Build variables: one without a value has that of the caller, and is left out where there is none.
pub fn build_args(
    given: &[String],
    caller: &dyn Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>, FlagError> {
    let mut args = BTreeMap::new();
    for text in given {
        let (name, value) = key(text)?;
        if let Some(value) = value.map(str::to_owned).or_else(|| caller(name)) {
            args.insert(name.to_owned(), value);
        }
    }
    Ok(args)
}

/// Labels: one without a value is empty.
pub fn labels(given: &[String]) -> Result<BTreeMap<String, String>, FlagError> {
    let label = |text: &String| {
        let (name, value) = key(text)?;
        Ok((name.to_owned(), value.unwrap_or_default().to_owned()))
    };
    given.iter().map(label).collect()
}

fn key(text: &str) -> Result<(&str, Option<&str>), FlagError> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    match name {
        "" => Err(FlagError::Bad(format!("invalid key-value pair {text:?}: empty key"))),
        name => Ok((name, value)),
    }
}

/// Annotations of the image's manifest: `KEY=VALUE`, `manifest:KEY=VALUE`.
pub fn annotations(given: &[String]) -> Result<BTreeMap<String, String>, FlagError> {
    let mut annotations = BTreeMap::new();
    for text in given.iter().filter(|text| !text.is_empty()) {
        let Some((key, value)) = text.split_once('=') else {
            let words = format!("invalid annotation {text:?}, expected key=value");
            return Err(FlagError::Bad(words));
        };
        let key = match key.split_once(':') {
            Some(("manifest", key)) => key,
            Some((kind, _)) => {
                let what = format!("--annotation {text}");
                let why = format!("annotations are those of the image's manifest, not of {kind:?}");
                return Err(FlagError::unsupported(what, why));
            }
            None => key,
        };
        annotations.insert(key.to_owned(), value.to_owned());
    }
    Ok(annotations)
}

/// `NAME=ADDRESS` or `NAME:ADDRESS`, to the second form.
pub fn host(text: &str) -> Result<String, FlagError> {
    let bad = || FlagError::Bad(format!("invalid host {text}"));
    let (name, address) = text.split_once('=').or_else(|| text.split_once(':')).ok_or_else(bad)?;
    if name.is_empty() {
        return Err(bad());
    }
    if address == "host-gateway" {
        return Ok(format!("{name}:{address}"));
    }
    let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    bare.parse::<IpAddr>().map_err(|_| bad())?;
    Ok(format!("{name}:{bare}"))
}

/// A value of `--allow`.
pub fn entitlement(text: &str) -> Result<String, FlagError> {
    let name = text.split('=').next().unwrap_or_default();
    match name {
        "network.host" => Ok(text.to_owned()),
        // Of bake, which asks before it reads elsewhere; nothing is asked here.
        "fs" | "fs.read" | "fs.write" | "ssh" => Ok(text.to_owned()),
        "security.insecure" | "device" | "buildx.local.delete" => {
            let why = "steps have neither the machine's devices nor more rights than containers";
            Err(FlagError::unsupported(format!("--allow {text}"), why))
        }
        _ => Err(FlagError::Bad(format!("unknown entitlement {text}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn variables_without_a_value_have_that_of_the_caller() {
        let caller = |name: &str| (name == "B").then(|| "there".to_owned());
        let args = build_args(&strings(&["A=1", "B", "C", "D="]), &caller).unwrap();
        let args: Vec<_> = args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(args, [("A", "1"), ("B", "there"), ("D", "")]);
        let why = build_args(&strings(&["=1"]), &caller).unwrap_err();
        assert_eq!(why.to_string(), "invalid key-value pair \"=1\": empty key");
        assert_eq!(labels(&strings(&["a"])).unwrap()["a"], "");
    }

    #[test]
    fn annotations_of_manifests() {
        let read = annotations(&strings(&["a=b", "manifest:c=d", ""])).unwrap();
        assert_eq!((read["a"].as_str(), read["c"].as_str()), ("b", "d"));
        assert!(annotations(&strings(&["index:a=b"])).unwrap_err().to_string().contains("index"));
        assert!(annotations(&strings(&["a"])).is_err());
    }

    #[test]
    fn hosts_and_what_is_allowed() {
        assert_eq!(host("a=1.2.3.4").unwrap(), "a:1.2.3.4");
        assert_eq!(host("a:[::1]").unwrap(), "a:::1");
        assert_eq!(host("bad").unwrap_err().to_string(), "invalid host bad");
        assert_eq!(host("a:b").unwrap_err().to_string(), "invalid host a:b");
        assert_eq!(entitlement("bogus").unwrap_err().to_string(), "unknown entitlement bogus");
        assert!(entitlement("network.host").is_ok());
        assert!(entitlement("security.insecure").is_err());
    }
}
