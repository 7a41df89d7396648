//! The one builder there is, as `buildx` lists it, and what is not to be done to it.

mod inspect;
mod ls;
mod refused;
mod select;
mod version;

pub(crate) use inspect::BuildxInspectArgs;
pub(crate) use ls::BuildxLsArgs;
pub(crate) use refused::{Create, Dap, DialStdio, History, Imagetools, Install, Policy, Uninstall};
pub(crate) use select::{BuildxRmArgs, BuildxStopArgs, BuildxUseArgs, OfBuilder};
pub(crate) use version::BuildxVersionArgs;

use coracle_image::Platform;

use crate::error::CliError;

/// The builder's name, in Docker that of the context.
pub(crate) const NAME: &str = "default";
/// What builds: where Docker has `docker`, `docker-container` and others.
pub(crate) const DRIVER: &str = "coracle";

/// That `name` means the builder; an empty one means it too.
pub(crate) fn check(name: &str) -> Result<(), CliError> {
    match name {
        "" | NAME => Ok(()),
        other => Err(CliError::plain(format!("ERROR: no builder {other:?} found"))
            .hint(format!("there is one builder, {NAME:?}, and nothing has to be created"))),
    }
}

/// What it builds for, the machine's own first.
fn platforms() -> Vec<String> {
    vec![Platform::host().to_string()]
}
