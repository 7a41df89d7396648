//! The peers: crun, podman, buildah, skopeo, each with storage and settings of its own in a folder of the run.
//!
//! podman keeps its images with the kernel's overlay driver, has no network and writes its events to a
//! file. crun runs a bundle with the root of the fixture image, as the same user, in a user namespace with
//! the same ids. Both need cgroup v2 at `/sys/fs/cgroup`; on a hybrid host `scripts/bench` gives the run a
//! mount namespace where it is.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use coracle_integration::{
    fixture::{alpine_like, archive},
    settings::settings,
    skip::program,
};
use serde_json::{Value, json};

use crate::turns::aside;

pub(crate) struct Peers {
    root: PathBuf,
}

impl Peers {
    /// Makes the folder, and the image `alpine` in podman's storage.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new()
            .prefix("p")
            .rand_bytes(5)
            .tempdir_in(&settings().worlds)
            .expect("a folder can be made")
            .keep();
        for dir in ["home", "run", "tmp", "bundle/rootfs"] {
            fs::create_dir_all(root.join(dir)).expect("a folder of ours");
        }
        fs::set_permissions(root.join("run"), fs::Permissions::from_mode(0o700))
            .expect("chmod of our folder");
        let peers = Self { root };
        let archive = archive().display().to_string();
        // A peer that cannot is out at its first turn, which says why.
        aside(peers.podman(["load", "-i", &archive]), &peers.said()).ok();
        peers
    }

    /// Where a peer's standard error goes.
    pub(crate) fn said(&self) -> PathBuf {
        self.root.join("said")
    }

    /// podman's images and containers.
    pub(crate) fn podman_root(&self) -> PathBuf {
        self.root.join("podman")
    }

    fn command(&self, name: &str) -> Command {
        // One that is not installed fails to start, which is as good a reason as any.
        let mut command = Command::new(program(name).unwrap_or_else(|| name.into()));
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.root.join("home"))
            .env("XDG_RUNTIME_DIR", self.root.join("run"))
            .env("TMPDIR", self.root.join("tmp"))
            .current_dir(&self.root);
        command
    }

    pub(crate) fn podman<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command("podman");
        command.arg("--root").arg(self.podman_root()).arg("--runroot").arg(self.root.join("tmp/r"));
        command.args(["--storage-driver", "overlay", "--cgroup-manager", "cgroupfs"]);
        command.args(["--events-backend", "file"]).args(args);
        command
    }

    /// An idle container, as [`crate::rows::detached`] makes it.
    pub(crate) fn podman_detached(&self, name: &str) -> Command {
        self.podman(["run", "-d", "--network", "none", "--name", name, "alpine", "sleep", "1000"])
    }

    /// A build with a cache, of images that podman has too.
    pub(crate) fn buildah(&self, words: &[&str], context: &Path) -> Command {
        let mut command = self.command("buildah");
        command.arg("--root").arg(self.podman_root()).arg("--runroot").arg(self.root.join("tmp/r"));
        command.args(["--storage-driver", "overlay", "bud", "--layers", "-q", "-t", "bench"]);
        command.args(["--isolation", "oci", "--network", "none"]).args(words).arg(context);
        command
    }

    /// Downloads an image without unpacking it.
    pub(crate) fn skopeo_copy(&self, image: &str, to: &Path) -> Command {
        let mut command = self.command("skopeo");
        command.args(["copy", "-q", "--src-tls-verify=false", &format!("docker://{image}")]);
        command.arg(format!("dir:{}", to.display()));
        command
    }

    /// `crun run` in a bundle with the fixture's root.
    pub(crate) fn crun_true(&self) -> Command {
        let mut command = self.command("crun");
        command.arg("--root").arg(self.root.join("tmp/crun")).args(["run", "bench"]);
        command.current_dir(self.root.join("bundle"));
        command
    }

    /// Makes the bundle of [`Self::crun_true`].
    pub(crate) fn make_bundle(&self) -> Result<(), String> {
        let bundle = self.root.join("bundle");
        let text = |error: std::io::Error| error.to_string();
        let layer = self.root.join("tmp/root.tar");
        fs::write(&layer, &alpine_like().layers[0]).map_err(text)?;
        let mut tar = self.command("tar");
        tar.arg("-xf").arg(&layer).arg("-C").arg(bundle.join("rootfs"));
        aside(tar, &self.said())?;
        let mut spec = self.command("crun");
        spec.args(["spec", "--rootless"]).current_dir(&bundle);
        aside(spec, &self.said())?;
        let config = fs::read_to_string(bundle.join("config.json")).map_err(text)?;
        let mut config: Value = serde_json::from_str(&config).map_err(|error| error.to_string())?;
        config["process"]["terminal"] = false.into();
        config["process"]["args"] = json!(["true"]);
        let me = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        config["linux"]["uidMappings"] = mapping(me.0, "/etc/subuid", me.0);
        config["linux"]["gidMappings"] = mapping(me.1, "/etc/subgid", me.0);
        fs::write(bundle.join("config.json"), config.to_string()).map_err(text)
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        // Ends the process that keeps podman's namespaces.
        aside(self.podman(["system", "migrate"]), &self.said()).ok();
        let mut remove = Command::new("unshare");
        remove.args(["--map-root-user", "--map-auto", "rm", "-rf"]).arg(&self.root);
        aside(remove, Path::new("/dev/null")).ok();
    }
}

/// The user as id 0 and the subordinate ids above, as our own containers have it.
fn mapping(own: u32, file: &str, uid: u32) -> Value {
    let mut map = vec![json!({"containerID": 0, "hostID": own, "size": 1})];
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    });
    let subordinate = fs::read_to_string(file).unwrap_or_default();
    let range = subordinate.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == name).then_some(())?;
        Some((fields.next()?.parse::<u32>().ok()?, fields.next()?.parse::<u32>().ok()?))
    });
    if let Some((start, count)) = range {
        map.push(json!({"containerID": 1, "hostID": start, "size": count}));
    }
    map.into()
}
