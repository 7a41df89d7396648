//! Tests of the parent module: copies between a directory of the host and one that stands
//! for a container's root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::*;

struct Places {
    _temp: tempfile::TempDir,
    host: PathBuf,
    root: PathBuf,
}

/// A host with `cpd` as in the recorded sessions and a container's root.
fn places() -> Places {
    let temp = tempfile::tempdir().unwrap();
    let (host, root) = (temp.path().join("host"), temp.path().join("root"));
    for dir in ["host/cpd/s", "root/tmp", "root/etc", "root/d1/d2", "root/usr/bin", "root/opt"] {
        fs::create_dir_all(temp.path().join(dir)).unwrap();
    }
    fs::write(host.join("cpd/a"), "1\n").unwrap();
    fs::set_permissions(host.join("cpd/a"), Permissions::from_mode(0o640)).unwrap();
    symlink("a", host.join("cpd/l")).unwrap();
    fs::write(host.join("cpd/s/b"), "2\n").unwrap();
    fs::write(root.join("etc/passwd"), "root").unwrap();
    fs::write(root.join("d1/f"), "x\n").unwrap();
    symlink("f", root.join("d1/l")).unwrap();
    symlink("/usr/bin", root.join("bin")).unwrap();
    Places { host, root, _temp: temp }
}

impl Places {
    fn put_with(&self, from: &str, to: &str, options: CopyOptions) -> Result<Copied> {
        let view = View::of_directory(&self.root);
        let from = names::absolute(self.host.to_str().unwrap(), from);
        let to = ContainerPath { name: "p1", path: to };
        copy_in(&view, &to, HostSource::Path(&from), options, false)
    }

    fn put(&self, from: &str, to: &str) -> String {
        told(self.put_with(from, to, CopyOptions::default()))
    }

    fn get_with(&self, from: &str, to: &str, options: CopyOptions) -> Result<Copied> {
        let view = View::of_directory(&self.root);
        let to = names::absolute(self.host.to_str().unwrap(), to);
        let from = ContainerPath { name: "p1", path: from };
        copy_out(&view, &from, HostTarget::Path(&to), options)
    }

    fn get(&self, from: &str, to: &str) -> String {
        told(self.get_with(from, to, CopyOptions::default()))
    }

    fn stream_in(&self, archive: &[u8], to: &str) -> String {
        let view = View::of_directory(&self.root);
        let to = ContainerPath { name: "p1", path: to };
        let mut archive = archive;
        told(copy_in(&view, &to, HostSource::Stream(&mut archive), CopyOptions::default(), false))
    }

    fn stream_out(&self, from: &str) -> Vec<String> {
        let view = View::of_directory(&self.root);
        let from = ContainerPath { name: "p1", path: from };
        let mut out = Vec::new();
        copy_out(&view, &from, HostTarget::Stream(&mut out), CopyOptions::default()).unwrap();
        let mut archive = tar::Archive::new(&out[..]);
        let entries = archive.entries().unwrap();
        entries.map(|e| String::from_utf8_lossy(&e.unwrap().path_bytes()).into_owned()).collect()
    }
}

fn told(outcome: Result<Copied>) -> String {
    outcome.map_or_else(|error| error.to_string(), |copied| copied.bytes.to_string())
}

