//! Options between `compose` and the subcommand.
//!
//! The parser ends them at the first word that is no option; that word is the subcommand.
//! Variables (`COMPOSE_…`) that stand in for an option count when the option is absent; most
//! are looked up where they are used, because `.env` may set them too.

use clap::ArgMatches;

use crate::app::App;
use crate::args::{Runnable, values};
use crate::error::{CliError, CommandResult, ExitStatus};

/// Define and run multi-container applications
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ComposeGlobals {
    /// Include all resources, even those not used by services
    #[arg(long)]
    pub(crate) all_resources: bool,

    /// When to print ANSI control characters: never, always, auto
    #[arg(long, value_name = "string")]
    pub(crate) ansi: Option<String>,

    /// Name containers with underscores, as Compose v1 did
    #[arg(long)]
    pub(crate) compatibility: bool,

    /// Show what would be done without doing it
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Interpolation file instead of .env (repeatable)
    #[arg(long = "env-file", value_name = "file")]
    pub(crate) env_files: Vec<String>,

    /// Compose file, - for standard input (repeatable)
    #[arg(long = "file", short = 'f', value_name = "file")]
    pub(crate) files: Vec<String>,

    /// Registry for Compose files in images that may be unverified
    #[arg(long, value_name = "registry", hide = true)]
    insecure_registry: Vec<String>,

    /// Old form of --ansi never
    #[arg(long, hide = true)]
    no_ansi: bool,

    /// Most things done at once; -1 for no bound
    #[arg(long, value_name = "int", value_parser = values::int)]
    pub(crate) parallel: Option<i64>,

    /// Profile to enable, * for all (repeatable)
    #[arg(long = "profile", value_name = "string")]
    pub(crate) profiles: Vec<String>,

    /// How progress is shown: auto, tty, plain, json, quiet
    #[arg(long, value_name = "string")]
    pub(crate) progress: Option<String>,

    /// Base of relative paths (default: the folder of the first file)
    #[arg(long, value_name = "string")]
    pub(crate) project_directory: Option<String>,

    /// Project name
    #[arg(long, short = 'p', value_name = "string")]
    pub(crate) project_name: Option<String>,

    /// Say more about what happens
    #[arg(long, hide = true)]
    pub(crate) verbose: bool,

    /// Print the version and end
    #[arg(long, short = 'v', hide = true)]
    pub(crate) version: bool,

    /// What is done, in a word of Docker Compose.
    #[arg(skip)]
    pub(crate) operation: &'static str,

    /// Old form of --project-directory
    #[arg(long, value_name = "string", hide = true)]
    workdir: Option<String>,

    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeGlobals {
    /// Never called: what follows the options is looked up as a command of its own.
    fn execute(self, _app: &mut App) -> CommandResult {
        Ok(ExitStatus::Success)
    }
}

impl ComposeGlobals {
    /// The options, and how many words were theirs.
    pub(crate) fn parse(matches: &ArgMatches) -> Result<(Self, usize), CliError> {
        use clap::FromArgMatches as _;
        let mut out =
            Self::from_arg_matches(matches).map_err(|e| CliError::plain(e.to_string()))?;
        let rest = std::mem::take(&mut out.args).len();
        out.check()?;
        Ok((out, rest))
    }

    fn check(&mut self) -> Result<(), CliError> {
        if let Some(registry) = self.insecure_registry.first() {
            let flag = format!("--insecure-registry {registry}");
            return Err(CliError::unsupported(&flag, "Compose files are not read from registries"));
        }
        if self.no_ansi {
            if self.ansi.as_deref().is_some_and(|value| value != "auto") {
                let text = "cannot specify DEPRECATED \"--no-ansi\" and \"--ansi\". \
                            Please use only \"--ansi\"";
                return Err(CliError::plain(text));
            }
            self.ansi = Some("never".into());
        }
        if let Some(folder) = self.workdir.take().filter(|folder| !folder.is_empty()) {
            if self.project_directory.as_deref().is_some_and(|given| !given.is_empty()) {
                let text = "cannot specify DEPRECATED \"--workdir\" and \"--project-directory\". \
                            Please use only \"--project-directory\" instead";
                return Err(CliError::plain(text));
            }
            self.project_directory = Some(folder);
        }
        let known = ["", "auto", "tty", "plain", "json", "quiet", "none"];
        match self.progress.as_deref() {
            Some(value) if !known.contains(&value) => {
                Err(CliError::plain(format!("unsupported --progress value {value:?}")))
            }
            Some("tty") if self.ansi.as_deref() == Some("never") => {
                Err(CliError::plain("can't use --progress tty while ANSI support is disabled"))
            }
            Some("plain") if self.ansi.as_deref() == Some("always") => {
                Err(CliError::plain("can't use --progress plain while ANSI support is forced"))
            }
            _ => Ok(()),
        }
    }
}
