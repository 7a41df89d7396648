//! Whether the store is whole: `system check`.
//!
//! # How it works
//!
//! Each blob is read and compared with its name; each image must have its configuration, its
//! manifests and its layers, and each layer be what its blob says, or, without one, be packed to
//! what its digest says; what no image needs is debris. A repair rebuilds the index, unpacks damaged layers again, removes damaged blobs
//! and debris. It never changes a layer under a running container.
//!
//! While another process adds images, debris is not looked for.

use std::collections::{HashMap, HashSet};
use std::io;

use super::ingest::Layer;
use super::{ImageUser, InUse, Store, remove_tree};
use crate::digest::{Digest, Hasher, short_id};
use crate::error::{ImageError, Result, in_one_line};
use crate::limits::CHUNK_BYTES;
use crate::reference::Reference;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `blob 0123456789ab`.
    pub what: String,
    pub problem: String,
    /// What a repair did about it.
    pub repaired: Option<String>,
}

impl Finding {
    pub fn new(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { what: what.into(), problem: problem.into(), repaired: None }
    }

    #[must_use]
    pub fn repaired(mut self, how: impl Into<String>) -> Self {
        self.repaired = Some(how.into());
        self
    }
}

/// What was looked at.
#[derive(Debug, Default)]
pub struct StoreCheck {
    pub images: usize,
    pub layers: usize,
    pub blobs: usize,
    pub findings: Vec<Finding>,
}

impl Store {
    /// Looks at everything in the store, and with `repair` mends what can be mended. `known`
    /// says how images were called, should the index have to be made anew.
    pub fn check(
        &self,
        repair: bool,
        known: &[(Digest, Reference)],
        in_use: &InUse<'_>,
    ) -> Result<StoreCheck> {
        self.ensure_hold()?;
        let mut check = StoreCheck::default();
        let bad = self.check_blobs(repair, &mut check)?;
        let rebuilt = match self.check_index(repair, known, &mut check)? {
            None => return Ok(check),
            Some(rebuilt) => rebuilt,
        };
        let users = in_use()?;
        self.check_images(repair, &bad, &users, &mut check)?;
        // What a rebuilt index does not know may yet be wanted.
        if !rebuilt {
            self.check_debris(repair, in_use, &mut check)?;
        }
        Ok(check)
    }

    /// Every blob; those that are damaged.
    fn check_blobs(&self, repair: bool, check: &mut StoreCheck) -> Result<HashSet<Digest>> {
        let mut bad = HashSet::new();
        for digest in self.blob_digests()? {
            check.blobs += 1;
            let actual = match self.hash_blob(&digest) {
                // Collected meanwhile.
                Err(ImageError::BlobMissing { .. }) => continue,
                actual => actual?,
            };
            if actual == digest {
                continue;
            }
            bad.insert(digest);
            let mut finding = Finding::new(
                format!("blob {}", digest.short()),
                format!("its content has the digest {}", actual.short()),
            );
            if repair {
                remove_tree(&self.blob_path(&digest))?;
                finding = finding.repaired("removed; pull or load the image again");
            }
            check.findings.push(finding);
        }
        Ok(bad)
    }