fn listed(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn directories_into_a_container() {
    let places = places();
    let tmp = places.root.join("tmp");
    assert_eq!(places.put("cpd", "/tmp/"), "4608");
    assert_eq!(listed(&tmp.join("cpd")), ["a", "l", "s"]);
    assert_eq!(fs::metadata(tmp.join("cpd/a")).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(fs::read_link(tmp.join("cpd/l")).unwrap(), Path::new("a"));
    assert_eq!(fs::read_to_string(tmp.join("cpd/s/b")).unwrap(), "2\n");
    places.put("cpd", "/tmp/newname");
    assert_eq!(listed(&tmp.join("newname")), ["a", "l", "s"]);
    places.put("cpd/.", "tmp/contents");
    assert_eq!(listed(&tmp.join("contents")), ["a", "l", "s"]);
    places.put("cpd", "/tmp/newname");
    assert_eq!(listed(&tmp.join("newname")), ["a", "cpd", "l", "s"]);
    assert_eq!(places.put("cpd", "/etc/passwd"), "cannot copy directory");
}

#[test]
fn files_into_a_container() {
    let places = places();
    assert_eq!(places.put("cpd/a", "/tmp/file"), "2048");
    assert_eq!(fs::read_to_string(places.root.join("tmp/file")).unwrap(), "1\n");
    let time = |path: PathBuf| fs::metadata(path).unwrap().mtime();
    assert_eq!(time(places.root.join("tmp/file")), time(places.host.join("cpd/a")));
    places.put("cpd/a", "/etc/passwd");
    assert_eq!(fs::read_to_string(places.root.join("etc/passwd")).unwrap(), "1\n");
    assert_eq!(places.put("cpd/a", "/nosuch/dir/"), "no such directory");
    assert_eq!(
        places.put("cpd/a", "/nosuch/file"),
        "Could not find the file /nosuch in container p1"
    );
    assert_eq!(places.put("cpd/a", "/etc/passwd/"), "no such directory");
    assert_eq!(places.put("cpd/a", "/etc/passwd/x"), "extraction point is not a directory");
    assert_eq!(
        places.put("cpd/nosuch", "/"),
        format!("lstat {}/cpd/nosuch: no such file or directory", places.host.display())
    );
    let follow = CopyOptions { follow_link: true, ..CopyOptions::default() };
    places.put_with("cpd/l", "/tmp/", follow).unwrap();
    assert_eq!(fs::read_to_string(places.root.join("tmp/l")).unwrap(), "1\n");
    assert!(!places.root.join("tmp/l").is_symlink());
}

#[test]
fn symlinks_of_a_container_stay_inside() {
    let places = places();
    let outside = places.host.join("outside");
    fs::create_dir(&outside).unwrap();
    // The destination is a symlink: what it leads to inside is replaced.
    symlink("/etc/passwd", places.root.join("tmp/pw")).unwrap();
    places.put("cpd/a", "/tmp/pw");
    assert_eq!(fs::read_to_string(places.root.join("etc/passwd")).unwrap(), "1\n");
    assert!(places.root.join("tmp/pw").is_symlink());
    places.put("cpd/a", "/bin/tool");
    assert!(places.root.join("usr/bin/tool").is_file());
    // An absolute one to a directory that exists on the host alone.
    symlink(&outside, places.root.join("tmp/out")).unwrap();
    let told = places.put("cpd/a", "/tmp/out/x");
    assert_eq!(told, "Could not find the file /tmp/out in container p1");
    symlink(
        "../../../../../../..".to_owned() + outside.to_str().unwrap(),
        places.root.join("tmp/up"),
    )
    .unwrap();
    assert_eq!(places.put("cpd/a", "/tmp/up/x"), "Could not find the file /tmp/up in container p1");
    assert!(listed(&outside).is_empty());
    // The same as sources.
    let secret = places.host.join("secret");
    fs::write(&secret, "secret").unwrap();
    symlink(&secret, places.root.join("tmp/leak")).unwrap();
    let follow = CopyOptions { follow_link: true, ..CopyOptions::default() };
    let error = places.get_with("/tmp/leak", "got", follow).unwrap_err().to_string();
    assert!(error.starts_with("Could not find the file "), "{error}");
    places.get("/tmp/leak", "got");
    assert_eq!(fs::read_link(places.host.join("got")).unwrap(), secret);
}

#[test]
fn out_of_a_container() {
    let places = places();
    assert_eq!(places.get("/d1", "out1"), "3584");
    assert_eq!(listed(&places.host.join("out1")), ["d2", "f", "l"]);
    places.get("/d1/l", "out2");
    assert_eq!(fs::read_link(places.host.join("out2")).unwrap(), Path::new("f"));
    let follow = CopyOptions { follow_link: true, ..CopyOptions::default() };
    places.get_with("/d1/l", "out3", follow).unwrap();
    assert_eq!(fs::read_to_string(places.host.join("out3")).unwrap(), "x\n");
    fs::create_dir(places.host.join("dir")).unwrap();
    places.get_with("/d1/l", "dir", follow).unwrap();
    assert_eq!(fs::read_to_string(places.host.join("dir/l")).unwrap(), "x\n");
    places.get("/d1/.", "dir");
    assert_eq!(listed(&places.host.join("dir")), ["d2", "f", "l"]);
    assert_eq!(places.get("/nosuch", "."), "Could not find the file /nosuch in container p1");
    assert_eq!(places.get("/d1", "cpd/a"), "cannot copy directory");
    assert_eq!(places.get("/d1/f", "no/"), "no such directory");
    assert_eq!(
        places.get("/d1/f", "no/such"),
        format!("invalid output path: directory \"{}/no\" does not exist", places.host.display())
    );
}

#[test]
fn set_id_bits_reach_the_host_only_on_request() {
    let places = places();
    fs::set_permissions(places.root.join("d1/f"), Permissions::from_mode(0o4755)).unwrap();
    let mode = |name: &str| fs::metadata(places.host.join(name)).unwrap().mode() & 0o7777;
    places.get("/d1/f", "plain");
    assert_eq!(mode("plain"), 0o755);
    let archive = CopyOptions { archive: true, ..CopyOptions::default() };
    places.get_with("/d1/f", "all", archive).unwrap();
    assert_eq!(mode("all"), 0o4755);
}

#[test]
fn streams_out() {
    let places = places();
    assert_eq!(places.stream_out("/d1"), ["d1/", "d1/d2/", "d1/f", "d1/l"]);
    assert_eq!(places.stream_out("/d1/."), ["./", "./d2/", "./f", "./l"]);
    assert_eq!(places.stream_out("/d1/f"), ["f"]);
}

/// An archive of files with these raw names, and one symlink before them if asked for.
fn archive(link: Option<(&str, &str)>, names: &[&str]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |name: &str, kind: tar::EntryType, link: &str| {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(0);
        header.set_cksum();
        builder.append(&header, &b""[..]).unwrap();
    };
    if let Some((name, target)) = link {
        add(name, tar::EntryType::Symlink, target);
    }
    for name in names {
        add(name, tar::EntryType::Regular, "");
    }
    builder.into_inner().unwrap()
}

#[test]
fn streams_in() {
    let places = places();
    let opt = places.root.join("opt");
    assert_eq!(places.stream_in(&archive(None, &["./a", "deep/b", "/abs"]), "/opt"), "0");
    assert_eq!(listed(&opt), ["a", "abs", "deep"]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::Write::write_all(&mut gzip, &archive(None, &["zipped"])).unwrap();
    places.stream_in(&gzip.finish().unwrap(), "/opt");
    assert!(opt.join("zipped").exists());
    // A parent that is a symlink of the container leads where it leads inside.
    places.stream_in(&archive(None, &["bin/tool"]), "/");
    assert!(places.root.join("usr/bin/tool").exists());
    assert_eq!(
        places.stream_in(b"x", "/nosuchdir"),
        "destination \"p1:/nosuchdir\" must be a directory"
    );
    assert_eq!(places.stream_in(b"bad\n", "/opt"), "unexpected EOF");
    fs::create_dir(opt.join("dir")).unwrap();
    assert_eq!(
        places.stream_in(&archive(None, &["dir"]), "/opt"),
        "cannot overwrite directory \"/opt/dir\" with non-directory \"/opt\""
    );
}

#[test]
fn hostile_streams_stay_inside() {
    let places = places();
    let outside = places.host.join("outside");
    fs::create_dir(&outside).unwrap();
    for names in [["../../x"], ["a/../../../x"]] {
        let told = places.stream_in(&archive(None, &names), "/opt");
        assert!(told.contains("leads out"), "{told}");
    }
    let link = Some(("esc", outside.to_str().unwrap()));
    let told = places.stream_in(&archive(link, &["esc/x"]), "/opt");
    assert!(told.starts_with("cannot reach `esc/x`"), "{told}");
    assert!(listed(&outside).is_empty());
}

#[test]
fn what_comes_out_follows_no_symlink_of_the_host() {
    let places = places();
    let outside = places.host.join("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(places.host.join("dest")).unwrap();
    symlink(&outside, places.host.join("dest/d2")).unwrap();
    let told = places.get("/d1/.", "dest");
    let dest = places.host.join("dest");
    assert_eq!(
        told,
        format!(
            "cannot overwrite non-directory \"{0}/d2\" with directory \"{0}/.\"",
            dest.display()
        )
        .replace("/.\"", "\"")
    );
    assert!(listed(&outside).is_empty());
}
