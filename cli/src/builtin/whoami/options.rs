//! The words and variables that `whoami` takes.

use std::ffi::OsString;
use std::path::Path;

/// Where web servers listen.
pub(super) const PORT: u16 = 80;

pub(super) const HELP: &str = "\
usage: whoami [--port N] [--name TEXT] [--healthcheck]

Answers HTTP requests with who and where it is: host name, addresses, names of
environment variables, and the request itself. GET /health answers `ok`.

  --port N       port to listen on (default: WHOAMI_PORT, or 80)
  --name TEXT    a name to show in answers
  --healthcheck  ask the server in this container whether it answers
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Serve,
    Probe,
    Help,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) action: Action,
    pub(super) port: Option<u16>,
    pub(super) name: Option<String>,
}

impl Options {
    pub(super) fn parse(
        words: &[String],
        environment: &[(OsString, OsString)],
    ) -> Result<Self, String> {
        let mut options = Self { action: Action::Serve, port: None, name: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (flag, mut value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            if value.is_none() && matches!(flag, "--port" | "--name") {
                let next = words.next().ok_or_else(|| format!("{flag} needs a value"))?;
                value = Some(next.clone());
            }
            match (flag, value) {
                ("--port", Some(value)) => options.port = Some(port(&value)?),
                ("--name", value @ Some(_)) => options.name = value,
                ("--healthcheck", None) => options.action = Action::Probe,
                ("--help" | "-h", None) => options.action = Action::Help,
                _ => return Err(format!("unknown argument `{word}`; see whoami --help")),
            }
        }
        if options.port.is_none()
            && let Some((_, value)) = environment.iter().find(|(name, _)| name == "WHOAMI_PORT")
        {
            options.port = Some(port(&value.to_string_lossy())?);
        }
        Ok(options)
    }

    /// The port of the server beside us. Its own words tell when ours and the
    /// environment, which both have, do not.
    pub(super) fn port_to_probe(&self) -> u16 {
        let server = || std::fs::read("/proc/1/cmdline").ok().and_then(|line| port_in(&line));
        self.port.or_else(server).unwrap_or(PORT)
    }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(|| format!("invalid port `{text}`: use a number from 1 to 65535"))
}

/// The port on the command line of a server, perhaps behind that of an init.
fn port_in(cmdline: &[u8]) -> Option<u16> {
    let words: Vec<String> = cmdline
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let is_server = |word: &String| Path::new(word).file_name().is_some_and(|f| f == "whoami");
    let server = words.iter().position(is_server)?;
    let end = words.len() - usize::from(words.last().is_some_and(String::is_empty));
    Options::parse(words.get(server + 1..end)?, &[]).ok()?.port
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str], environment: &[(&str, &str)]) -> Result<Options, String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Options::parse(&words, &environment)
    }

    #[test]
    fn words_come_before_the_environment() {
        let both = parse(&["--port=81", "--name", "a=b"], &[("WHOAMI_PORT", "82")]).unwrap();
        assert_eq!(
            both,
            Options { action: Action::Serve, port: Some(81), name: Some("a=b".to_owned()) }
        );
        assert_eq!(parse(&[], &[("WHOAMI_PORT", "82")]).unwrap().port, Some(82));
        assert_eq!(parse(&["--healthcheck"], &[]).unwrap().action, Action::Probe);
    }

    #[test]
    fn what_is_refused() {
        for (words, message) in [
            (&["--port", "0"][..], "invalid port `0`: use a number from 1 to 65535"),
            (&["--port", "65536"], "invalid port `65536`: use a number from 1 to 65535"),
            (&["--port"], "--port needs a value"),
            (&["--healthcheck=1"], "unknown argument `--healthcheck=1`; see whoami --help"),
            (&["serve"], "unknown argument `serve`; see whoami --help"),
        ] {
            assert_eq!(parse(words, &[]).unwrap_err(), message);
        }
    }

    #[test]
    fn the_port_of_a_running_server() {
        assert_eq!(port_in(b"/whoami\0--port\08080\0"), Some(8080));
        assert_eq!(port_in(b"/sbin/docker-init\0--\0/whoami\0--port=81\0"), Some(81));
        assert_eq!(port_in(b"/whoami\0"), None);
        assert_eq!(port_in(b"/sbin/init\0--port\09\0"), None);
    }
}
