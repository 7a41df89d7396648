//! A build from its flags to its result.

use std::path::Path;

use coracle_builder::request::BuildRequest;

use super::args::BuildArgs;
use super::check::refuse_other_frontends;
use super::locate::locate;
use crate::app::App;
use crate::error::{CliError, CommandResult};

/// Builds what the flags want.
pub(super) fn run(args: &BuildArgs, app: &mut App) -> CommandResult {
    app.warn(&args.classic.warnings());
    if app.settings.environment.get("DOCKER_BUILDKIT") == Some("0") {
        app.warn(&["DOCKER_BUILDKIT=0 is without effect: there is one builder".to_owned()]);
    }
    let request = args.wanted(app)?;
    let input = &mut std::io::stdin().lock();
    let located = locate(&args.args[0], args.file.as_deref(), input)?;
    refuse_other_frontends(&located.dockerfile.text, request.build_args.get("BUILDKIT_SYNTAX"))?;
    if !args.is_policy_off() {
        refuse_policy(&located.dockerfile.path)?;
    }
    let _request =
        BuildRequest { context: located.context, dockerfile: located.dockerfile, ..request };
    let what = format!("{} build", app.program);
    let why = "building images from a Dockerfile is not part of this version";
    Err(CliError::unsupported(&what, why).hint(format!("`{what} --check` checks a Dockerfile")))
}

/// A policy says what may be built: one that is not looked at must not be passed over.
fn refuse_policy(dockerfile: &str) -> Result<(), CliError> {
    let policy = format!("{dockerfile}.rego");
    match Path::new(&policy).symlink_metadata() {
        Ok(_) => {
            let why = "policies are not applied; --policy disabled=true builds without";
            Err(CliError::unsupported(&policy, why))
        }
        Err(_) => Ok(()),
    }
}
