//! `build --check`: what can be said of a Dockerfile without building it.

use std::io::Write as _;

use coracle_builder::Fault;
use coracle_builder::check::{Finding, Request, check};
use coracle_builder::dockerfile::directive;
use coracle_builder::plan::{BaseImage, Images, Unavailable, outline};
use coracle_builder::progress::{Event, Progress, Source as ToldSource};
use coracle_builder::report::{self, Source, calls};
use coracle_builder::request::{BuildRequest, Dockerfile};
use coracle_image::{Platform, Reference};
use coracle_view::image;

use super::args::{BuildArgs, failed};
use super::call::{Call, Method};
use super::fetched::Fetcher;
use super::locate::locate;
use super::progress::{Display, Mode};
use crate::app::App;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Checks the Dockerfile that the flags name.
pub(super) fn check_it(args: &BuildArgs, call: &Call, app: &mut App) -> CommandResult {
    let input = &mut std::io::stdin().lock();
    let wanted = args.basics(&app.settings)?;
    let (settings, progress) = (&app.settings, &mut Unseen);
    let mut fetcher = Fetcher { settings, request: &wanted, progress, told: 0 };
    let file = locate(&args.args[0], args.file.as_deref(), input, &mut fetcher)?.dockerfile;
    let checked = of(wanted, &file, call, app, args.debug)?;
    app.ui.data().write_all(checked.said.as_bytes())?;
    match checked.fault {
        Some(fault) => Err(CliError::plain(format!("ERROR: {fault}"))),
        None if checked.failed => Ok(ExitStatus::Failure),
        None => Ok(ExitStatus::Success),
    }
}

/// What there is to say of a Dockerfile.
pub(super) struct Checked {
    pub(super) said: String,
    /// It cannot be built.
    pub(super) fault: Option<String>,
    pub(super) failed: bool,
}

/// Checks a Dockerfile that was read. With `debug`, warnings beside an answer are in full.
pub(super) fn of(
    wanted: BuildRequest,
    file: &Dockerfile,
    call: &Call,
    app: &mut App,
    debug: bool,
) -> Result<Checked, CliError> {
    let request = request(wanted, file)?;
    let source = Source { path: &file.path, name: &file.name, text: &file.text };
    let mut images = Local { app, absent: Vec::new() };
    let checked = match call.method {
        Method::Check => check(&file.text, &request, &mut images),
        Method::Outline => {
            let (checked, findings) = outlined(&request, source, call, &mut images);
            let environment = &app.settings.environment;
            let source = ToldSource { path: file.path.clone(), text: file.text.clone() };
            Display::new(Mode::Nothing, environment, app.program, debug).warn(findings, source);
            return Ok(checked);
        }
        Method::Targets => return Ok(targets(source, call)),
        Method::Describe => return Ok(Checked { said: methods(), fault: None, failed: false }),
    };
    let absent = images.absent;
    let warnings: Vec<String> = absent
        .iter()
        .map(|name| format!("{name} is not here, so variables that it may set are not known"))
        .collect();
    app.warn(&warnings);
    let said = match call.is_json {
        true => report::json(&checked, source),
        false => report::text(&checked, source),
    };
    let fault = checked.fault.as_ref().map(|fault| report::fault(fault, source).to_string());
    let failed = fault.is_some() || !(checked.findings.is_empty() || call.ignores_status);
    Ok(Checked { said, fault, failed })
}

/// What can be given to the target, and what was found on the way.
fn outlined(
    request: &Request,
    source: Source<'_>,
    call: &Call,
    images: &mut dyn Images,
) -> (Checked, Vec<Finding>) {
    match outline(source.text, request, images) {
        Ok((outline, findings)) => {
            let said = match call.is_json {
                true => calls::outline_json(&outline, source.text),
                false => calls::outline_text(&outline),
            };
            (Checked { said, fault: None, failed: false }, findings)
        }
        Err(why) => (not_read(&why.why.into_fault(), source), why.findings),
    }
}

