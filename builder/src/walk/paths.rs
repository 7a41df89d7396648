//! Paths inside an image, as text: joined and cleaned as BuildKit does.

/// `.`, `..` and slashes that say nothing taken out of a path from the root.
pub(super) fn clean(path: &str) -> String {
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

/// A folder as `WORKDIR` makes it of another: what is written from the root stays as it is.
pub(super) fn join(folder: &str, path: &str) -> String {
    match path {
        "" => folder.to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        path => clean(&format!("{folder}/{path}")),
    }
}

/// A destination: a slash or a `/.` at its end is kept.
pub(super) fn destination(folder: &str, path: &str) -> String {
    let path = if matches!(path, "" | ".") { "./" } else { path };
    keep_end(join(folder, path), path)
}

/// Something to copy, from the root of what it is copied from.
pub(super) fn source(path: &str) -> String {
    keep_end(clean(path), if path.starts_with('/') { path } else { "" })
}

fn keep_end(mut cleaned: String, path: &str) -> String {
    if path.ends_with('/') && !cleaned.ends_with('/') {
        cleaned.push('/');
    } else if path.ends_with("/.") && !cleaned.ends_with("/.") {
        if cleaned != "/" {
            cleaned.push('/');
        }
        cleaned.push('.');
    }
    cleaned
}

/// The last part; `/` where there is none.
pub(super) fn base(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    match path.rsplit_once('/') {
        Some((_, last)) => last,
        None if path.is_empty() => "/",
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_destinations() {
        assert_eq!(join("/a", "b/../c/"), "/a/c");
        assert_eq!(join("/a", "/b/../c/"), "/b/../c/", "as it is written");
        assert_eq!(join("/a", ""), "/a");
        assert_eq!(destination("/a", "."), "/a/");
        assert_eq!(destination("/", "."), "/");
        assert_eq!(destination("/a", "b/"), "/a/b/");
        assert_eq!(destination("/a", "../../b/."), "/b/.");
        assert_eq!(destination("/a", "/b/"), "/b/");
        assert_eq!(source("../a/./b/"), "/a/b");
        assert_eq!(source("/d/"), "/d/");
        assert_eq!((base("/a/b/"), base("x"), base("/")), ("b", "x", "/"));
    }
}
