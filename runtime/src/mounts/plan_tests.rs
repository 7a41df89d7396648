//! What requests come to, and the words in which they are refused.

use super::*;
use crate::model::{Empty, TmpfsOptions};

fn planned(config: &Config, host: &HostConfig) -> Result<Vec<PlannedMount>, MountError> {
    let mut count = 0;
    plan(config, host, &[], &mut || {
        count += 1;
        format!("random{count}")
    })
}

fn binds(raw: &[&str]) -> Result<Vec<PlannedMount>, MountError> {
    let binds = raw.iter().map(|&raw| raw.to_owned()).collect();
    planned(&Config::default(), &HostConfig { binds: Some(binds), ..HostConfig::default() })
}

fn points(planned: &[PlannedMount]) -> Vec<String> {
    planned.iter().map(|one| serde_json::to_string(&one.mount.point).unwrap()).collect()
}

#[test]
fn binds_show_as_in_inspect() {
    let planned = binds(&["pv:/pv", "data:/data:rw", "/srv/html/:/html:rw", "/a:/m:ro"]).unwrap();
    assert_eq!(
        points(&planned),
        [
            r#"{"Type":"volume","Name":"pv","Source":"","Destination":"/pv","Driver":"local","Mode":"z","RW":true,"Propagation":""}"#,
            r#"{"Type":"volume","Name":"data","Source":"","Destination":"/data","Driver":"local","Mode":"rw","RW":true,"Propagation":""}"#,
            r#"{"Type":"bind","Source":"/srv/html","Destination":"/html","Mode":"rw","RW":true,"Propagation":"rprivate"}"#,
            r#"{"Type":"bind","Source":"/a","Destination":"/m","Mode":"ro","RW":false,"Propagation":"rprivate"}"#,
        ]
    );
    assert_eq!(planned[0].volume.as_ref().unwrap().name, "pv");
    assert!(planned[0].mount.copy_up && !planned[0].mount.anonymous);
    assert!(planned[2].volume.is_none() && planned[2].mount.create_source);
}

#[test]
fn modes_are_followed() {
    let planned = binds(&["v1:/a:nocopy", "/s:/b:rslave"]).unwrap();
    assert!(!planned[0].mount.copy_up);
    assert_eq!(planned[1].mount.point.propagation, "rslave");
}

#[test]
fn malformed_binds_have_dockers_words() {
    let text = |raw| binds(&[raw]).unwrap_err().to_string();
    assert_eq!(text("/a:/b:/c"), "invalid mode: /c");
    assert_eq!(text("/srv/demo/src:/m:ro,rw"), "invalid mode: ro,rw");
    assert_eq!(text("/a:ro"), "invalid volume specification: '/a:ro'");
    assert_eq!(
        text("/srv/demo/src:relative"),
        "invalid volume specification: '/srv/demo/src:relative': invalid mount config for type \
         \"bind\": invalid mount path: 'relative' mount path must be absolute"
    );
    assert_eq!(
        text("/srv/demo/src:/"),
        "invalid volume specification: '/srv/demo/src:/': invalid mount config for type \
         \"bind\": invalid specification: destination can't be '/'"
    );
    assert!(text("sub/dir:/m").starts_with("create sub/dir: \"sub/dir\" includes invalid"));
    assert_eq!(binds(&["/a:/m", "/b:/m/"]).unwrap_err().to_string(), "Duplicate mount point: /m");
}

fn mounts(mounts: Vec<Mount>) -> Result<Vec<PlannedMount>, MountError> {
    planned(&Config::default(), &HostConfig { mounts, ..HostConfig::default() })
}

fn mount(kind: MountType, source: &str, target: &str) -> Mount {
    Mount { kind, source: source.to_owned(), target: target.to_owned(), ..Mount::default() }
}

#[test]
fn mounts_are_checked() {
    let text = |one| mounts(vec![one]).unwrap_err().to_string();
    assert_eq!(
        text(mount(MountType::Bind, "src", "/m")),
        "invalid mount config for type \"bind\": invalid mount path: 'src' mount path must be absolute"
    );
    assert_eq!(
        text(mount(MountType::Tmpfs, "/x", "/t")),
        "invalid mount config for type \"tmpfs\": field Source must not be specified"
    );
    for subpath in ["../x", "/x", "a/../../b"] {
        let options = VolumeOptions { subpath: subpath.to_owned(), ..VolumeOptions::default() };
        let volume_options = Some(options);
        assert_eq!(
            text(Mount { volume_options, ..mount(MountType::Volume, "cpy", "/d") }),
            "invalid mount config for type \"volume\": subpath must be a relative path within the volume"
        );
    }
    let missing = MountError::SourceMissing { path: "/srv/demo/nosuch2".to_owned() };
    assert_eq!(
        missing.to_string(),
        "invalid mount config for type \"bind\": bind source path does not exist: /srv/demo/nosuch2"
    );
}

