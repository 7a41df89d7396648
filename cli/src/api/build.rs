//! Builds for the Engine API: the context that comes with a request, and the builder's work.

use std::io::Read;

use coracle_api::{ApiError, Located};
use coracle_builder::exec::{BuildError, Built};
use coracle_builder::progress::{Event, Progress};
use coracle_builder::request::{BuildRequest, Context};
use coracle_words::ErrorKind;

use super::of_build;
use crate::app::App;
use crate::commands::build::dockerfile::ignore_of;
use crate::commands::build::fetched::{Fetcher, dockerfile_in};
use crate::commands::build::locate::{self, Missing, locate};
use crate::commands::build::run::attempt;
use crate::commands::build::unpacked::Unpacked;

/// Where nothing is told of.
struct Quiet;

impl Progress for Quiet {
    fn tell(&mut self, _event: Event) {}
}

/// Unpacks the context that came with a request.
pub(super) fn unpack(
    app: &App,
    archive: &mut dyn Read,
    dockerfile: &str,
) -> Result<Located, ApiError> {
    let data = &app.settings.data_root;
    let unpacked =
        Unpacked::make(archive, data).map_err(|error| ApiError::new(500, of_build(&error)))?;
    let usual = (dockerfile != "Dockerfile").then_some(dockerfile);
    let found = dockerfile_in(unpacked.folder(), usual).map_err(|_| {
        ApiError::new(500, format!("Cannot locate specified Dockerfile: {dockerfile}"))
    })?;
    let ignore = ignore_of(unpacked.folder());
    Ok(Located {
        context: Context::Folder(unpacked.folder().to_owned()),
        dockerfile: coracle_builder::request::Dockerfile { ignore, ..found },
        modified: None,
        kept: Box::new(unpacked),
    })
}

/// Fetches a context from elsewhere.
pub(super) fn fetch(app: &App, address: &str, dockerfile: &str) -> Result<Located, ApiError> {
    let request = BuildRequest::default();
    let mut fetcher =
        Fetcher { settings: &app.settings, request: &request, progress: &mut Quiet, told: 0 };
    let file = (dockerfile != "Dockerfile").then_some(dockerfile);
    let located = locate(address, file, &mut std::io::empty(), &mut fetcher)
        .and_then(|located| Ok(located.with_a_context(&app.settings.data_root)?))
        .map_err(|missing| match missing {
            Missing::Early(error) => ApiError::new(400, of_build(&error)),
            Missing::Dockerfile(_) => {
                ApiError::new(500, format!("Cannot locate specified Dockerfile: {dockerfile}"))
            }
        })?;
    let locate::Located { context, dockerfile, modified, unpacked, .. } = located;
    Ok(Located { context, dockerfile, modified, kept: Box::new(unpacked) })
}

/// Builds; what is told goes to `progress`.
pub(super) fn build(
    app: &mut App,
    request: &BuildRequest,
    progress: &mut dyn Progress,
) -> Result<Built, BuildError> {
    let built = attempt(app, std::slice::from_ref(request), progress)
        .map_err(|error| BuildError::new(of_build(&error), ErrorKind::Internal))?
        .0?;
    let none = || BuildError::new("nothing was built", ErrorKind::Internal);
    built.into_iter().next().ok_or_else(none)
}
