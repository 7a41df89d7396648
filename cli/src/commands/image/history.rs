//! `history`: list the layers of an image and what made them.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use clap::ArgAction;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};
use crate::format::{Columns, Listing, Row, units};
use coracle_view::image::{HistoryStep, find_for, history};

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
        let now = app.now();
        let steps = history(&app.home, &image)?;
        let rows: Vec<Row> = steps.iter().map(|step| self.row(step, now)).collect();
        let text = listing.render(&rows)?;
        write!(app.ui.data(), "{text}")?;
        Ok(ExitStatus::Success)
    }
}

impl HistoryArgs {
    fn row(&self, step: &HistoryStep, now: DateTime<Utc>) -> Row {
        let made_by = step.created_by.replace('\t', " ");
        let created = step.created_at;
        let id = match step.image {
            Some(id) if !self.no_trunc => id.short(),
            _ => step.id.clone(),
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
            .set(
                "Size",
                match self.human {
                    true => units::short_size(step.size),
                    false => step.size.to_string(),
                },
            )
            .set("Comment", step.comment.clone());
        row
    }
}
