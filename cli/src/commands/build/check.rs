//! `build --check`: what can be said of a Dockerfile without building it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;

use coracle_builder::check::{Base, BaseImage, Bases, Options, Request, check};
use coracle_builder::dockerfile::directive;
use coracle_builder::ignore::Ignore;
use coracle_builder::report::{self, Source};
use coracle_image::{Platform, Reference};
use coracle_view::image;

use super::call::{self, Call};
use super::dockerfile::{self, Dockerfile};
use super::flags::OfBuilds;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Check a Dockerfile (building is not part of this version)
///
/// With --check, the Dockerfile is read and gone through as a build would, and what is wrong or doubtful is told: the
/// rules, their names and the exit code are those of Docker's build checks. Nothing is built.
#[derive(Debug, clap::Args)]
pub(crate) struct BuildArgs {
    /// Set a build variable, NAME=VALUE, or NAME to take it from the environment
    #[arg(long, value_name = "stringArray")]
    build_arg: Vec<String>,
    /// Further context, NAME=PATH, whose name then is no stage or image
    #[arg(long, value_name = "stringArray")]
    build_context: Vec<String>,
    /// What to do: check, with format=json for a document and ignorestatus for exit code 0
    #[arg(long, value_name = "string")]
    call: Option<String>,
    /// Check the Dockerfile and build nothing (same as --call=check)
    #[arg(long)]
    check: bool,
    /// Path of the Dockerfile; - is standard input (default: Dockerfile in PATH)
    #[arg(long, short = 'f', value_name = "string")]
    file: Option<String>,
    /// Platform to build for
    #[arg(long, value_name = "stringArray")]
    platform: Vec<String>,
    /// Look only at this stage and what it needs
    #[arg(long, value_name = "string")]
    target: Option<String>,
    #[command(flatten)]
    of_builds: OfBuilds,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

/// A message as `docker build` has it.
pub(super) fn failed(why: &str) -> CliError {
    CliError::plain(format!("ERROR: failed to build: {why}"))
}

impl Runnable for BuildArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let OfBuilds = self.of_builds;
        let call = match &self.call {
            Some(call) => call::parse(call)?,
            None => None,
        };
        let call = call.or_else(|| self.check.then(Call::default));
        let Some(call) = call else {
            let what = format!("{} build", app.program);
            let why = "building images from a Dockerfile is not part of this version";
            return Err(CliError::unsupported(&what, why)
                .hint(format!("`{what} --check` checks a Dockerfile")));
        };
        let file = dockerfile::read(&self.args[0], self.file.as_deref())?;
        let request = self.request(app, &file)?;
        let bases = Local { app, absent: RefCell::default() };
        let checked = check(&file.text, &request, &bases);
        let absent = bases.absent.into_inner();
        let warnings: Vec<String> = absent
            .iter()
            .map(|name| format!("{name} is not here, so variables that it may set are not known"))
            .collect();
        app.warn(&warnings);
        let source = Source { path: &file.path, name: &file.name, text: &file.text };
        let said = match call.is_json {
            true => report::json(&checked, source),
            false => report::text(&checked, source),
        };
        app.ui.data().write_all(said.as_bytes())?;
        match checked.fault {
            Some(fault) => {
                Err(CliError::plain(format!("ERROR: {}", report::fault(&fault, source))))
            }
            None if checked.findings.is_empty() || call.ignores_status => Ok(ExitStatus::Success),
            None => Ok(ExitStatus::Failure),
        }
    }
}

impl BuildArgs {
    fn request(&self, app: &App, file: &Dockerfile) -> Result<Request, CliError> {
        let build_args = self.build_args(app);
        refuse_other_frontends(&file.text, build_args.get("BUILDKIT_SYNTAX"))?;
        let options = build_args.get("BUILDKIT_DOCKERFILE_CHECK").map(|text| Options::parse(text));
        let options = options.transpose().map_err(|why| {
            let key = "build-arg:BUILDKIT_DOCKERFILE_CHECK";
            failed(&format!("failed to solve: failed to parse {key}: {why}"))
        })?;
        let contexts = self.build_context.iter().map(|context| match context.split_once('=') {
            Some((name, _)) => Ok(name.to_owned()),
            None => Err(failed(&format!("invalid context value: {context}, expected key=value"))),
        });
        let mut platforms = self.platform.iter().flat_map(|list| list.split(','));
        let platform = image::platform(platforms.next())?;
        if platforms.next().is_some() {
            let why = "a check is for one platform at a time";
            return Err(CliError::unsupported("--platform", why));
        }
        Ok(Request {
            target: self.target.clone().filter(|target| !target.is_empty()),
            only_needed: false,
            build_args,
            options,
            platform,
            ignore: file.ignore.as_deref().map(Ignore::parse),
            contexts: contexts.collect::<Result<_, _>>()?,
        })
    }

    fn build_args(&self, app: &App) -> BTreeMap<String, String> {
        let environment = &app.settings.environment;
        let mut args = BTreeMap::new();
        // That of the caller counts as if it were given.
        if let Some(epoch) = environment.get("SOURCE_DATE_EPOCH") {
            args.insert("SOURCE_DATE_EPOCH".to_owned(), epoch.to_owned());
        }
        for arg in &self.build_arg {
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg.as_str(), environment.all.get(arg).cloned()),
            };
            if let Some(value) = value {
                args.insert(name.to_owned(), value);
            }
        }
        args
    }
}

/// `# syntax=` names an image that would read the file in BuildKit. This program does so itself.
fn refuse_other_frontends(text: &str, given: Option<&String>) -> Result<(), CliError> {
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
    absent: RefCell<Vec<String>>,
}

impl Local<'_> {
    fn known(&self, name: &Reference) -> Result<BaseImage, CliError> {
        let image = image::find(&self.app.home, &name.to_string())?;
        let config = self.app.store()?.config(&image.id)?;
        let variant = config.variant.as_deref().unwrap_or_default();
        let platform = Platform::new(&config.os, &config.architecture, variant);
        Ok(BaseImage {
            env: config.config.env.unwrap_or_default(),
            shell: config.config.shell.unwrap_or_default(),
            on_build: config.config.on_build.unwrap_or_default(),
            working_dir: config.config.working_dir,
            platform: Some(platform).filter(|platform| !platform.architecture.is_empty()),
        })
    }
}

impl Bases for Local<'_> {
    fn base(&self, name: &Reference, _: &Platform) -> Base {
        match self.known(name) {
            Ok(image) => Base::Known(Box::new(image)),
            Err(_) => {
                let name = name.familiar();
                let mut absent = self.absent.borrow_mut();
                if !absent.contains(&name) {
                    absent.push(name);
                }
                Base::Unknown
            }
        }
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
