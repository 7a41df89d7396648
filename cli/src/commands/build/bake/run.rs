//! A call of `bake` from its files to its result.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use coracle_builder::bake::{Facts, File, Selected};
use coracle_builder::progress::{Event, Progress, Status};
use coracle_image::Platform;

use super::super::call::{self, Call};
use super::super::check::{self, Unseen};
use super::super::outcome;
use super::super::progress::Display;
use super::super::run::{carry_out, mode};
use super::args::BakeArgs;
use super::files::{self, error};
use super::listed::{List, pretty};
use super::requests::requests;
use super::rights::Rights;
use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

impl Runnable for BakeArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        self.refuse_what_is_not_here(app)?;
        let here = std::env::current_dir()
            .map_err(|why| error(format!("cannot tell the current folder: {why}")))?;
        let rights = Rights::parse(&self.allow, &here)?;
        let call = match &self.call {
            Some(call) => call::parse(call)?,
            None => None,
        };
        let call = call.or_else(|| self.check.then(Call::default));
        if self.print && self.list.is_some() {
            return Err(error("--print and --list are mutually exclusive"));
        }
        let files = files::read(&self.file, &app.settings.environment)?;
        let facts = self.facts(app)?;
        let mut warnings = Vec::new();
        let config = files::config(&files, &facts, &here, &mut warnings)?;
        app.warn(&warnings);
        let list = match (&self.list, self.list_targets, self.list_variables) {
            (Some(list), _, _) => Some(list.as_str()),
            (None, true, _) => Some("targets"),
            (None, false, true) => Some("variables"),
            (None, false, false) => None,
        };
        if let Some(list) = list {
            let list = List::parse(list)?;
            self.tell_of_files(app, &files);
            write!(app.ui.data(), "{}", list.show(&config))?;
            return Ok(ExitStatus::Success);
        }
        let mut selected =
            config.select(&self.args, &self.overrides(call.is_some()), &facts).map_err(error)?;
        finish(&mut selected, app.settings.environment.get(super::super::wanted::EPOCH));
        if self.print {
            self.tell_of_files(app, &files);
            write!(app.ui.data(), "{}", pretty(&selected))?;
            return Ok(ExitStatus::Success);
        }
        rights.check(&selected, &self.set)?;
        match call {
            Some(call) => check_all(app, &selected, &call, self.debug),
            None => self.build(app, &selected, &files),
        }
    }
}

impl BakeArgs {
    fn refuse_what_is_not_here(&self, app: &App) -> Result<(), CliError> {
        let builder = self.builder.as_deref().or(app.settings.environment.get("BUILDX_BUILDER"));
        if let Some(builder) = builder.filter(|name| !matches!(*name, "" | "default")) {
            let why = "there is one builder, with the name default";
            return Err(CliError::unsupported(&format!("--builder {builder}"), why));
        }
        if let Some(policy) = self.policy.iter().find(|text| *text != "disabled=true") {
            return Err(CliError::unsupported(
                &format!("--policy {policy}"),
                "only disabled=true is accepted",
            ));
        }
        if let Some(url) =
            self.args.first().filter(|name| name.contains("://") || name.contains('/'))
        {
            return Err(CliError::unsupported(url, "bake files are files of this machine"));
        }
        if app.settings.environment.get("BUILDX_BAKE_FILE_RELATIVE_PATHS").is_some() {
            let why = "paths of a bake file begin in the current folder";
            return Err(CliError::unsupported("BUILDX_BAKE_FILE_RELATIVE_PATHS", why));
        }
        Ok(())
    }

    fn facts(&self, app: &App) -> Result<Facts, CliError> {
        let mut given = BTreeMap::new();
        for text in self.var.iter().filter(|text| !text.is_empty()) {
            match text.split_once('=') {
                Some(("", _)) => {
                    return Err(error(format!("invalid variable {text:?}, key is empty")));
                }
                Some((name, value)) => given.insert(name.to_owned(), value.to_owned()),
                None => {
                    return Err(error(format!("invalid variable {text:?}, expected key=value")));
                }
            };
        }
        let environment = &app.settings.environment;
        let off = environment.get("BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP");
        let off = off.is_some_and(|text| coracle_words::strconv::parse_bool(text) == Some(true));
        let builtin = [
            ("BAKE_CMD_CONTEXT".to_owned(), "cwd://".to_owned()),
            ("BAKE_LOCAL_PLATFORM".to_owned(), Platform::host().to_string()),
        ];
        Ok(Facts {
            builtin: builtin.into(),
            given,
            environment: if off { BTreeMap::new() } else { environment.all.clone() },
            now: chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        })
    }

    /// `--set`, and what other flags stand for.
    fn overrides(&self, checks: bool) -> Vec<String> {
        let mut set = self.set.clone();
        let mut all = |text: String| set.push(format!("*.{text}"));
        if self.push {
            all("push=true".to_owned());
        }
        if self.load {
            all("load=true".to_owned());
        }
        if checks {
            all("call=lint".to_owned());
        }
        if let Some(yes) = self.no_cache {
            all(format!("no-cache={yes}"));
        }
        if let Some(yes) = self.pull {
            all(format!("pull={yes}"));
        }
        for (kind, given) in [("sbom", &self.sbom), ("provenance", &self.provenance)] {
            match given.as_deref() {
                None | Some("") => {}
                Some("true") => all(format!("attest=type={kind}")),
                Some("false") => all(format!("attest=type={kind},disabled=true")),
                Some(other) => all(format!("attest=type={kind},{other}")),
            }
        }
        set
    }

