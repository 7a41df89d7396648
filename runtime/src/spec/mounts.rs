//! Mounts: Docker's own, then the container's, in the order they are made.
//!
//! libcontainer attaches bind mounts with the propagation of the whole root, so
//! [`root_propagation`] answers once for all mounts: private, as Docker's default,
//! unless one of them asks to follow the host (`slave`, `rslave`).

use std::path::{Path, PathBuf};

use oci_spec::runtime::Mount;

use crate::model::{Container, ContainerMount, MountType};

use super::SpecError;
use super::inputs::{Inputs, KernelFs, NetworkSource};
use super::modes::{CgroupnsMode, IpcMode, PidMode};
use super::process::{INIT_PATH, uses_init};
use super::tmpfs;

/// Group of terminals (`tty`) in nearly every image.
const TTY_GID: u32 = 5;

/// The modes mounts depend on.
pub(super) struct Modes<'a> {
    pub(super) pid: &'a PidMode,
    pub(super) ipc: &'a IpcMode,
    pub(super) cgroupns: CgroupnsMode,
}

/// Every mount of the container, in order.
pub(super) fn build(
    container: &Container,
    inputs: &Inputs,
    modes: &Modes<'_>,
) -> Result<Vec<Mount>, SpecError> {
    let mut taken: Vec<&str> =
        container.mounts.iter().map(|mount| mount.point.destination.as_str()).collect();
    taken.extend(container.delivered.iter().map(|file| file.target.as_str()));
    taken.extend(container.host_config.tmpfs.keys().map(|path| path.trim_end_matches('/')));
    if container
        .mounts
        .iter()
        .any(|mount| mount.point.destination == "/dev" && mount.point.kind != MountType::Tmpfs)
    {
        return Err(SpecError::BindOverDev);
    }
    let free = |mount: &Mount| {
        let destination = mount.destination().to_string_lossy();
        let below_dev = destination.starts_with("/dev/") && taken.contains(&"/dev");
        !taken.contains(&destination.as_ref()) && !below_dev
    };
    let mut mounts = system(container, inputs, modes);
    mounts.retain(&free);

    let mut own = vec![];
    own.extend(shm(container, inputs, modes.ipc).filter(&free));
    for mount in &container.mounts {
        own.push(user_mount(mount, inputs)?);
    }
    for (path, typed) in &container.host_config.tmpfs {
        let options = tmpfs::typed_options(typed, inputs.covered.get(path))?;
        own.push(tmpfs_mount(path, &options));
    }
    let delivered = container.delivered.iter().zip(&inputs.delivered);
    for (file, source) in delivered.filter(|(file, _)| file.is_file()) {
        own.push(bind(&file.target, source.clone(), &["bind", "ro"]));
    }
    own.extend(etc(container, inputs).into_iter().filter(&free));
    own.extend(devices(container, inputs));
    if uses_init(container, modes.pid) {
        own.push(bind(INIT_PATH, inputs.init.clone(), &["bind", "ro"]));
    }
    // A mount below another comes after it; equal depths keep their order.
    own.sort_by_key(|mount| mount.destination().components().count());
    mounts.extend(own);
    Ok(mounts)
}

/// The OCI `rootfsPropagation`.
pub(super) fn root_propagation(mounts: &[ContainerMount]) -> Result<Option<String>, SpecError> {
    let mut propagation = Some("private".to_owned());
    for mount in mounts {
        match mount.point.propagation.as_str() {
            "shared" | "rshared" => {
                let path = mount.point.source.clone();
                return Err(SpecError::SharedPropagation { path });
            }
            // Left out, libcontainer makes the root a recursive slave.
            "slave" | "rslave" => propagation = None,
            _ => {}
        }
    }
    Ok(propagation)
}

fn system(container: &Container, inputs: &Inputs, modes: &Modes<'_>) -> Vec<Mount> {
    let mut mounts = Vec::new();
    let proc = if *modes.pid == PidMode::Host { KernelFs::Bind } else { inputs.host.proc };
    let plain = ["nosuid", "noexec", "nodev"];
    mounts.extend(kernel_fs(proc, "proc", "/proc", "proc", &plain));
    mounts.push(fresh(
        "tmpfs",
        "/dev",
        "tmpfs",
        &["nosuid", "strictatime", "mode=755", "size=65536k"],
    ));
    mounts.push(devpts(inputs.host.ids));

    let guarded = if container.host_config.privileged {
        plain.to_vec()
    } else {
        ["nosuid", "noexec", "nodev", "ro"].to_vec()
    };
    let sysfs =
        if inputs.network == NetworkSource::Host { KernelFs::Bind } else { inputs.host.sysfs };
    mounts.extend(kernel_fs(sysfs, "sysfs", "/sys", "sysfs", &guarded));
    let cgroup =
        if modes.cgroupns == CgroupnsMode::Host { KernelFs::Bind } else { inputs.host.cgroup };
    mounts.extend(kernel_fs(cgroup, "cgroup2", "/sys/fs/cgroup", "cgroup", &guarded));
    let mqueue = match modes.ipc {
        IpcMode::Host if inputs.host.mqueue => KernelFs::Bind,
        IpcMode::Host => KernelFs::Absent,
        _ => KernelFs::Mount,
    };
    mounts.extend(kernel_fs(mqueue, "mqueue", "/dev/mqueue", "mqueue", &plain));
    mounts
}

