//! What takes room on the disk: what `GET /system/df` answers, and what `system df` makes rows of.

use std::collections::HashSet;

use coracle_builder::exec::{Usage as BuildUsage, usage as usage_of_builds};
use coracle_runtime::Home;
use coracle_runtime::volumes::{Volume, VolumeInspect, tree_bytes};
use coracle_words::natural;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::build_cache::{shown_id, shown_parent};
use crate::container::{self, ContainerSummary};
use crate::document::value_of;
use crate::image::{ImageNames, ImageSummary, container_counts, readable};
use crate::{Api, Now, ViewError};

/// What the objects of one kind take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindUsage<T> {
    pub items: Vec<T>,
    /// How many of them are in use.
    pub active: usize,
    pub bytes: u64,
    /// Of these, what those take that are not.
    pub reclaimable: u64,
}

impl<T> Default for KindUsage<T> {
    fn default() -> Self {
        Self { items: Vec::new(), active: 0, bytes: 0, reclaimable: 0 }
    }
}

impl<T> KindUsage<T> {
    fn add(&mut self, item: T, bytes: u64, in_use: bool) {
        self.items.push(item);
        self.bytes += bytes;
        match in_use {
            true => self.active += 1,
            false => self.reclaimable += bytes,
        }
    }
}

/// A volume and what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeUsage {
    pub volume: Volume,
    /// How many containers mount it.
    pub links: usize,
    pub bytes: u64,
}

/// The log of a container, unless it is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogUsage {
    pub id: String,
    /// The container's.
    pub name: String,
    pub bytes: u64,
}

/// Everything there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiskUsage {
    pub containers: KindUsage<ContainerSummary>,
    pub images: KindUsage<ImageSummary>,
    pub volumes: KindUsage<VolumeUsage>,
    /// The cache of builds.
    pub builds: KindUsage<BuildUsage>,
    /// Docker counts these nowhere, and tells nobody.
    pub logs: Vec<LogUsage>,
}

impl DiskUsage {
    /// Measures everything; the user's namespaces must have been entered. Images of an index that
    /// cannot be read are left out, and that is noted.
    ///
    /// # Errors
    /// When a record or the store cannot be read.
    pub fn read(home: &mut Home, now: &Now) -> Result<Self, ViewError> {
        Ok(Self {
            containers: of_containers(home, now)?,
            images: of_images(home)?,
            volumes: of_volumes(home)?,
            builds: of_builds(home)?,
            logs: of_logs(home)?,
        })
    }

    /// Bytes of all logs.
    #[must_use]
    pub fn log_bytes(&self) -> u64 {
        self.logs.iter().map(|log| log.bytes).sum()
    }

    /// What the Engine API answers; `verbose` is asked for since API 1.52 and gives the objects of
    /// each kind with its sums, in place of the old lists.
    ///
    /// # Errors
    /// When a part has no JSON form.
    pub fn document(&self, home: &Home, api: Api, verbose: bool) -> Result<Value, ViewError> {
        let store = home.store()?;
        let image = |image: &ImageSummary| image.clone().detailed(store, api).with_nulls();
        let images = value_of(&self.images.items.iter().map(image).collect::<Vec<_>>())?;
        let containers = self.containers.items.iter().map(|one| one.clone().sent(api));
        let containers = value_of(&containers.collect::<Vec<_>>())?;
        let volumes =
            value_of(&self.volumes.items.iter().map(SentVolume::from).collect::<Vec<_>>())?;
        let builds = value_of(&self.builds.items.iter().map(SentBuild::from).collect::<Vec<_>>())?;
        let mut out = Map::new();
        let verbose = verbose && api >= Api::V1_55;
        if !verbose {
            out.insert("LayersSize".to_owned(), self.images.bytes.into());
            out.insert("Images".to_owned(), images.clone());
            out.insert("Containers".to_owned(), containers.clone());
            out.insert("Volumes".to_owned(), volumes.clone());
            out.insert("BuildCache".to_owned(), builds.clone());
        }
        if api >= Api::V1_55 {
            let items = |items| verbose.then_some(items);
            out.insert("ImageUsage".to_owned(), sums(&self.images, items(images)));
            out.insert("ContainerUsage".to_owned(), sums(&self.containers, items(containers)));
            out.insert("VolumeUsage".to_owned(), sums(&self.volumes, items(volumes)));
            out.insert("BuildCacheUsage".to_owned(), sums(&self.builds, items(builds)));
        }
        Ok(Value::Object(out))
    }
}

