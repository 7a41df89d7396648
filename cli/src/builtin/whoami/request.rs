//! Request heads of HTTP/1.0 and 1.1 (RFC 9112), read strictly.
//!
//! # Limits
//!
//! [`HEAD_BYTES_MAX`] bytes and [`FIELDS_MAX`] fields. Folded lines, spaces before a
//! colon, control bytes and a missing `Host` are refused: what one server reads in
//! another way than the next is how requests are smuggled.

use super::limits::{FIELDS_MAX, HEAD_BYTES_MAX};

/// A request without its body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    /// HTTP/1.1, or 1.0.
    pub(super) minor: u8,
    /// Names as sent, values without the space around them; in their order.
    pub(super) fields: Vec<(String, String)>,
}

/// What the bytes so far are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// The beginning of a request.
    Partial,
    /// A request of this many bytes.
    Whole(Request, usize),
    Bad(Status),
}

/// Status codes that we answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    BadRequest,
    MethodNotAllowed,
    RequestTimeout,
    FieldsTooLarge,
    VersionNotSupported,
}

impl Status {
    pub(super) fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::RequestTimeout => "408 Request Timeout",
            Self::FieldsTooLarge => "431 Request Header Fields Too Large",
            Self::VersionNotSupported => "505 HTTP Version Not Supported",
        }
    }
}

impl Request {
    /// The value of the first field of this name.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Whether the connection may carry another request.
    ///
    /// Not after one with a body: nobody reads bodies here.
    pub(super) fn keeps_alive(&self) -> bool {
        let mut options = self
            .fields
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
            .flat_map(|(_, value)| value.split(','))
            .map(|option| option.trim().to_ascii_lowercase());
        let wanted = match self.minor {
            0 => options.any(|option| option == "keep-alive"),
            _ => !options.any(|option| option == "close"),
        };
        let has_body = self.field("transfer-encoding").is_some()
            || self
                .fields
                .iter()
                .any(|(name, value)| name.eq_ignore_ascii_case("content-length") && value != "0");
        wanted && !has_body
    }

    /// The target without its query.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// Reads the request that `bytes` begin with.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    // An empty line before a request is allowed, and sent by some clients.
    let skipped = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    let bytes = &bytes[skipped..];
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(end) = end.filter(|end| *end <= HEAD_BYTES_MAX) else {
        return match bytes.len() > HEAD_BYTES_MAX {
            true => Parsed::Bad(Status::FieldsTooLarge),
            false => Parsed::Partial,
        };
    };
    match read_head(&bytes[..end]) {
        Ok(request) => Parsed::Whole(request, skipped + end + 4),
        Err(status) => Parsed::Bad(status),
    }
}

fn read_head(head: &[u8]) -> Result<Request, Status> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let (method, target, minor) = read_line(lines.next().unwrap_or_default())?;
    let mut fields = Vec::new();
    for line in lines {
        if fields.len() == FIELDS_MAX {
            return Err(Status::FieldsTooLarge);
        }
        let (name, value) = line.split_once(':').ok_or(Status::BadRequest)?;
        if !is_token(name) || value.chars().any(|c| c.is_control() && c != '\t') {
            return Err(Status::BadRequest);
        }
        fields.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
    }
    let hosts = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")).count();
    if hosts > 1 || (hosts == 0 && minor > 0) {
        return Err(Status::BadRequest);
    }
    Ok(Request { method, target, minor, fields })
}

fn read_line(line: &str) -> Result<(String, String, u8), Status> {
    let words: Vec<&str> = line.split(' ').collect();
    let [method, target, version] = words[..] else { return Err(Status::BadRequest) };
    let is_target = !target.is_empty() && target.chars().all(|c| !c.is_control());
    if !is_token(method) || !is_target {
        return Err(Status::BadRequest);
    }
    let minor = match version {
        "HTTP/1.1" => 1,
        "HTTP/1.0" => 0,
        other if other.starts_with("HTTP/") => return Err(Status::VersionNotSupported),
        _ => return Err(Status::BadRequest),
    };
    Ok((method.to_owned(), target.to_owned(), minor))
}

fn is_token(text: &str) -> bool {
    let special = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || special(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> (Request, usize) {
        match parse(text.as_bytes()) {
            Parsed::Whole(request, length) => (request, length),
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn a_request_and_what_follows_it() {
        let text = "GET /a?b=c HTTP/1.1\r\nHost: x\r\nUser-Agent:  curl \r\n\r\nGET ";
        let (request, length) = whole(text);
        assert_eq!(length, text.len() - 4);
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            request,
            Request {
                method: "GET".to_owned(),
                target: "/a?b=c".to_owned(),
                minor: 1,
                fields: vec![field("Host", "x"), field("User-Agent", "curl")],
            }
        );
        assert_eq!(request.path(), "/a");
        assert_eq!(request.field("user-agent"), Some("curl"));
    }

    #[test]
    fn an_empty_line_may_come_first() {
        assert_eq!(whole("\r\nGET / HTTP/1.0\r\n\r\n").1, 20);
    }

    #[test]
    fn each_beginning_of_a_request_waits_for_more() {
        let text = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        for length in 0..text.len() {
            assert_eq!(parse(&text[..length]), Parsed::Partial, "{length}");
        }
    }

    #[test]
    fn who_wants_to_keep_the_connection() {
        for (head, expected) in [
            ("GET / HTTP/1.1\r\nHost: x", true),
            ("GET / HTTP/1.1\r\nHost: x\r\nConnection: close", false),
            ("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade, Close", false),
            ("GET / HTTP/1.0", false),
            ("GET / HTTP/1.0\r\nConnection: Keep-Alive", true),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0", true),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3", false),
            ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", false),
        ] {
            assert_eq!(whole(&format!("{head}\r\n\r\n")).0.keeps_alive(), expected, "{head}");
        }
    }

    #[test]
    fn what_is_no_request() {
        for (head, status) in [
            ("GET /", Status::BadRequest),
            ("GET  / HTTP/1.1\r\nHost: x", Status::BadRequest),
            ("GET / HTTP/1.1", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: x\r\nHost: y", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost : x", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: x\r\n folded", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\nC: d", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: x\r\nno colon", Status::BadRequest),
            ("G@T / HTTP/1.1\r\nHost: x", Status::BadRequest),
            ("GET /\0 HTTP/1.1\r\nHost: x", Status::BadRequest),
            ("GET / FTP/1.1\r\nHost: x", Status::BadRequest),
            ("GET / HTTP/2.0\r\nHost: x", Status::VersionNotSupported),
        ] {
            let text = format!("{head}\r\n\r\n");
            assert_eq!(parse(text.as_bytes()), Parsed::Bad(status), "{head:?}");
        }
    }

    #[test]
    fn sizes_are_limited() {
        let long = format!("GET / HTTP/1.1\r\nHost: {}", "x".repeat(HEAD_BYTES_MAX));
        assert_eq!(parse(long.as_bytes()), Parsed::Bad(Status::FieldsTooLarge));
        let ended = format!("{long}\r\n\r\n");
        assert_eq!(parse(ended.as_bytes()), Parsed::Bad(Status::FieldsTooLarge));
        let many = format!("GET / HTTP/1.0\r\n{}\r\n", "A: b\r\n".repeat(FIELDS_MAX + 1));
        assert_eq!(parse(many.as_bytes()), Parsed::Bad(Status::FieldsTooLarge));
        let enough = format!("GET / HTTP/1.0\r\n{}\r\n", "A: b\r\n".repeat(FIELDS_MAX));
        assert!(matches!(parse(enough.as_bytes()), Parsed::Whole(..)));
    }
}
