//! What is done to images, and told: each verb is the store's or the registry's, and records what
//! it did.
//!
//! # Limits
//!
//! Nothing is told of what has no event here yet: `pull --all-tags`, the images that `compose down`
//! removes.
//!
//! # Not here
//!
//! What `commit` tells: it is about the container too ([`crate::engine`]).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use coracle_image::archive::{
    self, Composed, Composition, ImportOptions, Imported, Input, LoadOptions, Loaded,
};
use coracle_image::store::{InUse, PruneFilter, RemoveOptions, Removed};
use coracle_image::{
    Digest, Image, ImageError, Platform, Progress, ProgressSink, PullOptions, PullOutcome,
    PushOutcome, Reference, RegistrySettings, Store, TransferError,
};

use crate::engine::Engine;
use crate::events::{Events, Kind};

/// The images of a store, with the events of a data root.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    store: &'a Store,
    events: &'a Events,
}

/// What was in the store before something was removed.
#[derive(Debug, Default)]
struct Before {
    ids: BTreeSet<String>,
    /// Names to ids.
    names: BTreeMap<String, String>,
}

impl Engine {
    /// The verbs for the images in `store`.
    #[must_use]
    pub fn images<'a>(&'a self, store: &'a Store) -> Images<'a> {
        Images { store, events: &self.events }
    }
}