    fn hash_blob(&self, digest: &Digest) -> Result<Digest> {
        let mut file = self.open_blob(digest)?;
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            match io::Read::read(&mut file, &mut buffer) {
                Ok(0) => return Ok(hasher.finish()),
                Ok(count) => hasher.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ImageError::io("read", &self.blob_path(digest))(error)),
            }
        }
    }

    /// Whether the index was made anew; `None`: it cannot be read.
    fn check_index(
        &self,
        repair: bool,
        known: &[(Digest, Reference)],
        check: &mut StoreCheck,
    ) -> Result<Option<bool>> {
        let Err(error) = self.read_index() else { return Ok(Some(false)) };
        if !error.is_index_unreadable() {
            return Err(error);
        }
        let finding = Finding::new("images.json", in_one_line(&error));
        if !repair || matches!(error, ImageError::NewerFormat { .. }) {
            check.findings.push(finding);
            return Ok(None);
        }
        let mut findings = Vec::new();
        let renewed = self.renew_index(|| self.rebuilt_index(known, &mut findings))?;
        let count = self.images()?.len();
        check.findings.push(finding.repaired(format!("made anew, with {count} images")));
        check.findings.append(&mut findings);
        Ok(Some(renewed))
    }

    fn check_images(
        &self,
        repair: bool,
        bad: &HashSet<Digest>,
        users: &[ImageUser],
        check: &mut StoreCheck,
    ) -> Result<()> {
        let index = self.read_index()?;
        let mut layers: HashMap<Digest, Layer> = HashMap::new();
        for row in &index.images {
            check.images += 1;
            let what = format!("image {}", row.id.short());
            let mut needs = vec![("configuration", row.id)];
            for manifest in &row.manifests {
                needs.push(("manifest", manifest.digest));
                for layer in &manifest.layers {
                    if !layer.without_blob {
                        needs.push(("layer blob", layer.blob_digest));
                    }
                    layers.entry(layer.diff_id).or_insert_with(|| layer.clone());
                }
            }
            needs.dedup();
            for (kind, digest) in needs.into_iter().filter(|(_, it)| !self.has_blob(it)) {
                let problem =
                    format!("its {kind} {} is missing; pull or load it again", digest.short());
                check.findings.push(Finding::new(&what, problem));
            }
        }
        for (name, id) in index.names.iter().chain(&index.digests) {
            if index.row(id).is_none() {
                check
                    .findings
                    .push(Finding::new(name, format!("it names no image: {}", id.short())));
            }
        }
        for layer in layers.values() {
            check.layers += 1;
            self.check_layer(layer, repair, bad, users, check)?;
        }
        Ok(())
    }

    fn check_layer(
        &self,
        layer: &Layer,
        repair: bool,
        bad: &HashSet<Digest>,
        users: &[ImageUser],
        check: &mut StoreCheck,
    ) -> Result<()> {
        let whole_blob = self.has_blob(&layer.blob_digest) && !bad.contains(&layer.blob_digest);
        let flaw = match self.layer(&layer.diff_id) {
            Err(error) => Some(in_one_line(&error)),
            Ok(_) if whole_blob => self.flaw(layer)?,
            Ok(_) if layer.without_blob => self.flaw_of_folder(layer)?,
            Ok(_) if self.layer_dir(&layer.diff_id).is_dir() => None,
            Ok(_) => Some("its folder is missing".to_owned()),
        };
        let Some(flaw) = flaw else { return Ok(()) };
        let mut finding = Finding::new(format!("layer {}", layer.diff_id.short()), flaw);
        let mut running = users.iter().filter(|user| user.running);
        if repair {
            match running.find(|user| user.layers.contains(&layer.diff_id)) {
                Some(user) => {
                    let id = short_id(&user.container);
                    finding
                        .problem
                        .push_str(&format!("; stop container {id}, which uses it, first"));
                }
                None if whole_blob => {
                    self.unpack_again(&layer.diff_id, &layer.blob_digest, &layer.media_type)?;
                    finding = finding.repaired("unpacked again");
                }
                None => finding.problem.push_str("; pull, load or build the image again"),
            }
        }
        check.findings.push(finding);
        Ok(())
    }

    fn check_debris(&self, repair: bool, in_use: &InUse<'_>, check: &mut StoreCheck) -> Result<()> {
        let debris = self.exclusively(|| self.debris(in_use))?.unwrap_or_default();
        let begun = check.findings.len();
        for what in debris {
            check.findings.push(Finding::new(what, "no image needs it"));
        }
        if repair && check.findings.len() > begun {
            self.recover(in_use)?;
            for finding in &mut check.findings[begun..] {
                finding.repaired = Some("removed".to_owned());
            }
        }
        Ok(())
    }

    /// The digests that the names of blobs give.
    pub(super) fn blob_digests(&self) -> Result<Vec<Digest>> {
        let names = super::collect::names_in(&self.root.join("blobs/sha256"))?;
        let mut all: Vec<_> = names.iter().filter_map(|name| Digest::from_hex(name).ok()).collect();
        all.sort();
        Ok(all)
    }
}
