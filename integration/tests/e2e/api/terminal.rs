//! Terminals through the API: websockets, and keys that leave.

use std::io::{Read, Write};

use coracle_integration::TestEnv;
use serde_json::{Value, json};

use crate::api::http::{Service, read_head};

/// A frame as a client sends it, with a mask of zeros.
fn frame(kind: u8, text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short text");
    [&[0x80 | kind, 0x80 | length, 0, 0, 0, 0][..], text].concat()
}

/// Reads until `text` came.
fn expect(stream: &mut impl Read, text: &str, times: usize) -> Vec<u8> {
    let mut seen = Vec::new();
    let mut bytes = [0; 256];
    while String::from_utf8_lossy(&seen).matches(text).count() < times {
        let count = stream.read(&mut bytes).expect("an answer in time");
        assert!(count > 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&bytes[..count]);
    }
    seen
}

fn terminal(service: &Service, name: &str) {
    let body = json!({ "Image": "alpine", "Cmd": ["cat"], "Tty": true, "OpenStdin": true, "HostConfig": { "NetworkMode": "none" } });
    service.create(name, &body);
    service.post(&format!("/containers/{name}/start"), &Value::Null).is(204);
}

#[test]
fn a_websocket_is_attached() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    terminal(&service, "web");
    let headers = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    let mut stream = service.send(
        "GET /v1.51/containers/web/attach/ws?stream=1&stdin=1&stdout=1",
        &headers,
        b"",
    );
    let head = read_head(&mut stream);
    assert_eq!((head.status, head.header("upgrade")), (101, Some("websocket")));
    assert_eq!(head.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    stream.write_all(&frame(1, b"hello\n")).unwrap();
    let seen = expect(&mut stream, "hello\r\n", 2);
    assert_eq!(seen[0], 0x82, "a binary message");
    stream.write_all(&frame(9, b"ping")).unwrap();
    let pong = expect(&mut stream, "ping", 1);
    assert!(pong.windows(6).any(|part| part == [&[0x8a, 4][..], b"ping"].concat()), "{pong:?}");
    // Its end ends nothing else.
    stream.write_all(&frame(8, b"")).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    let seen = service.get("/containers/web/json").is(200).json();
    assert_eq!(seen["State"]["Running"], true);
    service.get("/containers/web/attach/ws").is(400);
    service.delete("/containers/web?force=1").is(204);
}

#[test]
fn keys_leave_without_ending_anything() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    terminal(&service, "tt");
    let headers = ["Connection: Upgrade", "Upgrade: tcp"];
    let attach = |query: &str| {
        let head = format!("POST /v1.51/containers/tt/attach?stream=1&stdin=1&stdout=1{query}");
        let mut stream = service.send(&head, &headers, b"");
        assert_eq!(read_head(&mut stream).status, 101);
        stream
    };
    for (query, keys) in [("", &b"\x10\x11"[..]), ("&detachKeys=ctrl-x,q", b"\x18q")] {
        let mut stream = attach(query);
        stream.write_all(b"typed\n").unwrap();
        expect(&mut stream, "typed", 1);
        stream.write_all(keys).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        let seen = service.get("/containers/tt/json").is(200).json();
        assert_eq!(seen["State"]["Running"], true, "{query}");
    }
    let refused =
        service.post("/containers/tt/attach?stream=1&detachKeys=ctrl-foo", &Value::Null).is(400);
    assert!(refused.text().contains("invalid detach keys (ctrl-foo)"), "{}", refused.text());
    let exec = json!({ "Cmd": ["cat"], "AttachStdin": true, "AttachStdout": true, "Tty": true, "DetachKeys": "ctrl-x" });
    let id = service.post("/containers/tt/exec", &exec).is(201).json()["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    let headers = ["Connection: Upgrade", "Upgrade: tcp", "Content-Type: application/json"];
    let mut stream =
        service.send(&format!("POST /v1.51/exec/{id}/start"), &headers, b"{\"Tty\":true}");
    assert_eq!(read_head(&mut stream).status, 101);
    stream.write_all(b"in\n").unwrap();
    expect(&mut stream, "in", 1);
    stream.write_all(b"\x18").unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(service.get(&format!("/exec/{id}/json")).is(200).json()["Running"], true);
    service.delete("/containers/tt?force=1").is(204);
}

#[test]
fn what_is_not_here_is_refused_in_words() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    let version = service.get("/version").is(200).json();
    let said = env.run(["version", "--format", "{{json .Server}}"]).success().json();
    for key in ["Version", "ApiVersion", "GitCommit", "Arch", "KernelVersion"] {
        assert_eq!(version[key], said[key], "{key}");
    }
    assert_eq!(
        (&version["Version"], &version["MinAPIVersion"]),
        (&json!("29.7.2"), &json!("1.24"))
    );
    assert_eq!(service.get("/info").is(200).json()["ServerVersion"], "29.7.2");
    assert_eq!(service.get("/plugins").is(200).json(), json!([]));
    let missing = service.get("/plugins/a/b:1/json").is(404).json();
    assert_eq!(missing["message"], "plugin \"a/b:1\" not found");
    service.post("/plugins/x/disable", &Value::Null).is(404);
    service.delete("/plugins/x").is(404);
    service.post("/plugins/pull?remote=x", &Value::Null).is(501);
    assert_eq!(
        service.get("/system/df?type=bogus").is(400).json()["message"],
        "unknown object type: bogus"
    );
    service.get("/distribution/127.0.0.1:1/x/json").is(500);
    service.get("/distribution/BAD/json").is(400);
}