    /// Where nothing is built, progress is this alone.
    fn tell_of_files(&self, app: &mut App, files: &[File]) {
        let mode = self.progress.as_deref().or(app.settings.environment.get("BUILDKIT_PROGRESS"));
        if matches!(mode, Some("quiet" | "none" | "rawjson" | "tty"))
            || crate::ui::Ui::stderr_is_terminal()
        {
            return;
        }
        let mut said = "#1 [internal] load local bake definitions\n".to_owned();
        for file in files {
            let size = file.text.len();
            let shown = crate::format::units::short_size(size as u64);
            match file.name.as_str() {
                "-" => said.push_str(&format!("#1 reading from stdin {shown} done\n")),
                name => said.push_str(&format!("#1 reading {name} {shown} / {shown} done\n")),
            }
        }
        said.push_str("#1 DONE 0.0s\n");
        // Nothing is left to do when standard error is closed.
        std::io::stderr().write_all(said.as_bytes()).unwrap_or_default();
    }

    fn build(&self, app: &mut App, selected: &Selected, files: &[File]) -> CommandResult {
        let environment = &app.settings.environment;
        let mode = mode(self.progress.as_deref(), false, environment)?;
        let mut display = Display::new(mode, environment, app.program, self.debug);
        tell_of_files(files, &mut display);
        let mut told = 1;
        let wanted = match requests(&app.settings, selected, &mut display, &mut told) {
            Ok(wanted) => wanted,
            Err(error) => {
                display.finish();
                return Err(error);
            }
        };
        let requests: Vec<_> = wanted.iter().map(|one| one.request.clone()).collect();
        let built = carry_out(app, &requests, display, told)?;
        let Some(path) = &self.metadata_file else { return Ok(ExitStatus::Success) };
        let mut facts = BTreeMap::new();
        for one in &built {
            facts.insert(wanted[one.request].name.clone(), outcome::metadata(app, one)?);
        }
        outcome::put(path, pretty(&facts).trim_end().as_bytes())?;
        Ok(ExitStatus::Success)
    }
}

/// The files, as a line of work.
fn tell_of_files(files: &[File], progress: &mut dyn Progress) {
    let (vertex, at) = (0, SystemTime::now());
    let name = "[internal] load local bake definitions".to_owned();
    progress.tell(Event::Known { vertex, name, inputs: Vec::new() });
    progress.tell(Event::Started { vertex, at });
    for file in files {
        let size = file.text.len() as u64;
        let (id, total) = match file.name.as_str() {
            "-" => ("reading from stdin".to_owned(), 0),
            name => (format!("reading {name}"), size),
        };
        let status = Status { vertex, id, current: size, total, started: at, completed: Some(at) };
        progress.tell(Event::Status(status));
    }
    progress.tell(Event::Completed { vertex, at, error: None });
}

/// The time of what is made, and paths in one form.
fn finish(selected: &mut Selected, epoch: Option<&str>) {
    for target in selected.targets.values_mut() {
        if let Some(epoch) = epoch {
            let name = super::super::wanted::EPOCH.to_owned();
            target.args.entry(name).or_insert_with(|| epoch.to_owned());
        }
        if let Some(context) = target
            .context
            .as_mut()
            .filter(|context| !context.contains("://") || context.starts_with("cwd://"))
        {
            *context = clean(context.strip_prefix("cwd://").unwrap_or(context));
        }
    }
}

fn clean(path: &str) -> String {
    let mut whole = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if whole.file_name().is_some_and(|name| name != "..") => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    match whole.to_string_lossy().into_owned() {
        empty if empty.is_empty() => ".".to_owned(),
        path => path,
    }
}

/// `--check`: what is wrong with the Dockerfile of each target.
pub(crate) fn check_all(
    app: &mut App,
    selected: &Selected,
    call: &Call,
    debug: bool,
) -> CommandResult {
    let mut failed = false;
    let mut documents = BTreeMap::new();
    for (number, wanted) in
        requests(&app.settings, selected, &mut Unseen, &mut 0)?.into_iter().enumerate()
    {
        let file = wanted.request.dockerfile.clone();
        let checked = check::of(wanted.request, &file, call, app, debug)?;
        failed |= checked.failed;
        if call.is_json {
            let json: serde_json::Value = serde_json::from_str(&checked.said).unwrap_or_default();
            documents.insert(wanted.name, json);
            continue;
        }
        let before = if number > 0 { "\n" } else { "" };
        writeln!(app.ui.data(), "{before}{}", wanted.name)?;
        let description = &selected.targets[&wanted.name].description;
        if !description.is_empty() {
            writeln!(app.ui.data(), "{description}")?;
        }
        write!(app.ui.data(), "\n{}", checked.said)?;
        if let Some(fault) = checked.fault {
            writeln!(app.ui.data(), "error: {fault}")?;
        }
    }
    if call.is_json {
        let targets: serde_json::Map<String, serde_json::Value> = selected
            .targets
            .iter()
            .map(|(name, target)| {
                let check = documents.remove(name);
                (name.clone(), serde_json::json!({"build": target, (call.method.name()): check}))
            })
            .collect();
        let whole = serde_json::json!({"group": selected.groups, "target": targets});
        write!(app.ui.data(), "{}", pretty(&whole))?;
    }
    Ok(if failed { ExitStatus::Failure } else { ExitStatus::Success })
}
