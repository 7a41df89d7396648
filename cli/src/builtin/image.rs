//! Makes the images `coracle.local/hello` and `coracle.local/whoami` in the store.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};

use chrono::{DateTime, SecondsFormat};
use coracle_image::archive::{Descriptor, Manifest};
use coracle_image::config::{ContainerConfig, Empty, Healthcheck, History, ImageConfig, RootFs};
use coracle_image::store::RemoveOptions;
use coracle_image::{
    DEFAULT_TAG, Digest, Image, ImageError, Layer, LayerSource, NewImage, Platform, Reference,
    media,
};

use super::{elf, layer};
use crate::app::App;
use crate::error::CliError;

/// The registry that is this executable.
pub(crate) const DOMAIN: &str = "coracle.local";
/// The label that tells executables apart.
const LABEL: &str = "local.coracle.executable";

const SECOND_NS: i64 = 1_000_000_000;

/// Why an image of our own cannot be made.
#[derive(Debug, thiserror::Error)]
enum BuiltinError {
    #[error("cannot read this executable")]
    Executable { source: io::Error },

    #[error("cannot make {name}: this executable needs a dynamic loader, which the image lacks")]
    Dynamic { name: &'static str },

    #[error("{name} does not exist: {DOMAIN} has hello and whoami, made of this executable")]
    Unknown { name: String },

    #[error("{name} is made of this executable, which is for {own}, not for {asked}")]
    Platform { name: &'static str, own: String, asked: String },

    #[error("cannot write down {name}")]
    Encode { name: &'static str, source: serde_json::Error },
}

impl From<BuiltinError> for CliError {
    fn from(error: BuiltinError) -> Self {
        let hint = matches!(error, BuiltinError::Dynamic { .. })
            .then(|| "build the static executable with scripts/build".to_owned());
        Self::library(&error, hint)
    }
}

/// The images there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Builtin {
    Hello,
    Whoami,
    Ryuk,
}

impl Builtin {
    /// `None` when the name belongs to another registry.
    fn named(name: &Reference) -> Result<Option<Self>, BuiltinError> {
        if name.domain() != DOMAIN {
            return Ok(None);
        }
        let is_latest = name.digest().is_none() && name.tag().is_none_or(|tag| tag == DEFAULT_TAG);
        match name.path() {
            "hello" if is_latest => Ok(Some(Self::Hello)),
            "whoami" if is_latest => Ok(Some(Self::Whoami)),
            "ryuk" if is_latest => Ok(Some(Self::Ryuk)),
            _ => Err(BuiltinError::Unknown { name: name.familiar() }),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Hello => "coracle.local/hello:latest",
            Self::Whoami => "coracle.local/whoami:latest",
            Self::Ryuk => "coracle.local/ryuk:latest",
        }
    }

    /// How a container of it runs.
    fn config(self, executable: &Executable) -> ContainerConfig {
        let (path, description) = match self {
            Self::Hello => ("/hello", "Says hello and tells how the container is confined"),
            Self::Whoami => ("/whoami", "Answers HTTP requests with who and where it is"),
            Self::Ryuk => ("/ryuk", "Stands in for the reaper of Testcontainers"),
        };
        let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let mut config = ContainerConfig {
            env: Some(vec!["PATH=/".to_owned()]),
            entrypoint: Some(vec![path.to_owned()]),
            working_dir: "/".to_owned(),
            labels: Some(BTreeMap::from([
                label(LABEL, &executable.identity()),
                label("org.opencontainers.image.title", &path[1..]),
                label("org.opencontainers.image.description", description),
                label("org.opencontainers.image.version", crate::VERSION),
                label("org.opencontainers.image.licenses", "Apache-2.0"),
            ])),
            ..ContainerConfig::default()
        };
        if self == Self::Ryuk {
            config.exposed_ports = Some(BTreeMap::from([("8080/tcp".into(), Empty {})]));
        }
        if self == Self::Whoami {
            config.exposed_ports = Some(BTreeMap::from([("80/tcp".into(), Empty {})]));
            let test = ["CMD", path, "--healthcheck"].map(str::to_owned);
            config.healthcheck = Some(Healthcheck {
                test: Some(test.into()),
                interval: 10 * SECOND_NS,
                timeout: 3 * SECOND_NS,
                start_period: 5 * SECOND_NS,
                start_interval: SECOND_NS,
                retries: 3,
            });
        }
        config
    }
}

/// This executable, opened.
struct Executable {
    file: File,
    size: u64,
    mtime: i64,
    mtime_nsec: i64,
}

impl Executable {
    fn open() -> Result<Self, BuiltinError> {
        let read = || {
            let file = File::open("/proc/self/exe")?;
            let meta = file.metadata()?;
            let (mtime, mtime_nsec) = (meta.mtime(), meta.mtime_nsec());
            Ok(Self { file, size: meta.size(), mtime, mtime_nsec })
        };
        read().map_err(|source| BuiltinError::Executable { source })
    }

    /// What changes whenever another file takes this one's place.
    fn identity(&self) -> String {
        format!("{}-{}.{:09}", self.size, self.mtime, self.mtime_nsec)
    }

    fn needs_loader(&mut self) -> Result<bool, BuiltinError> {
        let mut head = Vec::new();
        let limit = u64::try_from(elf::HEAD_BYTES).unwrap_or_default();
        (&self.file)
            .take(limit)
            .read_to_end(&mut head)
            .and_then(|_| self.file.rewind())
            .map_err(|source| BuiltinError::Executable { source })?;
        Ok(elf::needs_loader(&head))
    }

    /// The build's time, as far as the file keeps it.
    fn created(&self) -> String {
        DateTime::from_timestamp(self.mtime, 0)
            .unwrap_or_default()
            .to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// Makes the image that `text` names, if it is one of ours that is missing or outdated.
///
/// In a process of its own, because unpacking starts threads and this one will fork.
pub(crate) fn prepare(app: &mut App, text: &str) -> Result<(), CliError> {
    // What is no name at all is reported by whoever looks for it.
    let Ok(name) = app.home.names().resolve(text) else { return Ok(()) };
    let Some(builtin) = Builtin::named(&name)? else { return Ok(()) };
    if current(app, builtin, &Executable::open()?)?.is_none() {
        crate::fetch::fetch(app, builtin.name(), None, true)?;
    }
    Ok(())
}

/// As [`prepare`], for a command that does not enter the user's namespaces.
pub(crate) fn prepare_outside(app: &App, text: &str) -> Result<(), CliError> {
    let Ok(name) = app.home.names().resolve(text) else { return Ok(()) };
    let Some(builtin) = Builtin::named(&name)? else { return Ok(()) };
    let name = builtin.name();
    if current(app, builtin, &Executable::open()?)?.is_some() {
        return Ok(());
    }
    let output = Command::new("/proc/self/exe")
        .args(["pull", "--quiet", name])
        .stdin(Stdio::null())
        .output()
        .map_err(|source| BuiltinError::Executable { source })?;
    match output.status.success() {
        true => Ok(()),
        false => Err(CliError::plain(String::from_utf8_lossy(&output.stderr).trim_end())),
    }
}

/// `pull` of one of our images: makes it if need be. The lines to end with, or `None`
/// when the name belongs to another registry.
pub(crate) fn pull(
    app: &App,
    name: &Reference,
    asked: Option<&Platform>,
    quiet: bool,
) -> Result<Option<Vec<String>>, CliError> {
    let Some(builtin) = Builtin::named(name)? else { return Ok(None) };
    let name = builtin.name();
    let own = Platform::host();
    if let Some(asked) = asked.filter(|asked| **asked != own) {
        return Err(BuiltinError::Platform {
            name,
            own: own.to_string(),
            asked: asked.to_string(),
        }
        .into());
    }
    let executable = Executable::open()?;
    let status = match current(app, builtin, &executable)? {
        Some(_) => format!("Status: Image is up to date for {name}"),
        None => {
            make(app, builtin, executable)?;
            format!("Status: Made {name} of this executable")
        }
    };
    let lines = [status, name.to_owned()];
    Ok(Some(lines.into_iter().skip(usize::from(quiet)).collect()))
}

/// The image in the store, if it was made of this executable.
fn current(
    app: &App,
    builtin: Builtin,
    executable: &Executable,
) -> Result<Option<Image>, CliError> {
    let Some(image) = stored(app, builtin)? else { return Ok(None) };
    let config = app.store()?.config(&image.id)?.config;
    let labels = config.labels.unwrap_or_default();
    Ok((labels.get(LABEL) == Some(&executable.identity())).then_some(image))
}

/// The image that has the name now.
fn stored(app: &App, builtin: Builtin) -> Result<Option<Image>, CliError> {
    match app.store()?.find(builtin.name()) {
        Ok(image) => Ok(Some(image)),
        Err(ImageError::NoSuchImage { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn make(app: &App, builtin: Builtin, mut executable: Executable) -> Result<Digest, CliError> {
    let name = builtin.name();
    if executable.needs_loader()? {
        return Err(BuiltinError::Dynamic { name }.into());
    }
    let outdated = stored(app, builtin)?;
    let store = app.store()?;
    let config = builtin.config(&executable);
    let created = executable.created();
    let mtime = u64::try_from(executable.mtime).unwrap_or_default();
    let mut archive = layer::archive(executable.file, executable.size, mtime);
    let layer = store.ingest_layer(&LayerSource::default(), &mut archive, &|_| {})?;
    let config_bytes = image_config(config, created, &layer).to_bytes()?;
    let manifest_bytes =
        manifest(&config_bytes, &layer).map_err(|source| BuiltinError::Encode { name, source })?;
    let id = store.commit_image(&NewImage {
        config_bytes,
        manifest_bytes,
        manifest_media_type: media::OCI_MANIFEST.to_owned(),
        layers: vec![layer],
        names: vec![Reference::parse(name).map_err(ImageError::from)?],
        ..NewImage::default()
    })?;
    if let Some(old) = outdated.filter(|old| old.id != id && old.names.len() == 1) {
        let options = RemoveOptions { force: false, no_prune: false };
        // It stays without a name while a container is made of it, as after any new tag.
        store.remove(&old.id.to_string(), options, &|| app.home.image_users()).ok();
    }
    Ok(id)
}

fn image_config(config: ContainerConfig, created: String, layer: &Layer) -> ImageConfig {
    let platform = Platform::host();
    ImageConfig {
        architecture: platform.architecture,
        os: platform.os,
        config,
        created: Some(created.clone()),
        history: vec![History {
            created: Some(created),
            created_by: Some(format!("coracle {}", crate::VERSION)),
            ..History::default()
        }],
        rootfs: RootFs { kind: "layers".to_owned(), diff_ids: vec![layer.diff_id] },
        ..ImageConfig::default()
    }
}

fn manifest(config: &[u8], layer: &Layer) -> serde_json::Result<Vec<u8>> {
    let descriptor = |media_type: &str, digest, size| Descriptor {
        media_type: media_type.to_owned(),
        digest,
        size,
        annotations: None,
        platform: None,
    };
    let config_size = u64::try_from(config.len()).unwrap_or_default();
    serde_json::to_vec(&Manifest {
        schema_version: 2,
        media_type: Some(media::OCI_MANIFEST.to_owned()),
        config: descriptor(media::OCI_CONFIG, Digest::of(config), config_size),
        layers: vec![descriptor(&layer.media_type, layer.blob_digest, layer.blob_size)],
        annotations: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Result<Option<Builtin>, String> {
        Builtin::named(&Reference::parse(text).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn two_names_and_no_others() {
        assert_eq!(named("coracle.local/hello"), Ok(Some(Builtin::Hello)));
        assert_eq!(named("coracle.local/whoami:latest"), Ok(Some(Builtin::Whoami)));
        assert_eq!(named("hello"), Ok(None));
        assert_eq!(named("example.com/hello"), Ok(None));
        for text in ["coracle.local/hello:1", "coracle.local/helo:latest"] {
            assert_eq!(
                named(text).unwrap_err(),
                format!(
                    "{text} does not exist: coracle.local has hello and whoami, made of this executable"
                )
            );
        }
    }

    #[test]
    fn names_are_complete() {
        for builtin in [Builtin::Hello, Builtin::Whoami] {
            let name = Reference::parse(builtin.name()).unwrap();
            assert_eq!(name.to_string(), builtin.name());
            assert_eq!(Builtin::named(&name).unwrap(), Some(builtin));
        }
    }
}
