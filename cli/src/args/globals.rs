//! Flags before the command word.

use clap::{Arg, ArgAction, Command};
use coracle_runtime::{Storage, UnknownStorage};

use crate::error::{CliError, ExitStatus};

/// What was given before the command word.
#[derive(Debug, Default)]
pub(crate) struct Globals {
    pub(crate) help: bool,
    pub(crate) version: bool,
    pub(crate) debug: bool,
    /// `--config DIRECTORY`
    pub(crate) config: Option<String>,
    /// `-c NAME`: which engine, to Docker's client
    pub(crate) context: Option<String>,
    /// `-H ADDRESS`: likewise
    pub(crate) host: Option<String>,
    /// `--node NAME`
    pub(crate) node: Option<String>,
    /// `--storage MODE`
    pub(crate) storage: Option<Storage>,
    /// `--limits warn`
    pub(crate) limits_optional: Option<bool>,
    /// `--require FEATURE`
    pub(crate) require: Vec<String>,
}

/// The flags, for help and completions.
pub(super) fn flags(command: Command) -> Command {
    command
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("string")
                .help("Directory of the client configuration (default ~/.docker)"),
        )
        .arg(
            Arg::new("context")
                .long("context")
                .short('c')
                .value_name("string")
                .help("Accepted when it means this engine: default, or one with our socket"),
        )
        .arg(
            Arg::new("debug")
                .long("debug")
                .short('D')
                .action(ArgAction::SetTrue)
                .help("Say more about what happens"),
        )
        .arg(
            Arg::new("host")
                .long("host")
                .short('H')
                .value_name("string")
                .help("Accepted when it means this engine: unix://RUNTIME_DIR/docker.sock"),
        )
        .arg(
            Arg::new("log-level")
                .long("log-level")
                .short('l')
                .value_name("string")
                .help("What is logged: debug, info, warn, error or fatal (default info)"),
        )
        .arg(
            Arg::new("node")
                .long("node")
                .value_name("string")
                .help("Ask this node of the swarm (default: the machine itself)"),
        )
        .arg(
            Arg::new("require")
                .long("require")
                .value_name("feature")
                .help("Fail unless this machine has it, as `info` lists it (repeatable)"),
        )
        .arg(
            Arg::new("limits")
                .long("limits")
                .value_name("string")
                .help("Limits this host cannot set: require (an error) or warn (default require)"),
        )
        .arg(
            Arg::new("storage")
                .long("storage")
                .value_name("string")
                .help("Root filesystems: auto, overlay or copy (default auto)"),
        )
        .arg(
            Arg::new("version")
                .long("version")
                .short('v')
                .action(ArgAction::SetTrue)
                .help("Print the version and end"),
        )
}

/// Splits the words into global flags and the rest, which begins with the command.
pub(super) fn split(words: &[String]) -> Result<(Globals, &[String]), CliError> {
    let mut globals = Globals::default();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if !word.starts_with('-') || word == "-" {
            break;
        }
        at += 1;
        let (name, attached) = name_and_value(word);
        let mut value = || {
            attached.clone().or_else(|| {
                at += 1;
                words.get(at - 1).cloned()
            })
        };
        match name {
            "--" => break,
            "--help" | "-h" => globals.help = true,
            "--version" | "-v" => globals.version = true,
            "--debug" | "-D" => globals.debug = attached.as_deref() != Some("false"),
            "--config" => globals.config = Some(need(value(), name)?),
            "--node" => globals.node = Some(need(value(), name)?),
            "--require" => globals.require.push(need(value(), name)?),
            "--limits" => {
                let said = crate::settings::limits_optional(&need(value(), name)?);
                globals.limits_optional = Some(said.map_err(|e| e.status(ExitStatus::Ours))?);
            }
            "--storage" => {
                let parsed = need(value(), name)?.parse();
                let storage = parsed.map_err(|e: UnknownStorage| {
                    CliError::plain(e.to_string()).status(ExitStatus::Ours)
                })?;
                globals.storage = Some(storage);
            }
            "--log-level" | "-l" => {
                let level = need(value(), name)?;
                if !["debug", "info", "warn", "error", "fatal"].contains(&level.as_str()) {
                    let text = format!("unable to parse logging level: {level}");
                    return Err(CliError::plain(text));
                }
                globals.debug |= level == "debug";
            }
            "--context" | "-c" => globals.context = Some(need(value(), name)?),
            "--host" | "-H" if globals.host.is_some() => {
                return Err(CliError::plain("specify only one -H"));
            }
            "--host" | "-H" => globals.host = Some(need(value(), name)?),
            "--tls" | "--tlsverify" | "--tlscacert" | "--tlscert" | "--tlskey" => {
                return Err(no_daemon(name));
            }
            _ => {
                let text = match name.starts_with("--") {
                    true => format!("unknown flag: {name}"),
                    false => {
                        let letter = name.chars().nth(1).unwrap_or('-');
                        format!("unknown shorthand flag: '{letter}' in {word}")
                    }
                };
                return Err(CliError::plain(text).status(ExitStatus::Ours));
            }
        }
    }
    if globals.host.is_some() && globals.context.is_some() {
        let text = "conflicting options: cannot specify both --host and --context";
        return Err(CliError::plain(text));
    }
    Ok((globals, words.get(at..).unwrap_or_default()))
}

/// `--name=value`, `-Hvalue`, or a name alone.
fn name_and_value(word: &str) -> (&str, Option<String>) {
    let attached =
        ["-H", "-c"].into_iter().find_map(|short| Some((short, word.strip_prefix(short)?)));
    match (attached, word.split_once('=')) {
        (Some((short, "")), _) => (short, None),
        (Some((short, rest)), _) => (short, Some(rest.trim_start_matches('=').to_owned())),
        (None, Some((name, value))) => (name, Some(value.to_owned())),
        (None, None) => (word, None),
    }
}

fn need(value: Option<String>, name: &str) -> Result<String, CliError> {
    value.ok_or_else(|| {
        CliError::plain(format!("flag needs an argument: {name}")).status(ExitStatus::Ours)
    })
}

fn no_daemon(flag: &str) -> CliError {
    CliError::unsupported(flag, "there is no daemon to connect to; containers are this user's")
        .status(ExitStatus::Ours)
}
