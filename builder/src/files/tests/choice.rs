//! What is left out, and what `--parents` takes.

use std::fs;
use std::os::unix::fs::symlink;

use super::super::Selectors;
use super::{Case, USUAL, to};

#[test]
fn what_is_left_out() {
    let files = [".hid", "README.md", "a.txt", "d/a.txt", "d/e/a.txt", "d/e/z", "d/k.md"];
    for (ignore, wanted) in [
        ("*.md\nd/e", ".hid a.txt d/ d/a.txt d/k.md"),
        ("*", ""),
        ("*\n!d\nd/e\n!README.md", "README.md d/ d/a.txt d/k.md"),
        ("d\n!d/e/z", ".hid README.md a.txt d/ d/e/ d/e/z"),
        ("!a.txt\n*.txt", ".hid README.md d/ d/a.txt d/e/ d/e/a.txt d/e/z d/k.md"),
        ("d/**/a.txt\n**/e/*\n!**/e/z", ".hid README.md a.txt d/ d/e/ d/e/z d/k.md"),
        ("[.R]*\nd/[!k]*", "a.txt d/ d/a.txt d/e/ d/e/a.txt d/e/z"),
    ] {
        let case = Case::new(&files).ignoring(ignore);
        case.copy(".", "/").unwrap();
        assert_eq!(case.listing(), wanted, "{ignore:?}");
    }
    let case = Case::new(&files).ignoring("d\n!d/e/z\n*.txt");
    symlink("a.txt", case.context().join("l")).unwrap();
    for path in ["d/e/a.txt", "d/k.md", "a.txt", "l"] {
        assert!(case.copy(path, "/x").is_err(), "{path}");
    }
    fs::remove_file(case.context().join("l")).unwrap();
    case.copy("*", "/x/").unwrap();
    assert_eq!(case.listing(), "x/ x/.hid x/README.md x/e/ x/e/z");
}

#[test]
fn excluded() {
    for (exclude, pattern, wanted) in [
        (&["*.txt"][..], ".", "d/ d/.h2 d/e/ d/e/y d/x"),
        (&["d/e", "**/.h*"], ".", "a.txt b.txt d/ d/x"),
        (&["x"], "d", ".h2 e/ e/y"),
        (&["e/y"], "d", ".h2 e/ x"),
        (&["*", "!a.txt"], ".", "a.txt"),
        (&["d", "!d/e"], ".", "a.txt b.txt d/ d/e/ d/e/y"),
    ] {
        let case = Case::new(&USUAL);
        let exclude: Vec<String> = exclude.iter().map(|one| (*one).to_owned()).collect();
        let selectors = Selectors { pattern, exclude: &exclude, parents: false };
        case.copy_with(&selectors, &to("/")).unwrap();
        assert_eq!(case.listing(), wanted, "{exclude:?} {pattern}");
    }
}

#[test]
fn with_parents() {
    let files = ["a/b/c.txt", "a/b/d.txt", "a/top.txt", "e/f.txt", "e/g/h.txt", "root.txt"];
    for (pattern, wanted) in [
        ("a/b/c.txt", "t/ t/a/ t/a/b/ t/a/b/c.txt"),
        ("./a/./b/c.txt", "t/ t/b/ t/b/c.txt"),
        ("a/./b", "t/ t/b/ t/b/c.txt t/b/d.txt"),
        ("a/b/./d.txt", "t/ t/d.txt"),
        ("*/./b/*.txt", "t/ t/b/ t/b/c.txt t/b/d.txt"),
        ("a/././b/c.txt", "t/ t/b/ t/b/c.txt"),
        ("**/c.txt", "t/ t/a/ t/a/b/ t/a/b/c.txt"),
        ("e", "t/ t/e/ t/e/f.txt t/e/g/ t/e/g/h.txt"),
        ("a/*.none", "t/"),
        ("l", "t/ t/l->a"),
    ] {
        let case = Case::new(&files);
        symlink("a", case.context().join("l")).unwrap();
        let selectors = Selectors { pattern, parents: true, ..Selectors::default() };
        case.copy_with(&selectors, &to("/t/")).unwrap();
        assert_eq!(case.listing(), wanted, "{pattern}");
    }
    let case = Case::new(&files);
    let selectors = Selectors { pattern: "a/b/no.txt", parents: true, ..Selectors::default() };
    let error = case.copy_with(&selectors, &to("/t/")).unwrap_err().to_string();
    assert!(error.ends_with(": \"/a/b/no.txt\": not found"), "{error}");
}
