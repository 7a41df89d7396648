//! The container's process: words, environment, identity, limits.

use std::path::PathBuf;

use oci_spec::runtime::{
    LinuxCapabilities, LinuxCapabilitiesBuilder, Process, ProcessBuilder, User as OciUser,
};

use crate::model::Container;
use crate::start::users::User;

use super::SpecError;
use super::capabilities::{CapSet, CapSets};
use super::inputs::{Host, Inputs};
use super::modes::PidMode;

/// Search path when the image has none, as Docker's.
const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where the init program of `--init` is mounted; the name is Docker's.
pub(super) const INIT_PATH: &str = "/sbin/docker-init";

/// Range of the kernel's oom_score_adj.
const OOM_SCORE_RANGE: std::ops::RangeInclusive<i32> = -1000..=1000;

/// True when the container's program runs below an init of ours.
///
/// Like Docker, only in a process namespace of its own: elsewhere it is not process 1.
pub(super) fn uses_init(container: &Container, pid: &PidMode) -> bool {
    container.host_config.init == Some(true) && *pid == PidMode::Private
}

/// The words to execute.
pub(super) fn arguments(container: &Container, pid: &PidMode) -> Result<Vec<String>, SpecError> {
    let mut words = Vec::new();
    if uses_init(container, pid) {
        words.extend([INIT_PATH.to_owned(), "--".to_owned()]);
    }
    words.push(container.path.clone());
    words.extend(container.args.iter().cloned());
    Ok(words)
}

/// The whole environment in Docker's order: PATH, HOSTNAME, TERM, then what the
/// image and the user set, HOME last unless one of them gave it.
///
/// Of equal names the last wins; an entry without `=` removes a default or an earlier entry.
pub fn environment(hostname: &str, tty: bool, configured: &[String], home: &str) -> Vec<String> {
    let mut all = vec![DEFAULT_PATH.to_owned(), format!("HOSTNAME={hostname}")];
    if tty {
        all.push("TERM=xterm".to_owned());
    }
    let defaults = all.len();
    for entry in configured {
        let name = name_of(entry);
        let default = all.iter().take(defaults).position(|known| name_of(known) == name);
        match (default, entry.contains('=')) {
            (Some(index), true) => all[index].clone_from(entry),
            // Emptied, not taken out: later entries still find their default by index.
            (Some(index), false) => all[index].clear(),
            (None, true) => all.push(entry.clone()),
            (None, false) => {
                let mut index = 0;
                all.retain(|known| {
                    index += 1;
                    index <= defaults || name_of(known) != name
                });
            }
        }
    }
    let mut kept: Vec<String> = Vec::with_capacity(all.len() + 1);
    for (index, entry) in all.iter().enumerate() {
        let repeated = all.iter().skip(index + 1).any(|later| name_of(later) == name_of(entry));
        let empty_home = entry == "HOME=";
        if !repeated && !empty_home && !entry.is_empty() {
            kept.push(entry.clone());
        }
    }
    if !kept.iter().any(|entry| name_of(entry) == "HOME") {
        kept.push(format!("HOME={home}"));
    }
    kept
}

fn name_of(entry: &str) -> &str {
    entry.split_once('=').map_or(entry, |(name, _)| name)
}

/// The process for libcontainer: with [`CapSet::TO_FINISH`] beside the final sets.
pub(super) fn build(
    container: &Container,
    inputs: &Inputs,
    words: Vec<String>,
    env: Vec<String>,
    caps: CapSets,
) -> Result<Process, SpecError> {
    let config = &container.config;
    let mut process = ProcessBuilder::default()
        .terminal(config.tty)
        .user(user(&inputs.user, &inputs.host)?)
        .args(words)
        .env(env)
        .cwd(working_dir(&config.working_dir)?)
        .capabilities(temporary_capabilities(caps))
        .build()
        .expect("every field has a default");
    // The executor sets it and checks that it held; libcontainer ignores a failure.
    process.set_no_new_privileges(None);
    process.set_rlimits(None);
    process.set_apparmor_profile(None);
    process.set_oom_score_adj(None);
    Ok(process)
}

