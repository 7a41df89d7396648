//! `images`: list images.

use std::io::Write as _;

use super::rows::{Layout, PLAIN, WITH_DIGEST, rows_of};
use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::commands::{chosen_format, warn_ignored_format};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::Listing;
use coracle_view::Api;
use coracle_view::filter::Filters;
use coracle_view::image::{FILTERS, ListOptions, list};

/// List images
#[derive(Debug, clap::Args)]
pub(crate) struct ImagesArgs {
    /// Include intermediate images
    #[arg(long, short = 'a')]
    pub(crate) all: bool,
    /// Add the DIGEST column
    #[arg(long)]
    pub(crate) digests: bool,
    /// Show only matches, key=value (before, dangling, label, reference, since, until)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Do not shorten anything
    #[arg(long)]
    pub(crate) no_trunc: bool,
    /// Print only ids
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    /// Group platform variants under each image (experimental) (not supported)
    #[arg(long)]
    pub(crate) tree: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ImagesArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if self.tree {
            let why = "an image here has one platform, there is nothing to unfold";
            return Err(CliError::unsupported("--tree", why));
        }
        let mut filters = Filters::new(&self.filter, FILTERS)?;
        if let Some(pattern) = self.args.first() {
            filters.add("reference", pattern);
        }
        let given = self.format.as_deref();
        let format = chosen_format(app, given, "imagesFormat");
        let format = format.as_deref();
        let columns = if self.digests { &WITH_DIGEST } else { &PLAIN };
        let listing = Listing::new(columns, format, self.quiet)?;
        let asked = app.asked();
        // No column has what their configurations say.
        let (api, all) = (Api::V1_51, self.all);
        let options = ListOptions { api, all, details: false, shared_size: false };
        let images = list(&app.home, &filters, options, &asked)?;
        let layout = Layout {
            digests: self.digests || format.is_some_and(|f| f.contains(".Digest")),
            digest_rows: self.digests,
            full: self.no_trunc,
        };
        let rows: Vec<_> =
            images.iter().flat_map(|image| rows_of(image, layout, asked.time)).collect();
        warn_ignored_format(app, given, self.quiet)?;
        let text = listing.render(&rows)?;
        write!(app.ui.data(), "{text}")?;
        Ok(ExitStatus::Success)
    }
}
