//! The project at hand and its containers: where commands on what is there begin.
//!
//! ```text
//! let place = place::project(app, &services)?;     // the file, or only `-p NAME`
//! let found = place::find(app, &place, &Wanted { … })?;
//! ```

use coracle_compose::project::found::{self, Wanted};
use coracle_compose::project::{Project, ProjectError};
use coracle_compose::{EnvFiles, LoadOptions, Loaded};
use coracle_runtime::engine::Summary;

use super::load;
use crate::app::App;
use crate::error::CliError;

/// A project of which there may be a file.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    /// `None` when there is no file, and the labels of containers are all there is.
    pub(crate) file: Option<Box<File>>,
    /// `-p NAME` alone says which project it is: services that the file here does not have are meant too.
    by_name: bool,
}

impl Place {
    /// Where this file is.
    pub(crate) fn of(file: File) -> Self {
        Self { name: file.project.name.clone(), file: Some(Box::new(file)), by_name: false }
    }

    /// Whether a service is meant when none is named: those of the file that are enabled, or all there are.
    pub(crate) fn has(&self, service: &str) -> bool {
        self.by_name
            || self.file.as_ref().is_none_or(|file| file.project.services.contains_key(service))
    }
}

/// A project that has been read.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) loaded: Loaded,
    pub(crate) project: Project,
}

/// Loads the file and reads it into types.
pub(crate) fn file(app: &mut App, services: &[String]) -> Result<File, CliError> {
    read_with(app, services, EnvFiles::Chosen)
}

/// The same for another process, after what it warns of was told.
pub(crate) fn file_again(app: &App, services: &[String]) -> Result<File, CliError> {
    let options = chosen(app, services, EnvFiles::Chosen)?;
    typed(load::quietly(&options)?, services)
}

/// The project with all its services, asked for or not: builds take those of others as contexts. What it warns of was
/// told when its chosen services were read.
pub(crate) fn whole(app: &App, file: &File) -> Result<Project, CliError> {
    if app.compose.files.iter().any(|file| file == "-") {
        return Ok(file.project.clone());
    }
    let mut options = load::options(app)?;
    options.profiles = vec!["*".to_owned()];
    options.stages.env_files = EnvFiles::Unread;
    options.stages.container_names = false;
    Project::read(&load::quietly(&options)?).map_err(error)
}

fn read_with(app: &mut App, services: &[String], env_files: EnvFiles) -> Result<File, CliError> {
    let options = chosen(app, services, env_files)?;
    typed(load::load(app, &options)?, services)
}

fn chosen(app: &App, services: &[String], env_files: EnvFiles) -> Result<LoadOptions, CliError> {
    let mut options = load::options(app)?;
    options.services = services.to_vec();
    options.stages.env_files = env_files;
    // What is there already has its names.
    options.stages.container_names = env_files != EnvFiles::Unread;
    Ok(options)
}

fn typed(loaded: Loaded, services: &[String]) -> Result<File, CliError> {
    let project = Project::read(&loaded).map_err(error)?;
    for name in services {
        project.service(name).map_err(error)?;
    }
    Ok(File { loaded, project })
}

/// The project of a command on containers that are there. With `-p NAME` no file is needed, nor
/// one that can be read. What containers were given is known: files of variables are not read.
pub(crate) fn project(app: &mut App, services: &[String]) -> Result<Place, CliError> {
    let given = app.compose.project_name.clone().filter(|name| !name.is_empty());
    let explicit = !app.compose.files.is_empty();
    let by_name = given.is_some() && !explicit;
    let given = given.or_else(|| {
        let environment = &app.settings.environment;
        environment.get("COMPOSE_PROJECT_NAME").map(str::to_owned)
    });
    match (read_with(app, services, EnvFiles::Unread), given) {
        (Ok(file), _) => {
            Ok(Place { name: file.project.name.clone(), file: Some(Box::new(file)), by_name })
        }
        (Err(_), Some(name)) if !explicit => Ok(Place { name, file: None, by_name: true }),
        (Err(error), _) => Err(error),
    }
}

/// With a hint at the service that may be meant.
fn with_nearest(error: CliError, file: Option<&File>, name: &str) -> CliError {
    let known = file.into_iter().flat_map(|file| {
        file.project.services.keys().chain(file.loaded.disabled.keys()).map(String::as_str)
    });
    match coracle_runtime::names::nearest(name, known) {
        Some(near) => error.hint(format!("did you mean {near:?}?")),
        None => error,
    }
}

/// The containers of the project, by name. As in Docker Compose, a service that is not there is no mistake where the
/// project was only named: see [`expect`].
pub(crate) fn find(app: &App, place: &Place, wanted: &Wanted) -> Result<Vec<Summary>, CliError> {
    let found = found::containers(app.engine()?.list()?, &place.name, wanted);
    if !place.by_name {
        expect(place, &wanted.services, &found)?;
    }
    Ok(found)
}

/// Whether each of these services is in the file, or has containers.
pub(crate) fn expect(
    place: &Place,
    services: &[String],
    found: &[Summary],
) -> Result<(), CliError> {
    for name in services {
        let in_file = place.file.as_ref().is_some_and(|file| {
            file.project.services.contains_key(name) || file.loaded.disabled.contains_key(name)
        });
        let there = |summary: &Summary| {
            found::label(summary, coracle_compose::project::labels::SERVICE) == name
        };
        if !in_file && !found.iter().any(there) {
            let error = CliError::plain(format!("no such service: {name}"));
            return Err(with_nearest(error, place.file.as_deref(), name));
        }
    }
    Ok(())
}

/// As [`find`]; without names only services of the place are meant: not those of profiles that are not enabled, nor
/// those of other files of the same project.
pub(crate) fn find_enabled(
    app: &App,
    place: &Place,
    wanted: &Wanted,
) -> Result<Vec<Summary>, CliError> {
    let mut found = find(app, place, wanted)?;
    if wanted.services.is_empty() {
        let service = coracle_compose::project::labels::SERVICE;
        found.retain(|one| place.has(found::label(one, service)));
    }
    Ok(found)
}

pub(crate) fn error(error: ProjectError) -> CliError {
    CliError::plain(error.to_string())
}
