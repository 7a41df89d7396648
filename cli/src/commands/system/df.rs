//! `system df`: show how much disk images, containers, volumes and the cache of builds use.

use std::io::Write as _;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::args::Runnable;
use crate::commands::container::rows as container_rows;
use crate::commands::image::rows::{Layout, rows_of};
use crate::commands::volume::rows as volume_rows;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{Columns, Listing, Row, units};
use coracle_builder::exec::Usage as BuildUsage;
use coracle_runtime::model::Timestamp;
use coracle_view::container::ContainerSummary;
use coracle_view::image::ImageSummary;
use coracle_view::system::{DiskUsage, KindUsage, LogUsage, VolumeUsage};

/// Show how much disk images, containers, volumes and builds use
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

const BUILDS: Columns = Columns {
    titles: &[
        ("ID", "CACHE ID"),
        ("CacheType", "CACHE TYPE"),
        ("Size", "SIZE"),
        ("CreatedSince", "CREATED"),
        ("LastUsedSince", "LAST USED"),
        ("UsageCount", "USAGE"),
        ("Shared", "SHARED"),
    ],
    table: "ID CacheType Size CreatedSince LastUsedSince UsageCount Shared",
    quiet: "ID",
    raw: "",
};

const LOGS: Columns = Columns {
    titles: &[("ID", "CONTAINER ID"), ("Size", "SIZE"), ("Names", "NAMES")],
    table: "ID Size Names",
    quiet: "ID",
    raw: "",
};

impl Runnable for SystemDfArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if self.verbose && self.format.as_ref().is_some_and(|format| !format.is_empty()) {
            let why = "the long form has a table for each kind";
            return Err(CliError::unsupported("--verbose with --format", why));
        }
        let now = app.asked();
        let usage = DiskUsage::read(&mut app.home, &now)?;
        let text = match self.verbose {
            true => verbose(&usage, now.time)?,
            false => {
                Listing::new(&SUMMARY, self.format.as_deref(), false)?.render(&summary(&usage))?
            }
        };
        write!(app.ui.data(), "{text}")?;
        // Below Docker's table, whose lines stay what they are.
        let plain = self.format.as_deref().is_none_or(|format| matches!(format, "" | "table"));
        if plain && !self.verbose && usage.log_bytes() > 0 {
            let size = units::human_size(usage.log_bytes());
            writeln!(app.ui.data(), "\nLogs of containers, not counted above: {size}")?;
        }
        Ok(ExitStatus::Success)
    }
}

fn summary(usage: &DiskUsage) -> Vec<Row> {
    let mut builds = summary_row("Build Cache", &usage.builds);
    builds.set("Reclaimable", units::human_size(usage.builds.reclaimable));
    vec![
        summary_row("Images", &usage.images),
        summary_row("Containers", &usage.containers),
        summary_row("Local Volumes", &usage.volumes),
        builds,
    ]
}

fn summary_row<T>(name: &str, kind: &KindUsage<T>) -> Row {
    let freed = units::human_size(kind.reclaimable);
    #[expect(clippy::integer_division, reason = "whole percents are shown")]
    let share = (kind.bytes > 0).then(|| kind.reclaimable * 100 / kind.bytes);
    let mut row = Row::new("*formatter.diskUsageContext");
    row.set("Type", name)
        .set("TotalCount", kind.items.len().to_string())
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
}

fn verbose(usage: &DiskUsage, now: DateTime<Utc>) -> Result<String, CliError> {
    let table = |columns, rows: Vec<Row>| -> Result<String, CliError> {
        Ok(Listing::new(columns, None, false)?.render(&rows)?)
    };
    let images = usage.images.items.iter().flat_map(|image| image_rows(image, now)).collect();
    let containers = usage.containers.items.iter().map(|one| container_row(one, now)).collect();
    let volumes = usage.volumes.items.iter().map(volume_row).collect();
    let builds = usage.builds.items.iter().map(|entry| build_row(entry, now)).collect();
    Ok(format!(
        "Images space usage:\n\n{}\nContainers space usage:\n\n{}\n\
         Local Volumes space usage:\n\n{}\nBuild cache usage: {}\n\n{}{}",
        table(&IMAGES, images)?,
        table(&CONTAINERS, containers)?,
        table(&VOLUMES, volumes)?,
        units::human_size(usage.builds.bytes),
        table(&BUILDS, builds)?,
        match usage.logs.is_empty() {
            true => String::new(),
            false => {
                let rows = usage.logs.iter().map(log_row).collect();
                format!("\nLogs space usage:\n\n{}", table(&LOGS, rows)?)
            }
        }
    ))
}

fn image_rows(image: &ImageSummary, now: DateTime<Utc>) -> Vec<Row> {
    let layout = Layout { digests: false, digest_rows: false, full: false };
    // It is -1 only where nobody asked.
    let shared = u64::try_from(image.shared_size).unwrap_or(0);
    let mut rows = rows_of(image, layout, now);
    for row in &mut rows {
        row.set("SharedSize", units::human_size(shared))
            .set("UniqueSize", units::human_size(image.size.saturating_sub(shared)));
    }
    rows
}

fn container_row(summary: &ContainerSummary, now: DateTime<Utc>) -> Row {
    let mut row = container_rows::row(summary, false, now);
    let own = summary.size.map_or(0, |(own, _)| own);
    let age = summary.created_at.map(|t| units::ago(t, now)).unwrap_or_default();
    row.set("Size", units::short_size(own)).set("RunningFor", age);
    row
}

fn volume_row(usage: &VolumeUsage) -> Row {
    let mut row = volume_rows::row(&usage.volume);
    row.set("Links", usage.links.to_string()).set("Size", units::short_size(usage.bytes));
    row
}

fn build_row(entry: &BuildUsage, now: DateTime<Utc>) -> Row {
    let ago = |time: Timestamp| units::ago(time.datetime(), now);
    let mark = if entry.in_use { "*" } else { "" };
    let mut row = Row::new("*formatter.buildCacheContext");
    row.set("ID", format!("{}{mark}", units::short_id(&entry.id.hex())))
        .set("CacheType", entry.kind.name())
        .set("Size", units::human_size(entry.size))
        .set("CreatedSince", ago(entry.created))
        .set("LastUsedSince", entry.last_used.map(ago).unwrap_or_default())
        .set("UsageCount", entry.uses)
        .set("Shared", entry.shared);
    row
}

fn log_row(log: &LogUsage) -> Row {
    let mut row = Row::new("*formatter.diskUsageContext");
    row.set("ID", units::short_id(&log.id))
        .set("Size", units::human_size(log.bytes))
        .set("Names", log.name.clone());
    row
}
