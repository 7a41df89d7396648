//! `images`: list images.

use std::io::Write as _;

use super::overview::{Screen, render};
use super::rows::{Layout, PLAIN, WITH_DIGEST, rows_of};
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::{chosen_format, warn_ignored_format};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::Listing;
use crate::terminal;
use crate::ui::Ui;
use coracle_view::filter::Filters;
use coracle_view::image::{FILTERS, ImageSummary, ListOptions, list, stored};

/// List images
#[derive(Debug, clap::Args)]
pub(crate) struct ImagesArgs {
    /// Include untagged and intermediate images
    #[arg(long, short = 'a')]
    pub(crate) all: bool,
    /// Show a table with the DIGEST column
    #[arg(long)]
    pub(crate) digests: bool,
    /// Show only matches, key=value (before, dangling, label, reference, since, until)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Show a table, and do not shorten anything
    #[arg(long)]
    pub(crate) no_trunc: bool,
    /// Print only ids
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    /// Show the platforms of each image below it
    #[arg(long)]
    pub(crate) tree: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// What `docker image` has below it: who types `docker images ls` means that.
const COMMANDS: [&str; 13] = [
    "build", "history", "import", "inspect", "list", "load", "ls", "prune", "pull", "push", "rm",
    "save", "tag",
];

impl Runnable for ImagesArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let given = self.format.clone().filter(|format| !format.is_empty());
        let of_table = [
            ("--quiet", self.quiet),
            ("--no-trunc", self.no_trunc),
            ("--show-digest", self.digests),
            ("--format", given.is_some()),
        ];
        let of_table = of_table.into_iter().find(|(_, is_given)| *is_given);
        if let (true, Some((flag, _))) = (self.tree, of_table) {
            let text = format!("{flag} is not yet supported with --tree");
            return Err(CliError::plain(text));
        }
        let mut filters = Filters::new(&self.filter, FILTERS)?;
        if let Some(pattern) = self.args.first() {
            filters.add("reference", pattern);
        }
        let asked = app.asked();
        // No column has what their configurations say.
        let (api, all) = (app.settings.api, self.all);
        let options = ListOptions { api, all, details: false, shared_size: false };
        let mut images = list(&app.home, &filters, options, &asked)?;
        if !self.all && filters.truth("dangling")? != Some(true) {
            images.retain(|image| image.repo_tags.as_ref().is_some_and(|tags| !tags.is_empty()));
        }
        let format = match self.tree {
            true => None,
            false => chosen_format(app, given.as_deref(), "imagesFormat"),
        };
        if of_table.is_none() && format.is_none() {
            let text = render(&stored(&app.home, &images)?, self.tree, screen(app));
            write!(app.ui.data(), "{text}")?;
        } else {
            self.table(app, given.as_deref(), format.as_deref(), &images)?;
        }
        let typed = self.args.first().map_or("", String::as_str);
        if images.is_empty() && app.called == "images" && COMMANDS.contains(&typed) {
            let program = app.program;
            let hint = format!(
                "No images found matching {typed:?}: did you mean \"{program} image {typed}\"?"
            );
            writeln!(app.ui.status(), "{hint}")?;
        }
        Ok(ExitStatus::Success)
    }
}

impl ImagesArgs {
    fn table(
        &self,
        app: &mut App,
        given: Option<&str>,
        format: Option<&str>,
        images: &[ImageSummary],
    ) -> Result<(), CliError> {
        let columns = if self.digests { &WITH_DIGEST } else { &PLAIN };
        let listing = Listing::new(columns, format, self.quiet)?;
        let layout = Layout {
            digests: self.digests || format.is_some_and(|f| f.contains(".Digest")),
            digest_rows: self.digests,
            full: self.no_trunc,
        };
        let now = app.now();
        let rows: Vec<_> = images.iter().flat_map(|image| rows_of(image, layout, now)).collect();
        warn_ignored_format(app, given, self.quiet)?;
        let text = listing.render(&rows)?;
        Ok(write!(app.ui.data(), "{text}")?)
    }
}

fn screen(app: &App) -> Screen {
    /// What is left of a terminal at least, and taken for one that does not tell.
    const NARROWEST: u16 = 20;
    if !Ui::stdout_is_terminal() {
        return Screen::default();
    }
    let width = terminal::width_of_stdout();
    let plain = app.settings.environment.get("NO_COLOR").is_some_and(|value| !value.is_empty());
    Screen {
        width: Some(width.unwrap_or_default().max(NARROWEST).into()),
        legend: width.is_some(),
        colour: !plain,
    }
}
