//! The images of services: looked up, and fetched when their policy says so.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use coracle_compose::container::honour;
use coracle_compose::project::{Project, Service};
use coracle_image::Image;
use coracle_runtime::engine::ImageFacts;

use super::fetch;
use super::fetch::{Job, Manner};
use crate::app::App;
use crate::commands::container::create;
use crate::compose::screen::board;
use crate::compose::screen::progress::Progress;
use crate::error::CliError;

/// When an image is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Policy {
    Always,
    Missing,
    Never,
    Build,
    Every(Duration),
}

impl Policy {
    /// Whether an image that is here, or is not, is to be fetched.
    fn wants(&self, found: Option<&Image>) -> bool {
        match (self, found) {
            (Self::Always, _) | (Self::Missing | Self::Every(_), None) => true,
            (Self::Every(age), Some(found)) => is_older(found, *age),
            (Self::Never | Self::Build, _) | (Self::Missing, Some(_)) => false,
        }
    }
}

/// What the command line says about images.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// `--pull`.
    pub(crate) pull: Option<String>,
    pub(crate) build: bool,
    pub(crate) no_build: bool,
    pub(crate) quiet: bool,
    /// Services whose images are built though they are there.
    pub(crate) built: Vec<String>,
    /// No progress of builds.
    pub(crate) quiet_build: bool,
}

/// The images that are here, by service; nothing is fetched.
pub(crate) fn present(
    app: &mut App,
    project: &Project,
) -> Result<BTreeMap<String, ImageFacts>, CliError> {
    let mut facts = BTreeMap::new();
    for (name, service) in &project.services {
        let image = project.image_name(service);
        crate::builtin::prepare(app, &image)?;
        if let Some(found) = create::local(app, &image, service.platform.as_deref())? {
            let mut own = create::facts(app, &found, &image)?;
            own.mounted = beside(app, project, service)?;
            facts.insert(name.clone(), own);
        }
    }
    Ok(facts)
}

/// The images that are here of those that a service needs beside its own, by the names it has
/// for them: it mounts them, or a step of `pre_start` runs in them.
fn beside(
    app: &mut App,
    project: &Project,
    service: &Service,
) -> Result<BTreeMap<String, ImageFacts>, CliError> {
    let mut facts = BTreeMap::new();
    for volume in service.volumes.iter().filter(|volume| volume.kind == "image") {
        if let Some(found) = mounted_image(app, project, &volume.source)? {
            facts.insert(volume.source.clone(), create::facts(app, &found, &volume.source)?);
        }
    }
    for image in project.step_images(service) {
        crate::builtin::prepare(app, image)?;
        if let Some(found) = create::local(app, image, None)? {
            facts.insert(image.to_owned(), create::facts(app, &found, image)?);
        }
    }
    Ok(facts)
}

/// An image to be mounted, if it is here: by its own name, or by that of the service that runs it.
fn mounted_image(
    app: &mut App,
    project: &Project,
    source: &str,
) -> Result<Option<Image>, CliError> {
    crate::builtin::prepare(app, source)?;
    match (create::local(app, source, None)?, project.services.get(source)) {
        (None, Some(service)) => {
            create::local(app, &project.image_name(service), service.platform.as_deref())
        }
        (found, _) => Ok(found),
    }
}

/// What is to be fetched of the images that a service mounts; those of other services are
/// fetched for them.
fn mounted_jobs(app: &mut App, project: &Project, service: &Service) -> Result<Vec<Job>, CliError> {
    let mut jobs = Vec::new();
    for (number, volume) in service.volumes.iter().enumerate() {
        let (source, name) = (&volume.source, &service.name);
        if volume.kind == "image"
            && !project.services.contains_key(source)
            && mounted_image(app, project, source)?.is_none()
        {
            let service = format!("{name}:volume {number}");
            jobs.push(Job { service, image: source.clone(), platform: None });
        }
    }
    Ok(jobs)
}

/// What is to be fetched of the images of a service's `pre_start` steps. They have the policy of
/// the service, but cannot be built.
fn step_jobs(
    app: &mut App,
    project: &Project,
    service: &Service,
    policy: &Policy,
) -> Result<Vec<Job>, CliError> {
    let mut jobs = Vec::new();
    for (number, image) in project.step_images(service).into_iter().enumerate() {
        crate::builtin::prepare(app, image)?;
        let found = create::local(app, image, None)?;
        let policy = if *policy == Policy::Build { &Policy::Missing } else { policy };
        if policy.wants(found.as_ref()) {
            let service = format!("{}:pre_start {number}", service.name);
            jobs.push(Job { service, image: image.to_owned(), platform: None });
        }
    }
    Ok(jobs)
}

