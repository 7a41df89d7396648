//! `system check`: verify everything that is stored, and mend what can be mended.

use std::io::Write as _;

use coracle_image::store::Finding;
use coracle_image::{Digest, Reference};
use serde_json::json;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use coracle_view::container;

/// Verify images, containers, networks and volumes on disk
#[derive(Debug, clap::Args)]
pub(crate) struct SystemCheckArgs {
    /// Layout: json, or a line for each finding
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Mend what can be mended without losing data
    #[arg(long)]
    pub(crate) repair: bool,
}

impl Runnable for SystemCheckArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let json = match self.format.as_deref() {
            None | Some("") => false,
            Some("json") => true,
            Some(other) => {
                return Err(CliError::unsupported(&format!("--format {other}"), "it is json"));
            }
        };
        let records = app.engine()?.check_records(self.repair)?;
        let known = names_of_containers(app)?;
        let images = app.store()?.check(self.repair, &known, &|| app.home.image_users())?;
        // They are told as findings.
        drop(app.engine()?.damage.take_new());
        let findings: Vec<&Finding> = images.findings.iter().chain(&records.findings).collect();
        let open = findings.iter().filter(|finding| finding.repaired.is_none()).count();
        if json {
            let document = json!({
                "Images": images.images,
                "Layers": images.layers,
                "Blobs": images.blobs,
                "Containers": records.containers,
                "Networks": records.networks,
                "Volumes": records.volumes,
                "Findings": findings.iter().map(|it| document(it)).collect::<Vec<_>>(),
            });
            writeln!(app.ui.data(), "{document}")?;
        } else {
            for Finding { what, problem, repaired } in &findings {
                let repaired = repaired.as_ref().map(|how| format!(" (repaired: {how})"));
                writeln!(app.ui.data(), "{what}: {problem}{}", repaired.unwrap_or_default())?;
            }
            writeln!(
                app.ui.status(),
                "Checked {} images, {} layers, {} blobs, {} containers, {} networks and {} volumes: \
                 {} findings, {open} of them open.",
                images.images,
                images.layers,
                images.blobs,
                records.containers,
                records.networks,
                records.volumes,
                findings.len()
            )?;
        }
        Ok(if open == 0 { ExitStatus::Success } else { ExitStatus::Failure })
    }
}

fn document(finding: &Finding) -> serde_json::Value {
    json!({
        "Object": finding.what,
        "Problem": finding.problem,
        "Repaired": finding.repaired,
    })
}

/// What containers call their images, should the store have forgotten it.
fn names_of_containers(app: &App) -> Result<Vec<(Digest, Reference)>, CliError> {
    let name = |known: container::Known| {
        let container = known.container;
        Some((container.image.parse().ok()?, container.image_name.reference()?.clone()))
    };
    Ok(container::list(&app.home)?.into_iter().filter_map(name).collect())
}
