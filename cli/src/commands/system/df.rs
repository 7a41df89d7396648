//! `system df`: show how much disk images, containers and volumes use.

use std::io::Write as _;

use coracle_runtime::volumes::tree_bytes;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::container::rows::row as container_row;
use crate::commands::image::rows::{Layout, rows_of};
use crate::commands::volume::rows as volume_rows;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{Columns, Listing, Row, units};
use coracle_view::container;
use coracle_view::container::ContainerSummary;
use coracle_view::image::{ImageNames, ImageSummary, container_counts, readable};
use coracle_view::volume::VolumeUsers;

/// Show how much disk images, containers and volumes use
#[derive(Debug, clap::Args)]
pub(crate) struct SystemDfArgs {
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// One row per object
    #[arg(long, short = 'v')]
    pub(crate) verbose: bool,
}

const SUMMARY: Columns = Columns {
    titles: &[
        ("Type", "TYPE"),
        ("TotalCount", "TOTAL"),
        ("Active", "ACTIVE"),
        ("Size", "SIZE"),
        ("Reclaimable", "RECLAIMABLE"),
    ],
    table: "Type TotalCount Active Size Reclaimable",
    quiet: "Type",
    raw: "",
};

const IMAGES: Columns = Columns {
    titles: &[
        ("Repository", "REPOSITORY"),
        ("Tag", "TAG"),
        ("ID", "IMAGE ID"),
        ("CreatedSince", "CREATED"),
        ("Size", "SIZE"),
        ("SharedSize", "SHARED SIZE"),
        ("UniqueSize", "UNIQUE SIZE"),
        ("Containers", "CONTAINERS"),
    ],
    table: "Repository Tag ID CreatedSince Size SharedSize UniqueSize Containers",
    quiet: "ID",
    raw: "",
};

const CONTAINERS: Columns = Columns {
    titles: &[
        ("ID", "CONTAINER ID"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Size", "SIZE"),
        ("RunningFor", "CREATED"),
        ("Status", "STATUS"),
        ("Names", "NAMES"),
    ],
    table: "ID Image Command LocalVolumes Size RunningFor Status Names",
    quiet: "ID",
    raw: "",
};

const VOLUMES: Columns = Columns {
    titles: &[("Name", "VOLUME NAME"), ("Links", "LINKS"), ("Size", "SIZE")],
    table: "Name Links Size",
    quiet: "Name",
    raw: "",
};

const LOGS: Columns = Columns {
    titles: &[("ID", "CONTAINER ID"), ("Size", "SIZE"), ("Names", "NAMES")],
    table: "ID Size Names",
    quiet: "ID",
    raw: "",
};

/// Everything there is, with its rows for the long form.
#[derive(Debug, Default)]
struct Usage {
    images: Kind,
    containers: Kind,
    volumes: Kind,
    /// Docker counts these nowhere.
    logs: Kind,
}

#[derive(Debug, Default)]
struct Kind {
    total: usize,
    active: usize,
    bytes: u64,
    reclaimable: u64,
    rows: Vec<Row>,
}

impl Runnable for SystemDfArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if self.verbose && self.format.as_ref().is_some_and(|format| !format.is_empty()) {
            let why = "the long form has a table for each kind";
            return Err(CliError::unsupported("--verbose with --format", why));
        }
        let usage = Usage {
            containers: of_containers(app)?,
            images: of_images(app)?,
            volumes: of_volumes(app)?,
            logs: of_logs(app)?,
        };
        let text = match self.verbose {
            true => verbose(&usage)?,
            false => {
                Listing::new(&SUMMARY, self.format.as_deref(), false)?.render(&summary(&usage))?
            }
        };
        write!(app.ui.data(), "{text}")?;
        // Below Docker's table, whose lines stay what they are.
        let plain = self.format.as_deref().is_none_or(|format| matches!(format, "" | "table"));
        if plain && !self.verbose && usage.logs.bytes > 0 {
            let size = units::human_size(usage.logs.bytes);
            writeln!(app.ui.data(), "\nLogs of containers, not counted above: {size}")?;
        }
        Ok(ExitStatus::Success)
    }
}

fn summary(usage: &Usage) -> Vec<Row> {
    let row = |name: &str, kind: &Kind| {
        let freed = units::human_size(kind.reclaimable);
        #[expect(clippy::integer_division, reason = "whole percents are shown")]
        let share = (kind.bytes > 0).then(|| kind.reclaimable * 100 / kind.bytes);
        let mut row = Row::new("*formatter.diskUsageContext");
        row.set("Type", name)
            .set("TotalCount", kind.total.to_string())
            .set("Active", kind.active.to_string())
            .set("Size", units::human_size(kind.bytes))
            .set(
                "Reclaimable",
                match share {
                    Some(share) => format!("{freed} ({share}%)"),
                    None => freed,
                },
            );
        row
    };
    vec![
        row("Images", &usage.images),
        row("Containers", &usage.containers),
        row("Local Volumes", &usage.volumes),
        row("Build Cache", &Kind::default()),
    ]
}

