//! `stack plan`: what `stack deploy` would change, and how it would roll.

use std::io::Write as _;

use super::{deploy, planned};
use crate::app::App;
use crate::args::Runnable;
use crate::commands::service::plan::show;
use crate::error::{CliError, CommandResult};
use crate::plans;

/// Show what deploy would change, and how it would roll
#[derive(Debug, clap::Args)]
pub(crate) struct StackPlanArgs {
    /// Compose file, - for standard input; several are merged
    #[arg(long, short = 'c', value_name = "stringSlice", value_delimiter = ',')]
    compose_file: Vec<String>,
    /// Layout: text or json
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Write the plan to a file, for deploy --plan
    #[arg(long, short = 'o', value_name = "FILE")]
    out: Option<String>,
    /// Remove services that the files name no more
    #[arg(long)]
    prune: bool,
    /// When to ask the registry for the digest of an image: always, changed or never
    #[arg(long, value_name = "string")]
    resolve_image: Option<String>,
    /// Show registries who asks
    #[arg(long)]
    with_registry_auth: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for StackPlanArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let name = &self.args[0];
        let file = deploy::read(app, name, &self.compose_file)?;
        deploy::check_is_manager(app)?;
        let resolve = deploy::resolve(self.resolve_image.as_deref())?;
        let mut plan =
            planned::make(app, name, &file, self.prune, (resolve, self.with_registry_auth))?;
        plan.resolve_image.clone_from(&self.resolve_image);
        if let Some(path) = &self.out {
            std::fs::write(path, plans::json(&plan)?).map_err(|error| {
                CliError::plain(format!("cannot write the plan to {path}: {error}"))
            })?;
        }
        let code = show(app, &plan, self.format.as_deref())?;
        if let Some(path) = &self.out
            && !plan.is_empty()
            && plan.refused().is_none()
        {
            let program = app.program;
            let files: Vec<String> =
                self.compose_file.iter().map(|file| format!("-c {file} ")).collect();
            writeln!(
                app.ui.status(),
                "`{program} stack deploy {}--plan {path} {name}` does exactly this",
                files.concat()
            )?;
        }
        Ok(code)
    }
}
