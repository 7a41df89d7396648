//! `compose images`: the images of the containers of a project.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use coracle_compose::project::found::Wanted;
use coracle_image::{Image, ImageError, Platform, Reference};
use serde::Serialize;

use crate::app::App;
use crate::args::Runnable;
use crate::compose::project::target;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{align_with, units};
use coracle_view::container::Known;
use coracle_view::image::parse_time;

/// Narrowest cell, with its padding.
const CELL_WIDTH_MIN: usize = 20;
const PADDING: usize = 3;

/// List the images of the containers of services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeImagesArgs {
    /// Layout: table or json
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Print only ids
    #[arg(long, short = 'q')]
    quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeImagesArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let project = target::project(app)?;
        let services = self.args;
        let wanted = Wanted { services, one_off: true, stopped: true, ..Wanted::default() };
        let found = target::all(app, &project.name, &wanted)?;
        let used = found.iter().map(|known| used(app, known)).collect::<Result<Vec<_>, _>>()?;
        let text = if self.quiet {
            ids(&used)
        } else {
            match self.format.as_deref().unwrap_or("table").to_lowercase().as_str() {
                "" | "table" | "pretty" => table(&used, app.now()),
                "json" => json(&used)?,
                _ => {
                    let given = self.format.unwrap_or_default();
                    let text =
                        format!("format value {given:?} could not be parsed: parsing failed");
                    return Err(CliError::plain(text));
                }
            }
        };
        write!(app.ui.data(), "{text}")?;
        Ok(ExitStatus::Success)
    }
}

/// An image as the container that uses it shows it; keys as JSON has them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Used {
    #[serde(rename = "ID")]
    id: String,
    container_name: String,
    repository: String,
    tag: String,
    platform: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_tag_time: Option<String>,
}

fn used(app: &App, known: &Known) -> Result<Used, CliError> {
    let container = &known.container;
    let name = Reference::parse(&container.config.image).ok();
    let named = name.map(Reference::with_default_tag);
    let mut out = Used {
        id: container.image.clone(),
        container_name: container.name.clone(),
        repository: named.as_ref().map(Reference::familiar_repository).unwrap_or_default(),
        tag: named.as_ref().and_then(Reference::tag).unwrap_or_default().to_owned(),
        platform: String::new(),
        size: 0,
        created: None,
        last_tag_time: None,
    };
    match app.store()?.find(&container.image) {
        Ok(image) => out.fill(image),
        // The container keeps its layers, but nothing is known of the image any more.
        Err(ImageError::NoSuchImage { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(out)
}

impl Used {
    fn fill(&mut self, image: Image) {
        self.size = image.size();
        self.platform = Platform::new(&image.os, &image.architecture, &image.variant).to_string();
        self.created = Some(image.created).filter(|time| !time.is_empty());
        self.last_tag_time = image.last_tag_time;
    }

    fn age(&self, now: DateTime<Utc>) -> String {
        let since = self.created.as_ref().and_then(|time| parse_time(time));
        since.map_or_else(|| "N/A".to_owned(), |time| units::ago(time, now))
    }
}

fn bare(id: &str) -> &str {
    id.split_once(':').map_or(id, |(_, hex)| hex)
}

/// Each id once.
fn ids(used: &[Used]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for one in used {
        if !seen.contains(&bare(&one.id)) {
            seen.push(bare(&one.id));
        }
    }
    seen.iter().map(|id| format!("{id}\n")).collect()
}

fn json(used: &[Used]) -> Result<String, CliError> {
    let text = serde_json::to_string(used)
        .map_err(|e| CliError::plain(format!("cannot write the answer as JSON: {e}")))?;
    // Compose ends it with an empty line.
    Ok(format!("{text}\n\n"))
}

fn table(used: &[Used], now: DateTime<Utc>) -> String {
    let known = |text: &str| if text.is_empty() { "<none>".to_owned() } else { text.to_owned() };
    let mut text = String::from("CONTAINER\tREPOSITORY\tTAG\tPLATFORM\tIMAGE ID\tSIZE\tCREATED");
    for one in used {
        let cells = [
            one.container_name.clone(),
            known(&one.repository),
            known(&one.tag),
            one.platform.clone(),
            units::short_id(&one.id).to_owned(),
            units::short_size(one.size),
            one.age(now),
        ];
        text.push('\n');
        text.push_str(&cells.join("\t"));
    }
    format!("{}\n", align_with(&text, CELL_WIDTH_MIN, PADDING))
}

#[cfg(test)]
mod tests {
    use crate::compose::verbs::images::*;

    fn sample() -> Used {
        Used {
            id: format!("sha256:{}", "d5f7cc0935c8".repeat(5)),
            container_name: "app-db-1".to_owned(),
            repository: "alpine".to_owned(),
            tag: "latest".to_owned(),
            platform: "linux/amd64".to_owned(),
            size: 7_797_760,
            created: Some("2026-11-21T00:09:44.346172042Z".to_owned()),
            last_tag_time: Some("2026-11-21T00:09:56.346172042Z".to_owned()),
        }
    }

    #[test]
    fn the_table_is_that_of_compose() {
        let now = "2026-11-21T00:09:57.4Z".parse().unwrap();
        insta::assert_snapshot!(table(&[sample()], now), @r"
        CONTAINER           REPOSITORY          TAG                 PLATFORM            IMAGE ID            SIZE                CREATED
        app-db-1            alpine              latest              linux/amd64         d5f7cc0935c8        7.8MB               13 seconds ago
        ");
    }

    #[test]
    fn ids_appear_once() {
        assert_eq!(ids(&[sample(), sample()]), format!("{}\n", "d5f7cc0935c8".repeat(5)));
    }
}
