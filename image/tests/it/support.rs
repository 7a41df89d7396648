//! What the tests of this crate share: hand-made archives, and a look at a directory.

use std::collections::BTreeMap;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use coracle_image::unpack::{UnpackError, UnpackOptions, Unpacked, unpack};
use coracle_image::{Store, StoreOptions};

/// Tells by name that a test cannot run here.
pub(crate) fn skip(test: &str, why: &str) {
    println!("SKIPPED {test}: {why}");
}

/// Whiteouts need root, of the machine or of a user namespace.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// How many user ids may be set here, from 0 on.
fn ids() -> u64 {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap();
    let count = |line: &str| line.split_whitespace().last().and_then(|n| n.parse::<u64>().ok());
    if is_root() { map.lines().filter_map(count).sum() } else { 0 }
}

/// Whether other owners can be set than root.
pub(crate) fn has_ids() -> bool {
    ids() > 1000
}

/// Options under which any owner of an archive is acceptable here.
pub(crate) fn any_owner() -> UnpackOptions {
    UnpackOptions { one_id: ids() < u64::from(u32::MAX) }
}

/// A store in which any owner of a layer is acceptable here.
pub(crate) fn open_store(dir: &Path) -> Store {
    Store::open(dir, StoreOptions { one_id: any_owner().one_id }).unwrap()
}

/// Test data beside the checkout, or where `CORACLE_SHARED` says; skips by name without it.
#[expect(clippy::disallowed_methods, reason = "only tests look there")]
pub(crate) fn shared(test: &str, path: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let found = std::env::var_os("CORACLE_SHARED").map_or(beside, PathBuf::from).join(path);
    if !found.exists() {
        skip(test, "the shared test data is absent");
        return None;
    }
    Some(found)
}

/// An archive made entry by entry, with names no honest tool would write.
#[derive(Default)]
pub(crate) struct Tar {
    bytes: Vec<u8>,
}

/// One header, before it is written.
pub(crate) struct Header {
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) kind: u8,
    pub(crate) mode: u64,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) size: u64,
    pub(crate) mtime: u64,
    pub(crate) device: u64,
}

impl Header {
    pub(crate) fn new(kind: u8, name: &str) -> Self {
        let name = name.as_bytes().to_vec();
        let mode = if kind == b'5' { 0o755 } else { 0o644 };
        let mtime = 1_000_000;
        Self { name, link: vec![], kind, mode, uid: 0, gid: 0, size: 0, mtime, device: 0 }
    }

    fn bytes(&self) -> [u8; 512] {
        let mut block = [0; 512];
        block[..self.name.len().min(100)].copy_from_slice(&self.name[..self.name.len().min(100)]);
        number(&mut block[100..108], self.mode);
        number(&mut block[108..116], self.uid);
        number(&mut block[116..124], self.gid);
        number(&mut block[124..136], self.size);
        number(&mut block[136..148], self.mtime);
        block[156] = self.kind;
        let link = self.link.len().min(100);
        block[157..157 + link].copy_from_slice(&self.link[..link]);
        block[257..265].copy_from_slice(b"ustar\x0000");
        number(&mut block[329..337], self.device);
        number(&mut block[337..345], self.device);
        block[148..156].copy_from_slice(b"        ");
        let sum: u64 = block.iter().map(|b| u64::from(*b)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block
    }
}

/// Octal when it fits, base 256 otherwise.
fn number(field: &mut [u8], value: u64) {
    let octal = format!("{value:0width$o}\0", width = field.len() - 1);
    if octal.len() == field.len() {
        field.copy_from_slice(octal.as_bytes());
    } else {
        field.fill(0);
        let at = field.len() - 8;
        field[at..].copy_from_slice(&value.to_be_bytes());
        field[0] |= 0x80;
    }
}

impl Tar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn entry(mut self, header: &Header, data: &[u8]) -> Self {
        self.bytes.extend(header.bytes());
        self.bytes.extend(data);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn with(self, kind: u8, name: &str, change: impl FnOnce(&mut Header)) -> Self {
        let mut header = Header::new(kind, name);
        change(&mut header);
        self.entry(&header, b"")
    }