/// The sums of a kind, as API 1.52 and later have them.
fn sums<T>(kind: &KindUsage<T>, items: Option<Value>) -> Value {
    let mut out = Map::new();
    out.insert("ActiveCount".to_owned(), kind.active.into());
    if let Some(items) = items {
        out.insert("Items".to_owned(), items);
    }
    out.insert("Reclaimable".to_owned(), kind.reclaimable.into());
    out.insert("TotalCount".to_owned(), kind.items.len().into());
    out.insert("TotalSize".to_owned(), kind.bytes.into());
    Value::Object(out)
}

/// A volume as it is sent here: with what it takes.
#[derive(Debug, Serialize)]
struct SentVolume {
    #[serde(flatten)]
    volume: VolumeInspect,
    #[serde(rename = "UsageData")]
    usage: UsageData,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UsageData {
    ref_count: usize,
    size: u64,
}

impl From<&VolumeUsage> for SentVolume {
    fn from(usage: &VolumeUsage) -> Self {
        let VolumeUsage { volume, links, bytes } = usage;
        Self { volume: volume.inspect(), usage: UsageData { ref_count: *links, size: *bytes } }
    }
}

/// An entry of the cache of builds as it is sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SentBuild {
    #[serde(rename = "ID")]
    id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parents: Vec<String>,
    r#type: &'static str,
    description: String,
    in_use: bool,
    shared: bool,
    size: u64,
    created_at: String,
    last_used_at: Option<String>,
    usage_count: u64,
}

impl From<&BuildUsage> for SentBuild {
    fn from(entry: &BuildUsage) -> Self {
        Self {
            id: shown_id(entry),
            parents: shown_parent(entry).into_iter().collect(),
            r#type: entry.kind.name(),
            description: entry.description.clone(),
            in_use: entry.in_use,
            shared: entry.shared,
            size: entry.size,
            created_at: entry.created.to_string(),
            last_used_at: entry.last_used.map(|used| used.to_string()),
            usage_count: entry.uses,
        }
    }
}

/// Nothing is freed by what images have too.
fn of_builds(home: &Home) -> Result<KindUsage<BuildUsage>, ViewError> {
    let mut kind = KindUsage::default();
    let Some(images) = readable(home, home.store()?.images())? else { return Ok(kind) };
    for entry in usage_of_builds(&home.settings().data_root, &images) {
        kind.active += usize::from(entry.in_use);
        kind.bytes += entry.size;
        kind.reclaimable += if entry.in_use || entry.shared { 0 } else { entry.size };
        kind.items.push(entry);
    }
    Ok(kind)
}

fn of_images(home: &Home) -> Result<KindUsage<ImageSummary>, ViewError> {
    let store = home.store()?;
    let Some(sizes) = readable(home, store.usage())? else { return Ok(KindUsage::default()) };
    let counts = container_counts(home)?;
    let mut kind = KindUsage { bytes: sizes.layers_size, ..KindUsage::default() };
    let mut used_layers = HashSet::new();
    let mut used_bytes = 0;
    for image in store.images()? {
        let count = counts.get(&image.id).copied().unwrap_or(0);
        if count > 0 {
            kind.active += 1;
            for layer in &image.layers {
                if used_layers.insert(layer.diff_id) {
                    used_bytes += layer.unpacked_size;
                }
            }
        }
        let shared = sizes.images.get(&image.id).map_or(0, |size| size.shared_size);
        kind.items.push(ImageSummary::new(image, None, count).sharing(shared));
    }
    kind.reclaimable = kind.bytes.saturating_sub(used_bytes);
    Ok(kind)
}

fn of_containers(home: &mut Home, now: &Now) -> Result<KindUsage<ContainerSummary>, ViewError> {
    let names = ImageNames::read(home)?;
    let mut kind = KindUsage::default();
    let all = container::list(home)?;
    for known in &all {
        let size = container::size(home, known)?;
        let summary = ContainerSummary::new(known, &all, &names, Some(size), now);
        kind.add(summary, size.0, known.state.status.is_running());
    }
    Ok(kind)
}

