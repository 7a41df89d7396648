//! Images made here, from Debian's static BusyBox: small, known to the byte, no network.
//!
//! `alpine` (also `fixture`) has the users and groups that Alpine has, so that recorded behaviour holds for
//! it; `bb` has BusyBox and no configuration at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::settings::settings;

/// 2024-09-06T11:20:00Z: the age of every file in the fixtures.
const MTIME: u64 = 1_725_621_600;

/// An image in parts.
#[derive(Debug, Clone)]
pub struct Image {
    /// Names with tags.
    pub names: Vec<String>,
    /// The `config` object of the image's configuration.
    pub config: Value,
    /// Uncompressed layers, lowest first.
    pub layers: Vec<Vec<u8>>,
}

/// The archive that `TestEnv::new` loads; made once per run.
pub fn archive() -> &'static Path {
    static ARCHIVE: OnceLock<PathBuf> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        let path = settings().fixtures.join("fixture.tar");
        publish(&path, &save(&[alpine_like(), bare_busybox()]));
        path
    })
}

/// Writes a file under a temporary name first: several test processes may make the same fixture.
fn publish(path: &Path, bytes: &[u8]) {
    let temporary = path.with_extension(format!("{}", std::process::id()));
    fs::write(&temporary, bytes).expect("a fixture can be written");
    fs::rename(&temporary, path).expect("a fixture can be renamed");
}

/// The image `alpine`, alias `fixture`.
pub fn alpine_like() -> Image {
    let mut root = Layer::new();
    for dir in [
        "bin", "dev", "etc", "home", "mnt", "opt", "proc", "run", "sbin", "srv", "sys", "usr",
        "var",
    ] {
        root.dir(dir, 0o755);
    }
    for dir in [
        "usr/bin",
        "usr/sbin",
        "usr/local",
        "usr/local/bin",
        "var/log",
        "var/cache",
        "etc/apk",
        "etc/apk/keys",
        "etc/apk/protected_paths.d",
    ] {
        root.dir(dir, 0o755);
    }
    root.dir("root", 0o700).dir("tmp", 0o1777).dir("var/tmp", 0o1777);
    root.file("etc/passwd", 0o644, PASSWD).file("etc/group", 0o644, GROUP);
    root.file("etc/shadow", 0o640, "root:*::0:::::\n").file("etc/hostname", 0o644, "localhost\n");
    root.file("etc/hosts", 0o644, "127.0.0.1\tlocalhost\n").file("etc/motd", 0o644, "Welcome!\n");
    for name in ["arch", "repositories", "world"] {
        root.file(&format!("etc/apk/{name}"), 0o644, "x86_64\n");
    }
    add_busybox(&mut root);
    Image {
        names: vec!["alpine:latest".into(), "fixture:latest".into()],
        config: json!({
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Cmd": ["/bin/sh"],
        }),
        layers: vec![root.finish()],
    }
}

/// The image `bb`: no users, no configuration.
pub fn bare_busybox() -> Image {
    let mut root = Layer::new();
    root.dir("bin", 0o755).dir("tmp", 0o1777);
    add_busybox(&mut root);
    Image { names: vec!["bb:latest".into()], config: json!({}), layers: vec![root.finish()] }
}

/// `bin/busybox` and its applets: half of them hard links, as the official image has, half symbolic links.
fn add_busybox(root: &mut Layer) {
    let busybox = fs::read("/bin/busybox").expect("install busybox-static");
    root.file("bin/busybox", 0o755, busybox);
    let list = Command::new("/bin/busybox").arg("--list").output().expect("busybox runs").stdout;
    let list = String::from_utf8_lossy(&list).into_owned();
    for (index, applet) in list.lines().filter(|applet| *applet != "busybox").enumerate() {
        let name = format!("bin/{applet}");
        if index % 2 == 0 {
            root.hardlink(&name, "bin/busybox")
        } else {
            root.symlink(&name, "/bin/busybox")
        };
    }
}

const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/sh
bin:x:1:1:bin:/bin:/sbin/nologin
daemon:x:2:2:daemon:/sbin:/sbin/nologin
sync:x:5:0:sync:/sbin:/bin/sync
mail:x:8:12:mail:/var/mail:/sbin/nologin
guest:x:405:100:guest:/dev/null:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
";

const GROUP: &str = "\
root:x:0:root
bin:x:1:root,bin,daemon
daemon:x:2:root,bin,daemon
sys:x:3:root,bin
adm:x:4:root,daemon
tty:x:5:
disk:x:6:root
wheel:x:10:root
floppy:x:11:root
mail:x:12:mail
dialout:x:20:root
tape:x:26:root
video:x:27:root
users:x:100:
nobody:x:65534:
";

/// A layer being written. Owners are root unless said otherwise.
pub struct Layer {
    tar: tar::Builder<Vec<u8>>,
    owner: (u64, u64),
}

impl Default for Layer {
    fn default() -> Self {
        Self::new()
    }
}

impl Layer {
    /// An empty layer.
    pub fn new() -> Self {
        Self { tar: tar::Builder::new(Vec::new()), owner: (0, 0) }
    }

    /// The owner of the entries that follow.
    pub fn owner(&mut self, uid: u64, gid: u64) -> &mut Self {
        self.owner = (uid, gid);
        self
    }

    /// A folder.
    pub fn dir(&mut self, path: &str, mode: u32) -> &mut Self {
        self.entry(tar::EntryType::Directory, &format!("{path}/"), mode, "", b"")
    }

