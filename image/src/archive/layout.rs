//! OCI layouts: `index.json` and `blobs/`.
//!
//! Of an image for several platforms the one that suits is loaded. Documents beside
//! images (attestations, other artifacts) are passed over, unless nothing else is there.

use super::manifest::{Descriptor, Index, Manifest};
use super::plan::{LoadOptions, LoadPlan, PlannedLayer, blob_name, missing, read_config};
use super::source::Source;
use crate::digest::Digest;
use crate::error::{ImageError, Result};
use crate::limits::{INDEX_DEPTH_MAX, MANIFEST_BYTES_MAX};
use crate::media;
use crate::platform::Platform;
use crate::reference::Reference;

/// The full name, as containerd and Docker write it.
pub(super) const NAME_ANNOTATION: &str = "io.containerd.image.name";
/// The name of an entry of `index.json`; often only a tag.
pub(super) const REF_ANNOTATION: &str = "org.opencontainers.image.ref.name";

/// The images of an OCI layout; `None` when it is none.
pub(super) fn plans(source: &Source, options: &LoadOptions) -> Result<Option<Vec<LoadPlan>>> {
    let Some(index) = read_index(source)? else { return Ok(None) };
    let mut plans: Vec<LoadPlan> = Vec::new();
    let mut passed_over = None;
    for group in groups(index.manifests) {
        let names = names(&group)?;
        let descriptor = match choose(source, &group, options, 0) {
            Ok(descriptor) => descriptor,
            Err(e @ ImageError::NoPlatform { .. }) if options.platforms.is_empty() => {
                return Err(e);
            }
            Err(e) => {
                passed_over.get_or_insert(e);
                continue;
            }
        };
        match plan(source, &descriptor, names) {
            Ok(plan) => add(&mut plans, plan),
            Err(e @ ImageError::NotAnImage { .. }) => drop(passed_over.get_or_insert(e)),
            Err(e) => return Err(e),
        }
    }
    match passed_over {
        Some(why) if plans.is_empty() => Err(why),
        None if plans.is_empty() => {
            Err(ImageError::BadArchive { why: "its index.json lists no image".to_owned() })
        }
        _ => Ok(Some(plans)),
    }
}

/// Adds an image, or its names to the one that is there already.
fn add(plans: &mut Vec<LoadPlan>, plan: LoadPlan) {
    match plans.iter_mut().find(|known| known.config == plan.config) {
        Some(known) => known.names.extend(plan.names),
        None => plans.push(plan),
    }
}

fn read_index(source: &Source) -> Result<Option<Index>> {
    let Some(bytes) = source.read("index.json", MANIFEST_BYTES_MAX)? else { return Ok(None) };
    let what = "the archive's index.json";
    serde_json::from_slice(&bytes).map(Some).map_err(ImageError::json(what))
}

/// Entries of one name that differ in their platform are one image; others are their own.
fn groups(descriptors: Vec<Descriptor>) -> Vec<Vec<Descriptor>> {
    let mut groups: Vec<Vec<Descriptor>> = Vec::new();
    for descriptor in descriptors.into_iter().filter(|d| !d.is_attestation()) {
        let joins = |group: &&mut Vec<Descriptor>| {
            let first = &group[0];
            first.platform.is_some()
                && descriptor.platform.is_some()
                && first.platform != descriptor.platform
                && first.annotation(NAME_ANNOTATION) == descriptor.annotation(NAME_ANNOTATION)
                && first.annotation(REF_ANNOTATION) == descriptor.annotation(REF_ANNOTATION)
        };
        match groups.iter_mut().find(joins) {
            Some(group) => group.push(descriptor),
            None => groups.push(vec![descriptor]),
        }
    }
    groups
}

/// The names of an entry. A bare word is a tag of an unknown repository: no name.
fn names(group: &[Descriptor]) -> Result<Vec<Reference>> {
    let first = &group[0];
    if let Some(name) = first.annotation(NAME_ANNOTATION) {
        return Ok(vec![Reference::parse(name)?.with_default_tag()]);
    }
    let name = first.annotation(REF_ANNOTATION).filter(|name| name.contains(['/', ':']));
    let name = name.and_then(|name| Reference::parse(name).ok());
    Ok(name.map(Reference::with_default_tag).into_iter().collect())
}

fn is_index(media_type: &str) -> bool {
    matches!(media_type, media::OCI_INDEX | media::DOCKER_INDEX)
}

fn is_manifest(media_type: &str) -> bool {
    matches!(media_type, media::OCI_MANIFEST | media::DOCKER_MANIFEST)
}

