//! Small images, made in memory, in a store of their own.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use coracle_image::{
    Digest, Image, LayerSource, NewImage, Platform, ProgressEvent, ProgressSink, Reference,
    RegistrySettings, RetryPolicy, Store, StoreOptions,
};
use flate2::Compression;
use flate2::write::GzEncoder;

pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A store in a directory that goes away with it.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    _directory: tempfile::TempDir,
}

impl TestStore {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), StoreOptions::default()).unwrap();
        Self { store, _directory: directory }
    }
}

/// Settings for this machine alone, impatient.
pub(crate) fn settings() -> RegistrySettings {
    RegistrySettings {
        certs_dirs: Vec::new(),
        retry: RetryPolicy {
            attempts: 4,
            first_delay: Duration::from_millis(1),
            max_delay: Duration::from_millis(20),
        },
        ..RegistrySettings::default()
    }
}

pub(crate) fn name(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

/// An archive of one file of `bytes` random-looking bytes, owned by whoever runs this.
pub(crate) fn tar_with_file(path: &str, bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ bytes as u64;
    let content: Vec<u8> = (0..bytes)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .collect();
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes as u64);
    header.set_mode(0o644);
    header.set_uid(rustix::process::getuid().as_raw().into());
    header.set_gid(rustix::process::getgid().as_raw().into());
    header.set_mtime(1_700_000_000);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, path, &content[..]).unwrap();
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// An image in pieces, as a registry would serve it.
pub(crate) struct Pieces {
    pub(crate) config: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
    /// Blob and its uncompressed form.
    pub(crate) layers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Pieces {
    /// Layers are given as media type, blob and uncompressed form.
    pub(crate) fn new(platform: &Platform, layers: &[(&str, Vec<u8>, Vec<u8>)]) -> Self {
        let diff_ids: Vec<_> =
            layers.iter().map(|(_, _, plain)| format!("\"{}\"", Digest::of(plain))).collect();
        let config = format!(
            r#"{{"os":"{}","architecture":"{}","config":{{}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
            platform.os,
            platform.architecture,
            diff_ids.join(",")
        )
        .into_bytes();
        let mut entries = String::new();
        for (at, (media_type, blob, _)) in layers.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(entries, "{comma}{}", descriptor(media_type, blob, "")).unwrap();
        }
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{},"layers":[{entries}]}}"#,
            descriptor(OCI_CONFIG, &config, "")
        )
        .into_bytes();
        let layers = layers.iter().map(|(_, blob, plain)| (blob.clone(), plain.clone())).collect();
        Self { config, manifest, layers }
    }

    /// One gzip layer.
    pub(crate) fn small() -> Self {
        Self::with_file(&Platform::host(), 10_000)
    }

    /// One gzip layer with one file of this size.
    pub(crate) fn with_file(platform: &Platform, bytes: usize) -> Self {
        let plain = tar_with_file("file", bytes);
        Self::new(platform, &[("application/vnd.oci.image.layer.v1.tar+gzip", gzip(&plain), plain)])
    }

    /// Puts the image into a store under a name.
    pub(crate) fn put(&self, store: &Store, reference: &str) -> Image {
        let manifest: serde_json::Value = serde_json::from_slice(&self.manifest).unwrap();
        let mut layers = Vec::new();
        for (at, (blob, plain)) in self.layers.iter().enumerate() {
            let source = LayerSource {
                media_type: manifest["layers"][at]["mediaType"].as_str().map(str::to_owned),
                diff_id: Some(Digest::of(plain)),
                ..LayerSource::default()
            };
            layers.push(store.ingest_layer(&source, &mut &blob[..], &|_| {}).unwrap());
        }
        let id = store
            .commit_image(&NewImage {
                config_bytes: self.config.clone(),
                manifest_bytes: self.manifest.clone(),
                manifest_media_type: OCI_MANIFEST.to_owned(),
                layers,
                names: vec![name(reference)],
                ..NewImage::default()
            })
            .unwrap();
        store.get(&id).unwrap()
    }
}

/// A descriptor in JSON; `more` is put after its fields.
pub(crate) fn descriptor(media_type: &str, bytes: &[u8], more: &str) -> String {
    format!(
        r#"{{"mediaType":"{media_type}","digest":"{}","size":{}{more}}}"#,
        Digest::of(bytes),
        bytes.len()
    )
}

/// Keeps what lasts of all events, as lines.
#[derive(Default)]
pub(crate) struct Recorder {
    lines: Mutex<Vec<String>>,
}

impl Recorder {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl ProgressSink for Recorder {
    fn event(&self, event: &ProgressEvent<'_>) {
        let line = match event {
            ProgressEvent::PullingFrom { what, repository } => {
                format!("{what}: Pulling from {repository}")
            }
            ProgressEvent::PushingTo { repository } => {
                format!("The push refers to repository [{repository}]")
            }
            ProgressEvent::Layer { id, event } if event.is_milestone() => format!("{id}: {event}"),
            ProgressEvent::Digest { digest } => format!("Digest: {digest}"),
            _ => return,
        };
        self.lines.lock().unwrap().push(line);
    }
}
