//! Checks of mounts that libcontainer would refuse without saying which one.

use std::path::Path;

use rustix::fs::{FileType, OFlags};

use crate::model::{Container, ContainerMount, MountType};
use crate::start::beneath::{self, Links, open_root};
use crate::start::failure::Failure;

/// Entries of `/proc` that may be mounted over: those that lxcfs stands in for, as in runc.
const PROC_ENTRIES: [&str; 10] = [
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
];

/// Refuses a folder on a file, and anything else on a folder, in the words of Docker; and what
/// the kernel's own file systems do not take.
///
/// A place that does not exist is made later, of the right kind. What lies below another
/// mount cannot be seen yet and is left to the kernel.
pub(super) fn check(container: &Container, root: &Path) -> Result<(), Failure> {
    for (path, options) in &container.host_config.tmpfs {
        let wanted = Wanted { source: "tmpfs", destination: path, in_memory: true };
        wanted.check_kernel_entry(container)?;
        wanted.check_place(container, root)?;
        wanted.check_options(options)?;
    }
    for file in container.delivered.iter().filter(|file| file.is_file()) {
        let wanted = Wanted { source: "/dev/null", destination: &file.target, in_memory: false };
        wanted.check_kernel_entry(container)?;
        wanted.check_place(container, root)?;
    }
    for mount in &container.mounts {
        let (source, destination) = (&mount.point.source, &mount.point.destination);
        let in_memory = mount.point.kind == MountType::Tmpfs;
        let source = if in_memory { "tmpfs" } else { source };
        let wanted = Wanted { source, destination, in_memory };
        wanted.check_kernel_entry(container)?;
        if mount.point.kind == MountType::Bind {
            source_is_there(mount)?;
        }
        wanted.check_place(container, root)?;
    }
    Ok(())
}

/// What is to be mounted where.
struct Wanted<'a> {
    source: &'a str,
    destination: &'a str,
    in_memory: bool,
}

impl Wanted<'_> {
    fn refuse(&self, why: &str) -> Result<(), Failure> {
        let Self { source, destination, .. } = self;
        Err(Failure::setup(format!(
            "failed to create task for container: error mounting \"{source}\" to rootfs at \
             \"{destination}\": {why}"
        )))
    }

    /// Refuses what does not fit the place in the root filesystem, or cannot be made there.
    fn check_place(&self, container: &Container, root: &Path) -> Result<(), Failure> {
        let destination = Path::new(self.destination);
        if is_below_another(container, self.destination) {
            return Ok(());
        }
        let above = |path: &&Path| place(root, &path.to_string_lossy()) == Some(false);
        if let Some(file) = destination.ancestors().skip(1).find(above) {
            let (destination, file) = (self.destination, file.display());
            return self.refuse(&format!(
                "make mountpoint \"{destination}\": \"{file}\" is not a directory"
            ));
        }
        self.check_kind(place(root, self.destination))
    }

    /// Refuses options of a tmpfs whose values the kernel does not take. An owner that is a number
    /// is on record where only one id is mapped.
    fn check_options(&self, options: &str) -> Result<(), Failure> {
        let (settings, _) = match crate::start::launch_plan::mapped_ids() {
            1 => crate::volumes::split_owner(options.split(',')),
            _ => (options.split(',').collect(), None),
        };
        let settings = settings.into_iter().filter_map(|one| Some((one, one.split_once('=')?)));
        // Where none can be had the mount itself says so.
        let Ok(fs) = rustix::mount::fsopen("tmpfs", rustix::mount::FsOpenFlags::FSOPEN_CLOEXEC)
        else {
            return Ok(());
        };
        for (option, (name, value)) in settings {
            if let Err(errno) = rustix::mount::fsconfig_set_string(&fs, name, value) {
                let text = std::io::Error::from(errno).to_string().to_lowercase();
                let why = text.split(" (os error").next().unwrap_or(&text);
                return self.refuse(&format!("mount option {option}: {why}"));
            }
        }
        Ok(())
    }

    /// Refuses a folder on a file, and a file on a folder; `folder` says what is there.
    fn check_kind(&self, folder: Option<bool>) -> Result<(), Failure> {
        let from = if self.in_memory { Some(true) } else { is_folder(Path::new(self.source)) };
        match (from, folder) {
            (Some(from), Some(to)) if from != to => self.refuse(
                "not a directory: Are you trying to mount a directory onto a file (or \
                 vice-versa)? Check if the specified host path exists and is the expected type",
            ),
            _ => Ok(()),
        }
    }

    /// Refuses a mount over an entry of `/proc` or `/sys` that cannot be one. The host's are
    /// looked at: the container has none yet.
    fn check_kernel_entry(&self, container: &Container) -> Result<(), Failure> {
        let destination = self.destination.trim_end_matches('/');
        let path = Path::new(destination);
        if is_below_another(container, destination) {
            return Ok(());
        }
        let proc = |why: &str| {
            self.refuse(&format!(
                "check proc-safety of {destination} mount: \"{destination}\" {why}"
            ))
        };
        if destination == "/proc" {
            let is_proc = rustix::fs::statfs(self.source)
                .is_ok_and(|found| found.f_type == rustix::fs::PROC_SUPER_MAGIC);
            if self.in_memory || !is_proc {
                return proc("cannot be mounted because it is not of type proc");
            }
            return Ok(());
        }
        if path.starts_with("/proc") && !PROC_ENTRIES.contains(&destination) {
            return proc("cannot be mounted because it is inside /proc");
        }
        // Names of network devices differ from the host's.
        let own = path.starts_with("/sys/class/net") || path.starts_with("/sys/devices");
        if !(path.starts_with("/proc") || path.starts_with("/sys")) || own {
            return Ok(());
        }
        if !path.exists() {
            return self.refuse(&format!(
                "make mountpoint \"{destination}\": operation not permitted: what is in there is \
                 the kernel's"
            ));
        }
        self.check_kind(is_folder(path))
    }
}

/// The source of a bind mount may have gone since the container was made.
fn source_is_there(mount: &ContainerMount) -> Result<(), Failure> {
    let made = crate::bind_source::bind_source(mount);
    made.map_err(|error| Failure {
        code: crate::start::failure::SETUP_FAILED,
        ..error.into_failure()
    })
}

fn is_below_another(container: &Container, destination: &str) -> bool {
    let path = Path::new(destination);
    let mounted = container.mounts.iter().map(|other| other.point.destination.as_str());
    let in_memory = container.host_config.tmpfs.keys().map(String::as_str);
    mounted.chain(in_memory).map(Path::new).any(|other| other != path && path.starts_with(other))
}

fn is_folder(path: &Path) -> Option<bool> {
    std::fs::metadata(path).ok().map(|data| data.is_dir())
}

/// Whether a path of the container is a folder; links in it lead nowhere else.
fn place(root: &Path, path: &str) -> Option<bool> {
    let root = open_root(root).ok()?;
    let found = beneath::open(&root, Path::new(path), OFlags::empty(), Links::Followed).ok()?;
    let stat = rustix::fs::fstat(found).ok()?;
    Some(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}
