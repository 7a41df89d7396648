//! The cgroup of one container: make it, limit it, take it away.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::control::{freeze, has_line, join, kill, processes};
use super::error::CgroupError;
use super::host::{CONTROLLERS, Host, LEAF, SUBTREE};
use super::limits::{self, Setting};
use super::systemd;
use crate::file_lock::{self, FileLock};
use crate::model::Resources;

/// Rounds of moving processes out of a base in which new ones appear.
const EVACUATIONS_MAX: usize = 16;

/// What a container needs of its cgroup.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub id: &'a str,
    pub resources: &'a Resources,
    /// Have one even without limits, where that is possible: for `pause` and `stats`.
    pub wanted: bool,
}

/// Makes the cgroup of a container and writes its limits.
///
/// May move this process (into a scope, and there into a leaf). `None` when no cgroup
/// can be had and no limit asks for one.
///
/// # Errors
/// When a limit cannot be applied.
pub fn prepare(host: Option<&Host>, request: &Request<'_>) -> Result<Option<PathBuf>, CgroupError> {
    let settings = limits::plan(request.resources)?;
    if settings.is_empty() && !request.wanted {
        return Ok(None);
    }
    let made = match host {
        Some(host) => base_for(host, request).map_err(|why| not_delegated(&settings, why)),
        None => Err(not_delegated(&settings, "this host has no cgroup v2".to_owned())),
    }
    .and_then(|base| make(&base, request.id, &settings));
    match made {
        Ok(path) => Ok(Some(path)),
        Err(_) if settings.is_empty() => Ok(None),
        Err(error) => Err(error),
    }
}

/// As [`prepare`], but limits that this host cannot set are taken out of the resources instead, and
/// told as warnings, as Docker does.
///
/// # Errors
/// When a limit is wrong or cannot be written though it should.
pub fn prepare_what_is_there(
    host: Option<&Host>,
    id: &str,
    resources: &mut Resources,
) -> Result<(Option<PathBuf>, Vec<String>), CgroupError> {
    let mut warnings = Vec::new();
    loop {
        let error = match prepare(host, &Request { id, resources, wanted: true }) {
            Ok(path) => return Ok((path, warnings)),
            Err(error) => error,
        };
        let without = match &error {
            CgroupError::NotDelegated { wanted, .. } => limits::without(resources, wanted),
            CgroupError::ControllerMissing { missing, .. } => limits::without(resources, missing),
            _ => return Err(error),
        };
        // Each round takes out what the last one complained of.
        if without == *resources {
            return Err(error);
        }
        *resources = without;
        warnings.push(format!("Limitation discarded: {error}"));
    }
}

pub(super) fn not_delegated(settings: &[Setting], why: String) -> CgroupError {
    let wanted = controllers_of(settings);
    let on_v1 = any_on_v1(&wanted);
    CgroupError::NotDelegated { wanted, why, on_v1 }
}

pub(super) fn controllers_of(settings: &[Setting]) -> Vec<&'static str> {
    let mut names: Vec<_> = settings.iter().map(|setting| setting.controller).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The cgroup below which the container's is made.
fn base_for(host: &Host, request: &Request<'_>) -> Result<PathBuf, String> {
    let parent = request.resources.cgroup_parent.as_str();
    let slice = Some(parent).filter(|parent| parent.ends_with(".slice"));
    if !parent.is_empty() && slice.is_none() {
        let below = parent.trim_start_matches('/');
        if below.split('/').any(|part| part == "..") {
            return Err(format!("{parent} is not below the cgroup tree"));
        }
        let base = host.mount.join(below);
        return fs::create_dir_all(&base)
            .map(|()| base)
            .map_err(|error| format!("{parent}: {error}"));
    }
    if let Some(base) = host.base_around_us().filter(|_| slice.is_none()) {
        return Ok(base);
    }
    let why = match systemd::make_scope(host, request.id, slice) {
        Ok(base) => return Ok(base),
        Err(why) => why,
    };
    if slice.is_some() {
        return Err(why.to_string());
    }
    host.writable_base().ok_or_else(|| why.to_string())
}

