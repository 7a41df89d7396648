use super::{Filter, Fits, clean};

fn matches(patterns: &[&str], path: &str) -> bool {
    let filter = Filter::new(patterns.iter().copied()).unwrap();
    filter.matches_alone(path, &mut Fits::new())
}

#[test]
fn one_pattern() {
    for (pattern, path, wanted) in [
        ("**", "file", true),
        ("**", "dir/file", true),
        ("**/", "file", true),
        ("**/**", "dir/file", true),
        ("dir/**", "dir/file", true),
        ("dir/**", "dir", false),
        ("dir/**", "dir/dir2/file", true),
        ("**/dir", "dir", true),
        ("**/dir2/*", "dir/dir2/file", true),
        ("**file", "file", true),
        ("**file", "dir/file", true),
        ("**file", "dir/afile", true),
        ("**/file", "dir/afile", false),
        ("**/file*", "dir/file", true),
        ("**/file*txt", "dir/dir/file.txt", true),
        ("**/**/*.txt", "dir/dir/file.txt", true),
        ("**/**/*.txt2", "dir/dir/file.txt", false),
        ("**/*.txt", "file.txt", true),
        ("**/**/*.txt", "file.txt", true),
        ("a**/*.txt", "a/file.txt", true),
        ("a**/*.txt", "a/dir/file.txt", true),
        ("a/*.txt", "a/dir/file.txt", false),
        ("a/*.txt**", "a/file.txt", true),
        ("a[b-d]e", "ae", false),
        ("a[b-d]e", "ace", true),
        ("a[^b-d]e", "aze", true),
        ("[!a]x", "bx", false),
        (".*", ".foo", true),
        (".*", "foo", false),
        ("abc.def", "abcdef", false),
        ("abc?def", "abcZdef", true),
        ("a\\\\", "a\\", true),
        // The edge of a word.
        ("a\\b", "ab", false),
        ("a\\d", "a1", true),
        ("a\\d", "ad", false),
        ("**/foo/bar", "dir/foo/bar", true),
        ("abc/**", "abc/def/ghi", true),
        ("**/.foo", ".foo", true),
        ("**/.foo", "bar.foo", false),
        ("a(b)c/def", "a(b)c/def", true),
        ("dir", "dir/file", true),
        ("./dir/", "dir/file", true),
        ("/dir", "dir", false),
    ] {
        assert_eq!(matches(&[pattern], path), wanted, "{pattern} {path}");
    }
}

#[test]
fn later_patterns_win() {
    let patterns = ["*", "!src", "src/*.tmp"];
    for (path, wanted) in [("a/x.js", true), ("src/a.js", false), ("src/a.tmp", true)] {
        assert_eq!(matches(&patterns, path), wanted, "{path}");
    }
    // What takes nothing back at the folder is not asked again in it.
    assert!(matches(&["d/x", "!d"], "d/x"));
}

#[test]
fn folders_worth_a_look() {
    let back = |patterns: &[&str], folder| {
        Filter::new(patterns.iter().copied()).unwrap().may_take_back_in(folder)
    };
    assert!(!back(&["node_modules", "!src/x"], "node_modules"));
    assert!(back(&["d", "!d/e/z"], "d"));
    assert!(back(&["d", "!d/e/z"], "d/e"));
    assert!(!back(&["d", "!d/e/z"], "d/f"));
    assert!(back(&["*", "!**/z"], "node_modules"));
    assert!(back(&["*", "!d/*/z"], "d"));
    assert!(back(&["*", "!d/*/z"], "d/x"));
    assert!(!back(&["*", "!d/*/z"], "e"));
    assert!(back(&["*", "!d/**"], "d"));
}

#[test]
fn refused() {
    for pattern in ["[", "a[", "!"] {
        assert!(Filter::new([pattern]).is_err(), "{pattern}");
    }
}

#[test]
fn paths_are_cleaned() {
    for (path, wanted) in
        [("a//b/./c/..", "a/b"), ("../a", "../a"), ("/../a", "/a"), ("./", "."), ("", "")]
    {
        assert_eq!(clean(path), wanted, "{path}");
    }
}

#[test]
fn a_long_pattern_takes_no_long_time() {
    let pattern = format!("{}b", "*a".repeat(2000));
    assert!(!matches(&[&pattern], &"a".repeat(4000)));
}