    pub(crate) fn file(self, name: &str, data: &[u8]) -> Self {
        let mut header = Header::new(b'0', name);
        header.size = data.len() as u64;
        self.entry(&header, data)
    }

    pub(crate) fn dir(self, name: &str) -> Self {
        self.with(b'5', name, |_| {})
    }

    pub(crate) fn symlink(self, name: &str, target: &str) -> Self {
        self.with(b'2', name, |h| h.link = target.as_bytes().to_vec())
    }

    pub(crate) fn hardlink(self, name: &str, target: &str) -> Self {
        self.with(b'1', name, |h| h.link = target.as_bytes().to_vec())
    }

    /// PAX records for the next entry.
    pub(crate) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let mut data = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let mut len = rest + 1;
            while len != rest + len.to_string().len() {
                len = rest + len.to_string().len();
            }
            data.extend(format!("{len} {key}=").as_bytes());
            data.extend(*value);
            data.push(b'\n');
        }
        let mut header = Header::new(b'x', "PaxHeaders/x");
        header.size = data.len() as u64;
        self.entry(&header, &data)
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend([0; 1024]);
        self.bytes
    }
}

/// A layer's directory inside a world where everything outside it is watched.
pub(crate) struct World {
    dir: tempfile::TempDir,
    before: BTreeMap<PathBuf, String>,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for sub in ["layer", "outside"] {
            std::fs::create_dir(dir.path().join(sub)).unwrap();
        }
        std::fs::write(dir.path().join("outside/secret"), "untouched").unwrap();
        let before = listing_outside(dir.path());
        Self { dir, before }
    }

    pub(crate) fn layer(&self) -> PathBuf {
        self.dir.path().join("layer")
    }

    pub(crate) fn outside(&self) -> String {
        self.dir.path().join("outside").to_str().unwrap().to_owned()
    }

    pub(crate) fn unpack(&self, bytes: &[u8]) -> Result<Unpacked, UnpackError> {
        self.unpack_with(bytes, any_owner())
    }

    pub(crate) fn unpack_with(
        &self,
        mut bytes: &[u8],
        options: UnpackOptions,
    ) -> Result<Unpacked, UnpackError> {
        let outcome = unpack(&mut bytes, &self.layer(), &options);
        assert_eq!(listing_outside(self.dir.path()), self.before, "something outside changed");
        outcome
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.layer().join(path)).unwrap()
    }

    /// One line per file: name, mode, owner, and what it holds or leads to.
    pub(crate) fn listing(&self) -> Vec<String> {
        lines(&self.layer())
    }
}

/// One line per file below `root`, sorted.
pub(crate) fn lines(root: &Path) -> Vec<String> {
    let name = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    listing(root).iter().map(|(path, line)| format!("{} {line}", name(path))).collect()
}

fn listing_outside(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = listing(root);
    all.retain(|path, _| !path.starts_with(root.join("layer")));
    all
}

fn listing(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut todo = vec![root.to_owned()];
    while let Some(dir) = todo.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let meta = std::fs::symlink_metadata(&path).unwrap();
            let kind = meta.file_type();
            let content = if kind.is_dir() {
                todo.push(path.clone());
                "dir".to_owned()
            } else if kind.is_symlink() {
                format!("-> {}", std::fs::read_link(&path).unwrap().display())
            } else if kind.is_char_device() {
                format!("char {}", meta.rdev())
            } else if kind.is_fifo() {
                "fifo".to_owned()
            } else {
                format!("file {}", meta.len())
            };
            let mode = meta.permissions().mode() & 0o7777;
            found.insert(path, format!("{mode:o} {}:{} {content}", meta.uid(), meta.gid()));
        }
    }
    found
}

/// The value of an extended attribute, if there is one.
pub(crate) fn xattr(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 4096];
    let len = rustix::fs::lgetxattr(path, name, value.as_mut_slice()).ok()?;
    value.truncate(len);
    Some(value)
}

/// The error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
