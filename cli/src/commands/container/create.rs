//! `create`: create a container without starting it.

use std::io::Write as _;

use coracle_image::config::{ContainerConfig, Healthcheck};
use coracle_image::{Image, ImageError, Platform};
use coracle_runtime::engine::{CreateRequest, ImageFacts};
use coracle_runtime::model::{Config, Container, ContainerMount, Empty, HealthConfig, MountType};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::files::reason;
use crate::run_flags::CreateFlags;
use crate::run_flags::{self, PullPolicy, Request};
use coracle_view::ViewError;
use coracle_view::image::find;

/// Create a container without starting it
#[derive(Debug, clap::Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    pub(crate) flags: CreateFlags,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for CreateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let request = run_flags::request(self.flags, self.args, false, &app.settings)?;
        let container = make(app, request)?;
        writeln!(app.ui.data(), "{}", container.id)?;
        Ok(ExitStatus::Success)
    }
}

/// Fetches the image if need be, and makes the container.
pub(crate) fn make(app: &mut App, mut request: Request) -> Result<Container, CliError> {
    super::on_node::place(app, &mut request)?;
    let cidfile = request.cidfile.take().map(CidFile::open).transpose()?;
    let container = make_container(app, request)?;
    if let Some(cidfile) = cidfile {
        cidfile.write(&container.id)?;
    }
    Ok(container)
}

/// The file for the id: opened before anything is made, so that one that cannot be written is
/// told of early, and gone again when no container comes of it.
struct CidFile {
    path: String,
    file: std::fs::File,
    written: bool,
}

impl CidFile {
    fn open(path: String) -> Result<Self, CliError> {
        match std::fs::File::create_new(&path) {
            Ok(file) => Ok(Self { path, file, written: false }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(CliError::plain(format!(
                    "container ID file found, make sure the other container isn't running or \
                     delete {path}"
                )))
            }
            Err(error) => {
                let why = reason(&error);
                let text = format!("failed to create the container ID file: open {path}: {why}");
                Err(CliError::plain(text))
            }
        }
    }

    fn write(mut self, id: &str) -> Result<(), CliError> {
        self.file.write_all(id.as_bytes()).map_err(|error| {
            let why = reason(&error);
            CliError::plain(format!(
                "failed to write the container ID ({id}) to file: write {}: {why}",
                self.path
            ))
        })?;
        self.written = true;
        Ok(())
    }
}

impl Drop for CidFile {
    fn drop(&mut self) {
        if !self.written {
            // Why there is no container matters more than an empty file that stays.
            drop(std::fs::remove_file(&self.path));
        }
    }
}

fn make_container(app: &mut App, request: Request) -> Result<Container, CliError> {
    let image = image_for(app, &request)?;
    if request.host.network_mode == "host" && !request.host.port_bindings.is_empty() {
        let text = "WARNING: Published ports are discarded when using host network mode";
        writeln!(app.ui.status(), "{text}")?;
    }
    warn_of_foreign_platform(app, &image, request.platform.as_deref())?;
    let mut image = facts(app, &image, &request.image)?;
    for mount in request.host.mounts.iter().filter(|mount| mount.kind == MountType::Image) {
        // The engine refuses a mount without one in its own words.
        if mount.source.is_empty() || image.mounted.contains_key(&mount.source) {
            continue;
        }
        crate::builtin::prepare(app, &mount.source)?;
        let found = find(&app.home, &mount.source)?;
        image.mounted.insert(mount.source.clone(), facts(app, &found, &mount.source)?);
    }
    let linked = request.host.links.as_ref().is_some_and(|links| !links.is_empty());
    let create = CreateRequest {
        id: request.id,
        name: request.name,
        node: app.node.unwrap_or_default(),
        image,
        config: request.config,
        host_config: request.host,
        networks: request.networks,
        ..CreateRequest::default()
    };
    let container = app.engine()?.create(create)?;
    let own = app.settings.docker_socket.own.as_ref().map(|own| own.display().to_string());
    let is_own = |mount: &&ContainerMount| Some(&mount.point.source) == own.as_ref();
    if let Some(mount) = container.mounts.iter().find(is_own) {
        let place = &mount.point.destination;
        app.warn(&[format!(
            "{place} is your own Engine API: the container can do all that you can"
        )]);
    }
    if linked {
        let text = "Links on the default bridge network are deprecated and will be removed in a \
                    future release. Use a custom network instead.";
        app.warn(&[text.to_owned()]);
    }
    Ok(container)
}