fn verbose(usage: &Usage) -> Result<String, CliError> {
    let table = |columns, kind: &Kind| -> Result<String, CliError> {
        Ok(Listing::new(columns, None, false)?.render(&kind.rows)?)
    };
    Ok(format!(
        "Images space usage:\n\n{}\nContainers space usage:\n\n{}\n\
         Local Volumes space usage:\n\n{}\nBuild cache usage: 0B\n\n\
         CACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED\n{}",
        table(&IMAGES, &usage.images)?,
        table(&CONTAINERS, &usage.containers)?,
        table(&VOLUMES, &usage.volumes)?,
        match usage.logs.rows.is_empty() {
            true => String::new(),
            false => format!("\nLogs space usage:\n\n{}", table(&LOGS, &usage.logs)?),
        }
    ))
}

fn of_images(app: &App) -> Result<Kind, CliError> {
    let store = app.store()?;
    let Some(sizes) = readable(&app.home, store.usage())? else { return Ok(Kind::default()) };
    let counts = container_counts(&app.home)?;
    let now = app.now();
    let layout = Layout { digests: false, digest_rows: false, full: false };
    let mut kind = Kind { bytes: sizes.layers_size, ..Kind::default() };
    let mut used_layers = std::collections::HashSet::new();
    let mut used_bytes = 0;
    for image in store.images()? {
        let count = counts.get(&image.id).copied().unwrap_or(0);
        kind.total += 1;
        if count > 0 {
            kind.active += 1;
            for layer in &image.layers {
                if used_layers.insert(layer.diff_id) {
                    used_bytes += layer.unpacked_size;
                }
            }
        }
        let size = sizes.images.get(&image.id).copied().unwrap_or_default();
        let summary = ImageSummary::new(image, None, count);
        for mut row in rows_of(&summary, layout, now) {
            row.set("SharedSize", units::human_size(size.shared_size))
                .set("UniqueSize", units::human_size(size.unique_size));
            kind.rows.push(row);
        }
    }
    kind.reclaimable = kind.bytes.saturating_sub(used_bytes);
    Ok(kind)
}

fn of_containers(app: &mut App) -> Result<Kind, CliError> {
    let names = ImageNames::read(&app.home)?;
    let now = app.asked();
    let mut kind = Kind::default();
    for known in container::list(&app.home)? {
        let (own, _) = container::size(&mut app.home, &known)?;
        kind.total += 1;
        kind.bytes += own;
        if known.state.status.is_running() {
            kind.active += 1;
        } else {
            kind.reclaimable += own;
        }
        let summary = ContainerSummary::new(&known, &[], &names, None, &now);
        let mut row = container_row(&summary, false, now.time);
        let created = summary.created_at;
        row.set("Size", units::short_size(own))
            .set("RunningFor", created.map(|t| units::ago(t, now.time)).unwrap_or_default());
        kind.rows.push(row);
    }
    Ok(kind)
}

/// The logs that are not empty.
fn of_logs(app: &App) -> Result<Kind, CliError> {
    let mut kind = Kind::default();
    for known in container::list(&app.home)? {
        let bytes = container::log_size(&app.home, &known)?;
        if bytes > 0 {
            kind.total += 1;
            kind.bytes += bytes;
            let mut row = Row::new("*formatter.diskUsageContext");
            row.set("ID", known.container.short_id())
                .set("Size", units::human_size(bytes))
                .set("Names", known.container.name.clone());
            kind.rows.push(row);
        }
    }
    Ok(kind)
}

fn of_volumes(app: &App) -> Result<Kind, CliError> {
    let users = VolumeUsers::read(&app.home)?;
    let mut volumes = app.engine()?.volumes.list().map_err(volume_rows::error)?;
    volumes.sort_by_key(|volume| coracle_words::natural(&volume.name));
    let mut kind = Kind::default();
    for volume in &volumes {
        let links = users.of(volume).len();
        let bytes = tree_bytes(&volume.data);
        kind.total += 1;
        kind.bytes += bytes;
        if links > 0 {
            kind.active += 1;
        } else {
            kind.reclaimable += bytes;
        }
        let mut row = volume_rows::row(volume);
        row.set("Links", links.to_string()).set("Size", units::short_size(bytes));
        kind.rows.push(row);
    }
    Ok(kind)
}
