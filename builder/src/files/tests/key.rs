//! What counts for the key of a step, and contexts that mean ill.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::super::{Hashes, Selectors, Tree, limits, select};
use super::{Case, to};

#[test]
fn what_counts_for_the_key() {
    let case = Case::new(&["d/x", "d/e/y", "other"]);
    let key = || {
        let tree = case.tree();
        let selection = select(&tree, &Selectors { pattern: "d", ..Selectors::default() }).unwrap();
        selection.digest(&mut Hashes::in_memory()).unwrap().key
    };
    let first = key();
    let context = case.context();
    let mode = |path: &str, mode| {
        fs::set_permissions(context.join(path), PermissionsExt::from_mode(mode)).unwrap();
    };
    // Nothing of what is not named, no time, and not the mode of the folder that is.
    fs::write(context.join("other"), "changed").unwrap();
    File::open(context.join("d/x"))
        .unwrap()
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    mode("d", 0o700);
    assert_eq!(key(), first);
    type Change<'a> = &'a dyn Fn();
    let changes: [(Change<'_>, Change<'_>); 6] = [
        (&|| fs::write(context.join("d/x"), "new").unwrap(), &|| {
            fs::write(context.join("d/x"), "d/x").unwrap()
        }),
        (&|| mode("d/x", 0o600), &|| mode("d/x", 0o644)),
        (&|| mode("d/e", 0o700), &|| mode("d/e", 0o755)),
        (&|| fs::create_dir(context.join("d/n")).unwrap(), &|| {
            fs::remove_dir(context.join("d/n")).unwrap()
        }),
        (&|| symlink("x", context.join("d/l")).unwrap(), &|| {
            fs::remove_file(context.join("d/l")).unwrap()
        }),
        (&|| fs::rename(context.join("d/x"), context.join("d/z")).unwrap(), &|| {
            fs::rename(context.join("d/z"), context.join("d/x")).unwrap()
        }),
    ];
    mode("d/x", 0o644);
    mode("d/e", 0o755);
    for (number, (there, back)) in changes.iter().enumerate() {
        there();
        assert_ne!(key(), first, "{number}");
        back();
        assert_eq!(key(), first, "{number}");
    }
}

#[test]
fn hostile_contexts() {
    let case = Case::new(&["a"]);
    let mut deep = case.context();
    for _ in 0..=limits::FOLDER_DEPTH_MAX {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    let error = case.copy(".", "/").unwrap_err().to_string();
    assert!(error.ends_with("more than 400 folders within each other"), "{error}");
    fs::remove_dir(&deep).unwrap();
    case.copy(".", "/").unwrap();
    for path in ["..", "../..", "/..", "a/../.."] {
        let case = Case::new(&["a"]);
        case.copy(path, "/").unwrap();
        assert_eq!(case.listing(), "a", "{path}");
    }
    // A pipe in the place of a file that was looked at is not waited for.
    let tree = case.tree();
    let selection = select(&tree, &Selectors { pattern: "a", ..Selectors::default() }).unwrap();
    fs::remove_file(case.context().join("a")).unwrap();
    assert!(selection.digest(&mut Hashes::in_memory()).is_err());
    symlink("/etc/passwd", case.context().join("a")).unwrap();
    let root = File::open(case.root()).unwrap();
    fs::remove_file(case.root().join("a")).unwrap();
    // The link itself is copied: nothing outside is read.
    selection.copy_into(root.as_fd(), &to("/")).unwrap();
    assert!(case.root().join("a").is_symlink());
}

#[test]
fn what_changes_between_is_found_out() {
    let case = Case::new(&["d/x", "d/y"]);
    let tree = case.tree();
    let selection = select(&tree, &Selectors { pattern: "d", ..Selectors::default() }).unwrap();
    let stamp = selection.digest(&mut Hashes::in_memory()).unwrap().stamp;
    fs::write(case.context().join("d/x"), "other").unwrap();
    let root = File::open(case.root()).unwrap();
    assert_ne!(selection.copy_into(root.as_fd(), &to("/")).unwrap().stamp, stamp);
}

#[test]
fn a_file_of_an_image_with_several_names_is_read_once() {
    let case = Case::new(&["d/one"]);
    let folder = case.context().join("d");
    fs::write(folder.join("one"), vec![1; 10 * limits::BUFFER_BYTES]).unwrap();
    let digest = || {
        let tree = Tree::root_filesystem(&case.context()).unwrap();
        let selection = select(&tree, &Selectors { pattern: "d", ..Selectors::default() }).unwrap();
        let mut asked = 0;
        let mut ends = || {
            asked += 1;
            false
        };
        let content = selection.digest_until(&mut Hashes::in_memory(), &mut ends).unwrap();
        (content.key, asked)
    };
    for name in ["two", "three"] {
        fs::hard_link(folder.join("one"), folder.join(name)).unwrap();
    }
    let (key, asked) = digest();
    // Before each of the names, and before each piece of the content and its end.
    assert_eq!(asked, 3 + 11);
    // Copies of it are the same to the key.
    for name in ["two", "three"] {
        fs::remove_file(folder.join(name)).unwrap();
        fs::copy(folder.join("one"), folder.join(name)).unwrap();
    }
    assert_eq!(digest(), (key, 3 * (1 + 11)));
}
