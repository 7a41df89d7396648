//! What somebody wants built: one request for each target and its platform, whoever asks – `build`, `bake`, Compose.
//!
//! Plain values. Whoever makes one has read the environment, the files that flags name, and refused what is not
//! supported.

use std::collections::BTreeMap;
use std::path::PathBuf;

use coracle_image::{Platform, Reference};

#[derive(Debug, Clone, Default)]
pub struct BuildRequest {
    /// What lines of work begin with, where several are built in one call: the name of a target.
    pub name: String,
    pub context: Context,
    /// Context and Dockerfile came from elsewhere for this request: that they are read is not shown again.
    pub is_fetched: bool,
    /// When the context was last changed, in seconds, where the one that it came from says so.
    pub context_modified: Option<i64>,
    /// The text of the Dockerfile, and how messages call it.
    pub dockerfile: Dockerfile,
    /// `--build-context`.
    pub contexts: BTreeMap<String, Context>,
    /// The text of the ignore file of each of them that is a folder with one.
    pub ignores: BTreeMap<String, String>,
    pub target: Option<String>,
    /// With proxies and the like that the caller's environment or the settings give.
    pub build_args: BTreeMap<String, String>,
    pub platform: Option<Platform>,
    /// Several platforms are built at once, so that names of steps say theirs.
    pub shows_platform: bool,
    pub labels: BTreeMap<String, String>,
    pub names: Vec<Reference>,
    pub no_cache: bool,
    /// Stages by name.
    pub no_cache_filter: Vec<String>,
    /// Images are looked up at their registry though they are here.
    pub pull: bool,
    pub network: Network,
    /// `NAME:ADDRESS`, as `run --add-host` takes it.
    pub add_hosts: Vec<String>,
    /// Bytes.
    pub shm_size: Option<u64>,
    /// `NAME=SOFT[:HARD]`.
    pub ulimits: Vec<String>,
    pub secrets: BTreeMap<String, Secret>,
    /// Sockets of agents by id.
    pub ssh: BTreeMap<String, PathBuf>,
    /// `network.host` and the like.
    pub allow: Vec<String>,
    pub annotations: BTreeMap<String, String>,
    pub cache_from: Vec<CachePlace>,
    pub cache_to: Vec<CachePlace>,
    /// None: the image goes to the store.
    pub outputs: Vec<Output>,
}

#[derive(Debug, Clone, Default)]
pub struct Dockerfile {
    pub text: String,
    /// `sub/Dockerfile`.
    pub path: String,
    /// The last part of it.
    pub name: String,
    /// The text of the ignore file that counts.
    pub ignore: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Context {
    /// There is none: the Dockerfile came alone.
    #[default]
    Nothing,
    Folder(PathBuf),
    /// `docker-image://`.
    Image(Reference),
    Git(String),
    /// An archive, or a file.
    Http(String),
    /// Another request of the same call (`target:NAME` of bake, `service:NAME` of Compose), by its index.
    Result(usize),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Network {
    #[default]
    Default,
    Host,
    None,
}

/// Never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    File(PathBuf),
    Value(Vec<u8>),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Value(_) => f.write_str("Value(…)"),
        }
    }
}

/// `--cache-to` and `--cache-from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePlace {
    pub kind: CacheKind,
    /// `mode=max`: steps of all stages.
    pub whole: bool,
    pub ignores_errors: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheKind {
    Local(PathBuf),
    Registry(Reference),
    /// It is in the image itself.
    Inline,
    /// That of GitHub's runners, which counts where there is a token for it.
    Actions {
        has_token: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub kind: OutputKind,
    /// `rewrite-timestamp=true`.
    pub rewrites_timestamps: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputKind {
    /// The store.
    Image { names: Vec<Reference>, push: bool },
    /// Files in a folder.
    Local(PathBuf),
    /// An archive of the files; standard output without a path.
    Tar(Option<PathBuf>),
    /// An archive as `save` makes it.
    Docker { path: Option<PathBuf>, names: Vec<Reference> },
    /// An OCI layout, as an archive or (`tar=false`) as a folder.
    Oci { path: Option<PathBuf>, is_archive: bool, names: Vec<Reference> },
    /// `type=cacheonly`.
    Nothing,
}
