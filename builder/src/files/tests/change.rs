//! Files that change or go away while they are taken, and what takes the place of another kind.

use std::cell::Cell;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::super::{FilesError, Hashes, Placement, Selectors, select};
use super::{Case, USUAL, to};

fn all() -> Selectors<'static> {
    Selectors { pattern: "/", ..Selectors::default() }
}

#[test]
fn a_file_that_changed_is_copied_and_told_of() {
    for pattern in ["/", "d/x"] {
        let case = Case::new(&USUAL);
        let tree = case.tree();
        let selection = select(&tree, &Selectors { pattern, ..all() }).unwrap();
        let content = selection.digest(&mut Hashes::in_memory()).unwrap();
        fs::write(case.context().join("d/x"), "longer than before").unwrap();
        let root = File::open(case.root()).unwrap();
        let copied = selection.copy_into(root.as_fd(), &to("/out/")).unwrap();
        assert_ne!(copied.stamp, content.stamp);
        assert_eq!(copied.files, content.files);
    }
}

#[test]
fn what_went_away_is_gone() {
    let case = Case::new(&USUAL);
    symlink("x", case.context().join("d/l")).unwrap();
    let tree = case.tree();
    let selection = select(&tree, &all()).unwrap();
    // `a.txt` is before the first question, `d` goes when it is asked about `b.txt`.
    let asked = Cell::new(0);
    let mut ends = || {
        asked.set(asked.get() + 1);
        if asked.get() == 2 {
            fs::remove_file(case.context().join("b.txt")).unwrap();
            fs::remove_dir_all(case.context().join("d")).unwrap();
        }
        false
    };
    let content = selection.digest_until(&mut Hashes::in_memory(), &mut ends).unwrap();
    assert!(content.files <= 2, "{content:?}");
    let root = File::open(case.root()).unwrap();
    selection.copy_into(root.as_fd(), &to("/")).unwrap();
    assert_eq!(case.listing(), "a.txt");
}

#[test]
fn reading_ends_when_it_is_wanted_no_more() {
    let case = Case::new(&USUAL);
    fs::write(case.context().join("large"), vec![7; 1 << 20]).unwrap();
    let tree = case.tree();
    for after in [0, 1, 9] {
        let mut left = after;
        let mut ends = || {
            left -= 1;
            left < 0
        };
        let selection = select(&tree, &all()).unwrap();
        let outcome = selection.digest_until(&mut Hashes::in_memory(), &mut ends);
        assert!(matches!(outcome, Err(FilesError::Ended)), "{after}: {outcome:?}");
    }
}

#[test]
fn one_kind_in_the_place_of_another() {
    let case = Case::new(&["file", "folder/f", "ring/g"]);
    let root = case.root();
    let kept = case.temp.path().join("kept");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("mine"), "").unwrap();
    fs::create_dir_all(root.join("file/deep/er")).unwrap();
    fs::write(root.join("file/deep/x"), "").unwrap();
    symlink(&kept, root.join("file/deep/link")).unwrap();
    fs::write(root.join("folder"), "").unwrap();
    symlink(&kept, root.join("ring")).unwrap();
    let placement = Placement { replaces: true, ..to("/") };
    case.copy_with(&all(), &placement).unwrap();
    assert_eq!(case.listing(), "file folder/ folder/f ring/ ring/g");
    assert!(root.join("ring").symlink_metadata().unwrap().is_dir());
    assert_eq!(fs::read_dir(&kept).unwrap().count(), 1, "nothing through a link");
}

#[test]
fn what_is_left_out_is_not_opened() {
    if rustix::process::geteuid().is_root() {
        // Nothing is closed to root.
        return;
    }
    let case = Case::new(&["a", "s/b", "t/u/c"]);
    let close = |path: &str, mode| {
        fs::set_permissions(case.context().join(path), PermissionsExt::from_mode(mode)).unwrap();
    };
    close("t/u", 0);
    let error = case.copy("t", "/x").unwrap_err();
    let open = |error: &FilesError| match error {
        FilesError::Io { doing, path, .. } => format!("{doing} {path}"),
        error => error.to_string(),
    };
    assert_eq!(open(&error), "open /t/u");
    close("t/u", 0o755);
    close("t/u/c", 0);
    assert_eq!(open(&case.copy("t", "/x").unwrap_err()), "open /t/u/c");
    close("t/u", 0);
    let case = case.ignoring("t/u\n!s/b\n");
    case.copy("/", "/").unwrap();
    assert_eq!(case.listing(), "a s/ s/b t/");
    fs::set_permissions(case.context().join("t/u"), PermissionsExt::from_mode(0o755)).unwrap();
}