fn of_volumes(home: &Home) -> Result<KindUsage<VolumeUsage>, ViewError> {
    let engine = home.engine()?;
    let users = engine.users_of_volumes()?;
    let mut volumes = engine.volumes.list()?;
    volumes.sort_by_key(|volume| natural(&volume.name));
    let mut kind = KindUsage::default();
    for volume in volumes {
        let links = users.of(&volume).len();
        let bytes = tree_bytes(&volume.data);
        kind.add(VolumeUsage { volume, links, bytes }, bytes, links > 0);
    }
    Ok(kind)
}

fn of_logs(home: &Home) -> Result<Vec<LogUsage>, ViewError> {
    let mut logs = Vec::new();
    for known in container::list(home)? {
        let bytes = container::log_size(home, &known)?;
        if bytes > 0 {
            let (id, name) = (known.container.id, known.container.name);
            logs.push(LogUsage { id, name, bytes });
        }
    }
    Ok(logs)
}

#[cfg(test)]
mod tests {
    use coracle_runtime::HomeSettings;
    use serde_json::json;

    use super::*;
    use crate::image::tests::made_up;

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    /// An image and a volume, in use both.
    fn usage() -> DiskUsage {
        let mut usage = DiskUsage::default();
        let image = made_up("2026-11-20T23:54:39Z", &["demo:1"], &[]);
        usage.images.add(ImageSummary::new(image, None, 1).sharing(0), 7000, true);
        let volume = Volume {
            name: "vol1".to_owned(),
            created: "2026-11-20T23:54:39.9Z".parse().unwrap(),
            labels: None,
            options: None,
            data: "/v/vol1/_data".into(),
            owner: None,
        };
        usage.volumes.add(VolumeUsage { volume, links: 1, bytes: 13 }, 13, true);
        usage
    }

    fn sent(api: Api, verbose: bool) -> Value {
        let folder = tempfile::tempdir().unwrap();
        let data_root = folder.path().join("data");
        let home = Home::new(HomeSettings { data_root, ..HomeSettings::default() });
        usage().document(&home, api, verbose).unwrap()
    }

    const OF_28: [&str; 5] = ["LayersSize", "Images", "Containers", "Volumes", "BuildCache"];
    const SINCE_29: [&str; 4] = ["ImageUsage", "ContainerUsage", "VolumeUsage", "BuildCacheUsage"];

    #[test]
    fn usage_is_dockers() {
        let of_28 = sent(Api::V1_51, true);
        assert_eq!(keys(&of_28), OF_28);
        assert_eq!(of_28["LayersSize"], json!(7000));
        let image = &of_28["Images"][0];
        // No digest: null here, while lists of images have an empty list.
        assert_eq!((&image["RepoDigests"], &image["SharedSize"]), (&Value::Null, &json!(0)));
        let volume = json!({
            "CreatedAt": "2026-11-20T23:54:39Z",
            "Driver": "local",
            "Labels": null,
            "Mountpoint": "/v/vol1/_data",
            "Name": "vol1",
            "Options": null,
            "Scope": "local",
            "UsageData": { "RefCount": 1, "Size": 13 },
        });
        assert_eq!(of_28["Volumes"][0].to_string(), volume.to_string());
    }

    #[test]
    fn docker_29_has_sums_of_kinds() {
        assert_eq!(keys(&sent(Api::V1_55, false)), [&OF_28[..], &SINCE_29[..]].concat());
        let verbose = sent(Api::V1_55, true);
        assert_eq!(keys(&verbose), SINCE_29);
        assert_eq!(verbose["VolumeUsage"]["Items"][0]["Name"], "vol1");
        assert_eq!(verbose["ImageUsage"]["TotalSize"], json!(7000));
    }

    #[test]
    fn what_is_not_used_can_be_freed() {
        let mut kind = KindUsage::default();
        kind.add((), 5, true);
        kind.add((), 7, false);
        assert_eq!((kind.items.len(), kind.active, kind.bytes, kind.reclaimable), (2, 1, 12, 7));
    }
}