fn make(base: &Path, id: &str, settings: &[Setting]) -> Result<PathBuf, CgroupError> {
    let created = |path: &Path| {
        let path = path.to_owned();
        move |source| CgroupError::Create { path, source }
    };
    let required = controllers_of(settings);
    if base.file_name().is_some_and(|name| name == SUBTREE) {
        fs::create_dir_all(base).map_err(created(base))?;
        let top = base.parent().unwrap_or(base);
        let _lock = lock(top)?;
        hand_down(top, &required)?;
    }
    let _lock = lock(base)?;
    hand_down(base, &required)?;
    let path = base.join(folder_name(id));
    match fs::create_dir(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(created(&path)(error));
        }
        _ => {}
    }
    if let Err(error) = apply(&path, settings) {
        // The limit is the error to report; an empty folder harms nobody.
        drop(fs::remove_dir(&path));
        return Err(error);
    }
    Ok(path)
}

fn folder_name(id: &str) -> String {
    format!("coracle-{}", id.get(..12).unwrap_or(id))
}

/// Held while the shape of a base changes, so that two containers do not fight over it.
fn lock(base: &Path) -> Result<FileLock, CgroupError> {
    let failed = |source| CgroupError::Read { path: base.to_owned(), source };
    let folder = File::open(base).map_err(failed)?;
    let taken = file_lock::take(folder.into(), file_lock::PATIENCE);
    taken.map_err(|error| CgroupError::Lock {
        path: base.to_owned(),
        source: error.into_io(file_lock::PATIENCE),
    })
}

