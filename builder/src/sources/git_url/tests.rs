use super::*;

fn read(text: &str) -> GitUrl {
    GitUrl::read(text).unwrap().unwrap_or_else(|| panic!("{text} is no repository"))
}

fn refused(text: &str) -> String {
    GitUrl::read(text).expect_err(text).to_string()
}

/// Remote, reference, folder.
fn seen(text: &str) -> (String, String, String) {
    let url = read(text);
    (url.remote, url.reference.unwrap_or_default(), url.subdir)
}

fn three(remote: &str, reference: &str, subdir: &str) -> (String, String, String) {
    (remote.to_owned(), reference.to_owned(), subdir.to_owned())
}

#[test]
fn not_every_address_is_a_repository() {
    for text in [
        "https://example.com/",
        "https://example.com/foo",
        "https://example.com/foo.git/",
        "https://example.com/foo.git.bar",
        "custom.xyz/moby/buildkit.git",
        "http://github.com/docker/docker.git:#branch",
        "./.git",
        "../x.git",
        ".git",
        "docker-image://alpine",
        "ftp://h/x.git",
        "hack/dockerfiles",
        "a b@h:x",
        "",
    ] {
        assert_eq!(GitUrl::read(text), Ok(None), "{text}");
    }
}

#[test]
fn what_follows_the_number_sign_is_reference_and_folder() {
    let e = "https://example.com/foo.git";
    assert_eq!(seen(e), three(e, "", ""));
    assert_eq!(seen(&format!("{e}#deadbeef")), three(e, "deadbeef", ""));
    assert_eq!(seen(&format!("{e}#baz/qux:quux/quuz")), three(e, "baz/qux", "quux/quuz"));
    assert_eq!(seen(&format!("{e}#:folder")), three(e, "", "folder"));
    assert_eq!(seen(&format!("{e}#v1:../../a/./b//c/..")), three(e, "v1", "a/b"));
    assert_eq!(seen("git://127.0.0.1/g.git#v1:sub"), three("git://127.0.0.1/g.git", "v1", "sub"));
    assert_eq!(seen("HTTPS://h/x.git"), three("https://h/x.git", "", ""));
}

#[test]
fn the_short_form_of_ssh() {
    assert_eq!(
        seen("git@github.com:moby/buildkit.git?subdir=/sub#v1.0.0"),
        three("git@github.com:moby/buildkit.git", "v1.0.0", "sub")
    );
    assert!(read("git@github.com:moby/buildkit").is_ssh());
    assert_eq!(read("git@github.com:moby/buildkit").host(), "github.com");
    assert!(read("ssh://git@h/x").is_ssh());
    assert!(!read("git://h/x").is_ssh());
}

#[test]
fn github_without_a_scheme_is_for_contexts() {
    let url = read("github.com/moby/buildkit?tag=v1.0.0");
    assert!(url.looks_local);
    assert_eq!(url.remote, "https://github.com/moby/buildkit");
    assert_eq!(url.reference.as_deref(), Some("refs/tags/v1.0.0"));
}

#[test]
fn queries_say_the_same_in_words() {
    let e = "https://h/x.git";
    assert_eq!(seen(&format!("{e}?ref=v1&subdir=/d")), three(e, "v1", "d"));
    assert_eq!(seen(&format!("{e}?branch=v1.0")), three(e, "refs/heads/v1.0", ""));
    assert_eq!(seen(&format!("{e}?tag=refs/tags/v1")), three(e, "refs/tags/v1", ""));
    let url = read(&format!("{e}?fetch-by-commit&checksum=dead&keep-git-dir=0&submodules#b"));
    assert!(url.fetches_by_commit);
    assert_eq!(url.checksum.as_deref(), Some("dead"));
    assert_eq!((url.keeps_git_dir, url.submodules), (Some(false), Some(true)));
    assert_eq!(read(&format!("{e}?mtime=commit")).mtime, Some(Mtime::Commit));
}

#[test]
fn a_wrong_query_is_told_in_buildkits_words() {
    for (query, words) in [
        ("ref=v1#v2", "ref conflicts: \"v2\" vs \"v1\""),
        ("ref=v1&tag=v2", "ref conflicts: \"v1\" vs \"refs/tags/v2\""),
        ("tag=v1&branch=v1", "branch conflicts with tag"),
        ("mtime=x", "invalid mtime value: \"x\" (must be \"checkout\" or \"commit\")"),
        ("fetch-by-commit=x", "invalid fetch-by-commit value: \"x\""),
        ("invalid=123", "unexpected query \"invalid\""),
        ("ref=", "query \"ref\" has no value"),
        ("ref=a&ref=b", "query \"ref\" has multiple values"),
        ("subdir=/a#:b", "subdir conflicts: \"b\" vs \"/a\""),
    ] {
        assert_eq!(refused(&format!("https://h/x.git?{query}")), words);
    }
}

#[test]
fn nothing_is_taken_for_an_option() {
    assert_eq!(
        refused("https://h/x.git#--upload-pack=touch"),
        "invalid git ref \"--upload-pack=touch\""
    );
    assert_eq!(refused("https://h/x.git?ref=-x"), "invalid git ref \"-x\"");
    assert_eq!(
        refused("ssh://-oProxyCommand=x/y"),
        "invalid git remote \"ssh://-oProxyCommand=x/y\""
    );
    assert_eq!(refused("-l@h:x"), "invalid git remote \"-l@h:x\"");
    assert_eq!(refused("git@-h:x"), "invalid git remote \"git@-h:x\"");
    assert_eq!(refused("ssh://-l@h/x"), "invalid git remote \"ssh://-l@h/x\"");
}

#[test]
fn passwords_are_not_shown() {
    let url = read("https://me:secret@h/x.git");
    assert_eq!(url.shown(), "https://me:xxxxx@h/x.git");
    assert_eq!(url.remote, "https://me:secret@h/x.git");
}