/// The image of the store, pulled first when the policy says so.
fn image_for(app: &mut App, request: &Request) -> Result<Image, CliError> {
    let name = request.image.as_str();
    let platform = request.platform.as_deref();
    crate::builtin::prepare(app, name)?;
    let found = match request.pull {
        PullPolicy::Always => None,
        PullPolicy::Missing | PullPolicy::Never => local(app, name, platform)?,
    };
    match (found, request.pull) {
        (Some(image), _) => Ok(image),
        (None, PullPolicy::Never) => Ok(find(&app.home, name)?),
        (None, policy) => {
            if policy == PullPolicy::Missing {
                let shown = coracle_view::image::with_tag(&app.home, name)?;
                writeln!(app.ui.status(), "Unable to find image '{shown}' locally")?;
            }
            crate::fetch::fetch(app, name, platform, request.quiet)?;
            Ok(find(&app.home, name)?)
        }
    }
}

/// The image, if it is here and of the platform that was asked for.
pub(crate) fn local(
    app: &App,
    name: &str,
    platform: Option<&str>,
) -> Result<Option<Image>, CliError> {
    let found = match coracle_view::image::platform(platform)? {
        Some(wanted) => {
            let stored = coracle_view::image::stored_name(&app.home, name);
            app.store()?.find_variant(&stored, &wanted).map_err(ViewError::from)
        }
        None => find(&app.home, name).map(Some),
    };
    match found {
        Ok(image) => Ok(image),
        Err(ViewError::Image(ImageError::NoSuchImage { .. })) => {
            // A name that is none is reported as such, not looked for.
            app.home.names().candidates(name).map_err(|e| CliError::plain(e.to_string()))?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn warn_of_foreign_platform(
    app: &mut App,
    image: &Image,
    asked: Option<&str>,
) -> Result<(), CliError> {
    let own = image.platform();
    if asked.is_some() || image.architecture.is_empty() || Platform::of_cpu().rank(&own).is_some() {
        return Ok(());
    }
    writeln!(
        app.ui.status(),
        "WARNING: The requested image's platform ({own}) does not match the detected host \
         platform ({}) and no specific platform was requested",
        Platform::host()
    )?;
    Ok(())
}

pub(crate) fn facts(app: &App, image: &Image, typed: &str) -> Result<ImageFacts, CliError> {
    let config = app.store()?.config(&image.id)?;
    let mut platform = format!("{}/{}", image.os, image.architecture);
    if image.architecture.is_empty() {
        platform = image.os.clone();
    }
    Ok(ImageFacts {
        id: image.id.to_string(),
        name: typed.into(),
        platform,
        layers: image.layers.iter().map(|layer| layer.diff_id).collect(),
        config: container_config(config.config),
        ..ImageFacts::default()
    })
}

/// The configuration of an image in the engine's terms.
fn container_config(image: ContainerConfig) -> Config {
    let empty = |_| Empty {};
    Config {
        user: image.user,
        exposed_ports: image
            .exposed_ports
            .unwrap_or_default()
            .into_iter()
            .map(|(port, unit)| (port, empty(unit)))
            .collect(),
        env: image.env.unwrap_or_default(),
        entrypoint: image.entrypoint,
        cmd: image.cmd,
        volumes: image
            .volumes
            .map(|set| set.into_iter().map(|(path, unit)| (path, empty(unit))).collect()),
        working_dir: image.working_dir,
        labels: image.labels.unwrap_or_default(),
        stop_signal: image.stop_signal.unwrap_or_default(),
        healthcheck: image.healthcheck.map(health),
        on_build: image.on_build,
        shell: image.shell,
        ..Config::default()
    }
}

fn health(check: Healthcheck) -> HealthConfig {
    HealthConfig {
        test: check.test.unwrap_or_default(),
        interval: check.interval,
        timeout: check.timeout,
        start_period: check.start_period,
        start_interval: check.start_interval,
        retries: check.retries,
    }
}
