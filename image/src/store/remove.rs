//! Removing images: which names and images go, and what Docker says about it.
//!
//! The rules are Docker's. A name is taken away first; the image follows when it was
//! the last one, and then its parents that nothing else needs. Children, running
//! containers, stopped containers and further names stand in the way, in that order.
//! Files go last, by [`Store::collect_garbage`].

use std::collections::HashSet;

use super::find::Match;
use super::index::Index;
use super::{Image, NamedIndex, Store};
use crate::digest::{Digest, short_id};
use crate::error::{ImageError, Result};
use crate::reference::Reference;

/// A container and the image it was made from.
#[derive(Debug, Clone)]
pub struct ImageUser {
    /// Full id of the container.
    pub container: String,
    pub running: bool,
    pub image: Digest,
    /// Layers it needs, which must stay even if the image's name goes.
    pub layers: Vec<Digest>,
}

/// Tells which containers use images, as of the moment it is called.
pub type InUse<'a> = dyn Fn() -> Result<Vec<ImageUser>> + 'a;

#[derive(Debug, Clone, Copy, Default)]
pub struct RemoveOptions {
    /// `--force`: stopped containers and further names do not stand in the way.
    pub force: bool,
    /// `--no-prune`: keep parents without a name.
    pub no_prune: bool,
}

/// One line of what `rmi` reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// A name, in its familiar form.
    Untagged(String),
    /// An image id or a chain of layers that nothing needs any more.
    Deleted(Digest),
}

/// What `image prune` removes.
#[derive(Debug, Default)]
pub struct PruneFilter {
    /// Also images that have names.
    pub all: bool,
}

/// One removal in progress on a copy of the index.
struct Removal<'a> {
    index: &'a mut Index,
    users: &'a [ImageUser],
    options: RemoveOptions,
    /// Layer chains that something else still needs are not reported.
    report: Vec<Removed>,
    /// Images of an index whose name went: they go too, unless something else needs them.
    variants: Vec<Digest>,
}

impl Store {
    /// Removes what `text` names, as `docker rmi` does.
    pub fn remove(
        &self,
        text: &str,
        options: RemoveOptions,
        in_use: &InUse<'_>,
    ) -> Result<Vec<Removed>> {
        let (image, how) = self.find_match(text)?;
        let users = in_use()?;
        let report = self.update_index(|index| {
            let mut removal = Removal::new(index, &users, options);
            removal.run(&image, how, text)?;
            removal.finish()
        })?;
        if report.iter().any(|line| matches!(line, Removed::Deleted(_))) {
            self.collect_garbage(in_use)?;
        }
        Ok(report)
    }

    /// Removes images without a name (or, with `all`, without a container).
    ///
    /// `wanted` narrows the choice further (filters of the command line).
    /// Returns the report and the bytes that were set free.
    pub fn prune(
        &self,
        filter: &PruneFilter,
        wanted: &dyn Fn(&Image) -> bool,
        in_use: &InUse<'_>,
    ) -> Result<(Vec<Removed>, u64)> {
        let users = in_use()?;
        let used: HashSet<_> = users.iter().map(|user| user.image).collect();
        let images = self.images()?;
        let report = self.update_index(|index| {
            let options = RemoveOptions { force: true, no_prune: false };
            let mut removal = Removal::new(index, &users, options);
            for image in &images {
                let named = !image.names.is_empty() || (!filter.all && !image.is_dangling());
                if used.contains(&image.id) || (named && !filter.all) || !wanted(image) {
                    continue;
                }
                // Children first: a parent that still has some is kept, quietly.
                removal.delete(&image.id, true)?;
            }
            removal.finish()
        })?;
        let freed = self.collect_garbage(in_use)?;
        Ok((report, freed))
    }
}

impl<'a> Removal<'a> {
    fn new(index: &'a mut Index, users: &'a [ImageUser], options: RemoveOptions) -> Self {
        Self { index, users, options, report: Vec::new(), variants: Vec::new() }
    }

    /// Takes the other images of indexes away, then tells what was done.
    fn finish(mut self) -> Result<Vec<Removed>> {
        while let Some(id) = self.variants.pop() {
            if self.index.row(&id).is_some() && self.index.is_unnamed(&id) {
                self.delete(&id, true)?;
            }
        }
        Ok(self.report)
    }

    fn run(&mut self, image: &Image, how: Match, text: &str) -> Result<()> {
        match how {
            Match::Name(name) | Match::RepoDigest(name) => {
                self.check_reference_free(image, text)?;
                self.take_name(&name);
                self.take_lone_digests(&image.id, &name);
                if !self.index.is_unnamed(&image.id) {
                    return Ok(());
                }
                self.delete(&image.id, true)
            }
            Match::Id => {
                self.check_conflict(&image.id, self.options.force)?;
                if !has_single_reference(image) && !self.options.force {
                    let why = "image is referenced in multiple repositories";
                    return Err(self.conflict(&image.id, "must be forced", why));
                }
                self.take_all_names(&image.id);
                self.delete(&image.id, false)
            }
        }
    }

    /// The only name of an image stays while a container uses it, unless forced.
    fn check_reference_free(&self, image: &Image, text: &str) -> Result<()> {
        if self.options.force || !has_single_reference(image) {
            return Ok(());
        }
        match self.users.iter().find(|user| user.image == image.id) {
            None => Ok(()),
            Some(user) => Err(ImageError::Conflict {
                what: format!(
                    "unable to delete {text} (must be forced) - container {} is using its \
                     referenced image {}",
                    short_id(&user.container),
                    image.id.short()
                ),
            }),
        }
    }

