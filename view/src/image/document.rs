//! What `inspect` tells of an image.

use coracle_image::config::{ContainerConfig, ImageConfig};
use coracle_image::{Image, Reference, Store};
use coracle_runtime::Home;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::document::value_of;
use crate::{Api, ViewError};

/// Content in the store, as OCI describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    pub digest: String,
    pub size: u64,
}

impl Descriptor {
    /// Of the manifest of an image; `None` when that is not in the store.
    #[must_use]
    pub fn of_manifest(store: &Store, image: &Image) -> Option<Self> {
        Some(Self {
            media_type: image.manifest_media_type.clone(),
            digest: image.manifest_digest.to_string(),
            size: store.blob_size(&image.manifest_digest).ok()?,
        })
    }
}

/// What Docker tells of an image, in its order.
///
/// # Limits
///
/// For API 1.55 the sizes are those of unpacked layers, and `Identity` is left out: the store does
/// not know how an image came.
///
/// # Errors
/// When its configuration cannot be read.
pub fn document(home: &Home, image: &Image, api: Api) -> Result<Value, ViewError> {
    let store = home.store()?;
    let config = store.config(&image.id)?;
    match api {
        Api::V1_51 => {
            let sent = container_config(&config.config);
            Ok(as_of_28(image, &config, graph_driver(store, image), sent))
        }
        Api::V1_55 => as_of_29(image, &config, Descriptor::of_manifest(store, image)),
    }
}

/// The same for a template: Docker's client reads the answer into Go's types for it, so that
/// `Config` has their order and no empty fields.
///
/// # Errors
/// As for [`document`].
pub fn typed_document(home: &Home, image: &Image, api: Api) -> Result<Value, ViewError> {
    let store = home.store()?;
    let config = store.config(&image.id)?;
    if api >= Api::V1_55 {
        let mut document = as_of_29(image, &config, Descriptor::of_manifest(store, image))?;
        if let Some(document) = document.as_object_mut() {
            for text in ["Comment", "Created", "Author", "Variant", "OsVersion"] {
                document.entry(text).or_insert_with(|| "".into());
            }
            for pointer in ["GraphDriver", "Descriptor", "Manifests", "Identity"] {
                document.entry(pointer).or_insert(Value::Null);
            }
        }
        return Ok(document);
    }
    let read = value_of(&config.config)?;
    Ok(as_of_28(image, &config, graph_driver(store, image), read))
}

fn as_of_28(image: &Image, config: &ImageConfig, driver: Value, container: Value) -> Value {
    let mut document = json!({
        "Id": image.id.to_string(),
        "RepoTags": familiar(&image.names),
        "RepoDigests": familiar(&image.repo_digests),
        "Parent": image.parent.map(|id| id.to_string()).unwrap_or_default(),
        "Comment": comment(config),
        "Created": image.created,
        "DockerVersion": config.docker_version.clone().unwrap_or_default(),
        "Author": config.author.clone().unwrap_or_default(),
        "Architecture": image.architecture,
    });
    let rest = json!({
        "Os": image.os,
        "Size": image.size(),
        "GraphDriver": driver,
        "RootFS": root_fs(image),
        "Metadata": metadata(image),
        "Config": container,
    });
    if let (Some(document), Value::Object(rest)) = (document.as_object_mut(), rest) {
        if !image.variant.is_empty() {
            document.insert("Variant".into(), image.variant.clone().into());
        }
        document.extend(rest);
    }
    document
}

fn as_of_29(
    image: &Image,
    config: &ImageConfig,
    descriptor: Option<Descriptor>,
) -> Result<Value, ViewError> {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    put("Id", image.id.to_string().into());
    put("RepoTags", familiar(&image.names).into());
    put("RepoDigests", familiar(&image.repo_digests).into());
    let author = config.author.clone().unwrap_or_default();
    let parent = image.parent.map(|id| id.to_string()).unwrap_or_default();
    let said = [
        ("Parent", parent),
        ("Comment", comment(config)),
        ("Created", image.created.clone()),
        ("Author", author),
    ];
    for (key, text) in said.into_iter().filter(|(_, text)| !text.is_empty()) {
        put(key, text.into());
    }
    put("Config", value_of(&config.config)?);
    put("Architecture", image.architecture.clone().into());
    if !image.variant.is_empty() {
        put("Variant", image.variant.clone().into());
    }
    put("Os", image.os.clone().into());
    put("Size", image.size().into());
    put("RootFS", root_fs(image));
    put("Metadata", metadata(image));
    if let Some(descriptor) = descriptor {
        put("Descriptor", value_of(&descriptor)?);
    }
    Ok(Value::Object(out))
}

fn familiar(names: &[Reference]) -> Vec<String> {
    names.iter().map(Reference::familiar).collect()
}

fn root_fs(image: &Image) -> Value {
    let layers: Vec<String> = image.layers.iter().map(|l| l.diff_id.to_string()).collect();
    json!({ "Type": "layers", "Layers": layers })
}

fn metadata(image: &Image) -> Value {
    json!({ "LastTagTime": image.last_tag_time.as_deref().unwrap_or("0001-01-01T00:00:00Z") })
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
    let mut data = Map::new();
    if !folders.is_empty() {
        folders.reverse();
        data.insert("LowerDir".into(), folders.join(":").into());
    }
    data.insert("UpperDir".into(), upper.into());
    json!({ "Data": data, "Name": "overlay2" })
}

fn container_config(config: &ContainerConfig) -> Value {
    let mut out = json!({
        "ArgsEscaped": config.args_escaped,
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
        if !config.args_escaped {
            map.shift_remove("ArgsEscaped");
        }
        // These are left out rather than null.
        for key in ["ExposedPorts", "Healthcheck", "Shell", "StopSignal"] {
            if map.get(key).is_some_and(Value::is_null) {
                map.shift_remove(key);
            }
        }
    }
    out
}
