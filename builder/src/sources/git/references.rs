//! Which commit an address means: what a server lists, compared with what is wanted. Pure.

use super::Resolved;
use crate::sources::error::SourceError;
use crate::sources::git_url::GitUrl;

/// The whole id of a commit, SHA-1 or SHA-256.
pub(super) fn is_commit(text: &str) -> bool {
    let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    matches!(text.len(), 40 | 64) && text.as_bytes().iter().all(hex)
}

/// What needs no server.
pub(super) fn known(url: &GitUrl) -> Result<Option<Resolved>, SourceError> {
    let checksum = url.checksum.as_deref();
    if let Some(checksum) = checksum
        && (checksum.is_empty() || !checksum.chars().all(|c| c.is_ascii_hexdigit()))
    {
        return wrong(format!("invalid checksum {checksum} for Git URL, expected hex commit hash"));
    }
    let exactly = |reference: &str, id: &str| Resolved {
        reference: reference.to_owned(),
        id: id.to_owned(),
        commit: None,
        log: String::new(),
    };
    if let Some(id) = url.reference.as_deref().filter(|reference| is_commit(reference)) {
        return match checksum {
            Some(checksum) if !id.starts_with(checksum) => {
                wrong(format!("expected checksum to match {checksum}, got {id}"))
            }
            _ => Ok(Some(exactly(id, id))),
        };
    }
    if !url.fetches_by_commit {
        return Ok(None);
    }
    let Some(checksum) = checksum else {
        return wrong("fetch-by-commit requires a checksum or a commit SHA ref".to_owned());
    };
    if !is_commit(checksum) {
        return wrong(format!(
            "fetch-by-commit requires a full commit SHA checksum, got {checksum:?}"
        ));
    }
    let reference = match url.reference.as_deref() {
        Some(reference) if reference.starts_with("refs/") => reference.to_owned(),
        Some(branch) => format!("refs/heads/{branch}"),
        None => checksum.to_owned(),
    };
    Ok(Some(exactly(&reference, checksum)))
}

/// Where `HEAD` points to, in what `ls-remote --symref` lists.
pub(super) fn default_branch(listed: &str) -> Option<String> {
    let (_, after) = listed.split_once("refs/heads/")?;
    let name: String = after.chars().take_while(|c| !c.is_whitespace()).collect();
    Some(name).filter(|name| !name.is_empty() && !name.starts_with('-'))
}

/// Finds the reference in what `ls-remote` lists: a whole name, a branch, a tag.
pub(super) fn pick(reference: &str, listed: &str, url: &GitUrl) -> Result<Resolved, SourceError> {
    let id_of = |name: &str| {
        let mut lines = listed.lines().filter_map(|line| line.split_once('\t'));
        lines.find(|(_, listed)| *listed == name).map(|(id, _)| id)
    };
    let of =
        |folder: &str| format!("{folder}{}", reference.strip_prefix(folder).unwrap_or(reference));
    let tag = of("refs/tags/");
    let found = [of("refs/"), of("refs/heads/"), tag.clone()]
        .into_iter()
        .find_map(|name| id_of(&name).map(|id| (name, id)));
    let Some((name, id)) = found else {
        return wrong(format!("repository does not contain ref {reference}, output: {listed:?}"));
    };
    if !is_commit(id) {
        return wrong(format!("invalid commit sha {id:?}"));
    }
    let commit = if name == tag { id_of(&format!("{tag}^{{}}")) } else { None };
    if let Some(commit) = commit.filter(|commit| !is_commit(commit)) {
        return wrong(format!("invalid commit sha {commit:?}"));
    }
    if let Some(checksum) = &url.checksum
        && !id.starts_with(checksum.as_str())
        && !commit.is_some_and(|commit| commit.starts_with(checksum.as_str()))
    {
        let or = commit.map(|commit| format!(" or {commit}")).unwrap_or_default();
        return wrong(format!("expected checksum to match {checksum}, got {id}{or}"));
    }
    Ok(Resolved {
        reference: name,
        id: id.to_owned(),
        commit: commit.map(str::to_owned),
        log: String::new(),
    })
}

