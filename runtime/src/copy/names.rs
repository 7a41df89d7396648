//! Paths of `cp` as text: what a final slash or dot says, and where things end up. Pure.
//!
//! `dir` is the directory itself, `dir/.` what is in it, `dir/` insists on a directory.

use super::CopyError;

/// An absolute path, cleaned as text but for what a final `/` or `/.` says.
#[must_use]
pub fn absolute(cwd: &str, path: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") };
    let mut clean = clean(&joined);
    if means_contents(path) && clean != "/" {
        clean.push_str("/.");
    } else if path.ends_with('/') && clean != "/" {
        clean.push('/');
    }
    clean
}

/// Takes `.`, `..` and double slashes out of an absolute path, as text.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether the last part is a dot.
pub(super) fn means_contents(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path == "." || path.ends_with("/.")
}

/// Whether the path says by itself that it is a directory.
fn insists_on_directory(path: &str) -> bool {
    path.ends_with('/') || means_contents(path)
}

/// The directory that holds the last part, and the last part.
///
/// The last part of `dir/.` is `.` in `dir`; final slashes are dropped.
pub(super) fn split(path: &str) -> (&str, &str) {
    let path = match path.trim_end_matches('/') {
        "" => return ("/", "."),
        path => path,
    };
    match path.rsplit_once('/') {
        Some(("", base)) => ("/", base),
        Some((dir, base)) => (dir, base),
        None => (".", path),
    }
}

/// What is known of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// Absolute, with a last symlink resolved.
    pub(super) path: String,
    /// `Some(true)` for a directory; `None` when nothing is there.
    pub(super) directory: Option<bool>,
}

/// Where an archive is extracted and how its first entry is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placing {
    pub(super) dir: String,
    pub(super) name: String,
}

/// Decides where a source named `name` goes.
pub(super) fn place(
    source_is_dir: bool,
    name: &str,
    to: &Destination,
) -> Result<Placing, CopyError> {
    let (dir, base) = split(&to.path);
    match to.directory {
        Some(true) => Ok(Placing { dir: to.path.clone(), name: name.to_owned() }),
        Some(false) if source_is_dir => Err(CopyError::DirectoryOverFile),
        None if !source_is_dir && insists_on_directory(&to.path) => Err(CopyError::NoSuchDirectory),
        _ => {
            let (dir, base) = if base == "." { split(dir) } else { (dir, base) };
            Ok(Placing { dir: dir.to_owned(), name: base.to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_keep_what_their_end_says() {
        for (path, expected) in [
            ("cpd", "/srv/demo/cpd"),
            ("cpd/", "/srv/demo/cpd/"),
            ("./cpd/.", "/srv/demo/cpd/."),
            ("..//x/../y", "/srv/y"),
            (".", "/srv/demo/."),
            ("/", "/"),
            ("/.", "/"),
            ("../../../..", "/"),
        ] {
            assert_eq!(absolute("/srv/demo", path), expected, "{path}");
        }
    }

    #[test]
    fn paths_are_split() {
        for (path, expected) in [
            ("/a/b", ("/a", "b")),
            ("/a/b/", ("/a", "b")),
            ("/a/b/.", ("/a/b", ".")),
            ("/a", ("/", "a")),
            ("/", ("/", ".")),
            ("/.", ("/", ".")),
            ("a", (".", "a")),
        ] {
            assert_eq!(split(path), expected, "{path}");
        }
    }

    fn placed(dir: bool, name: &str, path: &str, there: Option<bool>) -> String {
        let to = Destination { path: path.to_owned(), directory: there };
        match place(dir, name, &to) {
            Ok(Placing { dir, name }) => format!("{name} in {dir}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn copies_go_where_dockers_go() {
        let (dir, file, none) = (Some(true), Some(false), None);
        for (is_dir, name, path, there, expected) in [
            (true, "cpd", "/tmp/", dir, "cpd in /tmp/"),
            (true, ".", "/tmp", dir, ". in /tmp"),
            (true, "cpd", "/tmp/new", none, "new in /tmp"),
            (true, "cpd", "/tmp/new/", none, "new in /tmp"),
            (true, ".", "/tmp/contents", none, "contents in /tmp"),
            (true, ".", "/tmp/contents/.", none, "contents in /tmp"),
            (true, "cpd", "/etc/passwd", file, "cannot copy directory"),
            (false, "a", "/etc/passwd", file, "passwd in /etc"),
            (false, "a", "/tmp/file", none, "file in /tmp"),
            (false, "a", "/nosuch/dir/", none, "no such directory"),
            (false, "a", "/nosuch/dir/.", none, "no such directory"),
            (false, "a", "/nosuch/file", none, "file in /nosuch"),
            (false, "a", "/", dir, "a in /"),
        ] {
            assert_eq!(placed(is_dir, name, path, there), expected, "{name} to {path}");
        }
    }
}
