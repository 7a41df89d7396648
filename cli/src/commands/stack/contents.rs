//! Secrets and configs of a stack: read, found again, made and changed as Docker says it.
//!
//! Content is never changed in its place. One that was rotated goes on under the name of its version; the stack means
//! that one as soon as its file holds the same.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coracle_compose::StackFile;
use coracle_image::Digest;
use coracle_swarm::model::{Secret, secret};
use coracle_swarm::protocol::{Request, YES};
use coracle_swarm::stack::{self, Content, WantedFile};
use coracle_swarm::state::State;
use coracle_view::secret::Kind;
use zeroize::Zeroizing;

use super::carry::failed;
use crate::app::App;
use crate::error::CliError;

/// What the agent says of other content.
const UNCHANGEABLE: &str = "only updates to Labels are allowed";

/// Secrets, then configs.
pub(super) fn files(app: &mut App, name: &str, file: &StackFile) -> Result<(), CliError> {
    let secrets = wanted_files(Kind::Secret, name, file)?;
    let state = app.manager()?.state;
    for (wanted, data) in secrets {
        let known = meant(app, Kind::Secret, &state, &wanted, &data)?;
        one_file(app, Kind::Secret, known, wanted, data)?;
    }
    for (wanted, data) in wanted_files(Kind::Config, name, file)? {
        let known = meant(app, Kind::Config, &state, &wanted, &data)?;
        one_file(app, Kind::Config, known, wanted, data)?;
    }
    Ok(())
}

/// What a stack has of one of the two, with the content in base64.
pub(super) fn wanted_files(
    kind: Kind,
    name: &str,
    file: &StackFile,
) -> Result<Vec<(WantedFile, Zeroizing<String>)>, CliError> {
    contents(match kind {
        Kind::Secret => stack::secrets(&file.config, name, &|key| file.secrets.get(key).cloned()),
        Kind::Config => stack::configs(&file.config, name, &|key| file.configs.get(key).cloned()),
    })
}

/// The object that a stack means: the one of that name, or else the newest version that was rotated in, if that is what
/// the file holds by now.
pub(super) fn meant<'a>(
    app: &App,
    kind: Kind,
    state: &'a State,
    wanted: &WantedFile,
    data: &Zeroizing<String>,
) -> Result<Option<&'a Secret>, CliError> {
    let Some(found) = secret::named(kind.all(state), &wanted.spec.name) else { return Ok(None) };
    let is_meant = found.spec.name == wanted.spec.name || holds(app, kind, &found.id, data)?;
    Ok(is_meant.then_some(found))
}

/// What tells the content of a config from another one.
pub(super) fn digest(data: &Zeroizing<String>) -> String {
    Digest::of(&BASE64.decode(data.as_bytes()).unwrap_or_default()).short()
}

/// Whether that is the content of a secret or config.
pub(super) fn holds(
    app: &App,
    kind: Kind,
    id: &str,
    data: &Zeroizing<String>,
) -> Result<bool, CliError> {
    let is_secret = kind == Kind::Secret;
    let ask = Request::Holds { is_secret, id: id.to_owned(), data: data.clone() };
    Ok(app.text_of(&ask)?.as_str() == YES)
}

/// All are read before anything is made.
fn contents(all: Vec<WantedFile>) -> Result<Vec<(WantedFile, Zeroizing<String>)>, CliError> {
    let mut out = Vec::with_capacity(all.len());
    for wanted in all {
        let bytes = match &wanted.content {
            Content::File(path) => std::fs::read(path).map_err(|e| {
                CliError::plain(format!("open {path}: {}", crate::files::reason(&e)))
            })?,
            Content::Given(text) => text.clone().into_bytes(),
            Content::Missing(variable) => {
                let text = format!(
                    "environment variable {variable:?} required by {:?} is not set",
                    wanted.key
                );
                return Err(CliError::plain(text));
            }
            Content::Elsewhere => Vec::new(),
        };
        let bytes = Zeroizing::new(bytes);
        out.push((wanted, Zeroizing::new(BASE64.encode(&*bytes))));
    }
    Ok(out)
}

fn one_file(
    app: &mut App,
    kind: Kind,
    known: Option<&Secret>,
    wanted: WantedFile,
    data: Zeroizing<String>,
) -> Result<(), CliError> {
    let name = wanted.spec.name.clone();
    let is_secret = kind == Kind::Secret;
    let spec = wanted.spec;
    let Some(known) = known else {
        writeln!(app.ui.data(), "Creating {kind} {name}")?;
        let request = match is_secret {
            true => Request::CreateSecret { spec, data },
            false => Request::CreateConfig { spec, data },
        };
        let made = app.order(&request);
        made.map_err(|error| failed(&format!("create {kind}"), &name, error))?;
        return Ok(());
    };
    let (id, version, data) = (known.id.clone(), known.meta.version.index, Some(data));
    let spec = known.as_version(spec);
    let request = match is_secret {
        true => Request::UpdateSecret { id, version, spec, data },
        false => Request::UpdateConfig { id, version, spec, data },
    };
    let changed = app.order(&request);
    changed.map_err(|error| {
        let rotate = format!("`{} {kind} rotate {name} FILE`", app.program);
        let error = match error.message.ends_with(UNCHANGEABLE) {
            true => error.hint(format!("{rotate} gives another one to the services, one by one")),
            false => error,
        };
        failed(&format!("update {kind}"), &name, error)
    })?;
    Ok(())
}
