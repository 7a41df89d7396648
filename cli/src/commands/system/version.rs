//! `version`: show versions.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::{Data, Missing, Template};
use crate::{BUILD, VERSION};

/// Show versions
#[derive(Debug, clap::Args)]
pub(crate) struct VersionArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
}

/// The version of the Engine API whose behaviour is followed.
pub(crate) const API_VERSION: &str = "1.51";
/// The container runtime that is built in.
const RUNTIME: (&str, &str) = ("libcontainer", "0.7.0");

impl Runnable for VersionArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let document = document();
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
fn document() -> Value {
    let (os, arch) = (std::env::consts::OS, architecture());
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    json!({
        "Client": {
            "Version": VERSION,
            "ApiVersion": API_VERSION,
            "DefaultAPIVersion": API_VERSION,
            "GitCommit": BUILD,
            "GoVersion": "",
            "Os": os,
            "Arch": arch,
            "BuildTime": "",
            "Context": "default",
        },
        "Server": {
            "Platform": { "Name": "Coracle" },
            "Components": [
                {
                    "Name": "Engine",
                    "Version": VERSION,
                    "Details": {
                        "ApiVersion": API_VERSION,
                        "Arch": arch,
                        "Experimental": "false",
                        "GitCommit": BUILD,
                        "KernelVersion": kernel,
                        "MinAPIVersion": API_VERSION,
                        "Os": os,
                    },
                },
                { "Name": RUNTIME.0, "Version": RUNTIME.1, "Details": {} },
            ],
            "Version": VERSION,
            "ApiVersion": API_VERSION,
            "MinAPIVersion": API_VERSION,
            "GitCommit": BUILD,
            "GoVersion": "",
            "Os": os,
            "Arch": arch,
            "KernelVersion": kernel,
            "BuildTime": "",
        },
    })
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
    format!(
        "Client:\n \
         Version:           {VERSION}\n \
         API version:       {API_VERSION}\n \
         Git commit:        {BUILD}\n \
         OS/Arch:           {os}/{arch}\n \
         Context:           default\n\
         \n\
         Server: Coracle (in this program; there is no daemon)\n \
         Engine:\n  \
         Version:          {VERSION}\n  \
         API version:      {API_VERSION} (minimum version {API_VERSION})\n  \
         Git commit:       {BUILD}\n  \
         OS/Arch:          {os}/{arch}\n  \
         Kernel version:   {kernel}\n  \
         Experimental:     false\n \
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
        let document = document();
        Template::parse("version", source)
            .unwrap()
            .apply(Data::Document { value: &document, missing })
            .map_err(|e| e.to_string())
    }

    #[test]
    fn templates_reach_both_sides() {
        assert_eq!(
            render("{{.Server.Version}} {{.Client.Os}}").unwrap(),
            format!("{VERSION} linux")
        );
        assert_eq!(
            render("{{.Bogus}}").unwrap_err(),
            "template: version:1:2: executing \"version\" at <.Bogus>: \
             can't evaluate field Bogus in type system.versionInfo"
        );
    }

    #[test]
    fn the_text_is_indented_as_dockers() {
        let text = text(&document());
        assert!(
            text.starts_with(&format!("Client:\n Version:           {VERSION}\n API version:"))
        );
        assert!(text.contains("\n Engine:\n  Version:          "));
    }
}
