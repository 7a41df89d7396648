//! A service of the test's world, and a client that shows what is on the wire.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use coracle_integration::{TestEnv, command::Running, wait};
use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that runs.
pub(super) struct Service {
    pub(super) socket: PathBuf,
    running: Option<Running>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Names in small letters.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// With this status, or the test fails.
    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

impl Service {
    pub(super) fn start(env: &TestEnv) -> Self {
        let socket = env.root().join("run/api.sock");
        let path = socket.display().to_string();
        let running = env.coracle().args(["system", "service", &path]).start();
        wait::until("the service answers", || UnixStream::connect(&socket).is_ok());
        Self { socket, running: Some(running) }
    }

    /// One that is there already.
    pub(super) fn at(socket: PathBuf) -> Self {
        Self { socket, running: None }
    }

    /// Ends it with a signal; what it said.
    pub(super) fn stop(mut self) -> coracle_integration::Output {
        let running = self.running.take().expect("it runs");
        running.signal(rustix::process::Signal::TERM);
        running.finish()
    }

    pub(super) fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.socket).expect("the service listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket has timeouts");
        stream
    }

    /// Sends a request, and gives the connection from which its answer comes.
    pub(super) fn send(&self, head: &str, headers: &[&str], body: &[u8]) -> UnixStream {
        let mut stream = self.connect();
        let mut text =
            format!("{head} HTTP/1.1\r\nHost: docker\r\nContent-Length: {}\r\n", body.len());
        for header in headers {
            text.push_str(header);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        stream.write_all(&[text.as_bytes(), body].concat()).expect("the service reads");
        stream
    }

    #[track_caller]
    pub(super) fn ask(&self, head: &str, body: &[u8]) -> Answer {
        let headers = ["Connection: close", "Content-Type: application/json"];
        read_answer(&mut self.send(head, &headers, body))
    }

    #[track_caller]
    pub(super) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET /v1.51{path}"), b"")
    }

    #[track_caller]
    pub(super) fn post(&self, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(&format!("POST /v1.51{path}"), body.as_bytes())
    }

    #[track_caller]
    pub(super) fn delete(&self, path: &str) -> Answer {
        self.ask(&format!("DELETE /v1.51{path}"), b"")
    }

    /// Makes a container; its id.
    #[track_caller]
    pub(super) fn create(&self, name: &str, body: &Value) -> String {
        let made = self.post(&format!("/containers/create?name={name}"), body).is(201).json();
        made["Id"].as_str().expect("an id").to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.signal(rustix::process::Signal::TERM);
            drop(running.finish());
        }
    }
}

/// Reads the head of an answer.
#[track_caller]
pub(super) fn read_head(stream: &mut UnixStream) -> Answer {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        let count = stream.read(&mut byte).expect("an answer in time");
        assert!(count == 1, "the service hung up after {:?}", String::from_utf8_lossy(&head));
        head.push(byte[0]);
    }
    let text = String::from_utf8(head).expect("heads are text");
    let mut lines = text.lines();
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Answer {
        status: status.expect("a status"),
        headers: lines.filter_map(header).collect(),
        body: Vec::new(),
    }
}

/// Reads an answer to the end of the connection.
#[track_caller]
pub(super) fn read_answer(stream: &mut UnixStream) -> Answer {
    let mut answer = read_head(stream);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("an answer in time");
    answer.body = match answer.header("transfer-encoding") {
        Some("chunked") => unchunked(&rest),
        _ => rest,
    };
    answer
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end])
            .ok()
            .and_then(|text| usize::from_str_radix(text, 16).ok());
        let (Some(size), start) = (size, end + 2) else { break };
        let Some(data) = bytes.get(start..start + size).filter(|data| !data.is_empty()) else {
            break;
        };
        out.extend_from_slice(data);
        bytes = bytes.get(start + size + 2..).unwrap_or_default();
    }
    out
}

/// Takes the headers of framed output away: standard output and standard error.
pub(super) fn unframed(mut bytes: &[u8]) -> (String, String) {
    let mut out = [String::new(), String::new()];
    while let Some(header) = bytes.get(..8) {
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let data = &bytes[8..8 + length];
        out[usize::from(header[0]) - 1].push_str(&String::from_utf8_lossy(data));
        bytes = &bytes[8 + length..];
    }
    out.into()
}
