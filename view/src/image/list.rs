//! Images as lists have them: what `GET /images/json` answers, and what `images` makes rows of.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use coracle_image::{Digest, Image, Reference, Store};
use coracle_runtime::Home;
use serde::Serialize;

use super::document::Descriptor;
use super::filter::{ChosenNames, ImageFilters};
use super::{find, labels, parse_time};
use crate::filter::Filters;
use crate::{Api, Now, ViewError};

/// What is sent for a size nobody asked for.
const NOT_ASKED: i64 = -1;
/// Unix seconds of the year 1: an image that tells no time.
const NO_TIME: i64 = -62_135_596_800;

/// One image of a list, as the Engine API has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageSummary {
    pub containers: usize,
    /// Unix seconds; 0 when the image does not say.
    pub created: i64,
    pub id: String,
    /// `None`: it has none, or they were not asked for.
    pub labels: Option<BTreeMap<String, String>>,
    pub parent_id: String,
    /// Its manifest, from API 1.55 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<Descriptor>,
    /// `None` is sent as null, which only disk usage does.
    pub repo_digests: Option<Vec<String>>,
    pub repo_tags: Option<Vec<String>>,
    /// Bytes in layers that other images have as well; -1 when not asked for.
    pub shared_size: i64,
    /// Bytes of all layers, unpacked.
    pub size: u64,
    /// Bytes of what is stored of it as registries have it; only lists look.
    #[serde(skip)]
    pub content_size: u64,
    /// When it was made, as exactly as that is known.
    #[serde(skip)]
    pub created_at: Option<DateTime<Utc>>,
    /// The image itself, with all its names.
    #[serde(skip)]
    pub image: Image,
    /// Names with tags and with digests that passed the filters; `None` when none chose.
    #[serde(skip)]
    pub chosen: Option<Vec<Reference>>,
}

impl ImageSummary {
    /// The summary of an image with so many containers, by the names that were chosen.
    #[must_use]
    pub fn new(image: Image, chosen: Option<Vec<Reference>>, containers: usize) -> Self {
        let created_at = parse_time(&image.created);
        let created = created_at.map(|time| time.timestamp()).filter(|time| *time != NO_TIME);
        let all = || image.names.iter().chain(&image.repo_digests).cloned().collect();
        let names: Vec<Reference> = chosen.clone().unwrap_or_else(all);
        let (digests, tags): (Vec<_>, Vec<_>) =
            names.iter().partition(|name| name.digest().is_some());
        let familiar = |names: Vec<&Reference>| -> Vec<String> {
            names.into_iter().map(Reference::familiar).collect()
        };
        Self {
            containers,
            created: created.unwrap_or(0),
            id: image.id.to_string(),
            labels: None,
            parent_id: image.parent.map(|id| id.to_string()).unwrap_or_default(),
            descriptor: None,
            repo_digests: Some(familiar(digests)),
            repo_tags: Some(familiar(tags)),
            shared_size: NOT_ASKED,
            size: image.size(),
            content_size: 0,
            created_at,
            image,
            chosen,
        }
    }

    /// With what its configuration says, as `api` has it.
    pub(crate) fn detailed(mut self, store: &Store, api: Api) -> Self {
        self.labels = store.config(&self.image.id).ok().and_then(|config| config.config.labels);
        if api >= Api::V1_55 {
            self.labels.get_or_insert_default();
            self.descriptor = Descriptor::of_manifest(store, &self.image);
        }
        self
    }

    /// With the bytes that it shares.
    pub(crate) fn sharing(mut self, bytes: u64) -> Self {
        self.shared_size = i64::try_from(bytes).unwrap_or(i64::MAX);
        self
    }

    /// With null for empty lists of names, as disk usage has them.
    pub(crate) fn with_nulls(mut self) -> Self {
        self.repo_digests = self.repo_digests.filter(|names| !names.is_empty());
        self.repo_tags = self.repo_tags.filter(|names| !names.is_empty());
        self
    }
}

/// What a list is asked for.
#[derive(Debug, Clone, Copy)]
pub struct ListOptions {
    pub api: Api,
    /// Images that are only there for others made of them, too.
    pub all: bool,
    /// What their configurations say, too: each is read.
    pub details: bool,
    /// What they share with others, too.
    pub shared_size: bool,
}

/// The images that pass the filters, newest first.
///
/// # Errors
/// When the store cannot be read, or a filter is none or names an image that is not there.
pub fn list(
    home: &Home,
    filters: &Filters,
    options: ListOptions,
    now: &Now,
) -> Result<Vec<ImageSummary>, ViewError> {
    let store = home.store()?;
    let selected = selected(home, filters, options.all, now)?;
    let counts = container_counts(home)?;
    let usage = options.shared_size.then(|| store.usage()).transpose()?;
    let summary = |(image, chosen): (Image, ChosenNames)| {
        let id = image.id;
        let count = counts.get(&id).copied().unwrap_or(0);
        let content_size = store.content_size([&image], None);
        let mut summary = ImageSummary { content_size, ..ImageSummary::new(image, chosen, count) };
        if options.details {
            summary = summary.detailed(store, options.api);
        }
        match usage.as_ref().and_then(|usage| usage.images.get(&id)) {
            Some(size) => summary.sharing(size.shared_size),
            None => summary,
        }
    };
    Ok(selected.into_iter().map(summary).collect())
}

/// How many containers each image has.
pub(crate) fn container_counts(home: &Home) -> Result<HashMap<Digest, usize>, ViewError> {
    let mut counts = HashMap::new();
    for user in home.image_users()? {
        *counts.entry(user.image).or_default() += 1;
    }
    Ok(counts)
}

fn selected(
    home: &Home,
    filters: &Filters,
    all: bool,
    now: &Now,
) -> Result<Vec<(Image, ChosenNames)>, ViewError> {
    let store = home.store()?;
    let mut images = store.images()?;
    let created = |name: &str| Ok(parse_time(&find(home, name)?.created));
    let filters = ImageFilters::look_up(filters, created, now)?;
    if !all {
        let parents: Vec<Digest> = images.iter().filter_map(|image| image.parent).collect();
        images.retain(|image| !image.is_dangling() || !parents.contains(&image.id));
    }
    let pass = |image: Image| {
        let names = filters.accept(&image, || labels(store, &image))?;
        Some((image, names))
    };
    Ok(images.into_iter().filter_map(pass).collect())
}