    fn take_name(&mut self, name: &Reference) {
        let text = name.to_string();
        let Some((_, named)) = self.index.take_name(&text) else { return };
        self.report.push(Removed::Untagged(name.familiar()));
        for manifest in named.iter().flat_map(|named| &named.images) {
            self.take_variant(manifest);
        }
    }

    /// An index is gone that listed this manifest. When it was the last one, so are the names
    /// that its image had through it, which nobody gave.
    fn take_variant(&mut self, manifest: &Digest) {
        let listed = |named: &NamedIndex| named.images.contains(manifest);
        if self.index.indexes.values().any(listed) {
            return;
        }
        let suffix = format!("@{manifest}");
        let variants = &mut self.variants;
        self.index.digests.retain(|name, id| {
            let through_index = name.ends_with(&suffix);
            if through_index {
                variants.push(*id);
            }
            !through_index
        });
    }

    /// When the last tag of a repository is gone, its digests go too.
    fn take_lone_digests(&mut self, id: &Digest, name: &Reference) {
        let repository = name.repository();
        let of_repository = |text: &str| {
            Reference::parse(text).ok().filter(|other| other.repository() == repository)
        };
        let tagged =
            |(text, named): (&String, &Digest)| named == id && of_repository(text).is_some();
        if name.digest().is_some() || self.index.names.iter().any(tagged) {
            return;
        }
        let lone: Vec<_> = self
            .index
            .digests
            .iter()
            .filter(|(_, named)| *named == id)
            .filter_map(|(text, _)| of_repository(text))
            .collect();
        for name in lone {
            self.take_name(&name);
        }
    }

    fn take_all_names(&mut self, id: &Digest) {
        let of_image = |map: &std::collections::BTreeMap<String, Digest>| -> Vec<Reference> {
            map.iter()
                .filter(|(_, named)| *named == id)
                .filter_map(|(text, _)| Reference::parse(text).ok())
                .collect()
        };
        let mut names = of_image(&self.index.names);
        names.extend(of_image(&self.index.digests));
        for name in names {
            self.take_name(&name);
        }
    }

    /// Deletes an image and then, quietly, its parents without a name.
    fn delete(&mut self, id: &Digest, quiet: bool) -> Result<()> {
        let mut next = Some(*id);
        let (mut quiet, mut force) = (quiet, self.options.force);
        while let Some(id) = next.take() {
            if let Err(conflict) = self.check_conflict(&id, force) {
                return if quiet { Ok(()) } else { Err(conflict) };
            }
            self.take_all_names(&id);
            let Some(at) = self.index.images.iter().position(|row| row.id == id) else { break };
            let row = self.index.images.remove(at);
            self.report.push(Removed::Deleted(id));
            let layers: Vec<_> = row
                .manifests
                .first()
                .map(|m| m.layers.iter().map(|layer| layer.diff_id).collect())
                .unwrap_or_default();
            self.report_chains(&layers);
            let parent = row.parent.filter(|_| !self.options.no_prune);
            next = parent.filter(|parent| self.index.is_unnamed(parent));
            (quiet, force) = (true, false);
        }
        Ok(())
    }

    /// Reports the layer chains that went with an image, top first.
    fn report_chains(&mut self, layers: &[Digest]) {
        let mut kept: HashSet<Digest> =
            self.users.iter().flat_map(|user| chain_ids(&user.layers)).collect();
        for row in &self.index.images {
            for manifest in &row.manifests {
                let ids: Vec<_> = manifest.layers.iter().map(|layer| layer.diff_id).collect();
                kept.extend(chain_ids(&ids));
            }
        }
        let mut gone = chain_ids(layers);
        gone.retain(|chain| !kept.contains(chain));
        self.report.extend(gone.into_iter().rev().map(Removed::Deleted));
    }

    fn check_conflict(&self, id: &Digest, force: bool) -> Result<()> {
        if self.index.images.iter().any(|row| row.parent == Some(*id)) {
            let why = "image has dependent child images";
            return Err(self.conflict(id, "cannot be forced", why));
        }
        let mut users = self.users.iter().filter(|user| user.image == *id);
        if let Some(user) = users.clone().find(|user| user.running) {
            let why =
                format!("image is being used by running container {}", short_id(&user.container));
            return Err(self.conflict(id, "cannot be forced", &why));
        }
        if force {
            return Ok(());
        }
        if let Some(user) = users.next() {
            let why =
                format!("image is being used by stopped container {}", short_id(&user.container));
            return Err(self.conflict(id, "must be forced", &why));
        }
        Ok(())
    }

    fn conflict(&self, id: &Digest, force: &str, why: &str) -> ImageError {
        ImageError::Conflict { what: format!("unable to delete {} ({force}) - {why}", id.short()) }
    }
}

/// At most one tag, and all names within one repository.
fn has_single_reference(image: &Image) -> bool {
    let mut repositories: Vec<_> =
        image.names.iter().chain(&image.repo_digests).map(Reference::repository).collect();
    repositories.sort();
    repositories.dedup();
    image.names.len() <= 1 && repositories.len() <= 1
}

/// The ids of a stack of layers at each height, bottom first, as the OCI specification
/// computes them.
pub(crate) fn chain_ids(layers: &[Digest]) -> Vec<Digest> {
    let mut chains: Vec<Digest> = Vec::with_capacity(layers.len());
    for layer in layers {
        let chain = match chains.last() {
            None => *layer,
            Some(below) => Digest::of(format!("{below} {layer}").as_bytes()),
        };
        chains.push(chain);
    }
    chains
}