/// The images of all services, fetched where that is wanted; a dry run fetches none.
pub(crate) fn ensure(
    app: &mut App,
    project: &Project,
    wish: &Wish,
) -> Result<BTreeMap<String, ImageFacts>, CliError> {
    // What is refused is refused before anything is fetched or built for it.
    for service in project.services.values() {
        honour(service).map_err(|error| CliError::plain(error.to_string()))?;
    }
    if app.compose.dry_run {
        return present(app, project);
    }
    let mut jobs: Vec<Job> = Vec::new();
    let mut unbuilt: Vec<String> = Vec::new();
    for (name, service) in &project.services {
        let image = project.image_name(service);
        crate::builtin::prepare(app, &image)?;
        let policy = policy(wish.pull.as_deref(), service)?;
        let found = create::local(app, &image, service.platform.as_deref())?;
        // What is built here is in no registry.
        let wanted = policy.wants(found.as_ref()) && service.build.is_none();
        let is_asked_for =
            wish.build || wish.built.contains(name) || policy == Policy::Build || found.is_none();
        if service.build.is_some() && is_asked_for && !wish.no_build {
            unbuilt.push(name.clone());
        }
        if wanted && jobs.iter().all(|job| job.image != image) {
            let platform = service.platform.clone();
            jobs.push(Job { service: name.clone(), image, platform });
        }
        let mut more = step_jobs(app, project, service, &policy)?;
        if policy != Policy::Never {
            more.extend(mounted_jobs(app, project, service)?);
        }
        for job in more {
            if jobs.iter().all(|other| other.image != job.image) {
                jobs.push(job);
            }
        }
    }
    let progress = Progress::new(app);
    let manner = Manner { progress, quiet: wish.quiet, all_or_none: true, failed: "Error" };
    for (_, outcome) in fetch::fetch(app, &jobs, manner)? {
        outcome?;
    }
    board::settle();
    build(app, &unbuilt, wish)?;
    let mut facts = BTreeMap::new();
    for (name, service) in &project.services {
        let image = project.image_name(service);
        let found = match jobs.iter().any(|job| job.service == *name) {
            true => Some(coracle_view::image::find(&app.home, &image)?),
            false => create::local(app, &image, service.platform.as_deref())?,
        };
        if let Some(found) = found {
            create::warn_of_foreign_platform(app, &found, service.platform.as_deref())?;
            let mut own = create::facts(app, &found, &image)?;
            own.mounted = beside(app, project, service)?;
            facts.insert(name.clone(), own);
        }
    }
    Ok(facts)
}

/// Has images built by the process that is outside of the namespaces.
pub(crate) fn build(app: &mut App, services: &[String], wish: &Wish) -> Result<(), CliError> {
    if services.is_empty() {
        return Ok(());
    }
    app.ui.flush()?;
    match &mut app.outside {
        Some(outside) => outside.build(services, wish.quiet || wish.quiet_build),
        None => Err(CliError::plain("cannot start the process that builds images")),
    }
}

fn tagged_at(image: &Image) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(image.last_tag_time.as_deref()?).ok()?;
    Some(time.to_utc())
}

fn is_older(image: &Image, age: Duration) -> bool {
    let Some(since) = tagged_at(image) else { return true };
    (Utc::now() - since).to_std().is_ok_and(|since| since > age)
}

fn policy(flag: Option<&str>, service: &Service) -> Result<Policy, CliError> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let own = service.pull_policy.as_str();
    let flag = flag.filter(|flag| !matches!(*flag, "" | "policy"));
    let text = flag.unwrap_or(own);
    Ok(match text {
        "" | "missing" | "if_not_present" => Policy::Missing,
        "always" => Policy::Always,
        "never" => Policy::Never,
        "build" => Policy::Build,
        "daily" => Policy::Every(DAY),
        "weekly" => Policy::Every(7 * DAY),
        other => match other.strip_prefix("every_").and_then(every) {
            Some(age) => Policy::Every(age),
            None if flag.is_some() => {
                return Err(CliError::plain(format!("invalid --pull option {other:?}")));
            }
            None => {
                let text = format!("services.{}.pull_policy: invalid {other:?}", service.name);
                return Err(CliError::plain(text));
            }
        },
    })
}

/// `2d`, `12h30m`, `1w`.
fn every(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let unit = match rest.as_bytes()[end] {
            b's' => 1,
            b'm' => 60,
            b'h' => 60 * 60,
            b'd' => 24 * 60 * 60,
            b'w' => 7 * 24 * 60 * 60,
            _ => return None,
        };
        let number: u64 = rest[..end].parse().ok()?;
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[end + 1..];
    }
    (!text.is_empty()).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use crate::compose::images::ensure::*;

    #[test]
    fn policies() {
        let service =
            |policy: &str| Service { pull_policy: policy.to_owned(), ..Service::default() };
        let of = |flag: Option<&str>, own: &str| policy(flag, &service(own));
        assert_eq!(of(None, "").unwrap(), Policy::Missing);
        assert_eq!(of(Some("policy"), "never").unwrap(), Policy::Never);
        assert_eq!(of(Some("always"), "never").unwrap(), Policy::Always);
        let hours = Duration::from_secs(36 * 60 * 60);
        assert_eq!(of(None, "every_1d12h").unwrap(), Policy::Every(hours));
        assert!(of(None, "every_x").is_err() && of(Some("bogus"), "").is_err());
    }
}