    /// A regular file.
    pub fn file(&mut self, path: &str, mode: u32, content: impl AsRef<[u8]>) -> &mut Self {
        self.entry(tar::EntryType::Regular, path, mode, "", content.as_ref())
    }

    /// A hard link.
    pub fn hardlink(&mut self, path: &str, target: &str) -> &mut Self {
        self.entry(tar::EntryType::Link, path, 0o755, target, b"")
    }

    /// A symbolic link.
    pub fn symlink(&mut self, path: &str, target: &str) -> &mut Self {
        self.entry(tar::EntryType::Symlink, path, 0o777, target, b"")
    }

    /// Any entry. The name is written as it is, `..` and all: hostile layers are made with this.
    pub fn entry(
        &mut self,
        kind: tar::EntryType,
        path: &str,
        mode: u32,
        target: &str,
        body: &[u8],
    ) -> &mut Self {
        let mut header = tar::Header::new_gnu();
        {
            let raw = header.as_old_mut();
            assert!(
                path.len() < raw.name.len() && target.len() < raw.linkname.len(),
                "a short name"
            );
            raw.name[..path.len()].copy_from_slice(path.as_bytes());
            raw.linkname[..target.len()].copy_from_slice(target.as_bytes());
        }
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(self.owner.0);
        header.set_gid(self.owner.1);
        header.set_mtime(MTIME);
        header.set_size(body.len() as u64);
        header.set_cksum();
        self.tar.append(&header, body).expect("memory can be written");
        self
    }

    /// The layer's bytes.
    pub fn finish(self) -> Vec<u8> {
        self.tar.into_inner().expect("memory can be written")
    }
}

/// `sha256:…` of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// An archive as `docker save` writes it: an OCI layout, and `manifest.json` for older tools.
pub fn save(images: &[Image]) -> Vec<u8> {
    let mut archive = Layer::new();
    let mut index = Vec::new();
    let mut manifest = Vec::new();
    let mut written = std::collections::BTreeSet::new();
    for image in images {
        let blobs = Blobs::of(image);
        for blob in blobs.layers.iter().chain([&blobs.config, &blobs.manifest]) {
            if written.insert(digest(blob)) {
                archive.file(&blob_path(blob), 0o644, blob);
            }
        }
        for name in &image.names {
            index.push(descriptor(MANIFEST, &blobs.manifest, Some(name)));
        }
        manifest.push(json!({
            "Config": blob_path(&blobs.config),
            "RepoTags": image.names,
            "Layers": blobs.layers.iter().map(|layer| blob_path(layer)).collect::<Vec<_>>(),
        }));
    }
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": index});
    archive.file("index.json", 0o644, index.to_string());
    archive.file("manifest.json", 0o644, Value::from(manifest).to_string());
    archive.file("oci-layout", 0o644, r#"{"imageLayoutVersion":"1.0.0"}"#);
    archive.finish()
}

/// The blobs of one image.
#[derive(Debug)]
pub struct Blobs {
    /// Uncompressed layers.
    pub layers: Vec<Vec<u8>>,
    /// The configuration.
    pub config: Vec<u8>,
    /// The OCI manifest.
    pub manifest: Vec<u8>,
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

impl Blobs {
    /// The blobs of `image`.
    pub fn of(image: &Image) -> Self {
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        let config = json!({
            "architecture": architecture, "os": "linux", "created": "2024-09-06T11:20:00Z",
            "config": image.config,
            "rootfs": {
                "type": "layers",
                "diff_ids": image.layers.iter().map(|layer| digest(layer)).collect::<Vec<_>>(),
            },
            "history": image.layers.iter().map(|_| json!({"created": "2024-09-06T11:20:00Z",
                "created_by": "fixture"})).collect::<Vec<_>>(),
        });
        let config = config.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config, None),
            "layers": image.layers.iter().map(|layer| descriptor(LAYER, layer, None)).collect::<Vec<_>>(),
        });
        Self { layers: image.layers.clone(), config, manifest: manifest.to_string().into_bytes() }
    }
}

fn blob_path(blob: &[u8]) -> String {
    format!("blobs/{}", digest(blob).replace(':', "/"))
}

fn descriptor(media_type: &str, blob: &[u8], name: Option<&str>) -> Value {
    let mut value = json!({"mediaType": media_type, "digest": digest(blob), "size": blob.len()});
    if let Some(name) = name {
        let tag = name.rsplit(':').next().unwrap_or_default();
        value["annotations"] = json!({"io.containerd.image.name": full_name(name), "org.opencontainers.image.ref.name": tag});
    }
    value
}

fn full_name(name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("docker.io/library/{name}") }
}

/// gzip of some bytes, the same for the same input.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    io::Write::write_all(&mut encoder, bytes).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_archive_has_each_blob_once_under_its_digest() {
        let mut layer = Layer::new();
        layer.file("../evil", 0o644, "x");
        let image = Image {
            names: vec!["a:1".into(), "b:2".into()],
            config: json!({}),
            layers: vec![layer.finish()],
        };
        let bytes = save(&[image.clone(), image]);
        let mut names = Vec::new();
        for entry in tar::Archive::new(bytes.as_slice()).entries().expect("a tar") {
            let mut entry = entry.expect("a whole entry");
            let mut body = Vec::new();
            io::Read::read_to_end(&mut entry, &mut body).expect("a whole body");
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if let Some(hex) = name.strip_prefix("blobs/sha256/") {
                assert_eq!(digest(&body), format!("sha256:{hex}"));
            }
            names.push(name);
        }
        assert_eq!(names.len(), 3 + 3, "{names:?}");
    }
}
