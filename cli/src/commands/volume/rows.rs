//! Volumes as lists show them, and who uses them.

use coracle_runtime::EngineError;
use coracle_runtime::volumes::{Volume, VolumeError};

use crate::error::CliError;
use crate::format::{Columns, Row};

pub(crate) const COLUMNS: Columns = Columns {
    titles: &[
        ("Driver", "DRIVER"),
        ("Name", "VOLUME NAME"),
        ("Scope", "SCOPE"),
        ("Mountpoint", "MOUNTPOINT"),
        ("Labels", "LABELS"),
        ("Links", "LINKS"),
        ("Size", "SIZE"),
        ("Group", "GROUP"),
        ("Availability", "AVAILABILITY"),
        ("Status", "STATUS"),
    ],
    table: "Driver Name",
    quiet: "Name",
    raw: "name: {{.Name}}\ndriver: {{.Driver}}\n",
};

pub(crate) fn row(volume: &Volume) -> Row {
    let mut row = Row::new("*formatter.volumeContext");
    row.set("Driver", "local")
        .set("Name", volume.name.as_str())
        .set("Scope", "local")
        .set("Mountpoint", volume.data.display().to_string())
        .set("Links", "N/A")
        .set("Size", "N/A")
        .set("Group", "N/A")
        .set("Availability", "N/A")
        .set("Status", "N/A")
        .set_labels(volume.labels.clone().unwrap_or_default());
    row
}

pub(crate) fn error(error: VolumeError) -> CliError {
    CliError::from(EngineError::from(error))
}
