//! `buildx inspect`: what there is to say of the builder.

use std::io::Write as _;

use super::{DRIVER, NAME, check, platforms};
use crate::VERSION;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};

/// Show the builder
#[derive(Debug, clap::Args)]
pub(crate) struct BuildxInspectArgs {
    /// Nothing has to be started
    #[arg(long, hide = true)]
    bootstrap: bool,
    #[command(flatten)]
    of_builder: super::OfBuilder,
    /// Nothing is waited for
    #[arg(long, value_name = "duration", hide = true)]
    timeout: Option<String>,
    #[arg(value_name = "NAME", hide = true)]
    args: Vec<String>,
}

impl Runnable for BuildxInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        self.of_builder.check()?;
        check(self.args.first().map_or("", String::as_str))?;
        let platforms = platforms().join(", ");
        let cache = app.settings.data_root.join("builder").display().to_string();
        write!(
            app.ui.data(),
            "Name:   {NAME}\nDriver: {DRIVER}\n\nNodes:\nName:            {NAME}\n\
             Endpoint:        {NAME}\nStatus:          running\nCoracle version: v{VERSION}\n\
             Platforms:       {platforms}\nCache:           {cache}\n"
        )?;
        Ok(ExitStatus::Success)
    }
}