#[test]
fn mounts_become_mounts_of_the_container() {
    let tmpfs_options = Some(TmpfsOptions { size_bytes: 7, ..TmpfsOptions::default() });
    let planned = mounts(vec![
        mount(MountType::Bind, "/s", "/m"),
        mount(MountType::Volume, "", "/v"),
        Mount { tmpfs_options, ..mount(MountType::Tmpfs, "", "/t") },
    ])
    .unwrap();
    assert!(!planned[0].mount.create_source);
    assert!(planned[1].mount.anonymous);
    assert_eq!(planned[1].mount.point.name, "random1");
    assert_eq!(planned[1].volume.as_ref().unwrap().name, "random1");
    assert_eq!(planned[2].mount.tmpfs.size_bytes, 7);
    assert_eq!(
        points(&planned)[2],
        r#"{"Type":"tmpfs","Source":"","Destination":"/t","Mode":"","RW":true,"Propagation":""}"#
    );
}

#[test]
fn image_volumes_give_way() {
    let config = Config {
        volumes: Some(
            ["/data", "/pv", "/tmp", "relative"].map(|p| (p.to_owned(), Empty {})).into(),
        ),
        ..Config::default()
    };
    let host = HostConfig {
        binds: Some(vec!["pv:/pv".to_owned()]),
        tmpfs: [("/tmp".to_owned(), String::new())].into(),
        ..HostConfig::default()
    };
    let planned = planned(&config, &host).unwrap();
    let places: Vec<&str> =
        planned.iter().map(|one| one.mount.point.destination.as_str()).collect();
    assert_eq!(places, ["/pv", "/data", "/relative"]);
    assert!(planned[1].mount.anonymous && planned[1].mount.copy_up);
    assert_eq!(planned[1].mount.point.mode, "");
}

#[test]
fn tmpfs_paths_are_checked() {
    let host = |path: &str, bind: &str| HostConfig {
        tmpfs: [(path.to_owned(), String::new())].into(),
        binds: Some(vec![bind.to_owned()]),
        ..HostConfig::default()
    };
    let text = |host| planned(&Config::default(), &host).unwrap_err().to_string();
    assert_eq!(text(host("t", "/a:/b")), "invalid mount path: 't' mount path must be absolute");
    assert_eq!(text(host("/t/", "/a:/t")), "Duplicate mount point: /t");
    let root = "invalid specification: destination can't be '/'";
    assert_eq!(text(host("/", "/a:/b")), root);
    assert_eq!(text(host("/t/..", "/a:/b")), root);
}

#[test]
fn donors_come_first_and_can_be_replaced() {
    let donor = binds(&["named1:/n", "/s:/data"]).unwrap();
    let donor: Vec<ContainerMount> = donor.into_iter().map(|one| one.mount).collect();
    let host = HostConfig { binds: Some(vec!["mine:/data".to_owned()]), ..HostConfig::default() };
    let planned = plan(
        &Config::default(),
        &host,
        &[Donor { mounts: &donor, read_only: true }],
        &mut String::new,
    )
    .unwrap();
    assert_eq!(planned.len(), 2);
    assert_eq!(planned[0].mount.point.name, "named1");
    assert!(!planned[0].mount.point.rw && !planned[0].mount.copy_up);
    assert_eq!(planned[1].mount.point.name, "mine");
}

#[test]
fn volumes_from_has_a_mode() {
    let read = |option| volumes_from(option).map(|from| (from.container, from.read_only));
    assert_eq!(read("vf"), Ok(("vf".to_owned(), false)));
    assert_eq!(read("vf:ro"), Ok(("vf".to_owned(), true)));
    assert_eq!(read("vf:bogus").unwrap_err().to_string(), "invalid mode: bogus");
    assert!(read("vf:nocopy").is_err());
    assert_eq!(
        read("").unwrap_err().to_string(),
        "volumes-from specification cannot be an empty string"
    );
}
