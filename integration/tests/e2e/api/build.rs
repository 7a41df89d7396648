//! `POST /build`: the classic builder's stream.

use std::io::Read;

use coracle_integration::{TestEnv, wait};
use serde_json::{Value, json};

use crate::api::http::{Answer, Service, read_head};

/// The archive of a folder.
fn archive(env: &TestEnv, folder: &str) -> Vec<u8> {
    env.sh(&format!("tar -C {folder} -cf {folder}.tar .")).success();
    std::fs::read(env.work().join(format!("{folder}.tar"))).expect("the archive")
}

fn build(service: &Service, query: &str, body: &[u8]) -> Answer {
    let headers = ["Connection: close", "Content-Type: application/x-tar"];
    let head = format!("POST /v1.51/build?version=1&{query}");
    crate::api::http::read_answer(&mut service.send(&head, &headers, body))
}

/// What the lines say, and the last of them.
#[track_caller]
fn lines(answer: &Answer) -> (String, Value) {
    let text = answer.text();
    assert!(text.ends_with("\r\n"), "{text}");
    let all: Vec<Value> = text
        .split("\r\n")
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let said = all.iter().filter_map(|line| line["stream"].as_str()).collect();
    (said, all.last().cloned().unwrap_or_default())
}

#[test]
fn an_archive_becomes_an_image() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    env.write("a/f.txt", "content\n");
    env.write("a/.dockerignore", "Dockerfile\n.dockerignore\n");
    env.write(
        "a/Dockerfile",
        "ARG BASE=alpine\nFROM $BASE AS one\nARG V=1\nRUN echo v$V > /v && echo made\nFROM one\nWORKDIR /app\nCOPY . .\n\
         CMD [\"cat\", \"/v\"]\n",
    );
    let context = archive(&env, "a");
    let query = "t=built:1&t=built:2&buildargs=%7B%22V%22%3A%222%22%2C%22N%22%3Anull%7D&labels=%7B%22l%22%3A%22m%22%7D";
    let answer = build(&service, query, &context).is(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let (said, last) = lines(&answer);
    let begin = "Step 1/8 : ARG BASE=alpine\nStep 2/8 : FROM $BASE AS one\nStep 3/8 : ARG V=1\nStep 4/8 : RUN echo v$V > /v \
                 && echo made\nmade\nStep 5/8 : FROM one\nStep 6/8 : WORKDIR /app\nStep 7/8 : COPY . .\nStep 8/8 : CMD \
                 [\"cat\", \"/v\"]\nSuccessfully built ";
    assert!(said.starts_with(begin), "{said}");
    assert!(
        said.ends_with("\nSuccessfully tagged built:1\nSuccessfully tagged built:2\n"),
        "{said}"
    );
    assert_eq!(last["stream"], "Successfully tagged built:2\n");
    let image = service.get("/images/built:1/json").is(200).json();
    let id = image["Id"].as_str().unwrap();
    assert!(
        answer.text().contains(&format!("{{\"aux\":{{\"ID\":\"{id}\"}}}}\r\n")),
        "{}",
        answer.text()
    );
    assert_eq!(image["Config"]["Labels"], json!({ "l": "m" }));
    env.run(["run", "--rm", "built:2"]).success().stdout_is("v2\n");
    // What the client's ignore file leaves out besides is left out by the client.
    env.run(["run", "--rm", "built:2", "ls", "-A"]).success().stdout_is("f.txt\n");

    let (said, _) = lines(&build(&service, query, &context).is(200));
    assert_eq!(said.matches(" ---> Using cache\n").count(), 3, "{said}");
    let quiet = build(&service, &format!("q=1&{query}"), &context).is(200);
    assert_eq!(quiet.json(), json!({ "stream": format!("{id}\n") }));
    let (said, _) = lines(&build(&service, "target=one", &context).is(200));
    assert!(said.contains("Step 4/4 : RUN"), "{said}");

    let pruned = service.post("/build/prune?all=1", &Value::Null).is(200).json();
    assert!(pruned["CachesDeleted"].as_array().is_some_and(|all| !all.is_empty()), "{pruned}");
    let pruned = service.post("/build/prune?all=1", &Value::Null).is(200).json();
    assert_eq!(pruned, json!({ "CachesDeleted": null, "SpaceReclaimed": 0 }));
    service.post("/build/cancel?id=x", &Value::Null).is(200);
}

#[test]
fn a_build_that_fails_says_why() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    env.write("b/Dockerfile", "FROM alpine\nRUN echo before; exit 3\nRUN never\n");
    env.write("b/bad", "FROM alpine\nBOGUS x\n");
    env.write("b/empty", "\n");
    env.write("b/nobase", "FROM nosuch.local/image\n");
    let context = archive(&env, "b");
    let (said, last) = lines(&build(&service, "nocache=1", &context).is(200));
    assert_eq!(said, "Step 1/3 : FROM alpine\nStep 2/3 : RUN echo before; exit 3\nbefore\n");
    let words = "The command '/bin/sh -c echo before; exit 3' returned a non-zero code: 3";
    assert_eq!(last, json!({ "errorDetail": { "message": words, "code": 3 }, "error": words }));

    let refused = |query: &str, body: &[u8], status: u16| {
        build(&service, query, body).is(status).json()["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        refused("dockerfile=bad", &context, 400),
        "dockerfile parse error on line 2: unknown instruction: BOGUS"
    );
    assert_eq!(
        refused("dockerfile=empty", &context, 400),
        "the Dockerfile (empty) cannot be empty"
    );
    assert_eq!(
        refused("dockerfile=nosuch", &context, 500),
        "Cannot locate specified Dockerfile: nosuch"
    );
    assert_eq!(
        refused("dockerfile=..%2f..%2fhome%2f.profile", &context, 500),
        "Cannot locate specified Dockerfile: ../../home/.profile"
    );
    assert_eq!(
        refused("t=BAD", &context, 500),
        "invalid reference format: repository name (library/BAD) must be lowercase"
    );
    refused("", b"junk\n", 500);
    refused("dockerfile=nobase", &context, 404);
    refused("remote=client-session", b"", 501);
    refused("networkmode=mine", &context, 501);

    for path in ["/session", "/grpc"] {
        service.send(&format!("POST {path}"), &["Connection: Upgrade", "Upgrade: h2c"], b"");
        let answer = service.ask(&format!("POST {path}"), b"").is(404);
        assert!(answer.text().contains("page not found"));
    }
}

#[test]
fn a_build_ends_with_its_client() {
    let env = TestEnv::new();
    let service = Service::start(&env);
    env.write("c/Dockerfile", "FROM alpine\nRUN echo begun; sleep 1000\n");
    let context = archive(&env, "c");
    let mut stream = service.send("POST /v1.51/build", &[], &context);
    assert_eq!(read_head(&mut stream).status, 200);
    let mut seen = Vec::new();
    let mut bytes = [0; 512];
    while !String::from_utf8_lossy(&seen).contains("begun\\n") {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&bytes[..count]);
    }
    drop(stream);
    wait::until("the build is gone", || {
        !env.sh("grep -lsz '^CORACLE_TEST_WORLD='\"$ROOT\"'$' /proc/[0-9]*/environ | cut -d/ -f3 | while read p; do tr '\\0' ' ' < /proc/$p/cmdline; echo; done")
            .stdout()
            .contains("coracle-api ")
    });
}