fn wrong<T>(words: String) -> Result<T, SourceError> {
    Err(SourceError::Repository(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn url(text: &str) -> GitUrl {
        GitUrl::read(text).unwrap().unwrap()
    }

    fn words<T: std::fmt::Debug>(result: Result<T, SourceError>) -> String {
        let text = result.unwrap_err().to_string();
        text.strip_prefix("failed to load cache key: ").unwrap().to_owned()
    }

    #[test]
    fn a_branch_comes_before_a_tag() {
        let listed = format!("{A}\trefs/heads/v1\n{B}\trefs/tags/v1\n");
        let picked = pick("v1", &listed, &url("git://h/x")).unwrap();
        assert_eq!((picked.reference.as_str(), picked.id.as_str()), ("refs/heads/v1", A));
        let picked = pick("refs/tags/v1", &listed, &url("git://h/x")).unwrap();
        assert_eq!(picked.id, B);
        assert_eq!(pick("heads/v1", &listed, &url("git://h/x")).unwrap().id, A);
    }

    #[test]
    fn a_tag_with_an_object_knows_its_commit_and_either_may_be_pinned() {
        let listed = format!("{A}\trefs/tags/v1\n{B}\trefs/tags/v1^{{}}\n");
        let at = |checksum: &str| url(&format!("git://h/x?checksum={checksum}#v1"));
        for checksum in ["aaa", "bbb"] {
            let picked = pick("v1", &listed, &at(checksum)).unwrap();
            assert_eq!((picked.id.as_str(), picked.commit.as_deref()), (A, Some(B)));
        }
        assert_eq!(
            words(pick("v1", &listed, &at("ccc"))),
            format!("expected checksum to match ccc, got {A} or {B}")
        );
    }

    #[test]
    fn what_only_looks_like_it_is_not_taken() {
        let listed = format!("{A}\trefs/heads/v1-old\n{A}\trefs/remotes/v1\n");
        assert_eq!(
            words(pick("v1", "", &url("git://h/x"))),
            "repository does not contain ref v1, output: \"\""
        );
        assert!(pick("v1", &listed, &url("git://h/x")).is_err());
        assert!(pick("*", &listed, &url("git://h/x")).is_err());
        assert!(pick("v1", "--x\trefs/heads/v1\n", &url("git://h/x")).is_err());
    }

    #[test]
    fn the_default_branch() {
        let listed = format!("ref: refs/heads/main\tHEAD\n{A}\tHEAD\n");
        assert_eq!(default_branch(&listed).as_deref(), Some("main"));
        assert_eq!(default_branch(&format!("{A}\tHEAD\n")), None);
        assert_eq!(default_branch("ref: refs/heads/--x\tHEAD\n"), None);
    }

    #[test]
    fn a_commit_needs_no_server() {
        let at = |text: &str| known(&url(&format!("https://h/x.git?{text}")));
        assert_eq!(at(&format!("ref={A}&checksum=aa")).unwrap().unwrap().id, A);
        assert_eq!(at("branch=x").unwrap(), None);
        let by_commit = at(&format!("fetch-by-commit&checksum={B}&ref=x")).unwrap().unwrap();
        assert_eq!((by_commit.reference.as_str(), by_commit.id.as_str()), ("refs/heads/x", B));
        assert_eq!(
            words(at(&format!("ref={A}&checksum=b"))),
            format!("expected checksum to match b, got {A}")
        );
        assert_eq!(
            words(at("checksum=x")),
            "invalid checksum x for Git URL, expected hex commit hash"
        );
        assert_eq!(
            words(at("fetch-by-commit&checksum=bb")),
            "fetch-by-commit requires a full commit SHA checksum, got \"bb\""
        );
    }
}