/// Hands what controllers `base` has to its children; `required` must be among them.
fn hand_down(base: &Path, required: &[&'static str]) -> Result<(), CgroupError> {
    let file = base.join("cgroup.controllers");
    let there =
        fs::read_to_string(&file).map_err(|source| CgroupError::Read { path: file, source })?;
    let there: Vec<&str> = there.split_ascii_whitespace().collect();
    let missing: Vec<_> = required.iter().copied().filter(|name| !there.contains(name)).collect();
    if !missing.is_empty() {
        let on_v1 = any_on_v1(&missing);
        return Err(CgroupError::ControllerMissing { missing, base: base.to_owned(), on_v1 });
    }
    let control = base.join("cgroup.subtree_control");
    let on = fs::read_to_string(&control).unwrap_or_default();
    let off = |name: &&'static str| !on.split_ascii_whitespace().any(|word| word == *name);
    let wanted: Vec<_> =
        CONTROLLERS.into_iter().filter(|name| there.contains(name)).filter(off).collect();
    if wanted.is_empty() || !make_room(base, required.is_empty())? {
        return Ok(());
    }
    for name in wanted {
        match write(&control, &format!("+{name}")) {
            Err(error) if required.contains(&name) => return Err(error),
            // Not needed for a limit: `stats` will say what it lacks.
            _ => {}
        }
    }
    Ok(())
}

/// Moves the processes of `base` out of the way of controllers; not those of others when
/// that is only `convenient`. Tells whether controllers may be switched on.
///
/// The kernel would let the first ones pass (those that work on threads) and then refuse
/// processes in every child, so this comes before any is switched on.
fn make_room(base: &Path, convenient: bool) -> Result<bool, CgroupError> {
    if !base.join("cgroup.type").exists() {
        // The root of the tree: it may hold processes.
        return Ok(true);
    }
    let occupied = |source| CgroupError::Occupied { base: base.to_owned(), source };
    let pids = processes(base).map_err(occupied)?;
    let me = i32::try_from(std::process::id()).unwrap_or(0);
    if convenient && pids.iter().any(|pid| *pid != me) {
        return Ok(false);
    }
    if !pids.is_empty() {
        evacuate(base, &base.join(LEAF))?;
    }
    Ok(true)
}

/// Whether the host has one of the controllers, but in a v1 tree.
pub(crate) fn any_on_v1(wanted: &[&str]) -> bool {
    fs::read_to_string("/proc/self/cgroup").is_ok_and(|text| {
        text.lines()
            .filter_map(|line| line.split(':').nth(1))
            .any(|list| list.split(',').any(|controller| wanted.contains(&controller)))
    })
}

/// Moves every process of `from` to `to`.
fn evacuate(from: &Path, to: &Path) -> Result<(), CgroupError> {
    let occupied = |source| CgroupError::Occupied { base: from.to_owned(), source };
    match fs::create_dir(to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(occupied(error)),
        _ => {}
    }
    for _ in 0..EVACUATIONS_MAX {
        let pids = processes(from).map_err(occupied)?;
        if pids.is_empty() {
            return Ok(());
        }
        for pid in pids {
            match join(to, pid.unsigned_abs()) {
                Err(error) if error.raw_os_error() != Some(ESRCH) => return Err(occupied(error)),
                _ => {}
            }
        }
    }
    Err(occupied(io::ErrorKind::ResourceBusy.into()))
}

const ESRCH: i32 = rustix::io::Errno::SRCH.raw_os_error();

/// Writes new limits into the cgroup of a container.
///
/// # Errors
/// As [`prepare`], once there is a cgroup.
pub fn update(path: &Path, resources: &Resources) -> Result<(), CgroupError> {
    let settings = limits::plan(resources)?;
    let base = path.parent().unwrap_or(path);
    let _lock = lock(base)?;
    hand_down(base, &controllers_of(&settings))?;
    apply(path, &settings)
}

fn apply(path: &Path, settings: &[Setting]) -> Result<(), CgroupError> {
    for setting in settings {
        let file = path.join(setting.file);
        if setting.optional && !file.exists() {
            continue;
        }
        write(&file, &setting.value)?;
    }
    Ok(())
}

fn write(file: &Path, value: &str) -> Result<(), CgroupError> {
    // Without O_CREAT: a missing file of cgroupfs must not become an EPERM about creating.
    let mut open = fs::OpenOptions::new();
    open.write(true)
        .open(file)
        .and_then(|mut file| io::Write::write_all(&mut file, value.as_bytes()))
        .map_err(|source| CgroupError::Write {
            file: file.to_owned(),
            value: value.to_owned(),
            source,
        })
}

/// Takes the cgroup away with whatever is still in it; no error when it is gone already.
/// The last container of a base also undoes what [`prepare`] did to the base.
///
/// # Errors
/// When a process does not die or a folder does not go.
pub fn remove(path: &Path) -> io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    if has_line(&path.join("cgroup.events"), "populated 1") {
        // A frozen process dies only where the kernel has cgroup.kill; thaw for the rest.
        drop(freeze(path, false));
        kill(path)?;
    }
    remove_tree(path)?;
    match path.parent() {
        Some(base) => tidy(base),
        None => Ok(()),
    }
}

fn remove_tree(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path())?;
        }
    }
    match fs::remove_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Puts a base without containers back as it was.
