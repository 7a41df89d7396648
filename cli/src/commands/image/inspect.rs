//! `image inspect`: show all about images as JSON.

use coracle_image::config::{ContainerConfig, ImageConfig};
use coracle_image::{Image, Reference, Store};
use serde_json::{Value, json};

use crate::app::App;
use crate::args::Runnable;
use crate::commands::inspect_all;
use crate::error::{CliError, CommandResult};
use coracle_view::image::find_for;

/// Show all about images as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct ImageInspectArgs {
    /// Layout: json, or a Go template for each object
    #[arg(long, short = 'f', value_name = "string")]
    pub(crate) format: Option<String>,
    /// Platform variant to show; error if absent
    #[arg(long, value_name = "string")]
    pub(crate) platform: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ImageInspectArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        inspect_all(app, &self.args, self.format.as_deref(), |app, name, typed| {
            crate::builtin::prepare_outside(app, name)?;
            let image = find_for(&app.home, name, self.platform.as_deref())?;
            document(app, &image, typed)
        })
    }
}

/// What Docker tells of an image, in its order. `typed` is for a template: Docker's client reads
/// the answer into Go's types for it, so that `Config` has their order and no empty fields.
pub(crate) fn document(app: &App, image: &Image, typed: bool) -> Result<Value, CliError> {
    let store = app.store()?;
    let config = store.config(&image.id)?;
    let familiar = |names: &[Reference]| names.iter().map(Reference::familiar).collect::<Vec<_>>();
    let layers: Vec<String> = image.layers.iter().map(|l| l.diff_id.to_string()).collect();
    let mut document = json!({
        "Id": image.id.to_string(),
        "RepoTags": familiar(&image.names),
        "RepoDigests": familiar(&image.repo_digests),
        "Parent": image.parent.map(|id| id.to_string()).unwrap_or_default(),
        "Comment": comment(&config),
        "Created": image.created,
        "DockerVersion": config.docker_version.clone().unwrap_or_default(),
        "Author": config.author.clone().unwrap_or_default(),
        "Architecture": image.architecture,
    });
    let rest = json!({
        "Os": image.os,
        "Size": image.size(),
        "GraphDriver": graph_driver(store, image),
        "RootFS": { "Type": "layers", "Layers": layers },
        "Metadata": {
            "LastTagTime": image.last_tag_time.as_deref().unwrap_or("0001-01-01T00:00:00Z"),
        },
        "Config": match typed {
            true => coracle_view::value_of(&config.config)?,
            false => container_config(&config.config),
        },
    });
    if let (Some(document), Value::Object(rest)) = (document.as_object_mut(), rest) {
        if !image.variant.is_empty() {
            document.insert("Variant".into(), image.variant.clone().into());
        }
        document.extend(rest);
    }
    Ok(document)
}

/// The image's own comment, or that of its last step.
fn comment(config: &ImageConfig) -> String {
    let last = config.history.last().and_then(|step| step.comment.clone());
    config.comment.clone().or(last).unwrap_or_default()
}

fn graph_driver(store: &Store, image: &Image) -> Value {
    let mut folders: Vec<String> =
        store.layer_dirs(image).iter().map(|dir| dir.display().to_string()).collect();
    let upper = folders.pop().unwrap_or_default();
    let mut data = serde_json::Map::new();
    if !folders.is_empty() {
        folders.reverse();
        data.insert("LowerDir".into(), folders.join(":").into());
    }
    data.insert("UpperDir".into(), upper.into());
    json!({ "Data": data, "Name": "overlay2" })
}

fn container_config(config: &ContainerConfig) -> Value {
    let mut out = json!({
        "Cmd": config.cmd,
        "Entrypoint": config.entrypoint,
        "Env": config.env,
        "ExposedPorts": config.exposed_ports,
        "Healthcheck": config.healthcheck,
        "Labels": config.labels,
        "OnBuild": config.on_build,
        "Shell": config.shell,
        "StopSignal": config.stop_signal,
        "User": config.user,
        "Volumes": config.volumes,
        "WorkingDir": config.working_dir,
    });
    if let Some(map) = out.as_object_mut() {
        // These are left out rather than null.
        for key in ["ExposedPorts", "Healthcheck", "Shell", "StopSignal"] {
            if map.get(key).is_some_and(Value::is_null) {
                map.shift_remove(key);
            }
        }
    }
    out
}
