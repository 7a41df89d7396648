//! The `WWW-Authenticate` header: how a registry wants to be shown credentials.
//!
//! Only what registries send is understood: `Basic`, and `Bearer` with a token
//! server. Of several challenges `Bearer` is preferred.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// What a registry asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Nothing.
    #[default]
    None,
    /// User name and password with each request.
    Basic,
    /// A token from the server at `realm`.
    Bearer { realm: String, service: Option<String> },
}

impl Challenge {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let mut found = Self::None;
        for value in headers.get_all(WWW_AUTHENTICATE) {
            match value.to_str().map(parse) {
                Ok(bearer @ Self::Bearer { .. }) => return bearer,
                Ok(Self::Basic) => found = Self::Basic,
                Ok(Self::None) | Err(_) => {}
            }
        }
        found
    }
}

fn parse(header: &str) -> Challenge {
    let header = header.trim();
    let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Challenge::Basic;
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Challenge::None;
    }
    let (mut realm, mut service) = (None, None);
    for (key, value) in parameters(rest) {
        match &*key.to_ascii_lowercase() {
            "realm" => realm = Some(value),
            "service" => service = Some(value),
            _ => {}
        }
    }
    match realm {
        Some(realm) => Challenge::Bearer { realm, service },
        None => Challenge::None,
    }
}

/// `key=value` pairs separated by commas; values may be quoted and hold commas.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.trim_matches(|c: char| c == ',' || c.is_whitespace()).to_owned();
        let (value, tail) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (value, tail) = after.split_once(',').unwrap_or((after, ""));
                (value.trim().to_owned(), tail)
            }
        };
        pairs.push((key, value));
        rest = tail;
    }
    pairs
}

/// Reads up to the closing quote; gives the value and what follows the quote.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) }
    }

    #[test]
    fn forms_of_challenges() {
        for (header, expected) in [
            ("Basic realm=\"Registry Realm\"", Challenge::Basic),
            ("basic", Challenge::Basic),
            ("Negotiate", Challenge::None),
            ("Bearer service=\"x\"", Challenge::None),
            (
                "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"",
                bearer("https://auth.docker.io/token", Some("registry.docker.io")),
            ),
            (
                "Bearer realm=\"http://a/t\", scope=\"repository:x:pull,push\", service=s",
                bearer("http://a/t", Some("s")),
            ),
            ("bearer realm=\"a\\\"b\"", bearer("a\"b", None)),
            ("Bearer realm=\"unclosed", bearer("unclosed", None)),
        ] {
            assert_eq!(parse(header), expected, "{header}");
        }
    }

    #[test]
    fn bearer_is_preferred() {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, "Basic realm=\"x\"".parse().unwrap());
        headers.append(WWW_AUTHENTICATE, "Bearer realm=\"y\"".parse().unwrap());
        assert_eq!(Challenge::from_headers(&headers), bearer("y", None));
        assert_eq!(Challenge::from_headers(&HeaderMap::new()), Challenge::None);
    }
}
