//! `secret inspect` and `config inspect`: show all about what the swarm keeps, of secrets but the content.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coracle_swarm::model::Secret;
use coracle_swarm::protocol::Request;
use coracle_view::secret::{self, Kind};
use zeroize::Zeroizing;

use super::rows::pretty;
use crate::app::App;
use crate::args::Runnable;
use crate::commands::inspect_all;
use crate::error::{CliError, CommandResult, Failures};

/// What both have.
#[derive(Debug, clap::Args)]
pub(crate) struct InspectFlags {
    /// Layout: json, pretty, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Text for a person instead of JSON
    #[arg(long)]
    pub(crate) pretty: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Show all about secrets but their content
#[derive(Debug, clap::Args)]
pub(crate) struct SecretInspectArgs {
    #[command(flatten)]
    pub(crate) flags: InspectFlags,
}

/// Show all about configs
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigInspectArgs {
    #[command(flatten)]
    pub(crate) flags: InspectFlags,
}

impl Runnable for SecretInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        inspect(app, Kind::Secret, &self.flags)
    }
}

impl Runnable for ConfigInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        inspect(app, Kind::Config, &self.flags)
    }
}

fn inspect(app: &mut App, kind: Kind, flags: &InspectFlags) -> CommandResult {
    let format = flags.format.as_deref().filter(|format| !format.is_empty());
    if flags.pretty && format.is_some() {
        return Err(CliError::plain("--format is incompatible with human friendly format"));
    }
    if !flags.pretty && format != Some("pretty") {
        return inspect_all(app, &flags.args, format, |app, name, _| {
            let (one, data) = look_up(app, kind, name)?;
            Ok(secret::document(&one, data.as_deref().map(String::as_str))?)
        });
    }
    let mut failures = Failures::default();
    for name in &flags.args {
        if let Some((one, data)) = failures.check(look_up(app, kind, name)) {
            let clear =
                data.and_then(|data| BASE64.decode(data.as_bytes()).ok()).unwrap_or_default();
            let text = pretty(kind, &one, &String::from_utf8_lossy(&clear));
            app.ui.data().write_all(text.as_bytes())?;
        }
    }
    failures.finish()
}

/// The one of that name, and a config's content in base64.
fn look_up(
    app: &App,
    kind: Kind,
    name: &str,
) -> Result<(Secret, Option<Zeroizing<String>>), CliError> {
    let swarm = app.manager()?;
    let one = secret::find(&swarm.state, kind, name)?.clone();
    let data = match kind {
        Kind::Secret => None,
        Kind::Config => Some(app.text_of(&Request::ConfigData { id: one.id.clone() })?),
    };
    Ok((one, data))
}
