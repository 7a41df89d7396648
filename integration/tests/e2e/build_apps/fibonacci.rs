//! Six services: nginx in front of two in Node.js, a worker, Redis and PostgreSQL, by `compose up --build`.

use std::io::{Read, Write};
use std::net::TcpStream;

use coracle_integration::{Output, TestEnv, port::free_port, wait};

use super::{AUTHORITIES, fetched, need_root, world};
use crate::compose_apps::{compose, http, need_apps, serves};

const SHAKE: &str = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// What a web socket answers to a short text.
fn said(port: u16, text: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it is published");
    stream.write_all(SHAKE.as_bytes()).expect("a request");
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("the head of an answer");
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    // One whole text frame; clients mask theirs, with zeros here.
    let length = u8::try_from(text.len()).expect("a short text");
    let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat();
    stream.write_all(&frame).expect("a frame");
    let mut head = [0; 2];
    stream.read_exact(&mut head).expect("a frame");
    assert_eq!(head[0], 0x81, "a text");
    let mut answer = vec![0; usize::from(head[1])];
    stream.read_exact(&mut answer).expect("its text");
    String::from_utf8(answer).expect("text")
}

/// Whether the client's node_modules is that of its image of this moment.
fn modules(env: &TestEnv) -> Output {
    env.run(["exec", "fibonacci-client-1", "ls", "/app/node_modules"])
}

pub(super) fn builds_and_runs() {
    let images = [("apps", &*need_apps!().root), ("node", need_root!(node))];
    let env = world(&images, &["fibonacci", "polls"]);
    let port = free_port();
    let text = port.to_string();
    let run = |words: &[&str]| {
        let cmd = compose(&env, "fibonacci", words).env("FIBONACCI_PORT", &text);
        cmd.env("CA_BUNDLE", AUTHORITIES).run()
    };
    if fetched("registry of npm", || run(&["up", "-d", "--build"])).is_none() {
        return;
    }
    serves(port, "/", "<h1>Fibonacci</h1>\n");
    serves(port, "/api/", "hi\n");
    assert_eq!(said(port, "it"), "heard it");
    wait::until("the worker listens", || {
        http(port, "POST", "/api/values/7");
        http(port, "GET", "/api/values/current") == "{\"7\":\"21\"}\n"
    });
    assert_eq!(http(port, "POST", "/api/values/30"), "working\n");
    serves(port, "/api/values/current", "{\"7\":\"21\",\"30\":\"1346269\"}\n");
    serves(port, "/api/values/all", "[7,30]\n");

    // The code is that of the folder, the packages are those of the image.
    env.write("fibonacci/client/title.js", "exports.title = \"changed\";\n");
    serves(port, "/", "<h1>changed</h1>\n");
    modules(&env).success().stdout_is("@arr\n@polka\nmatchit\npolka\ntrouter\nws\n");
    env.sh("ls -A fibonacci/client/node_modules").success().stdout_is("");

    // All goes away but the volumes with names.
    run(&["down"]).success();
    run(&["up", "-d"]).success();
    serves(port, "/api/values/all", "[7,30]\n");
    serves(port, "/api/values/current", "{\"7\":\"21\",\"30\":\"1346269\"}\n");

    // Packages that came with a new image are hidden by the volume, until it is renewed.
    env.sh("sed -i '/^COPY . ./a RUN mkdir node_modules/new' fibonacci/client/Dockerfile")
        .success();
    run(&["up", "-d", "--build"]).success().stderr_has("Container fibonacci-client-1 Recreated");
    modules(&env).success().stdout_is("@arr\n@polka\nmatchit\npolka\ntrouter\nws\n");
    run(&["up", "-d", "-V", "client"]).success();
    modules(&env).success().stdout_has("new\n");
    serves(port, "/", "<h1>changed</h1>\n");
    run(&["down", "-v"]).success();
    env.run(["volume", "ls", "-q", "--filter", "name=fibonacci"]).success().stdout_is("");
    env.run(["volume", "prune", "-f"]).success();
    env.assert_nothing_left();
}