/// A file system of the kernel, mounted afresh or taken from the host with all below it.
fn kernel_fs(
    how: KernelFs,
    kind: &str,
    destination: &str,
    source: &str,
    options: &[&str],
) -> Option<Mount> {
    match how {
        KernelFs::Mount => Some(fresh(kind, destination, source, options)),
        KernelFs::Bind => {
            let mut all = vec!["rbind"];
            all.extend_from_slice(options);
            if options.contains(&"ro") {
                // Also what is mounted below it.
                all.push("rro");
            }
            Some(bind(destination, PathBuf::from(destination), &all))
        }
        KernelFs::Absent => None,
    }
}

fn devpts(ids: u32) -> Mount {
    let mut options = vec!["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
    if TTY_GID < ids {
        options.push("gid=5");
    }
    fresh("devpts", "/dev/pts", "devpts", &options)
}

fn shm(
    container: &Container,
    inputs: &Inputs,
    ipc: &IpcMode,
) -> impl Iterator<Item = Mount> + use<> {
    let destination = "/dev/shm";
    let mount = match (ipc, &inputs.shm_dir) {
        (IpcMode::None, _) => None,
        (IpcMode::Host, _) => Some(bind(destination, PathBuf::from(destination), &["rbind"])),
        (_, Some(dir)) => Some(bind(destination, dir.clone(), &["rbind"])),
        (_, None) => {
            let size = format!("size={}", container.host_config.shm_size);
            Some(fresh(
                "tmpfs",
                destination,
                "shm",
                &["nosuid", "noexec", "nodev", "mode=1777", &size],
            ))
        }
    };
    mount.into_iter()
}

fn etc(container: &Container, inputs: &Inputs) -> Vec<Mount> {
    let access = if container.host_config.readonly_rootfs { "ro" } else { "rw" };
    [
        ("/etc/resolv.conf", &inputs.etc.resolv_conf),
        ("/etc/hostname", &inputs.etc.hostname),
        ("/etc/hosts", &inputs.etc.hosts),
    ]
    .into_iter()
    .filter_map(|(path, file)| Some(bind(path, file.clone()?, &["rbind", access])))
    .collect()
}

/// Devices asked for by name, and with `--privileged` those of the host.
///
/// They are the host's nodes, bound: a user namespace cannot make working ones.
fn devices(container: &Container, inputs: &Inputs) -> Vec<Mount> {
    let named = container.host_config.resources.devices.as_deref().unwrap_or_default();
    let taken = |path: &Path| {
        // Also a folder of devices that was asked for.
        named.iter().any(|device| path.starts_with(&device.path_in_container))
    };
    let shown = inputs.host.devices.iter().filter(|path| !taken(path));
    let same = |path: &PathBuf| bind(path, path.clone(), &["bind"]);
    let asked = named.iter().map(|device| {
        bind(&device.path_in_container, PathBuf::from(&device.path_on_host), &["rbind"])
    });
    shown.map(same).chain(asked).collect()
}

fn user_mount(mount: &ContainerMount, inputs: &Inputs) -> Result<Mount, SpecError> {
    let point = &mount.point;
    if point.kind == MountType::Tmpfs {
        let covered = inputs.covered.get(&point.destination);
        return Ok(tmpfs_mount(&point.destination, &tmpfs::mount_options(mount, covered)?));
    }
    let mut options = vec![if mount.bind.non_recursive { "bind" } else { "rbind" }];
    if point.rw {
        options.push("rw");
    } else {
        options.push("ro");
        if !mount.bind.non_recursive && !mount.bind.read_only_non_recursive {
            options.push("rro");
        }
    }
    // The monitor has made a part of a volume a source of its own by now.
    Ok(bind(&point.destination, PathBuf::from(&point.source), &options))
}

fn tmpfs_mount(destination: &str, options: &[String]) -> Mount {
    let words: Vec<&str> = options.iter().map(String::as_str).collect();
    fresh("tmpfs", destination, "tmpfs", &words)
}

fn fresh(kind: &str, destination: &str, source: &str, options: &[&str]) -> Mount {
    entry(Path::new(destination), kind, PathBuf::from(source), options)
}

fn bind(destination: impl AsRef<Path>, source: PathBuf, options: &[&str]) -> Mount {
    entry(destination.as_ref(), "bind", source, options)
}

fn entry(destination: &Path, kind: &str, source: PathBuf, options: &[&str]) -> Mount {
    let mut mount = Mount::default();
    mount.set_destination(destination.to_owned());
    mount.set_typ(Some(kind.to_owned()));
    mount.set_source(Some(source));
    mount.set_options(Some(options.iter().map(|&option| option.to_owned()).collect()));
    mount
}