fn working_dir(path: &str) -> Result<PathBuf, SpecError> {
    match path {
        "" => Ok(PathBuf::from("/")),
        path if path.starts_with('/') => Ok(PathBuf::from(path)),
        path => Err(SpecError::RelativeWorkingDir { path: path.to_owned() }),
    }
}

fn user(user: &User, host: &Host) -> Result<OciUser, SpecError> {
    let mapped = |what, id| {
        if id < host.ids {
            Ok(())
        } else {
            Err(SpecError::IdNotMapped { what, id, count: host.ids })
        }
    };
    mapped("user", user.uid)?;
    mapped("group", user.gid)?;
    let mut oci = OciUser::default();
    oci.set_uid(user.uid);
    oci.set_gid(user.gid);
    if host.setgroups {
        user.groups.iter().try_for_each(|&group| mapped("group", group))?;
        // Never empty: the list also takes the caller's own groups away.
        let groups = if user.groups.is_empty() { vec![user.gid] } else { user.groups.clone() };
        oci.set_additional_gids(Some(groups));
    }
    Ok(oci)
}

fn temporary_capabilities(last: CapSets) -> LinuxCapabilities {
    let held = last.bounding.union(CapSet::TO_FINISH).to_oci();
    LinuxCapabilitiesBuilder::default()
        .bounding(held.clone())
        .permitted(held.clone())
        .effective(held)
        .inheritable(CapSet::EMPTY.to_oci())
        .ambient(CapSet::EMPTY.to_oci())
        .build()
        .expect("every field has a default")
}

/// Checks the range of `--oom-score-adj`; 0 leaves the caller's own value.
pub(super) fn oom_score(value: i32) -> Result<Option<i32>, SpecError> {
    if !OOM_SCORE_RANGE.contains(&value) {
        return Err(SpecError::OomScoreRange { value });
    }
    Ok((value != 0).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(tty: bool, configured: &[&str]) -> Vec<String> {
        let configured: Vec<String> = configured.iter().map(|&entry| entry.to_owned()).collect();
        environment("00718c5ea092", tty, &configured, "/root")
    }

    #[test]
    fn environment_has_dockers_order() {
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        assert_eq!(env(false, &[]), [path, "HOSTNAME=00718c5ea092", "HOME=/root"]);
        assert_eq!(
            env(true, &["PATH=/bin", "A=1", "A=2", "EMPTY=", "HOSTV=fromhost"]),
            [
                "PATH=/bin",
                "HOSTNAME=00718c5ea092",
                "TERM=xterm",
                "A=2",
                "EMPTY=",
                "HOSTV=fromhost",
                "HOME=/root"
            ]
        );
    }

    #[test]
    fn environment_can_unset_and_override() {
        assert_eq!(
            env(true, &["PATH", "TERM=dumb", "HOME=/h", "UNSET"]),
            ["HOSTNAME=00718c5ea092", "TERM=dumb", "HOME=/h"]
        );
        assert_eq!(env(false, &["PATH=/x", "HOME="])[2], "HOME=/root");
    }

    #[test]
    fn oom_score_has_a_range() {
        assert_eq!(oom_score(500).unwrap(), Some(500));
        assert_eq!(oom_score(0).unwrap(), None);
        assert_eq!(
            oom_score(5000).unwrap_err().to_string(),
            "Invalid value 5000, range for oom score adj is [-1000, 1000]"
        );
    }

    #[test]
    fn ids_beyond_the_map_are_refused() {
        let host = Host { ids: 1, ..Host::default() };
        let nobody = User { uid: 65534, ..User::default() };
        assert_eq!(
            user(&nobody, &host).unwrap_err().to_string(),
            "user id 65534 is not mapped: this user namespace has 1 ids"
        );
        let alone = Host { ids: 1, setgroups: false, ..Host::default() };
        assert_eq!(user(&User::default(), &alone).unwrap().additional_gids(), &None);
    }
}