fn tidy(base: &Path) -> io::Result<()> {
    // Gone with its scope: nothing left to do.
    let Ok(_lock) = lock(base) else { return Ok(()) };
    let children: Vec<_> = fs::read_dir(base)?
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.file_name())
        .collect();
    if children
        .iter()
        .any(|name| name.to_str().is_some_and(|name| name.starts_with("coracle-") && name != LEAF))
    {
        return Ok(());
    }
    let leaf = base.join(LEAF);
    if leaf.exists() {
        let on = fs::read_to_string(base.join("cgroup.subtree_control")).unwrap_or_default();
        for name in on.split_ascii_whitespace() {
            fs::write(base.join("cgroup.subtree_control"), format!("-{name}"))?;
        }
        evacuate(&leaf, base).map_err(io::Error::other)?;
        fs::remove_dir(&leaf)?;
    }
    if base.file_name().is_some_and(|name| name == SUBTREE) && children.is_empty() {
        fs::remove_dir(base)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::cgroup::{Settings, is_frozen, was_oom_killed};

    /// A tree that is writable without systemd, or the reason to skip.
    fn writable() -> Option<Host> {
        let host = Host::detect(&Settings::default())
            .filter(|host| host.writable_base().is_some_and(|base| base.ends_with(SUBTREE)));
        if host.is_none() {
            println!("skipped: cgroup v2 is not writable");
        }
        host
    }

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap()
    }

    fn fake_base(controllers: &str) -> tempfile::TempDir {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("cgroup.controllers"), controllers).unwrap();
        fs::write(base.path().join("cgroup.subtree_control"), "").unwrap();
        base
    }

    #[test]
    fn a_missing_controller_is_named() {
        let base = fake_base("cpu pids\n");
        let error = hand_down(base.path(), &["io", "pids"]).unwrap_err();
        let expected =
            format!("cannot limit io: the cgroup {} has no such controller", base.path().display());
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn controllers_there_are_handed_down_and_no_others() {
        let base = fake_base("hugetlb pids\n");
        hand_down(base.path(), &[]).unwrap();
        let written = fs::read_to_string(base.path().join("cgroup.subtree_control")).unwrap();
        assert_eq!(written, "+pids");
    }

    #[test]
    fn without_a_tree_limits_fail_and_their_absence_does_not() {
        let resources = Resources { memory: 1 << 30, ..Resources::default() };
        let ask = |resources| prepare(None, &Request { id: "0", resources, wanted: true });
        assert_eq!(
            ask(&resources).unwrap_err().to_string(),
            "cannot limit memory: no cgroup is delegated to us (this host has no cgroup v2)"
        );
        assert!(ask(&Resources::default()).unwrap().is_none());
    }

    #[test]
    fn freeze_thaw_kill_and_leave_nothing() {
        let Some(host) = writable() else { return };
        let id = format!("{:012}", std::process::id());
        let resources =
            Resources { cgroup_parent: format!("coracle-test-{id}"), ..Resources::default() };
        let request = Request { id: &id, resources: &resources, wanted: true };
        let path = prepare(Some(&host), &request).unwrap().unwrap();
        assert_eq!(path, host.mount.join(&resources.cgroup_parent).join(format!("coracle-{id}")));
        let mut child = sleeper();
        join(&path, child.id()).unwrap();
        assert_eq!(processes(&path).unwrap(), [i32::try_from(child.id()).unwrap()]);
        freeze(&path, true).unwrap();
        assert!(is_frozen(&path));
        freeze(&path, false).unwrap();
        assert!(!is_frozen(&path));
        assert!(!was_oom_killed(&path));
        freeze(&path, true).unwrap();
        remove(&path).unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(!path.exists());
        remove(&path).unwrap();
        fs::remove_dir(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn evacuated_processes_come_back_with_the_last_container() {
        let Some(host) = writable() else { return };
        let base = host.mount.join(format!("coracle-base-{}", std::process::id()));
        fs::create_dir(&base).unwrap();
        let mut child = sleeper();
        join(&base, child.id()).unwrap();
        evacuate(&base, &base.join(LEAF)).unwrap();
        assert!(processes(&base).unwrap().is_empty());
        let path = make(&base, "0123456789abcdef", &[]).unwrap();
        assert!(path.ends_with("coracle-0123456789ab"));
        remove(&path).unwrap();
        assert!(!base.join(LEAF).exists());
        assert_eq!(processes(&base).unwrap(), [i32::try_from(child.id()).unwrap()]);
        kill(&base).unwrap();
        child.wait().unwrap();
        fs::remove_dir(&base).unwrap();
    }
}
