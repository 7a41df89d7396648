//! Copying as a whole: what comes out where.

mod archives;
mod change;
mod choice;
mod key;
mod speed;

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::{FilesError, Hashes, ModeChange, Owner, Placement, Selectors, Tree, select};
use crate::ignore::Ignore;

/// A context and a root, both in memory of the test.
struct Case {
    temp: tempfile::TempDir,
    ignore: Option<String>,
}

impl Case {
    fn new(files: &[&str]) -> Self {
        let case = Self { temp: tempfile::tempdir().unwrap(), ignore: None };
        fs::create_dir_all(case.context()).unwrap();
        fs::create_dir_all(case.root()).unwrap();
        for file in files {
            let path = case.context().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, *file).unwrap();
        }
        case
    }

    fn ignoring(mut self, text: &str) -> Self {
        self.ignore = Some(text.to_owned());
        self
    }

    fn context(&self) -> std::path::PathBuf {
        self.temp.path().join("context")
    }

    fn root(&self) -> std::path::PathBuf {
        self.temp.path().join("root")
    }

    fn tree(&self) -> Tree {
        let ignore = self.ignore.as_deref().map(Ignore::parse);
        Tree::context(&self.context(), ignore.as_ref()).unwrap()
    }

    fn copy_with(
        &self,
        selectors: &Selectors<'_>,
        placement: &Placement,
    ) -> Result<(), FilesError> {
        let tree = self.tree();
        let selection = select(&tree, selectors)?;
        let content = selection.digest(&mut Hashes::in_memory())?;
        let root = File::open(self.root()).unwrap();
        let copied = selection.copy_into(root.as_fd(), placement)?;
        assert_eq!(copied.stamp, content.stamp, "nothing changed");
        assert_eq!(copied.files, content.files);
        Ok(())
    }

    fn copy(&self, pattern: &str, destination: &str) -> Result<(), FilesError> {
        self.copy_with(&Selectors { pattern, ..Selectors::default() }, &to(destination))
    }

    /// Everything in the root, one line each.
    fn listing(&self) -> String {
        let mut out = Vec::new();
        list(&self.root(), "", &mut out);
        out.join(" ")
    }
}

fn to(destination: &str) -> Placement {
    // Whoever runs the tests may not give files away.
    Placement { destination: destination.to_owned(), one_id: true, ..Placement::default() }
}

fn list(folder: &Path, prefix: &str, out: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            out.push(format!("{name}/"));
            list(&entry.path(), &format!("{name}/"), out);
        } else if kind.is_symlink() {
            out.push(format!("{name}->{}", fs::read_link(entry.path()).unwrap().display()));
        } else {
            out.push(name);
        }
    }
}

const USUAL: [&str; 5] = ["a.txt", "b.txt", "d/x", "d/.h2", "d/e/y"];

#[test]
fn files_and_folders() {
    for (pattern, destination, wanted) in [
        ("a.txt", "/one", "one"),
        ("/a.txt", "/dir/", "dir/ dir/a.txt"),
        ("d", "/d", "d/ d/.h2 d/e/ d/e/y d/x"),
        ("d/", "/e/", "e/ e/.h2 e/e/ e/e/y e/x"),
        ("d/x", "/p/q/r", "p/ p/q/ p/q/r"),
        ("*.txt", "/t/", "t/ t/a.txt t/b.txt"),
        ("?.txt", "/t", "t"),
        ("[^a].txt", "/t/", "t/ t/b.txt"),
        ("d/*", "/t/", "t/ t/.h2 t/x t/y"),
        ("d/*/y", "/t/", "t/ t/y"),
        ("**/y", "/t/", ""),
        ("d/**/y", "/t/", "t/ t/y"),
        ("*.nope", "/t/", ""),
        ("../../a.txt", "/../up", "up"),
    ] {
        let case = Case::new(&USUAL);
        case.copy(pattern, destination).unwrap();
        assert_eq!(case.listing(), wanted, "{pattern} {destination}");
    }
}

