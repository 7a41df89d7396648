//! Whether the user's environment means another engine than this program.
//!
//! `DOCKER_HOST`, `DOCKER_CONTEXT`, `currentContext`, `-H` and `--context` point Docker's client
//! at an engine. Here there is no other: who set one of them for a machine far away must not
//! find the containers of this one stopped instead. So it is said, and what would change
//! something is refused (each command's row in the table says whether it does), unless a
//! setting says `local`.

use std::path::Path;

use serde_json::Value;

use crate::args::{Effect, Globals};
use crate::error::CliError;
use crate::settings::Settings;

/// Contexts that are looked through for one of a name.
const CONTEXTS_MAX: usize = 1000;
const META_BYTES_MAX: u64 = 1 << 20;

/// What the command has to say about another engine, if one is meant: a line, or a refusal.
pub(crate) fn check(
    settings: &Settings,
    globals: &Globals,
    effect: Effect,
) -> Result<Option<String>, CliError> {
    if effect == Effect::Nothing || settings.works_locally()? {
        return Ok(None);
    }
    let Some(meant) = meant(settings, globals) else { return Ok(None) };
    if effect == Effect::Looks {
        return Ok(Some(format!("{meant}; this is about the containers of this machine")));
    }
    let hint = "take that setting away, or say that this machine is meant: \
                CORACLE_DOCKER_HOST=local, or \"docker-host\": \"local\" in the settings file";
    Err(CliError::plain(format!("{meant}; nothing was changed on this machine")).hint(hint))
}

/// The words for an engine that is not ours, in the order in which Docker's client looks.
fn meant(settings: &Settings, globals: &Globals) -> Option<String> {
    let environment = &settings.environment;
    let chosen = globals.context.as_deref().filter(|name| !matches!(*name, "" | "default"));
    if let Some(name) = chosen {
        return context(settings, name, "--context");
    }
    let host = globals.host.as_deref().filter(|host| !host.is_empty());
    if let Some((host, source)) = host
        .map(|host| (host, "-H"))
        .or_else(|| environment.get("DOCKER_HOST").map(|host| (host, "DOCKER_HOST")))
    {
        return (!is_ours(settings, host)).then(|| other(&format!("{source} is {host}")));
    }
    if globals.context.is_some() {
        return None;
    }
    match (environment.get("DOCKER_CONTEXT"), settings.client.text("currentContext")) {
        (Some("default"), _) | (None, None | Some("default")) => None,
        (Some(name), _) => context(settings, name, "DOCKER_CONTEXT"),
        (None, Some(name)) => {
            let file = settings.docker_config.join("config.json");
            context(settings, name, &format!("currentContext in {}", file.display()))
        }
    }
}

fn other(what: &str) -> String {
    format!("{what}: coracle is an engine of its own and does not connect to others")
}

fn context(settings: &Settings, name: &str, source: &str) -> Option<String> {
    let host = host_of_context(&settings.docker_config, name);
    if host.as_deref().is_some_and(|host| is_ours(settings, host)) {
        return None;
    }
    let host = host.map(|host| format!(" ({host})")).unwrap_or_default();
    Some(other(&format!("{source} is {name:?}{host}")))
}

/// Whether an address is that of our own socket.
fn is_ours(settings: &Settings, host: &str) -> bool {
    let Some(path) = host.strip_prefix("unix://") else { return false };
    let path = Path::new(path);
    let real = canonical(path);
    // Paths are compared by their parts: `//` and a trailing `/` mean nothing.
    settings.own_sockets().iter().any(|own| path == own || real.is_some() && real == canonical(own))
}

/// The socket itself need not exist for its folder to be the same.
fn canonical(path: &Path) -> Option<std::path::PathBuf> {
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

/// The address that a context of Docker's has, as its client keeps it.
fn host_of_context(config: &Path, name: &str) -> Option<String> {
    let folders = std::fs::read_dir(config.join("contexts/meta")).ok()?;
    folders.take(CONTEXTS_MAX).flatten().find_map(|folder| {
        let file = std::fs::File::open(folder.path().join("meta.json")).ok()?;
        let meta: Value =
            serde_json::from_reader(std::io::Read::take(file, META_BYTES_MAX)).ok()?;
        (meta.get("Name")?.as_str()? == name).then_some(())?;
        Some(meta.pointer("/Endpoints/docker/Host")?.as_str()?.to_owned())
    })
}