/// The manifest that suits, found through indexes.
fn choose(
    source: &Source,
    candidates: &[Descriptor],
    options: &LoadOptions,
    depth: usize,
) -> Result<Descriptor> {
    let real: Vec<_> = candidates.iter().filter(|d| !d.is_attestation()).collect();
    let wanted = match options.platforms.as_slice() {
        [] => vec![Platform::of_cpu()],
        given => best_for_host_first(given),
    };
    let rank = |d: &Descriptor| {
        let own = d.platform()?;
        let ranks = wanted.iter().enumerate().filter_map(|(at, one)| Some((at, one.rank(&own)?)));
        ranks.min()
    };
    let ranked = real.iter().filter_map(|d| Some((rank(d)?, *d)));
    let best = ranked.min_by_key(|(rank, _)| *rank).map(|(_, d)| d);
    let chosen = match (best, real.as_slice()) {
        (Some(best), _) => best,
        // An only one is loaded for whatever platform it is, unless one was asked for.
        (None, [only]) if options.platforms.is_empty() || only.platform.is_none() => only,
        (None, _) => {
            let mut available: Vec<_> =
                real.iter().filter_map(|d| d.platform()).map(|p| p.to_string()).collect();
            available.dedup();
            return Err(ImageError::NoPlatform {
                wanted: match options.platforms.as_slice() {
                    [] => Platform::host().to_string(),
                    given => listed(given),
                },
                available: if available.is_empty() { "none".into() } else { available.join(", ") },
            });
        }
    };
    if is_manifest(&chosen.media_type) {
        return Ok(chosen.clone());
    }
    if !is_index(&chosen.media_type) {
        return Err(ImageError::NotAnImage { media_type: chosen.media_type.clone() });
    }
    if depth >= INDEX_DEPTH_MAX {
        return Err(ImageError::BadArchive { why: "its indexes are nested too deep".to_owned() });
    }
    let bytes = read_blob(source, chosen)?;
    let index: Index = serde_json::from_slice(&bytes)
        .map_err(ImageError::json(format!("index {}", chosen.digest)))?;
    choose(source, &index.manifests, options, depth + 1)
}

/// An image here has one platform: of several that are asked for, the one that this host runs best.
fn best_for_host_first(given: &[Platform]) -> Vec<Platform> {
    let host = Platform::of_cpu();
    let mut wanted = given.to_vec();
    wanted.sort_by_key(|one| host.rank(one).unwrap_or(usize::MAX));
    wanted
}

/// As a message names them.
pub(super) fn listed(platforms: &[Platform]) -> String {
    platforms.iter().map(Platform::to_string).collect::<Vec<_>>().join(", ")
}

fn read_blob(source: &Source, descriptor: &Descriptor) -> Result<Vec<u8>> {
    let name = blob_name(&descriptor.digest);
    let bytes = source.read(&name, MANIFEST_BYTES_MAX)?.ok_or_else(|| missing(&name))?;
    let actual = Digest::of(&bytes);
    if actual != descriptor.digest {
        return Err(ImageError::BlobDigest { expected: descriptor.digest, actual });
    }
    Ok(bytes)
}

fn plan(source: &Source, descriptor: &Descriptor, names: Vec<Reference>) -> Result<LoadPlan> {
    let bytes = read_blob(source, descriptor)?;
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(ImageError::json(format!("manifest {}", descriptor.digest)))?;
    let config_type = manifest.config.media_type.as_str();
    if !matches!(config_type, media::OCI_CONFIG | media::DOCKER_CONFIG) {
        return Err(ImageError::NotAnImage { media_type: config_type.to_owned() });
    }
    for layer in &manifest.layers {
        media::check_layer_type(&layer.media_type)?;
    }
    let digest = manifest.config.digest;
    Ok(LoadPlan {
        config: read_config(source, &blob_name(&digest), Some(digest))?,
        layers: manifest.layers.iter().map(PlannedLayer::of).collect(),
        manifest: Some((bytes, descriptor.media_type.clone())),
        names,
    })
}

/// Every manifest that `index.json` leads to and that can be read, for Docker archives
/// that carry it beside their own form.
pub(super) fn all_manifests(source: &Source) -> Vec<(Vec<u8>, String, Manifest)> {
    let mut found = Vec::new();
    let mut todo = match read_index(source) {
        Ok(Some(index)) => vec![(0, index.manifests)],
        _ => Vec::new(),
    };
    while let Some((depth, descriptors)) = todo.pop() {
        for descriptor in descriptors {
            let Ok(bytes) = read_blob(source, &descriptor) else { continue };
            if is_index(&descriptor.media_type) && depth < INDEX_DEPTH_MAX {
                if let Ok(index) = serde_json::from_slice::<Index>(&bytes) {
                    todo.push((depth + 1, index.manifests));
                }
            } else if let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) {
                found.push((bytes, descriptor.media_type, manifest));
            }
        }
    }
    found
}
