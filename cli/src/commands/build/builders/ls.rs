//! `buildx ls`: list builders.

use std::io::Write as _;

use serde_json::json;

use super::{DRIVER, NAME, platforms};
use crate::VERSION;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CommandResult, ExitStatus};
use crate::format::{Columns, Listing, Row};

/// List builders: there is one
#[derive(Debug, clap::Args)]
pub(crate) struct BuildxLsArgs {
    /// Layout: table, 'table TEMPLATE', json, or a Go template for each line
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Nothing is ever shortened
    #[arg(long, hide = true)]
    no_trunc: bool,
    /// Nothing is waited for
    #[arg(long, value_name = "duration", hide = true)]
    timeout: Option<String>,
}

const COLUMNS: Columns = Columns {
    titles: &[
        ("Name", "NAME/NODE"),
        ("DriverEndpoint", "DRIVER/ENDPOINT"),
        ("Status", "STATUS"),
        ("Buildkit", "BUILDKIT"),
        ("Platforms", "PLATFORMS"),
        ("LastActivity", "LAST ACTIVITY"),
        ("Error", "ERROR"),
    ],
    table: "Name DriverEndpoint Status Buildkit Platforms",
    quiet: "Name",
    raw: "",
};

impl Runnable for BuildxLsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if self.format.as_deref() == Some("json") {
            writeln!(app.ui.data(), "{}", document())?;
            return Ok(ExitStatus::Success);
        }
        let listing = Listing::new(&COLUMNS, self.format.as_deref(), false)?;
        let text = listing.render(&[
            row(&format!("{NAME}*"), DRIVER, ["", "", ""]),
            row(
                &format!(" \\_ {NAME}"),
                &format!(" \\_ {NAME}"),
                ["running", &format!("v{VERSION}"), &platforms().join(", ")],
            ),
        ])?;
        write!(app.ui.data(), "{text}")?;
        Ok(ExitStatus::Success)
    }
}

fn row(name: &str, driver: &str, [status, version, platforms]: [&str; 3]) -> Row {
    let mut row = Row::new("*builderInfo");
    row.set("Name", name)
        .set("DriverEndpoint", driver)
        .set("Status", status)
        .set("Buildkit", version)
        .set("Platforms", platforms)
        .set("LastActivity", "")
        .set("Error", "");
    row
}

fn document() -> serde_json::Value {
    json!({
        "Current": true,
        "Driver": DRIVER,
        "Dynamic": false,
        "Name": NAME,
        "Nodes": [{
            "Endpoint": NAME,
            "Name": NAME,
            "Platforms": platforms(),
            "Status": "running",
            "Version": format!("v{VERSION}"),
        }],
    })
}
