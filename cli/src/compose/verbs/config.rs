//! `compose config`: print the project as it was understood, or a part of it.

use std::collections::BTreeMap;
use std::io::Write as _;

use coracle_compose::{EnvFiles, LoadOptions, Loaded};
use coracle_image::RegistrySettings;

use super::config_parts;
use crate::app::App;
use crate::args::Runnable;
use crate::compose::project::load;
use crate::compose::screen::log;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::registries;

/// Print the resolved project
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeConfigArgs {
    /// Print the variables that interpolation sees
    #[arg(long)]
    environment: bool,

    /// Layout: yaml or json
    #[arg(long, value_name = "string")]
    format: Option<String>,

    /// Print hashes of services (comma list, * for all)
    #[arg(long, value_name = "string")]
    hash: Option<String>,

    /// Print the names of images
    #[arg(long)]
    images: bool,

    /// Print an override file with image digests
    #[arg(long)]
    lock_image_digests: bool,

    /// Print the names of models
    #[arg(long)]
    models: bool,

    /// Print the names of networks
    #[arg(long)]
    networks: bool,

    /// Do not check whether references lead anywhere
    #[arg(long)]
    no_consistency: bool,

    /// Do not read the env_file of services
    #[arg(long)]
    no_env_resolution: bool,

    /// Leave variables as they are
    #[arg(long)]
    no_interpolate: bool,

    /// Leave out what the format implies
    #[arg(long)]
    no_normalize: bool,

    /// Leave paths as they are
    #[arg(long)]
    no_path_resolution: bool,

    /// File to write
    #[arg(long, short = 'o', value_name = "file")]
    output: Option<String>,

    /// Print the names of profiles
    #[arg(long)]
    profiles: bool,

    /// Check only; the exit code tells
    #[arg(long, short = 'q')]
    quiet: bool,

    /// Name images by their digests, as the registry knows them
    #[arg(long)]
    resolve_image_digests: bool,

    /// Print the names of services
    #[arg(long)]
    services: bool,

    /// Print variables, and their defaults in the files
    #[arg(long)]
    variables: bool,

    /// Print the names of volumes
    #[arg(long)]
    volumes: bool,

    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeConfigArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let text = self.text(app)?;
        if self.quiet {
            return Ok(ExitStatus::Success);
        }
        match self.output.as_deref().filter(|path| !path.is_empty()) {
            Some(path) => std::fs::write(path, text).map_err(|e| {
                CliError::plain(format!("open {path}: {}", crate::files::reason(&e)))
            })?,
            None => app.ui.data().write_all(text.as_bytes())?,
        }
        Ok(ExitStatus::Success)
    }
}

impl ComposeConfigArgs {
    fn text(&self, app: &mut App) -> Result<String, CliError> {
        let mut options = self.options(app)?;
        if self.variables {
            self.warn_of_services(
                app,
                "--variables is set, variables from the full model will be rendered",
            );
            options.stages.interpolate = false;
            options.stages.types = false;
            options.stages.check = false;
            let loaded = load::load(app, &options)?;
            return config_parts::variables(&loaded, self.format.as_deref().unwrap_or_default());
        }
        let whole_project = self.services || self.volumes || self.networks || self.models;
        if !whole_project && self.hash.is_none() {
            options.services.clone_from(&self.args);
        }
        let names = whole_project || self.hash.is_some() || self.profiles || self.images;
        if let Some(hashed) = self.hash.as_deref().filter(|_| !whole_project) {
            self.prepare_hashes(&mut options, hashed);
        } else if names {
            options.stages.env_files = EnvFiles::Unread;
        }
        if self.no_interpolate {
            if !names && !self.environment {
                let what = "--no-interpolate is set, the full model will be rendered";
                self.warn_of_services(app, what);
            }
            // What still has variables in it cannot be read further than names need.
            options.stages.types = (names && !self.services) || self.environment;
        }
        let mut loaded = load::load(app, &options)?;
        if let Some(names) = self.hash.as_deref().filter(|_| !whole_project) {
            return config_parts::hashes(&loaded, names);
        }
        if let Some(lines) = self.part(&loaded) {
            return Ok(lines.iter().map(|line| format!("{line}\n")).collect());
        }
        if self.resolve_image_digests || self.lock_image_digests {
            pin_images(app, &mut loaded)?;
        }
        if self.lock_image_digests {
            warn_of_unlocked(app, &loaded);
        }
        self.document(&loaded)
    }