#[test]
fn what_is_not_there() {
    let case = Case::new(&USUAL);
    symlink("/etc/passwd", case.context().join("out")).unwrap();
    symlink("loop", case.context().join("loop")).unwrap();
    let begin = "failed to compute cache key: failed to calculate checksum of ref context::";
    for path in ["nosuch", "d/nosuch/x", "a.txt/x", "out"] {
        let error = case.copy(path, "/x").unwrap_err().to_string();
        assert!(error.starts_with(begin), "{error}");
        assert!(error.ends_with(&format!(": \"/{path}\": not found")), "{error}");
    }
    for path in ["loop", "loop/x"] {
        let error = case.copy(path, "/x").unwrap_err().to_string();
        assert!(error.starts_with(begin) && error.ends_with(": too many links"), "{error}");
    }
    assert_eq!(case.listing(), "");
    let tree = Tree::root_filesystem(&case.context()).unwrap();
    let error = select(&tree, &Selectors { pattern: "/nosuch", ..Selectors::default() });
    assert_eq!(error.unwrap_err().to_string(), "lstat /nosuch: no such file or directory");
}

#[test]
fn links_of_the_context() {
    let case = Case::new(&USUAL);
    let context = case.context();
    symlink("a.txt", context.join("lf")).unwrap();
    symlink("d", context.join("ld")).unwrap();
    symlink("/../b.txt", context.join("labs")).unwrap();
    symlink("../../../up", context.join("d/nup")).unwrap();
    for (pattern, destination) in
        [("lf", "/one"), ("ld/", "/two"), ("ld/x", "/three"), ("l*", "/four/"), ("labs", "/five")]
    {
        case.copy(pattern, destination).unwrap();
    }
    assert_eq!(
        case.listing(),
        "five four/ four/.h2 four/e/ four/e/y four/labs four/lf four/nup->../../../up four/x \
         one three two/ two/.h2 two/e/ two/e/y two/nup->../../../up two/x"
    );
    assert_eq!(fs::read_to_string(case.root().join("five")).unwrap(), "b.txt");
}

#[test]
fn links_of_the_destination() {
    let case = Case::new(&USUAL);
    let root = case.root();
    fs::create_dir(root.join("real")).unwrap();
    for (target, name) in
        [("/real", "ldir"), ("/oldf", "lfile"), ("/gone", "dang"), ("../../../..", "up")]
    {
        symlink(target, root.join(name)).unwrap();
    }
    fs::write(root.join("oldf"), "old").unwrap();
    for (pattern, destination) in [
        ("a.txt", "/ldir/"),
        ("b.txt", "/lfile"),
        ("d", "/ldir"),
        ("a.txt", "/dang"),
        ("a.txt", "/up/z"),
    ] {
        case.copy(pattern, destination).unwrap();
    }
    assert_eq!(
        case.listing(),
        "dang->/gone gone ldir->/real lfile->/oldf oldf real/ real/.h2 real/a.txt real/e/ \
         real/e/y real/x up->../../../.. z"
    );
    assert_eq!(fs::read_to_string(root.join("oldf")).unwrap(), "b.txt");
}

#[test]
fn one_in_the_place_of_another() {
    let case = Case::new(&USUAL);
    let root = case.root();
    fs::write(root.join("file"), "").unwrap();
    fs::create_dir_all(root.join("t/x")).unwrap();
    fs::create_dir_all(root.join("u")).unwrap();
    fs::write(root.join("u/e"), "").unwrap();
    symlink("/file", root.join("u/x")).unwrap();
    for (pattern, destination, wanted) in [
        ("d", "/file", "cannot copy to non-directory: /file"),
        ("d", "/t", "cannot replace to directory /t/x with file"),
        ("d", "/u", "cannot copy to non-directory: /u/e"),
        ("a.txt", "/file/x", "mkdir /file: not a directory"),
    ] {
        assert_eq!(case.copy(pattern, destination).unwrap_err().to_string(), wanted);
    }
    // A link at the last part is replaced, not followed.
    case.copy("d/x", "/u/").unwrap();
    assert!(root.join("u/x").symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read_to_string(root.join("file")).unwrap(), "");
}

