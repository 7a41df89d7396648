//! Options of tmpfs mounts: Docker's defaults, with the user's over them.

use crate::model::ContainerMount;

use super::{Covered, SpecError};

/// What `--tmpfs` starts from.
const DEFAULTS: &[&str] = &["noexec", "nosuid", "nodev"];

/// Switches, each beside the one it undoes.
const SWITCHES: &[(&str, &str)] = &[
    ("exec", "noexec"),
    ("suid", "nosuid"),
    ("dev", "nodev"),
    ("rw", "ro"),
    ("async", "sync"),
    ("atime", "noatime"),
    ("diratime", "nodiratime"),
    ("relatime", "norelatime"),
    ("strictatime", "nostrictatime"),
];

/// Settings with a value.
const SETTINGS: &[&str] = &["mode", "uid", "gid", "size", "nr_blocks", "nr_inodes", "mpol", "huge"];

/// The options of `--tmpfs PATH:TYPED`, later ones having replaced earlier ones. What is not
/// asked for is as at the folder that is covered: a program that finds `/run/NAME` with
/// another mode or owner refuses to start.
pub(super) fn typed_options(
    typed: &str,
    covered: Option<&Covered>,
) -> Result<Vec<String>, SpecError> {
    let mut all: Vec<String> = DEFAULTS.iter().map(|&option| option.to_owned()).collect();
    if let Some(Covered { mode, uid, gid }) = covered {
        all.push(format!("mode={mode:o}"));
        for (name, id) in [("uid", uid), ("gid", gid)] {
            // Root is who makes the mount.
            all.extend((*id != 0).then(|| format!("{name}={id}")));
        }
    }
    for option in typed.split(',').filter(|option| !option.is_empty()) {
        merge(&mut all, option)?;
    }
    Ok(all)
}

/// The options of `--mount type=tmpfs,…`.
pub(super) fn mount_options(
    mount: &ContainerMount,
    covered: Option<&Covered>,
) -> Result<Vec<String>, SpecError> {
    let mut all = typed_options("", covered)?;
    if !mount.point.rw {
        merge(&mut all, "ro")?;
    }
    if mount.tmpfs.mode != 0 {
        merge(&mut all, &format!("mode={:o}", mount.tmpfs.mode))?;
    }
    if mount.tmpfs.size_bytes != 0 {
        merge(&mut all, &format!("size={}", mount.tmpfs.size_bytes))?;
    }
    for option in &mount.tmpfs.options {
        merge(&mut all, &option.join("="))?;
    }
    Ok(all)
}

fn merge(all: &mut Vec<String>, option: &str) -> Result<(), SpecError> {
    let slot = slot(option).ok_or_else(|| SpecError::TmpfsOption { option: option.to_owned() })?;
    all.retain(|known| self::slot(known) != Some(slot));
    all.push(option.to_owned());
    Ok(())
}

/// What an option sets: two options with one slot exclude each other.
fn slot(option: &str) -> Option<&'static str> {
    if let Some((name, _)) = option.split_once('=') {
        return SETTINGS.iter().find(|&&known| known == name).copied();
    }
    SWITCHES.iter().find(|&&(on, off)| option == on || option == off).map(|&(on, _)| on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TmpfsOptions;

    fn typed(text: &str) -> Result<String, SpecError> {
        typed_options(text, None).map(|all| all.join(","))
    }

    #[test]
    fn merges_with_the_defaults() {
        assert_eq!(typed("").unwrap(), "noexec,nosuid,nodev");
        assert_eq!(typed("exec,size=10%").unwrap(), "nosuid,nodev,exec,size=10%");
        assert_eq!(
            typed("size=1m,mode=700,uid=5,size=2m").unwrap(),
            "noexec,nosuid,nodev,mode=700,uid=5,size=2m"
        );
    }

    #[test]
    fn what_is_not_asked_for_is_as_at_the_covered_folder() {
        let covered = Covered { mode: 0o2775, uid: 0, gid: 33 };
        let typed = |text| typed_options(text, Some(&covered)).unwrap().join(",");
        assert_eq!(typed("size=1m"), "noexec,nosuid,nodev,mode=2775,gid=33,size=1m");
        assert_eq!(typed("mode=700,gid=0"), "noexec,nosuid,nodev,mode=700,gid=0");
        let mount = ContainerMount::default();
        let text = mount_options(&mount, Some(&covered)).unwrap().join(",");
        assert_eq!(text, "noexec,nosuid,nodev,mode=2775,gid=33,ro");
    }

    #[test]
    fn refuses_unknown_options() {
        assert_eq!(
            typed("bogusopt").unwrap_err().to_string(),
            r#"invalid tmpfs option "bogusopt""#
        );
        assert!(typed("bogus=1").is_err());
    }

    #[test]
    fn takes_the_fields_of_mount() {
        let mount = ContainerMount {
            tmpfs: TmpfsOptions {
                size_bytes: 1 << 20,
                mode: 0o700,
                options: vec![vec!["exec".to_owned()], vec!["uid".to_owned(), "7".to_owned()]],
            },
            ..ContainerMount::default()
        };
        assert_eq!(
            mount_options(&mount, None).unwrap().join(","),
            "nosuid,nodev,ro,mode=700,size=1048576,exec,uid=7"
        );
    }
}