fn targets(source: Source<'_>, call: &Call) -> Checked {
    match calls::targets(source.text) {
        Ok(targets) => {
            let said = match call.is_json {
                true => calls::targets_json(&targets, source.text),
                false => calls::targets_text(&targets),
            };
            Checked { said, fault: None, failed: false }
        }
        Err(fault) => not_read(&fault, source),
    }
}

fn not_read(fault: &Fault, source: Source<'_>) -> Checked {
    let fault = report::fault(fault, source).to_string();
    Checked { said: String::new(), fault: Some(fault), failed: true }
}

fn methods() -> String {
    let rows = [
        ("outline", "List all parameters current build target supports"),
        ("targets", "List all targets current build supports"),
        ("subrequests.describe", "List available subrequest types"),
    ];
    let rows = rows.map(|(name, what)| format!("{name:20} 1.0.0   {what}\n"));
    format!("{:20} VERSION DESCRIPTION\n{}", "NAME", rows.concat())
}

/// A check shows what it found, and nothing on the way.
pub(super) struct Unseen;

impl Progress for Unseen {
    fn tell(&mut self, _: Event) {}
}

fn request(wanted: BuildRequest, file: &Dockerfile) -> Result<Request, CliError> {
    refuse_other_frontends(&file.text, wanted.build_args.get("BUILDKIT_SYNTAX"))?;
    let wanted = BuildRequest { dockerfile: file.clone(), ..wanted };
    Request::of(&wanted).map_err(|why| failed(&format!("failed to solve: {why}")))
}

/// `# syntax=` names an image that would read the file in BuildKit. This program does so itself.
pub(super) fn refuse_other_frontends(text: &str, given: Option<&String>) -> Result<(), CliError> {
    let wanted = match given {
        Some(given) if given == "dockerfile.v0" => return Ok(()),
        Some(given) => Some(given.split(' ').next().unwrap_or_default().to_owned()),
        None => directive::syntax(text),
    };
    let Some(wanted) = wanted else { return Ok(()) };
    let known = Reference::parse(&wanted)
        .is_ok_and(|name| name.domain() == "docker.io" && name.path() == "docker/dockerfile");
    if known {
        return Ok(());
    }
    let why = "only Dockerfiles as docker/dockerfile has them are read, up to syntax 1.26";
    Err(CliError::unsupported(&format!("# syntax={wanted}"), why))
}

/// Images of this machine. None is fetched for a check.
struct Local<'a> {
    app: &'a App,
    absent: Vec<String>,
}

impl Local<'_> {
    fn known(&self, name: &Reference) -> Result<BaseImage, CliError> {
        let image = image::find(&self.app.home, &name.to_string())?;
        Ok(BaseImage { config: self.app.store()?.config(&image.id)?, digest: None })
    }
}

impl Images for Local<'_> {
    fn image(&mut self, name: &Reference, _: &Platform) -> Result<Option<BaseImage>, Unavailable> {
        let Ok(image) = self.known(name) else {
            let name = name.familiar();
            if !self.absent.contains(&name) {
                self.absent.push(name);
            }
            return Ok(None);
        };
        Ok(Some(image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frontends() {
        let refused = |text: &str, given: Option<&str>| {
            refuse_other_frontends(text, given.map(str::to_owned).as_ref()).is_err()
        };
        for ours in [
            "FROM a\n",
            "# syntax=docker/dockerfile\n",
            "# syntax=docker/dockerfile:1.7-labs\n",
            "# syntax=docker.io/docker/dockerfile:1\n",
        ] {
            assert!(!refused(ours, None), "{ours}");
        }
        assert!(refused("# syntax=me/frontend:1\n", None));
        assert!(!refused("# syntax=me/frontend:1\n", Some("dockerfile.v0")));
        assert!(refused("FROM a\n", Some("me/frontend")));
    }
}
