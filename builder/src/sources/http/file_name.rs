//! How a file from an address is called. Pure; BuildKit's `source/http.getFileName`.

use crate::sources::url::{Parts, decode};

/// `given`: a name that counts whatever the address and the server (`content_disposition`) say.
#[must_use]
pub fn file_name(url: &str, given: Option<&str>, content_disposition: Option<&str>) -> String {
    if let Some(given) = given.filter(|name| !name.is_empty()) {
        return safe(given);
    }
    let told = content_disposition.and_then(of_header);
    if let Some(told) = told.filter(|name| !name.is_empty() && !name.ends_with('/')) {
        return safe(&told);
    }
    let path = Parts::read(url).and_then(|parts| decode(parts.path, false)).unwrap_or_default();
    safe(&path)
}

/// The name that `ADD` gives what comes from an address: its last part.
#[must_use]
pub fn name_in_address(url: &str) -> String {
    let path = Parts::read(url).and_then(|parts| decode(parts.path, false)).unwrap_or_default();
    match base(&path) {
        "" => "__unnamed__".to_owned(),
        name => safe(name),
    }
}

/// The last part of a path.
fn base(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    match path.rsplit_once('/').map_or(path, |(_, name)| name) {
        "." => "",
        name => name,
    }
}

/// A name without a path, or `download`.
fn safe(name: &str) -> String {
    let name = base(name.trim());
    if matches!(name, "" | "." | "..") || name.chars().any(char::is_control) {
        return "download".to_owned();
    }
    name.to_owned()
}

/// `filename` of a header: `attachment; filename="a b"; filename*=UTF-8''a%20b`.
fn of_header(text: &str) -> Option<String> {
    let (mut plain, mut coded) = (None, None);
    for (key, value) in parameters(text)? {
        match key.as_str() {
            "filename" => plain = Some(value),
            "filename*" => {
                let (charset, rest) = value.split_once('\'')?;
                let (_, name) = rest.split_once('\'')?;
                let known = ["utf-8", "us-ascii"].contains(&&*charset.to_ascii_lowercase());
                coded = known.then(|| decode(name, false)).flatten();
            }
            _ => {}
        }
    }
    coded.or(plain)
}

/// `None`: it cannot be read.
fn parameters(text: &str) -> Option<Vec<(String, String)>> {
    let (_, mut rest) = text.split_once(';').unwrap_or((text, ""));
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            return Some(found);
        }
        let (key, after) = rest.split_once('=')?;
        let value;
        (value, rest) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        found.push((key.trim().to_ascii_lowercase(), value));
    }
}

/// What stands before the closing quote, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            // Go leaves the backslashes of Windows' paths.
            '\\' => match chars.clone().next() {
                Some((_, next @ ('"' | '\\'))) => {
                    value.push(next);
                    chars.next();
                }
                _ => value.push('\\'),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe() {
        for (text, name) in [
            ("foo", "foo"),
            ("資料.txt", "資料.txt"),
            ("  foo.txt  ", "foo.txt"),
            ("a/b/c.txt", "c.txt"),
            ("", "download"),
            (".", "download"),
            ("..", "download"),
            ("../", "download"),
            ("a\0b", "download"),
            ("a\nb", "download"),
            ("..\\", "..\\"),
        ] {
            assert_eq!(safe(text), name, "{text:?}");
        }
    }

    #[test]
    fn the_server_counts_more_than_the_address() {
        let name = |header| file_name("http://h/a/b.tar?x=c", None, Some(header));
        assert_eq!(name("attachment; filename=\"x y.txt\""), "x y.txt");
        assert_eq!(name("attachment; filename=x.txt; size=3"), "x.txt");
        assert_eq!(name("attachment; filename=x; filename*=UTF-8''%e2%82%ac"), "€");
        assert_eq!(name("attachment; filename=\"../../etc/passwd\""), "passwd");
        assert_eq!(name("attachment; filename=\"a\\\"b\""), "a\"b");
        assert_eq!(name("attachment; filename=\"d/\""), "b.tar");
        assert_eq!(name("inline"), "b.tar");
        assert_eq!(name("attachment; filename=\"open"), "b.tar");
        assert_eq!(file_name("http://h/a%20b", None, None), "a b");
        assert_eq!(file_name("http://h", None, None), "download");
        assert_eq!(
            file_name("http://h/x", Some("context"), Some("attachment; filename=y")),
            "context"
        );
    }

    #[test]
    fn add_goes_by_the_address() {
        assert_eq!(name_in_address("http://h/a/f.txt?x"), "f.txt");
        assert_eq!(name_in_address("http://h/"), "__unnamed__");
        assert_eq!(name_in_address("http://h"), "__unnamed__");
        assert_eq!(name_in_address("http://h/a/.."), "download");
    }
}
