//! `version`: show versions.
//!
//! Programs compare the numbers with those of Docker's releases, so they are those of the release
//! that is followed; our own stands beside them.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{Data, Missing, Template};
use crate::{BUILD, VERSION};
use coracle_view::system::Program;
use coracle_view::{FOLLOWED, NEWEST, OLDEST};

/// Show versions
#[derive(Debug, clap::Args)]
pub(crate) struct VersionArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
}

/// The container runtime that is built in.
const RUNTIME: (&str, &str) = ("libcontainer", "0.7.0");

/// This program.
pub(crate) const PROGRAM: Program<'static> =
    Program { name: "Coracle", version: VERSION, build: BUILD, runtime: RUNTIME };

impl Runnable for VersionArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let api = app.settings.environment.get("DOCKER_API_VERSION");
        let document = document(coracle_view::spoken(api));
        let source = match self.format.as_deref() {
            None | Some("") => {
                app.ui.data().write_all(text(&document).as_bytes())?;
                return Ok(ExitStatus::Success);
            }
            Some("json") => "{{json .}}",
            Some(source) => source,
        };
        let template = Template::parse("version", source).map_err(|e| {
            CliError::plain(format!("template parsing error: {e}")).status(ExitStatus::BadTemplate)
        })?;
        let missing = Missing::Type("system.versionInfo");
        let applied = template.apply(Data::Document { value: &document, missing });
        writeln!(app.ui.data(), "{}", applied.as_deref().unwrap_or_default())?;
        applied?;
        Ok(ExitStatus::Success)
    }
}

/// Client and engine are one program; both are told of because scripts ask for both.
fn document(api: &str) -> Value {
    let (os, arch) = (std::env::consts::OS, architecture());
    json!({
        "Client": {
            "Platform": { "Name": name() },
            "Version": FOLLOWED,
            "ApiVersion": api,
            "DefaultAPIVersion": NEWEST,
            "GitCommit": BUILD,
            "GoVersion": "",
            "Os": os,
            "Arch": arch,
            "BuildTime": "",
            "Context": "default",
        },
        "Server": coracle_view::system::version(&PROGRAM, OLDEST),
    })
}

/// This program, in words.
pub(crate) fn name() -> String {
    format!("Coracle {VERSION}")
}

/// The architecture by its name in image platforms.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn text(document: &Value) -> String {
    let (os, arch) = (std::env::consts::OS, architecture());
    let kernel = document["Server"]["KernelVersion"].as_str().unwrap_or_default();
    let name = name();
    let api = match document["Client"]["ApiVersion"].as_str().unwrap_or_default() {
        NEWEST => NEWEST.to_owned(),
        lower => format!("{lower} (downgraded from {NEWEST})"),
    };
    format!(
        "Client: {name}\n \
         Version:           {FOLLOWED}\n \
         API version:       {api}\n \
         Git commit:        {BUILD}\n \
         OS/Arch:           {os}/{arch}\n \
         Context:           default\n\
         \n\
         Server: {name} (in this program; there is no daemon)\n \
         Engine:\n  \
         Version:          {FOLLOWED}\n  \
         API version:      {NEWEST} (minimum version {OLDEST})\n  \
         Git commit:       {BUILD}\n  \
         OS/Arch:          {os}/{arch}\n  \
         Kernel version:   {kernel}\n  \
         Experimental:     false\n \
         coracle:\n  \
         Version:          {VERSION}\n  \
         GitCommit:        {BUILD}\n \
         {}:\n  \
         Version:          {}\n",
        RUNTIME.0, RUNTIME.1
    )
}

#[cfg(test)]
mod tests {
    use crate::commands::system::version::*;

    fn render(source: &str) -> Result<String, String> {
        let missing = Missing::Type("system.versionInfo");
        let document = document(NEWEST);
        Template::parse("version", source)
            .unwrap()
            .apply(Data::Document { value: &document, missing })
            .map_err(|e| e.to_string())
    }

    #[test]
    fn templates_reach_both_sides() {
        assert_eq!(
            render("{{.Server.Version}} {{.Client.Os}}").unwrap(),
            format!("{FOLLOWED} linux")
        );
        // Go's name of the field; JSON has another.
        assert_eq!(render("{{.Server.APIVersion}} {{.Client.APIVersion}}").unwrap(), "1.55 1.55");
        assert_eq!(
            render("{{.Bogus}}").unwrap_err(),
            "template: version:1:2: executing \"version\" at <.Bogus>: \
             can't evaluate field Bogus in type system.versionInfo"
        );
    }

    #[test]
    fn the_text_is_indented_as_dockers() {
        let shown = text(&document(NEWEST));
        let begin = format!(
            "Client: Coracle {VERSION}\n Version:           {FOLLOWED}\n API version:       {NEWEST}\n"
        );
        assert!(shown.starts_with(&begin), "{shown}");
        let engine = format!(
            "\n Engine:\n  Version:          {FOLLOWED}\n  API version:      {NEWEST} (minimum version \
             {OLDEST})\n"
        );
        assert!(shown.contains(&engine), "{shown}");
        assert!(shown.contains(&format!("\n coracle:\n  Version:          {VERSION}\n")));
        let older = text(&document("1.51"));
        assert!(older.contains("\n API version:       1.51 (downgraded from 1.55)\n"), "{older}");
    }
}
