//! Which project, and which of its containers, a command on containers means.
//!
//! These commands need no more than the name of the project: with `-p NAME` or
//! `COMPOSE_PROJECT_NAME` no file is read, and containers are found by their labels alone.

use std::collections::BTreeMap;

use coracle_compose::EnvFiles;
use coracle_compose::project::found::{self, Wanted};
use coracle_compose::project::labels;

use super::load;
use crate::app::App;
use crate::error::CliError;
use crate::settings::Environment;
use coracle_view::container::Known;

/// A project by its name.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    /// Variables that `.env` adds to those of the process, when files had to be read.
    pub(crate) variables: BTreeMap<String, String>,
}

/// The project that `compose` was called for.
pub(crate) fn project(app: &mut App) -> Result<Named, CliError> {
    let typed = app.compose.project_name.as_deref().filter(|name| !name.is_empty());
    let typed = typed.or_else(|| app.settings.environment.get("COMPOSE_PROJECT_NAME"));
    if let Some(name) = typed {
        return Ok(Named { name: name.to_lowercase(), variables: BTreeMap::new() });
    }
    let mut options = load::options(app)?;
    options.stages.env_files = EnvFiles::Unread;
    options.stages.container_names = false;
    let loaded = load::load(app, &options)?;
    Ok(Named { name: loaded.name, variables: loaded.environment })
}

impl Named {
    /// Where `-e NAME` without a value looks.
    pub(crate) fn environment(self, app: &App) -> Environment {
        let mut all = self.variables;
        all.extend(app.settings.environment.all.clone());
        Environment { all }
    }
}

/// The containers of a project, by name.
pub(crate) fn all(app: &App, project: &str, wanted: &Wanted) -> Result<Vec<Known>, CliError> {
    let found = found::containers(app.engine()?.list()?, project, wanted);
    let mut found: Vec<Known> = found.into_iter().map(Known::from).collect();
    found.sort_by(|a, b| a.container.name.cmp(&b.container.name));
    Ok(found)
}

/// The running container of a service with this number, or the first; those of `run` last.
pub(crate) fn running(
    app: &App,
    project: &str,
    service: &str,
    index: i64,
) -> Result<Known, CliError> {
    one(app, project, service, index, &Wanted { one_off: true, ..Wanted::default() })
}

/// As [`running`], among those that `wanted` admits.
pub(crate) fn one(
    app: &App,
    project: &str,
    service: &str,
    index: i64,
    wanted: &Wanted,
) -> Result<Known, CliError> {
    let number = u32::try_from(index).unwrap_or(0);
    let wanted = Wanted { services: vec![service.to_owned()], number, ..wanted.clone() };
    let mut found = found::containers(app.engine()?.list()?, project, &wanted);
    found.sort_by_key(|summary| (found::is_one_off(summary), found::number(summary)));
    let which = if number > 0 { format!(" container #{number}") } else { String::new() };
    let missing = || CliError::plain(format!("service {service:?} is not running{which}"));
    found.into_iter().next().map(Known::from).ok_or_else(missing)
}

/// A label of Compose; empty when the container has none of that name.
pub(crate) fn label<'a>(known: &'a Known, key: &str) -> &'a str {
    known.container.config.labels.get(key).map_or("", String::as_str)
}

/// The service of a container.
pub(crate) fn service(known: &Known) -> &str {
    label(known, labels::SERVICE)
}
