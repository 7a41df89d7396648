//! Volumes as lists show them, and who uses them.

use coracle_runtime::EngineError;
use coracle_runtime::volumes::{Volume, VolumeError};

use crate::app::App;
use crate::error::CliError;
use crate::format::{Columns, Row};
use coracle_view::container;

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

/// Which containers use which volume.
#[derive(Debug)]
pub(crate) struct Users(Vec<(String, String)>);

impl Users {
    pub(crate) fn read(app: &App) -> Result<Self, CliError> {
        let mut pairs = Vec::new();
        for known in container::list(&app.home)? {
            for mount in &known.container.mounts {
                pairs.push((mount.point.name.clone(), known.container.id.clone()));
            }
        }
        Ok(Self(pairs))
    }

    pub(crate) fn of(&self, volume: &Volume) -> Vec<String> {
        let mine = self.0.iter().filter(|(name, _)| *name == volume.name);
        mine.map(|(_, id)| id.clone()).collect()
    }
}

/// Sorts names as people do: `v2` before `v10`.
pub(crate) fn natural(name: &str) -> Vec<(bool, u64, String)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (part, tail) = rest.split_at(end);
        parts.push((!digits, part.parse().unwrap_or(0), part.to_owned()));
        rest = tail;
    }
    parts
}

pub(crate) fn error(error: VolumeError) -> CliError {
    CliError::from(EngineError::from(error))
}

#[cfg(test)]
mod tests {
    use crate::commands::volume::rows::natural;

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = ["v10", "v2", "a", "10", "9"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["9", "10", "a", "v2", "v10"]);
    }
}
