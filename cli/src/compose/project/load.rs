//! The project that a command works on: the options of `compose` and the environment go in,
//! a checked model comes out, and its warnings are printed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use coracle_compose::limits::FILE_BYTES_MAX;
use coracle_compose::{FileKind, Files, LoadError, LoadOptions, Loaded};

use crate::app::App;
use crate::compose::screen::log;
use crate::error::CliError;

/// Loads the project as these options say.
pub(crate) fn load(app: &mut App, options: &LoadOptions) -> Result<Loaded, CliError> {
    let loaded = coracle_compose::load(options, &Disk);
    let warnings = match &loaded {
        Ok(loaded) => &loaded.warnings,
        Err(error) => &error.warnings,
    };
    for warning in warnings {
        log::warning(app, warning);
    }
    Ok(loaded?)
}

/// The same, for a project whose warnings were told of.
pub(crate) fn quietly(options: &LoadOptions) -> Result<Loaded, CliError> {
    Ok(coracle_compose::load(options, &Disk)?)
}

/// What the command line and the environment say.
pub(crate) fn options(app: &App) -> Result<LoadOptions, CliError> {
    let given = &app.compose;
    let environment = &app.settings.environment;
    let current_dir = std::env::current_dir()
        .map_err(|e| CliError::plain(format!("cannot find the current folder: {e}")))?;
    let mut env_files = given.env_files.clone();
    if env_files.is_empty() {
        let list = environment.get("COMPOSE_ENV_FILES").unwrap_or_default();
        env_files = list.split(',').filter(|f| !f.is_empty()).map(str::to_owned).collect();
    }
    // Where it stands behind `=` no shell does it.
    for file in &mut env_files {
        if let (Some(home), Some(rest)) = (environment.get("HOME"), file.strip_prefix('~'))
            && (rest.is_empty() || rest.starts_with('/'))
        {
            *file = format!("{home}{rest}");
        }
    }
    Ok(LoadOptions {
        files: given.files.clone(),
        project_directory: given.project_directory.clone(),
        project_name: given.project_name.clone(),
        env_files,
        profiles: given.profiles.clone(),
        services: Vec::new(),
        all_resources: given.all_resources,
        compatibility: given.compatibility,
        environment: environment.all.clone(),
        current_dir,
        stages: Default::default(),
    })
}

/// The files of this machine.
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        bounded(File::open(path)?)
    }

    fn read_stdin(&self) -> io::Result<Vec<u8>> {
        bounded(io::stdin().lock())
    }

    fn kind(&self, path: &Path) -> FileKind {
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => FileKind::Directory,
            Ok(_) => FileKind::File,
            Err(_) => FileKind::Missing,
        }
    }
}

/// One byte more than is accepted shows that it is too much.
fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl From<LoadError> for CliError {
    fn from(error: LoadError) -> Self {
        let hint = error.hint.clone();
        let plain = Self::plain(error.to_string());
        match hint {
            Some(hint) => plain.hint(hint),
            None => plain,
        }
    }
}