#[test]
fn modes_and_times() {
    let case = Case::new(&["m/p", "m/r/s"]);
    let mode = |path: &str, mode| {
        fs::set_permissions(case.context().join(path), PermissionsExt::from_mode(mode)).unwrap();
    };
    mode("m/p", 0o4711);
    mode("m/r", 0o1700);
    mode("m", 0o700);
    let time =
        std::time::SystemTime::UNIX_EPOCH + std::time::Duration::new(1_577_836_800, 123_456_789);
    File::open(case.context().join("m/p")).unwrap().set_modified(time).unwrap();
    case.copy("m", "/m").unwrap();
    let found = |path: &str| fs::metadata(case.root().join(path)).unwrap();
    assert_eq!(found("m").mode() & 0o7777, 0o755, "that of the named folder does not count");
    assert_eq!(found("m/r").mode() & 0o7777, 0o1700);
    assert_eq!(found("m/p").mode() & 0o7777, 0o4711);
    assert_eq!(found("m/p").modified().unwrap(), time);
    let change = |text| Placement { mode: ModeChange::parse(text), ..to("/new/dir/") };
    let all = Selectors { pattern: "m", ..Selectors::default() };
    case.copy_with(&all, &change("751")).unwrap();
    for path in ["new", "new/dir", "new/dir/r", "new/dir/r/s"] {
        assert_eq!(found(path).mode() & 0o7777, 0o751, "{path}");
    }
    let change = Placement { mode: ModeChange::parse("go-r,u=rwx"), ..to("/sym") };
    case.copy_with(&all, &change).unwrap();
    for (path, wanted) in [("sym", 0o755), ("sym/r/s", 0o700), ("sym/p", 0o711)] {
        assert_eq!(found(path).mode() & 0o777, wanted, "{path}");
    }
}

#[test]
fn owners_are_written_down_with_one_id() {
    let case = Case::new(&["f", "d/g"]);
    let placement = Placement { owner: Some(Owner { uid: 5, gid: 6 }), ..to("/a/b/") };
    for pattern in ["f", "d"] {
        let selectors = Selectors { pattern, ..Selectors::default() };
        case.copy_with(&selectors, &placement).unwrap();
    }
    for path in ["a", "a/b", "a/b/f", "a/b/g"] {
        let path = case.root().join(path);
        let meta = fs::metadata(&path).unwrap();
        if meta.uid() == 5 {
            continue;
        }
        let mut value = [0; 16];
        let name = coracle_image::unpack::OWNER_XATTR;
        match rustix::fs::getxattr(&path, name, &mut value) {
            Ok(length) => assert_eq!(&value[..length], b"5:6"),
            Err(errno) => assert_eq!(errno, rustix::io::Errno::NOTSUP),
        }
    }
}

#[test]
fn names_of_one_file_stay_together() {
    let case = Case::new(&["s/a"]);
    fs::hard_link(case.context().join("s/a"), case.context().join("s/b")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        case.context().join("s/p"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(case.context().join("s/s")).unwrap();
    case.copy("s", "/s").unwrap();
    let inode = |path: &str| fs::metadata(case.root().join(path)).unwrap().ino();
    assert_eq!(inode("s/a"), inode("s/b"));
    let kind = |path: &str| fs::metadata(case.root().join(path)).unwrap().file_type();
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&kind("s/p")));
    assert!(kind("s/s").is_file());
}

#[test]
fn attributes_come_along_and_count() {
    let case = Case::new(&["f", "d/e/g"]);
    let key = || {
        let tree = case.tree();
        let selection = select(&tree, &Selectors { pattern: "d", ..Selectors::default() }).unwrap();
        selection.digest(&mut Hashes::in_memory()).unwrap().key
    };
    let before = key();
    let flags = rustix::fs::XattrFlags::empty();
    for path in ["f", "d/e", "d/e/g"] {
        let set = rustix::fs::setxattr(case.context().join(path), "user.note", b"kept", flags);
        if set == Err(rustix::io::Errno::NOTSUP) {
            // There is nothing to lose here.
            return;
        }
        set.unwrap();
    }
    assert_ne!(key(), before);
    case.copy("f", "/f").unwrap();
    case.copy("d", "/d").unwrap();
    for path in ["f", "d/e", "d/e/g"] {
        let mut value = [0; 8];
        let length = rustix::fs::getxattr(case.root().join(path), "user.note", &mut value);
        assert_eq!(length.map(|length| &value[..length]), Ok(&b"kept"[..]), "{path}");
    }
}
