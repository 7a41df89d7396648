//! A request as routes see it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ApiError;
use crate::version::Version;

/// A request whose route is known.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Which of the routes ([`crate::router::ROUTES`]).
    pub(crate) route: usize,
    /// What stands in the path where the route has `{…}`.
    pub(crate) parameters: Vec<String>,
    /// `1.51`
    pub(crate) version: (u16, u16),
    pub(crate) query: Vec<(String, String)>,
    /// Of those that routes look at, in small letters.
    pub(crate) headers: Vec<(String, String)>,
    /// The body of a route that takes it whole.
    pub(crate) body: String,
    /// The client wants to have the connection to itself.
    pub(crate) upgrade: bool,
}

impl Request {
    pub(crate) fn version(&self) -> Version {
        Version(self.version.0, self.version.1)
    }

    /// The first value of that name in the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// One that is not empty.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.query(name).filter(|value| !value.is_empty())
    }

    /// All values of that name, each of which may be a list with commas.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.query.iter().filter(move |(key, _)| key == name);
        values.flat_map(|(_, value)| value.split(',')).filter(|value| !value.is_empty())
    }

    /// As Docker reads a truth: everything but these is one.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        let value = self.query(name).unwrap_or_default().trim().to_ascii_lowercase();
        !matches!(value.as_str(), "" | "0" | "no" | "false" | "none")
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.given(name) else { return Ok(None) };
        let bad =
            |_| ApiError::bad(format!("invalid value for {name}: {text:?} is no whole number"));
        text.parse().map(Some).map_err(bad)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn parameter(&self, at: usize) -> &str {
        self.parameters.get(at).map_or("", String::as_str)
    }

    /// The body as JSON; nothing at all is null.
    pub(crate) fn json(&self) -> Result<Value, ApiError> {
        if self.body.trim().is_empty() {
            return Ok(Value::Null);
        }
        if let Some(kind) = self.header("content-type")
            && !kind.is_empty()
            && !kind
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .eq_ignore_ascii_case("application/json")
        {
            return Err(ApiError::bad(format!(
                "unsupported Content-Type header ({kind}): must be 'application/json'"
            )));
        }
        serde_json::from_str(&self.body).map_err(|error| {
            let after = error.to_string().starts_with("trailing characters");
            match after {
                true => ApiError::bad("unexpected content after JSON"),
                false => ApiError::bad(format!("invalid JSON: {error}")),
            }
        })
    }

    /// The body as JSON, which there must be.
    pub(crate) fn object(&self) -> Result<Value, ApiError> {
        match self.json()? {
            Value::Null => Err(ApiError::bad("invalid JSON: got EOF while reading request body")),
            value => Ok(value),
        }
    }
}

/// Reads a query: `a=1&b=%2F`.
pub(crate) fn parse_query(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescape(key, true), unescape(value, true))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// Takes `%2F` (and `+`, in a query) back.
pub(crate) fn unescape(text: &str, plus: bool) -> String {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digit =
            |offset: usize| bytes.get(at + offset).and_then(|b| char::from(*b).to_digit(16));
        match byte {
            b'%' if digit(1).is_some() && digit(2).is_some() => {
                let value = digit(1).zip(digit(2)).map_or(0, |(high, low)| high * 16 + low);
                out.push(u8::try_from(value).unwrap_or(b'%'));
                at += 2;
            }
            b'+' if plus => out.push(b' '),
            other => out.push(other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(query: &str) -> Request {
        Request { query: parse_query(query), ..Request::default() }
    }

    #[test]
    fn queries_are_read() {
        let request = with("a=1&names=x,y&names=z&e=%2Fa+b&bad=%zz&t=-1");
        assert_eq!(request.all("names").collect::<Vec<_>>(), ["x", "y", "z"]);
        assert_eq!((request.query("e"), request.query("bad")), (Some("/a b"), Some("%zz")));
        assert_eq!(request.number("t").unwrap(), Some(-1));
        assert_eq!(request.number("e").unwrap_err().status, 400);
        assert!(request.is_set("a") && !request.is_set("none"));
        for text in ["v=0", "v=false", "v=", "v=None"] {
            assert!(!with(text).is_set("v"), "{text}");
        }
    }

    #[test]
    fn a_body_must_be_json() {
        let request = |kind: &str, body: &str| Request {
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: body.to_owned(),
            ..Request::default()
        };
        assert!(request("application/json; charset=utf-8", "{}").object().is_ok());
        assert_eq!(request("text/plain", "{}").json().unwrap_err().status, 400);
        assert_eq!(request("application/json", "{} {}").json().unwrap_err().status, 400);
        assert_eq!(request("application/json", "").object().unwrap_err().status, 400);
    }
}
