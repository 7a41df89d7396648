//! Addresses, taken apart as Go's `net/url` does it; as much of it as the addresses of sources need.

/// `SCHEME://[USER@]HOST[:PORT][/PATH][?QUERY][#FRAGMENT]`, each part as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) scheme: &'a str,
    pub(super) user: Option<&'a str>,
    /// With its port.
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) fragment: &'a str,
}

impl<'a> Parts<'a> {
    /// `None`: Go refuses it.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if text.chars().any(char::is_control) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(is_scheme)
        {
            return None;
        }
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
        let port = after.split_once(':').map_or("", |(_, port)| port);
        let is_whole = |part| decode(part, false).is_some();
        let usable = port.chars().all(|c| c.is_ascii_digit())
            && !host.contains(|c: char| c == ' ' || "\"<>\\^`{|}".contains(c))
            && is_whole(path)
            && is_whole(fragment)
            && user.is_none_or(is_whole);
        usable.then_some(Self { scheme, user, host, path, query, fragment })
    }

    /// Without its port and brackets.
    pub(super) fn host_name(&self) -> &'a str {
        match self.host.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map_or(rest, |(name, _)| name),
            None => self.host.split_once(':').map_or(self.host, |(name, _)| name),
        }
    }

    /// As it may be shown: nobody's password is in it.
    pub(super) fn shown(&self) -> String {
        let user = match self.user.map(|user| user.split_once(':').map_or(user, |(name, _)| name)) {
            Some(name) if self.user.is_some_and(|user| user.contains(':')) => {
                format!("{name}:xxxxx@")
            }
            Some(name) => format!("{name}@"),
            None => String::new(),
        };
        format!("{}://{user}{}{}", self.scheme, self.host, self.path)
    }
}

/// `%41` to `A`; in a query, `+` to a blank. `None`: what follows a `%` is no number, or the result no text.
pub(super) fn decode(text: &str, is_query: bool) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let value = digit()? * 16 + digit()?;
                out.push(u8::try_from(value).ok()?);
            }
            b'+' if is_query => out.push(b' '),
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

/// The pairs of a query, in their order. What cannot be read is left out, as Go does it.
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    query.split('&').filter_map(pair).collect()
}

/// Whether nothing of it had to be left out.
pub(super) fn is_whole(query: &str) -> bool {
    query.split('&').all(|part| part.is_empty() || pair(part).is_some())
}

fn pair(part: &str) -> Option<(String, String)> {
    if part.is_empty() || part.contains(';') {
        return None;
    }
    let (key, value) = part.split_once('=').unwrap_or((part, ""));
    Some((decode(key, true)?, decode(value, true)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_written() {
        let parts = Parts::read("https://me:pw@h.io:1/a%20b/c.git?x=1#r:d").unwrap();
        assert_eq!((parts.scheme, parts.user), ("https", Some("me:pw")));
        assert_eq!((parts.host, parts.path), ("h.io:1", "/a%20b/c.git"));
        assert_eq!((parts.query, parts.fragment), ("x=1", "r:d"));
        assert_eq!(parts.shown(), "https://me:xxxxx@h.io:1/a%20b/c.git");
        assert_eq!(parts.host_name(), "h.io");
        assert_eq!(Parts::read("http://[::1]:80").unwrap().host_name(), "::1");
        assert_eq!(Parts::read("git://u@h").unwrap().shown(), "git://u@h");
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for text in
            ["h.io/x", "http://h:x/", "http://h/%zz", "http://h/a\nb", "http://a b/", "1://h"]
        {
            assert_eq!(Parts::read(text), None, "{text}");
        }
    }

    #[test]
    fn queries() {
        let of = |text| pairs(text);
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(of("a=1&b&c=x+%2B"), [pair("a", "1"), pair("b", ""), pair("c", "x +")]);
        assert_eq!(of("a;b=1&%zz=1&c=2"), [pair("c", "2")]);
        assert!(is_whole("a=1&&b"));
        assert!(!is_whole("a=%"));
    }
}
