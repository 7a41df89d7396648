//! `history`: list the layers of an image and what made them.

use std::collections::HashMap;
use std::io::Write as _;

use clap::ArgAction;
use coracle_image::{Digest, Image};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{Columns, Listing, Row, units};
use coracle_view::image::{find_for, parse_time};

/// List the layers of an image and what made them
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Readable sizes and relative dates; false gives bytes and RFC 3339
    #[arg(long, short = 'H', default_value_t = true, action = ArgAction::Set)]
    pub(crate) human: bool,
    /// Do not shorten anything
    #[arg(long)]
    pub(crate) no_trunc: bool,
    /// Platform variant to show
    #[arg(long, value_name = "string")]
    pub(crate) platform: Option<String>,
    /// Print only image ids
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

const COLUMNS: Columns = Columns {
    titles: &[
        ("ID", "IMAGE"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("CreatedBy", "CREATED BY"),
        ("Size", "SIZE"),
        ("Comment", "COMMENT"),
    ],
    table: "ID CreatedSince CreatedBy Size Comment",
    quiet: "ID",
    raw: "",
};

const PRECISE: Columns = Columns { table: "ID CreatedAt CreatedBy Size Comment", ..COLUMNS };

/// Width of the CREATED BY column unless `--no-trunc` is given.
const CREATED_BY_WIDTH: usize = 45;

impl Runnable for HistoryArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let columns = if self.human { &COLUMNS } else { &PRECISE };
        let listing = Listing::new(columns, self.format.as_deref(), self.quiet)?;
        crate::builtin::prepare_outside(app, &self.args[0])?;
        let image = find_for(&app.home, &self.args[0], self.platform.as_deref())?;
        let rows = self.rows(app, &image)?;
        let text = listing.render(&rows)?;
        write!(app.ui.data(), "{text}")?;
        Ok(ExitStatus::Success)
    }
}

impl HistoryArgs {
    /// Newest step first. Layers belong, in order, to the steps that are not empty.
    fn rows(&self, app: &App, image: &Image) -> Result<Vec<Row>, CliError> {
        let config = app.store()?.config(&image.id)?;
        let known = ids_by_step(app, image, config.history.len())?;
        let now = app.now();
        let mut layers = image.layers.iter();
        let mut rows = Vec::new();
        for (step, history) in config.history.iter().enumerate() {
            let size = if history.empty_layer {
                0
            } else {
                layers.next().map_or(0, |layer| layer.unpacked_size)
            };
            let created = history.created.as_deref().and_then(parse_time);
            let made_by = history.created_by.as_deref().unwrap_or_default().replace('\t', " ");
            let id = match known.get(&(step + 1)) {
                Some(id) if self.no_trunc => id.to_string(),
                Some(id) => id.short(),
                None => "<missing>".to_owned(),
            };
            let mut row = Row::new("*formatter.historyContext");
            row.set("ID", id)
                .set("CreatedAt", created.map(units::rfc3339_seconds).unwrap_or_default())
                .set("CreatedSince", created.map(|t| units::ago(t, now)).unwrap_or_default())
                .set(
                    "CreatedBy",
                    match self.no_trunc {
                        true => made_by,
                        false => units::ellipsis(&made_by, CREATED_BY_WIDTH),
                    },
                )
                .set("Size", if self.human { units::short_size(size) } else { size.to_string() })
                .set("Comment", history.comment.clone().unwrap_or_default());
            rows.push(row);
        }
        rows.reverse();
        Ok(rows)
    }
}

/// After how many steps which image was complete: this one and its parents.
fn ids_by_step(app: &App, image: &Image, steps: usize) -> Result<HashMap<usize, Digest>, CliError> {
    let mut known = HashMap::from([(steps, image.id)]);
    let mut parent = image.parent;
    while let Some(id) = parent {
        let Ok(image) = app.store()?.get(&id) else { break };
        known.insert(app.store()?.config(&id)?.history.len(), id);
        parent = image.parent;
    }
    Ok(known)
}
