//! Looks for what a world left behind.
//!
//! # How it works
//!
//! A process belongs to a world when the world's folder stands in its environment, its arguments or its
//! mount table: a container's init has a cleared environment, but its root is an overlay in that folder.
//! Namespaces need no look of their own: without a process, a mount or a socket nothing keeps one.
//!
//! # Limits
//!
//! Processes of other users are invisible where `/proc` hides them; the tests run as the user who owns them.

use std::{fs, path::Path};

use rustix::process::{Pid, Signal, kill_process};

/// Everything of the world in `root` that should not be there once its containers are gone.
pub fn find(root: &Path, data: &Path) -> Vec<String> {
    let marker = root.as_os_str().as_encoded_bytes();
    let mut leaks: Vec<String> =
        processes(marker).into_iter().map(|(pid, name)| format!("process {pid}: {name}")).collect();
    leaks.extend(lines_with("/proc/self/mountinfo", marker).map(|line| format!("mount: {line}")));
    leaks.extend(lines_with("/proc/net/unix", marker).map(|line| format!("socket: {line}")));
    leaks.extend(
        files_below(&data.join("containers")).map(|file| format!("container file: {file}")),
    );
    leaks.extend(files_below(&data.join("tmp")).map(|file| format!("temporary file: {file}")));
    for folder in [root.join("run"), data.join("run")] {
        leaks.extend(files_below(&folder).map(|file| format!("runtime file: {file}")));
    }
    leaks.extend(files_below(&root.join("tmp")).map(|file| format!("temporary file: {file}")));
    leaks.extend(cgroups(root).map(|path| format!("cgroup: {path}")));
    leaks
}

/// Layers and blobs of the store that no image has. Only what a killed or failed command left may be there,
/// and only until the next command that adds an image.
pub fn unowned(data: &Path) -> Vec<String> {
    let index = fs::read(data.join("images.json")).unwrap_or_default();
    ["layers", "blobs/sha256"]
        .iter()
        .flat_map(|dir| fs::read_dir(data.join(dir)).into_iter().flatten().flatten())
        .filter(|entry| !contains(&index, entry.file_name().as_encoded_bytes()))
        .map(|entry| entry.path().display().to_string())
        .collect()
}

/// Kills the processes of the world in `root`, again until none is seen.
pub fn end_processes(root: &Path) {
    let marker = root.as_os_str().as_encoded_bytes();
    crate::wait::poll(crate::wait::DEADLINE / 4, || {
        let left = processes(marker);
        for (pid, _) in &left {
            if let Some(pid) = Pid::from_raw(*pid) {
                kill_process(pid, Signal::KILL).ok();
            }
        }
        left.is_empty().then_some(())
    });
}

/// The processes of the world in `root`, with their command lines.
pub fn processes_of(root: &Path) -> Vec<(i32, String)> {
    processes(root.as_os_str().as_encoded_bytes())
}

/// Processes of the world in `root` that were started under `name`.
pub fn processes_named(root: &Path, name: &str) -> Vec<Pid> {
    processes_of(root)
        .into_iter()
        .filter(|(_, command)| command.split(' ').next() == Some(name))
        .filter_map(|(pid, _)| Pid::from_raw(pid))
        .collect()
}

/// Processes of the world in `root` whose own root is that of a container, with the container's id.
pub fn rooted(root: &Path) -> Vec<(i32, String)> {
    let folder = format!("{}/data/containers/", root.display());
    let pids = processes(root.as_os_str().as_encoded_bytes()).into_iter().map(|(pid, _)| pid);
    pids.filter_map(|pid| {
        let table = fs::read_to_string(format!("/proc/{pid}/mountinfo")).ok()?;
        let top = table.lines().find(|line| line.split(' ').nth(4) == Some("/"))?;
        let id = top.split(&folder).nth(1)?.split('/').next()?;
        Some((pid, id.to_owned()))
    })
    .collect()
}

/// Processes, other than this one, that carry the marker.
fn processes(marker: &[u8]) -> Vec<(i32, String)> {
    let own = std::process::id().cast_signed();
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid != own)
        .filter_map(|pid| {
            let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            let cmdline = read("cmdline");
            let ours = contains(&cmdline, marker)
                || contains(&read("environ"), marker)
                || contains(&read("mountinfo"), marker);
            let name = String::from_utf8_lossy(&cmdline).replace('\0', " ").trim().to_owned();
            // A process without arguments in /proc is a zombie: it holds nothing, its parent forgot it.
            (ours && !name.is_empty()).then_some((pid, name))
        })
        .collect()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn lines_with(file: &str, marker: &[u8]) -> impl Iterator<Item = String> {
    let text = fs::read(file).unwrap_or_default();
    let lines: Vec<String> = text
        .split(|byte| *byte == b'\n')
        .filter(|line| contains(line, marker))
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    lines.into_iter()
}

/// Files below `dir`; locks may stay, because removing a lock file that another process opens is a race.
fn files_below(dir: &Path) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            } else if !name.to_string_lossy().ends_with("lock") {
                found.push(entry.path().display().to_string());
            }
        }
    }
    found.into_iter()
}

/// Cgroups that carry the world's name or one of its containers' ids.
fn cgroups(root: &Path) -> impl Iterator<Item = String> {
    let world = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut found = Vec::new();
    let mut folders = vec![Path::new("/sys/fs/cgroup").to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if entry.file_name().to_string_lossy().contains(&world) {
                found.push(entry.path().display().to_string());
            }
            folders.push(entry.path());
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_is_found_by_its_environment_and_ended() {
        let root = tempfile::tempdir().expect("a folder");
        let mut child = Command::new("sleep")
            .arg("60")
            .env("CORACLE_TEST_WORLD", root.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("sleep starts");
        let marker = root.path().as_os_str().as_encoded_bytes();
        crate::wait::until("the process is seen", || {
            processes(marker) == [(child.id().cast_signed(), "sleep 60".to_owned())]
        });
        end_processes(root.path());
        assert!(!child.wait().expect("our child").success());
        assert!(find(root.path(), &root.path().join("data")).is_empty());
    }

    #[test]
    fn a_blob_of_no_image_is_found() {
        let data = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(data.path().join("blobs/sha256")).expect("a folder");
        for name in ["aa", "bb"] {
            fs::write(data.path().join("blobs/sha256").join(name), "").expect("a file");
        }
        fs::write(data.path().join("images.json"), r#"{"id":"sha256:aa"}"#).expect("a file");
        let found = unowned(data.path());
        assert!(found.len() == 1 && found[0].ends_with("/bb"), "{found:?}");
    }

    #[test]
    fn files_and_sockets_are_found_but_locks_are_not() {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir(root.path().join("run")).expect("a folder");
        fs::write(root.path().join("run/state.lock"), "").expect("a file");
        assert!(find(root.path(), &root.path().join("data")).is_empty());
        let path = root.path().join("run/attach");
        let socket = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        let leaks = find(root.path(), &root.path().join("data"));
        assert_eq!(leaks.len(), 2, "{leaks:?}");
        assert!(
            leaks[0].starts_with("socket: ") && leaks[1].starts_with("runtime file: "),
            "{leaks:?}"
        );
        drop(socket);
    }
}
