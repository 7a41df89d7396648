//! `compose ps`: list the containers of a project.

use std::io::Write as _;

use coracle_compose::project::found::{self, Wanted};
use coracle_compose::project::labels;
use coracle_runtime::engine::Summary;
use coracle_runtime::model::HealthStatus;
use serde_json::{Value, json};

use crate::app::App;
use crate::args::Runnable;
use crate::commands::chosen_format;
use crate::commands::container::rows::row as container_row;
use crate::compose::project::place;
use crate::compose::project::place::Place;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{Columns, Listing, Row};
use coracle_view::container::ContainerSummary;
use coracle_view::image::ImageNames;

const COLUMNS: Columns = Columns {
    titles: &[
        ("ID", "ID"),
        ("Name", "NAME"),
        ("Names", "NAMES"),
        ("Project", "PROJECT"),
        ("Service", "SERVICE"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"),
        ("ExitCode", "EXIT CODE"),
        ("State", "STATE"),
        ("Status", "STATUS"),
        ("Health", "HEALTH"),
        ("Publishers", "PUBLISHERS"),
        ("Ports", "PORTS"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Networks", "NETWORKS"),
        ("Size", "SIZE"),
        ("Engine", "ENGINE"),
    ],
    table: "Name Image Command Service RunningFor Status Ports",
    quiet: "ID",
    raw: "",
};

/// Where an engine is named among the containers, there is a column for it.
const COLUMNS_OF_ENGINES: Columns =
    Columns { table: "Name Image Command Service RunningFor Status Ports Engine", ..COLUMNS };

/// The engine that runs a container, when whoever made it says so.
const ENGINE: &str = "com.docker.compose.engine";

/// List containers
#[derive(Debug, clap::Args)]
pub(crate) struct ComposePsArgs {
    /// Include containers that do not run, and those of run
    #[arg(long, short = 'a')]
    all: bool,
    /// Show only matches: status=STATE
    #[arg(long, value_name = "string")]
    filter: Option<String>,
    /// Layout: table, 'table TEMPLATE', json, or a Go template
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Do not shorten anything
    #[arg(long)]
    no_trunc: bool,
    /// Include containers of services that are not in the file
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    orphans: bool,
    /// Print only ids
    #[arg(long, short = 'q')]
    quiet: bool,
    /// Print the names of services
    #[arg(long)]
    services: bool,
    /// Show containers in these states (repeatable)
    #[arg(long, value_name = "stringArray")]
    status: Vec<String>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposePsArgs {
    fn execute(mut self, app: &mut App) -> CommandResult {
        let format = chosen_format(app, self.format.as_deref(), "psFormat");
        let format = format.filter(|format| !format.is_empty());
        // What is wrong with it comes before anything is looked up.
        Listing::new(&COLUMNS, format.as_deref(), false)?;
        if let Some(filter) = &self.filter {
            match filter.split_once('=') {
                Some(("status", state)) => self.status.push(state.to_owned()),
                Some((other, _)) => {
                    return Err(CliError::plain(format!("unknown filter {other}")));
                }
                None => {
                    return Err(CliError::plain("arguments to --filter should be in form KEY=VAL"));
                }
            }
        }
        let place = place::project(app, &[])?;
        let found = self.chosen(app, &place)?;
        if self.quiet {
            for summary in &found {
                writeln!(app.ui.data(), "{}", summary.container.id)?;
            }
            return Ok(ExitStatus::Success);
        }
        if self.services {
            let mut names: Vec<&str> =
                found.iter().map(|one| found::label(one, labels::SERVICE)).collect();
            names.dedup();
            for name in names {
                writeln!(app.ui.data(), "{name}")?;
            }
            return Ok(ExitStatus::Success);
        }
        let of_engines = found.iter().any(|one| !found::label(one, ENGINE).is_empty());
        let columns = if of_engines { &COLUMNS_OF_ENGINES } else { &COLUMNS };
        let listing = Listing::new(columns, format.as_deref(), false)?;
        let names = ImageNames::read(&app.home)?;
        let now = app.asked();
        let rows: Vec<Row> = found
            .iter()
            .map(|summary| {
                let known = summary.clone().into();
                let shown = ContainerSummary::new(&known, &[], &names, None, &now);
                row(container_row(&shown, self.no_trunc, now.time), summary)
            })
            .collect();
        let text = listing.render(&rows)?;
        write!(app.ui.data(), "{text}")?;
        Ok(ExitStatus::Success)
    }
}

impl ComposePsArgs {
    fn chosen(&self, app: &App, place: &Place) -> Result<Vec<Summary>, CliError> {
        let stopped = self.all || !self.status.is_empty();
        let wanted = Wanted {
            services: self.args.clone(),
            one_off: self.all,
            stopped: true,
            ..Wanted::default()
        };
        let mut found = place::find(app, place, &wanted)?;
        found.retain(|summary| stopped || summary.life.state.status.is_running());
        found.retain(|summary| {
            let state = summary.life.state.status.as_str();
            self.status.is_empty() || self.status.iter().any(|status| status == state)
        });
        if let Some(file) = place.file.as_ref().filter(|_| !self.orphans) {
            found.retain(|one| {
                file.project.services.contains_key(found::label(one, labels::SERVICE))
            });
        }
        found.sort_by(|a, b| a.container.name.cmp(&b.container.name));
        Ok(found)
    }
}

fn row(mut row: Row, summary: &Summary) -> Row {
    let state = &summary.life.state;
    let health = match state.health.as_ref().map(|health| health.status) {
        None | Some(HealthStatus::None) => String::new(),
        Some(status) => status.to_string(),
    };
    row.set("Name", summary.container.name.as_str())
        .set("Project", found::label(summary, labels::PROJECT))
        .set("Service", found::label(summary, labels::SERVICE))
        .set("Engine", found::label(summary, ENGINE))
        .set("ExitCode", state.exit_code)
        .set("Health", health)
        .set("Publishers", publishers(summary))
        .unset("Platform");
    row
}

fn publishers(summary: &Summary) -> Value {
    let mut all = Vec::new();
    for (port, bindings) in &summary.container.network_settings.ports {
        let target = port.number().unwrap_or(0);
        let publisher = |address: &str, published: u16| {
            json!({"URL": address, "TargetPort": target, "PublishedPort": published,
                   "Protocol": port.protocol()})
        };
        match bindings {
            None => all.push(publisher("", 0)),
            Some(bindings) => all.extend(bindings.iter().map(|binding| {
                publisher(&binding.host_ip, binding.host_port.parse().unwrap_or(0))
            })),
        }
    }
    Value::Array(all)
}
