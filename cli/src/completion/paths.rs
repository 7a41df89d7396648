//! Paths of `cp`: of this machine, and `NAME:PATH` inside a container.

use std::path::Path;

use coracle_view::container::find_id;

use super::Candidate;
use super::kinds::Kind;
use super::names;
use super::typed::Typed;
use crate::app::App;
use crate::commands::container::cp::container_path;
use crate::threads::apart;

/// Names shown of a folder at most: nobody reads more.
const NAMES_MAX: usize = 1000;

/// What may be copied from or to.
pub(super) fn of_copy(app: &mut App, typed: &Typed, of_service: bool) -> Vec<Candidate> {
    if let Some(path) = container_path(&typed.prefix) {
        let (name, path) = (path.name.to_owned(), path.path.to_owned());
        return if of_service { Vec::new() } else { inside(app, &name, &path) };
    }
    // One side is a container, and the other is not.
    let mut out = here(&typed.prefix);
    if !typed.given().iter().any(|other| container_path(other).is_some()) {
        let owners = match of_service {
            true => names::of_project(app, typed, Kind::Services),
            false => names::containers(app, |_| true).unwrap_or_default(),
        };
        out.extend(
            owners.into_iter().map(|one| Candidate::new(format!("{}:", one.word), one.about)),
        );
    }
    out
}

/// The folder that a path which is being typed names, its end included.
fn folder_of(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..=at])
}

fn here(typed: &str) -> Vec<Candidate> {
    let folder = folder_of(typed);
    let Ok(entries) = std::fs::read_dir(if folder.is_empty() { "." } else { folder }) else {
        return Vec::new();
    };
    let names = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let is_folder = Path::new(folder).join(&name).is_dir();
        Some((name, is_folder))
    });
    shown(names, folder, typed)
}

fn inside(app: &mut App, name: &str, typed: &str) -> Vec<Candidate> {
    let mut names = || {
        let id = find_id(&app.home, name).ok()?;
        app.enter(false, &|_| true).ok()?;
        let (engine, session) = app.engine_in_session().ok()?;
        let (session, folder) = (&*session, format!("/{}", folder_of(typed)));
        apart(|| engine.names_in(session, &id, &folder)).ok()?.ok()
    };
    let Some(found) = names() else { return Vec::new() };
    let folder = match folder_of(typed) {
        "" => format!("{name}:/"),
        folder => format!("{name}:{folder}"),
    };
    // `x:et` is `x:/et`, and is not changed while it is typed.
    let folder = if typed.contains('/') || typed.is_empty() { folder } else { format!("{name}:") };
    shown(found.into_iter(), &folder, &format!("{name}:{typed}"))
}

/// Files whose name begins with a dot are shown to whoever types it.
fn shown(names: impl Iterator<Item = (String, bool)>, folder: &str, typed: &str) -> Vec<Candidate> {
    let candidate = |(name, is_folder): (String, bool)| {
        let end = if is_folder { "/" } else { "" };
        Candidate::new(format!("{folder}{name}{end}"), "")
    };
    let hidden = format!("{folder}.");
    let wanted = |one: &Candidate| {
        one.word.starts_with(typed)
            && (typed.starts_with(&hidden) || !one.word.starts_with(&hidden))
    };
    names.map(candidate).filter(wanted).take(NAMES_MAX).collect()
}
