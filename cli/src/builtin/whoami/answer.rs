//! What `whoami` answers.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use super::addresses;
use super::request::{Request, Status};

/// What does not change while the server runs.
#[derive(Debug)]
pub(super) struct Facts {
    name: Option<String>,
    /// Names of environment variables, sorted. Values may be secrets.
    variables: Vec<String>,
}

/// What is looked up for each answer.
#[derive(Debug)]
struct Place {
    host_name: String,
    addresses: Vec<IpAddr>,
}

/// An answer's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) keeps_alive: bool,
}

impl Facts {
    pub(super) fn new(name: Option<String>, mut variables: Vec<String>) -> Self {
        variables.sort();
        Self { name, variables }
    }

    /// The answer to a request of `peer`.
    pub(super) fn answer(&self, request: &Request, peer: SocketAddr) -> Answer {
        let head_only = match request.method.as_str() {
            "GET" => false,
            "HEAD" => true,
            _ => return refusal(Status::MethodNotAllowed),
        };
        let body = match request.path() {
            "/health" => "ok\n".to_owned(),
            _ => self.describe(&Place::look_up(), request, peer),
        };
        encode(Status::Ok, &body, head_only, request.keeps_alive())
    }

    fn describe(&self, place: &Place, request: &Request, peer: SocketAddr) -> String {
        let mut text = String::new();
        let mut line = |label: &str, value: &str| {
            writeln!(text, "{label}: {value}").unwrap_or_default();
        };
        if let Some(name) = &self.name {
            line("Name", name);
        }
        line("Hostname", &place.host_name);
        for address in &place.addresses {
            line("IP", &address.to_string());
        }
        // An IPv4 client of our IPv6 socket is shown as what it is.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        line("RemoteAddr", &peer.to_string());
        for variable in &self.variables {
            line("Env", variable);
        }
        let Request { method, target, minor, .. } = request;
        writeln!(text, "{method} {target} HTTP/1.{minor}").unwrap_or_default();
        for (name, value) in &request.fields {
            writeln!(text, "{name}: {value}").unwrap_or_default();
        }
        text
    }
}

impl Place {
    fn look_up() -> Self {
        let host_name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        // A kernel without netlink has no addresses to tell.
        Self { host_name, addresses: addresses::all().unwrap_or_default() }
    }
}

/// The answer to what is no request of ours; the connection ends with it.
pub(super) fn refusal(status: Status) -> Answer {
    encode(status, &format!("{}\n", status.line()), false, false)
}

fn encode(status: Status, body: &str, head_only: bool, keeps_alive: bool) -> Answer {
    let connection = if keeps_alive { "keep-alive" } else { "close" };
    let allow = match status {
        Status::MethodNotAllowed => "Allow: GET, HEAD\r\n",
        _ => "",
    };
    let mut text = format!(
        "HTTP/1.1 {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n{allow}\
         Connection: {connection}\r\n\r\n",
        status.line(),
        body.len(),
    );
    if !head_only {
        text.push_str(body);
    }
    Answer { bytes: text.into_bytes(), keeps_alive }
}

#[cfg(test)]
mod tests {
    use super::super::request::{Parsed, parse};
    use super::*;

    fn request(text: &str) -> Request {
        match parse(text.as_bytes()) {
            Parsed::Whole(request, _) => request,
            other => panic!("{other:?}"),
        }
    }

    fn facts() -> Facts {
        Facts::new(Some("web".to_owned()), vec!["PATH".to_owned(), "API_KEY".to_owned()])
    }

    #[test]
    fn everything_that_is_told() {
        let place = Place {
            host_name: "3f2a".to_owned(),
            addresses: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        };
        let request = request("GET /x?y HTTP/1.1\r\nHost: web:8080\r\nAccept: */*\r\n\r\n");
        let peer = "[::ffff:10.0.0.7]:4711".parse().unwrap();
        assert_eq!(
            facts().describe(&place, &request, peer),
            "Name: web\nHostname: 3f2a\nIP: 127.0.0.1\nIP: ::1\nRemoteAddr: 10.0.0.7:4711\n\
             Env: API_KEY\nEnv: PATH\nGET /x?y HTTP/1.1\nHost: web:8080\nAccept: */*\n"
        );
    }

    fn answer(text: &str) -> String {
        let answer = facts().answer(&request(text), "127.0.0.1:1".parse().unwrap());
        String::from_utf8(answer.bytes).unwrap()
    }

    #[test]
    fn health_and_head() {
        let common = "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\
                      Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
        assert_eq!(
            answer("GET /health HTTP/1.1\r\nHost: x\r\n\r\n"),
            format!("HTTP/1.1 200 OK\r\n{common}Connection: keep-alive\r\n\r\nok\n")
        );
        assert_eq!(
            answer("HEAD /health HTTP/1.0\r\n\r\n"),
            format!("HTTP/1.1 200 OK\r\n{common}Connection: close\r\n\r\n")
        );
    }

    #[test]
    fn other_methods_are_refused() {
        let text = answer("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(text.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{text}");
        assert!(text.contains("\r\nAllow: GET, HEAD\r\n"), "{text}");
    }
}
