//! Parsers of values that only services take; their errors are the end of `invalid argument …`.

use coracle_swarm::model::task::{NetworkUse, Preference, Spread};
use coracle_swarm::model::{ConfigUse, FileTarget, PortConfig, PublishMode, SecretUse};
use coracle_words::strconv;

use super::shlex;
use crate::args::values;
use crate::run_flags;

pub(crate) use coracle_words::strconv::{parse_float as float, parse_uint as uint};

/// Words as a shell splits them.
#[derive(Debug, Clone)]
pub(crate) struct Words(pub(crate) Vec<String>);

pub(crate) fn words(text: &str) -> Result<Words, String> {
    shlex::split(text).map(Words)
}

/// A duration that is not below zero.
pub(crate) fn positive(text: &str) -> Result<i64, String> {
    let nanoseconds = values::duration(text).map_err(|error| error.to_string())?;
    match nanoseconds < 0 {
        true => Err("duration cannot be negative".to_owned()),
        false => Ok(nanoseconds),
    }
}

/// `--secret` and `--config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileUse {
    name: String,
    target: FileTarget,
}

impl FileUse {
    pub(crate) fn secret(&self) -> SecretUse {
        SecretUse {
            file: Some(self.target.clone()),
            secret_name: self.name.clone(),
            ..SecretUse::default()
        }
    }

    pub(crate) fn config(&self) -> ConfigUse {
        ConfigUse {
            file: Some(self.target.clone()),
            config_name: self.name.clone(),
            ..ConfigUse::default()
        }
    }
}

pub(crate) fn secret(text: &str) -> Result<FileUse, String> {
    file(text, "secret")
}

pub(crate) fn config(text: &str) -> Result<FileUse, String> {
    file(text, "config")
}

fn file(text: &str, kind: &str) -> Result<FileUse, String> {
    let zero = || "0".to_owned();
    let mut out = FileUse {
        name: String::new(),
        target: FileTarget { uid: zero(), gid: zero(), mode: 0o444, ..FileTarget::default() },
    };
    if !text.contains([',', '=']) {
        text.clone_into(&mut out.name);
        text.clone_into(&mut out.target.name);
        return Ok(out);
    }
    for field in text.split(',') {
        let (key, value) = field
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| format!("invalid field '{field}' must be a key=value pair"))?;
        match key.to_lowercase().as_str() {
            "source" | "src" => value.clone_into(&mut out.name),
            "target" => value.clone_into(&mut out.target.name),
            "uid" => value.clone_into(&mut out.target.uid),
            "gid" => value.clone_into(&mut out.target.gid),
            "mode" => {
                out.target.mode =
                    mode(value).map_err(|why| format!("invalid mode specified: {why}"))?;
            }
            _ => return Err(format!("invalid field in {kind} request: {key}")),
        }
    }
    if out.name.is_empty() {
        return Err("source is required".to_owned());
    }
    if out.target.name.is_empty() {
        out.target.name.clone_from(&out.name);
    }
    Ok(out)
}

/// Octal with a zero in front, as Go reads numbers.
fn mode(text: &str) -> Result<u32, String> {
    let (digits, radix) = match text {
        _ if text.starts_with("0x") => (&text[2..], 16),
        _ if text.starts_with("0o") => (&text[2..], 8),
        _ if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        _ => (text, 10),
    };
    u32::from_str_radix(digits, radix)
        .map_err(|_| format!("strconv.ParseUint: parsing {text:?}: invalid syntax"))
}

/// `--network`: an address is given to each task, so none can be asked for.
pub(crate) fn network(text: &str) -> Result<NetworkUse, String> {
    let read = run_flags::attachment_of(text)?;
    let own = [("ip", &read.ip), ("ip6", &read.ip6), ("mac-address", &read.mac)];
    if let Some((key, _)) = own.iter().find(|(_, value)| !value.is_empty()) {
        return Err(format!("{key}: each task of a service gets an address of its own"));
    }
    Ok(NetworkUse { target: read.name, aliases: read.aliases, driver_opts: read.driver_opts })
}

/// `--placement-pref spread=LABEL`.
pub(crate) fn preference(text: &str) -> Result<Preference, String> {
    let (strategy, by) =
        text.split_once('=').filter(|(strategy, _)| !strategy.is_empty()).ok_or_else(|| {
            "placement preference must be of the format \"<strategy>=<arg>\"".to_owned()
        })?;
    if strategy != "spread" {
        return Err(format!(
            "unsupported placement preference {strategy} (only spread is supported)"
        ));
    }
    Ok(Preference { spread: Some(Spread { spread_descriptor: by.to_owned() }) })
}

/// `--publish`: one option may be several ports.
#[derive(Debug, Clone)]
pub(crate) struct Ports(pub(crate) Vec<PortConfig>);

pub(crate) fn ports(text: &str) -> Result<Ports, String> {
    if is_long(text) { long(text).map(|port| Ports(vec![port])) } else { short(text).map(Ports) }
}

/// Whether there is a `key=value` in it.
fn is_long(text: &str) -> bool {
    text.split(',').any(|field| {
        field.split_once('=').is_some_and(|(key, value)| !key.is_empty() && !value.is_empty())
    })
}

