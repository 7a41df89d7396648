//! What `docker save` writes: `manifest.json`, configurations, layers.

use serde::Deserialize;

use super::layout::{self, listed};
use super::manifest::Manifest;
use super::plan::{LoadOptions, LoadPlan, PlannedLayer, digest_of_name, read_config};
use super::source::Source;
use crate::config::ImageConfig;
use crate::digest::Digest;
use crate::error::{ImageError, Result};
use crate::limits::MANIFEST_BYTES_MAX;
use crate::platform::Platform;
use crate::reference::Reference;

/// One image of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// The images of a Docker archive; `None` when it is none.
pub(super) fn plans(source: &Source, options: &LoadOptions) -> Result<Option<Vec<LoadPlan>>> {
    let Some(bytes) = source.read("manifest.json", MANIFEST_BYTES_MAX)? else { return Ok(None) };
    let items: Option<Vec<Item>> =
        serde_json::from_slice(&bytes).map_err(ImageError::json("the archive's manifest.json"))?;
    let items = items.filter(|items| !items.is_empty()).ok_or_else(|| ImageError::BadArchive {
        why: "its manifest.json lists no image".to_owned(),
    })?;
    let manifests = layout::all_manifests(source);
    let mut plans = Vec::new();
    let mut passed_over = Vec::new();
    for item in items {
        let config = read_config(source, &item.config, digest_of_name(&item.config))?;
        match unwanted(&config, options)? {
            None => plans.push(plan(item, config, &manifests)?),
            Some(own) => passed_over.push(own.to_string()),
        }
    }
    if plans.is_empty() && !passed_over.is_empty() {
        passed_over.dedup();
        let available = passed_over.join(", ");
        return Err(ImageError::NoPlatform { wanted: listed(&options.platforms), available });
    }
    Ok(Some(plans))
}

/// The platform of an image that is not asked for.
fn unwanted(config: &[u8], options: &LoadOptions) -> Result<Option<Platform>> {
    if options.platforms.is_empty() {
        return Ok(None);
    }
    let config = ImageConfig::parse(config)?;
    let variant = config.variant.as_deref().unwrap_or_default();
    let own = Platform::new(&config.os, &config.architecture, variant);
    let fits = options.platforms.iter().any(|wanted| wanted.rank(&own).is_some());
    Ok((!fits).then_some(own))
}

fn plan(
    item: Item,
    config: Vec<u8>,
    manifests: &[(Vec<u8>, String, Manifest)],
) -> Result<LoadPlan> {
    let id = Digest::of(&config);
    let original = manifests.iter().find(|(_, _, manifest)| manifest.config.digest == id);
    let layers = item.layers.unwrap_or_default().into_iter().map(|file| {
        let blob_digest = digest_of_name(&file);
        let described = original.and_then(|(_, _, manifest)| {
            manifest.layers.iter().find(|l| Some(l.digest) == blob_digest)
        });
        match described {
            Some(descriptor) => PlannedLayer::of(descriptor),
            None => PlannedLayer { file, blob_digest, blob_size: None, media_type: None },
        }
    });
    let names = item.repo_tags.unwrap_or_default();
    let names = names.iter().map(|tag| Ok(Reference::parse(tag)?.with_default_tag()));
    Ok(LoadPlan {
        layers: layers.collect(),
        names: names.collect::<Result<_>>()?,
        manifest: original.map(|(bytes, media_type, _)| (bytes.clone(), media_type.clone())),
        config,
    })
}