impl Images<'_> {
    /// Fetches an image. Starts threads.
    ///
    /// # Errors
    /// As [`coracle_image::pull`].
    pub fn pull(
        &self,
        settings: &RegistrySettings,
        name: &Reference,
        options: &PullOptions,
        sink: &dyn ProgressSink,
    ) -> Result<PullOutcome, TransferError> {
        let outcome = coracle_image::pull(self.store, settings, name, options, sink)?;
        let shown = outcome.reference.familiar();
        let id = outcome.image_id.to_string();
        self.tell("pull", &shown, &[("name", &shown), ("imageID", &id)]);
        Ok(outcome)
    }

    /// Uploads an image. Starts threads.
    ///
    /// # Errors
    /// As [`coracle_image::push`].
    pub fn push(
        &self,
        settings: &RegistrySettings,
        name: &Reference,
        platform: Option<&Platform>,
        sink: &dyn ProgressSink,
    ) -> Result<PushOutcome, TransferError> {
        let outcome = coracle_image::push(self.store, settings, name, platform, sink)?;
        let shown = name.familiar();
        self.tell("push", &shown, &[("name", &shown)]);
        Ok(outcome)
    }

    /// Gives an image a further name.
    ///
    /// # Errors
    /// As [`Store::tag_as`].
    pub fn tag(&self, source: &str, name: &Reference) -> Result<Image, ImageError> {
        let image = self.store.tag_as(source, name)?;
        self.tell_with_labels("tag", &image.id, &name.clone().with_default_tag().familiar());
        Ok(image)
    }

    /// Removes what `text` names in the store.
    ///
    /// # Errors
    /// As [`Store::remove`].
    pub fn remove(
        &self,
        text: &str,
        options: RemoveOptions,
        in_use: &InUse<'_>,
    ) -> Result<Vec<Removed>, ImageError> {
        let before = self.before()?;
        let report = self.store.remove(text, options, in_use)?;
        self.tell_of_removed(&report, &before);
        Ok(report)
    }

    /// Removes images that nobody uses, as far as they are `wanted`; gives what went and the bytes
    /// that were set free.
    ///
    /// # Errors
    /// As [`Store::prune`].
    pub fn prune(
        &self,
        filter: &PruneFilter,
        wanted: &dyn Fn(&Image) -> bool,
        in_use: &InUse<'_>,
    ) -> Result<(Vec<Removed>, u64), ImageError> {
        let before = self.before()?;
        let (report, freed) = self.store.prune(filter, wanted, in_use)?;
        self.tell_of_removed(&report, &before);
        Ok((report, freed))
    }

    /// The images and their names, which cannot be asked for once they are gone.
    fn before(&self) -> Result<Before, ImageError> {
        let mut before = Before::default();
        for image in self.store.images()? {
            let id = image.id.to_string();
            for name in image.names.into_iter().chain(image.repo_digests) {
                before.names.insert(name.familiar(), id.clone());
            }
            before.ids.insert(id);
        }
        Ok(before)
    }

    fn tell_of_removed(&self, report: &[Removed], before: &Before) {
        for line in report {
            match line {
                // As of Docker 29: the name that went, and the image that lost it.
                Removed::Untagged(name) => {
                    let id = before.names.get(name).unwrap_or(name);
                    self.tell("untag", id, &[("name", name)]);
                }
                // Of its layers nothing is told.
                Removed::Deleted(id) => {
                    let id = id.to_string();
                    if before.ids.contains(&id) {
                        self.tell("delete", &id, &[("name", &id)]);
                    }
                }
            }
        }
    }

    /// Reads images from an archive.
    ///
    /// # Errors
    /// As [`archive::load`].
    pub fn load(
        &self,
        input: Input<'_>,
        options: &LoadOptions,
        progress: &dyn Fn(&str, Progress),
    ) -> Result<Vec<Loaded>, ImageError> {
        let loaded = archive::load(self.store, input, options, progress)?;
        for image in &loaded {
            self.tell_with_labels("load", &image.id, &image.id.to_string());
        }
        Ok(loaded)
    }

    /// Makes an image of the archive of a root filesystem.
    ///
    /// # Errors
    /// As [`archive::import`].
    pub fn import(
        &self,
        archive: &mut dyn Read,
        options: &ImportOptions,
        progress: &dyn Fn(Progress),
    ) -> Result<Imported, ImageError> {
        let imported = archive::import(self.store, archive, options, progress)?;
        self.tell_with_labels("import", &imported.id, &imported.id.to_string());
        Ok(imported)
    }

    /// Makes an image of layers that are in the store, as a build does.
    ///
    /// # Errors
    /// As [`archive::compose`].
    pub fn compose(&self, new: &Composition) -> Result<Composed, ImageError> {
        let composed = archive::compose(self.store, new)?;
        self.tell_with_labels("create", &composed.id, &composed.id.to_string());
        for name in &new.names {
            let shown = name.clone().with_default_tag().familiar();
            self.tell_with_labels("tag", &composed.id, &shown);
        }
        Ok(composed)
    }

    /// Writes images, as the store knows them, to an archive, which `finish` puts in its place.
    ///
    /// # Errors
    /// As [`archive::save`], and those of `finish`.
    pub fn save<O: Write, E: From<ImageError>>(
        &self,
        images: &[String],
        mut out: O,
        finish: impl FnOnce(O) -> Result<(), E>,
    ) -> Result<(), E> {
        let names: Vec<&str> = images.iter().map(String::as_str).collect();
        archive::save(self.store, &names, &mut out)?;
        finish(out)?;
        for stored in images {
            // One that was removed meanwhile is in the archive all the same.
            if let Ok(image) = self.store.find(stored) {
                self.tell_with_labels("save", &image.id, &image.id.to_string());
            }
        }
        Ok(())
    }

    fn tell(&self, action: &str, id: &str, attributes: &[(&str, &str)]) {
        self.events.object(Kind::Image, action, id, attributes);
    }

    /// The labels of the image are attributes too, as far as they can be read.
    fn tell_with_labels(&self, action: &str, id: &Digest, name: &str) {
        let mut attributes = self.labels(id).unwrap_or_default();
        attributes.insert("name".to_owned(), name.to_owned());
        let pairs: Vec<(&str, &str)> =
            attributes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        self.tell(action, &id.to_string(), &pairs);
    }

    fn labels(&self, id: &Digest) -> Option<BTreeMap<String, String>> {
        let image = self.store.get(id).ok()?;
        self.store.config(&image.id).ok()?.config.labels
    }
}