fn long(text: &str) -> Result<PortConfig, String> {
    let mut port = PortConfig {
        protocol: "tcp".to_owned(),
        publish_mode: Some(PublishMode::Ingress),
        ..PortConfig::default()
    };
    for field in text.split(',') {
        let lower = field.to_lowercase();
        let (key, value) = lower
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| format!("invalid field {field}"))?;
        match (key, value) {
            ("protocol", "tcp" | "udp" | "sctp") => value.clone_into(&mut port.protocol),
            ("protocol", _) => return Err(format!("invalid protocol value '{value}'")),
            ("mode", "ingress") => port.publish_mode = Some(PublishMode::Ingress),
            ("mode", "host") => port.publish_mode = Some(PublishMode::Host),
            ("mode", _) => {
                return Err(format!(
                    "invalid publish mode value ({value}): must be either 'ingress' or 'host'"
                ));
            }
            ("target", _) => port.target_port = number(key, value)?,
            ("published", _) => port.published_port = number(key, value)?,
            _ => return Err(format!("invalid field key: {key}")),
        }
    }
    match port.target_port {
        0 => Err("missing mandatory field 'target'".to_owned()),
        _ => Ok(port),
    }
}

fn number(key: &str, value: &str) -> Result<u16, String> {
    strconv::parse_uint16(value).map_err(|error| {
        let words = error.to_string();
        let why = words.rsplit(": ").next().unwrap_or_default();
        format!("invalid {key} port ({value}): value must be an integer: {why}")
    })
}

fn short(text: &str) -> Result<Vec<PortConfig>, String> {
    let map = run_flags::published(&[text.to_owned()]).map_err(|error| error.message)?;
    let mut out = Vec::new();
    for (key, binding) in map.into_iter().flat_map(|(key, bindings)| {
        bindings.unwrap_or_default().into_iter().map(move |binding| (key.clone(), binding))
    }) {
        if !binding.host_ip.is_empty() {
            return Err("hostip is not supported".to_owned());
        }
        let range = match binding.host_port.as_str() {
            "" => 0..=0,
            range => range
                .parse::<coracle_words::port::PortRange>()
                .map_err(|_| format!("invalid hostPort: {range}"))?
                .numbers(),
        };
        out.extend(range.map(|published_port| PortConfig {
            protocol: key.protocol().to_lowercase(),
            target_port: key.number().unwrap_or_default(),
            published_port,
            publish_mode: Some(PublishMode::Ingress),
            ..PortConfig::default()
        }));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(text: &str) -> Vec<(u16, u16, String, PublishMode)> {
        let ports = ports(text).unwrap().0;
        let told = ports.into_iter();
        told.map(|port| {
            let mode = port.mode();
            (port.published_port, port.target_port, port.protocol, mode)
        })
        .collect()
    }

    #[test]
    fn ports_in_short_and_long_form() {
        let tcp = || "tcp".to_owned();
        assert_eq!(port("8080:80"), [(8080, 80, tcp(), PublishMode::Ingress)]);
        assert_eq!(port("80"), [(0, 80, tcp(), PublishMode::Ingress)]);
        assert_eq!(port("53:53/udp"), [(53, 53, "udp".to_owned(), PublishMode::Ingress)]);
        assert_eq!(port("8080-8081:80-81").len(), 2);
        assert_eq!(
            port("mode=host,target=80,published=8300"),
            [(8300, 80, tcp(), PublishMode::Host)]
        );
        for (text, words) in [
            ("bogus", "invalid containerPort: bogus"),
            ("127.0.0.1:80:80", "hostip is not supported"),
            ("published=80", "missing mandatory field 'target'"),
            ("target=x", "invalid target port (x): value must be an integer: invalid syntax"),
            (
                "target=80,mode=x",
                "invalid publish mode value (x): must be either 'ingress' or 'host'",
            ),
            ("target=80,protocol=x", "invalid protocol value 'x'"),
            ("target=80,bogus=1", "invalid field key: bogus"),
        ] {
            assert_eq!(ports(text).unwrap_err(), words);
        }
    }

    #[test]
    fn secrets_and_configs() {
        let use_of = |text: &str| secret(text).unwrap().target;
        assert_eq!(use_of("s1").name, "s1");
        let long = use_of("source=s2,target=other,uid=5,gid=6,mode=0400");
        assert_eq!((long.uid.as_str(), long.gid.as_str(), long.mode), ("5", "6", 256));
        assert_eq!(use_of("src=s2,mode=9").mode, 9);
        assert_eq!(secret("bogus=1").unwrap_err(), "invalid field in secret request: bogus");
        assert_eq!(config("bogus=1").unwrap_err(), "invalid field in config request: bogus");
        assert_eq!(config("target=/x").unwrap_err(), "source is required");
    }

    #[test]
    fn preferences() {
        assert!(preference("spread=node.labels.zone").is_ok());
        assert_eq!(
            preference("pack=x").unwrap_err(),
            "unsupported placement preference pack (only spread is supported)"
        );
        assert!(preference("zone").is_err());
    }
}
