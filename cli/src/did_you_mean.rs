//! A hint for a name that is not there: the one that is most like it.

use coracle_runtime::names::nearest;
use coracle_view::Object;

use crate::app::App;
use crate::error::CliError;

/// Adds the hint to an error about something that is missing, unless it has another.
pub(crate) fn complete(app: &App, mut error: CliError) -> CliError {
    if error.hint.is_none()
        && let Some((missing, wanted)) = error.missing.as_deref()
        && let Some(near) = nearest(bare(wanted), known(app, *missing).iter().map(String::as_str))
    {
        error.hint = Some(format!("did you mean {near:?}?"));
    }
    error
}

/// `alpine` for `alpine:latest`, which means the same.
fn bare(name: &str) -> &str {
    name.strip_suffix(":latest").unwrap_or(name)
}

/// The names of a kind. What cannot be listed has none to offer.
fn known(app: &App, missing: Object) -> Vec<String> {
    let Ok(engine) = app.engine() else { return Vec::new() };
    match missing {
        Object::Container => {
            let all = engine.list().unwrap_or_default();
            all.into_iter().map(|summary| summary.container.name).collect()
        }
        Object::Network => {
            engine.networks.list().unwrap_or_default().into_iter().map(|one| one.name).collect()
        }
        Object::Volume => {
            engine.volumes.list().unwrap_or_default().into_iter().map(|one| one.name).collect()
        }
        Object::Any => [Object::Container, Object::Image, Object::Network, Object::Volume]
            .into_iter()
            .flat_map(|kind| known(app, kind))
            .collect(),
        Object::Image => {
            let images = app.store().and_then(|store| Ok(store.images()?)).unwrap_or_default();
            let names = images.into_iter().flat_map(|image| image.names);
            names.map(|name| bare(&name.familiar()).to_owned()).collect()
        }
    }
}