    /// The hash is that of the container, with what files of variables say. Those of services
    /// that are not asked for may be missing.
    fn prepare_hashes(&self, options: &mut LoadOptions, names: &str) {
        if names != "*" {
            options.services = names.split(',').map(str::to_owned).collect();
        }
        options.stages.env_files =
            if self.no_env_resolution { EnvFiles::Unread } else { EnvFiles::Chosen };
    }

    /// Where services cannot be chosen, nobody shall think that they were.
    fn warn_of_services(&self, app: &mut App, when: &str) {
        if !self.args.is_empty() {
            log::warning(app, &format!("service filtering is not applied when {when}"));
        }
    }

    fn options(&self, app: &App) -> Result<LoadOptions, CliError> {
        let mut options = load::options(app)?;
        let stages = &mut options.stages;
        stages.interpolate = !self.no_interpolate;
        stages.normalize = !self.no_normalize && !app.compose.compatibility;
        stages.resolve_paths = !self.no_path_resolution;
        stages.check_consistency = !self.no_consistency;
        stages.env_files =
            if self.no_env_resolution { EnvFiles::Unread } else { EnvFiles::Enabled };
        Ok(options)
    }

    /// The names that were asked for instead of the project.
    fn part(&self, loaded: &Loaded) -> Option<Vec<String>> {
        let keys = |section: &str| {
            let section = loaded.project[section].as_object();
            section.into_iter().flatten().map(|(key, _)| key.clone()).collect()
        };
        Some(match () {
            () if self.services => config_parts::in_order(loaded),
            () if self.volumes => keys("volumes"),
            () if self.networks => keys("networks"),
            () if self.models => {
                let models = loaded.models.values();
                models.filter_map(|model| model["model"].as_str().map(str::to_owned)).collect()
            }
            () if self.profiles => config_parts::profiles(loaded),
            () if self.images => {
                let all = loaded.services().map(|(name, service)| {
                    [vec![loaded.image(name, service)], loaded.step_images(name, service)].concat()
                });
                all.flatten().collect()
            }
            () if self.environment => {
                loaded.environment.iter().map(|(key, value)| format!("{key}={value}")).collect()
            }
            () => return None,
        })
    }

    fn document(&self, loaded: &Loaded) -> Result<String, CliError> {
        let locked = self.lock_image_digests.then(|| loaded.images_only());
        let text = match (self.format.as_deref().unwrap_or_default(), &locked) {
            ("" | "yaml", None) => loaded.yaml(),
            ("" | "yaml", Some(value)) => coracle_compose::to_yaml(value),
            ("json", value) => {
                let value = value.as_ref().unwrap_or(&loaded.project);
                let json = serde_json::to_string_pretty(value);
                json.map_err(|e| CliError::plain(format!("cannot print the project: {e}")))? + "\n"
            }
            (other, _) => return Err(CliError::plain(format!("unsupported format {other:?}"))),
        };
        // What is printed can be loaded again.
        Ok(if self.no_interpolate { text } else { text.replace('$', "$$") })
    }
}

/// An override file adds steps to those that are there, so it cannot change their images.
fn warn_of_unlocked(app: &mut App, loaded: &Loaded) {
    for (name, service) in loaded.services() {
        if !loaded.step_images(name, service).is_empty() {
            let text = format!(
                "service {name:?}: pre_start hook images are not pinned in the override file \
                 produced by --lock-image-digests, use the full --resolve-image-digests output \
                 to pin them"
            );
            log::warning(app, &text);
        }
    }
}

/// Asks registries for the digests of images that have none.
fn pin_images(app: &App, loaded: &mut Loaded) -> Result<(), CliError> {
    let settings = registries::settings(&app.settings);
    let mut pinned: BTreeMap<String, String> = BTreeMap::new();
    for (name, service) in loaded.services() {
        let own = service["image"].as_str().map(str::to_owned);
        for image in own.into_iter().chain(loaded.step_images(name, service)) {
            if let std::collections::btree_map::Entry::Vacant(place) = pinned.entry(image) {
                let digest = pin(app, &settings, place.key())?;
                place.insert(digest);
            }
        }
    }
    loaded.set_images(&pinned);
    Ok(())
}

/// The name of an image with its digest.
fn pin(app: &App, settings: &RegistrySettings, image: &str) -> Result<String, CliError> {
    let names = app.home.names().candidates(image).map_err(|e| CliError::plain(e.to_string()))?;
    let Some(name) = names.into_iter().next() else { return Ok(image.to_owned()) };
    if name.digest().is_some() {
        return Ok(name.to_string());
    }
    let name = name.with_default_tag();
    let digest = coracle_image::manifest_digest(settings, &name);
    let digest = digest.map_err(|e| registries::failure(&e, true))?;
    Ok(format!("{name}@{digest}"))
}
