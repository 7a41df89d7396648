//! Absurdly long words: refused early or passed on, and never repeated whole.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use coracle_integration::TestEnv;

/// More than a frame between our processes holds.
const LONG: usize = 100_000;
/// What a message may have.
const MESSAGE_BYTES_MAX: usize = 2_000;

#[test]
fn of_every_kind() {
    let env = TestEnv::new();
    let long = "a".repeat(LONG);
    let wide = "ä".repeat(3_000);
    let run = |args: &[&str]| {
        let start = ["run", "--rm", "--network", "none"];
        env.run(start.iter().chain(args))
    };
    for word in [long.as_str(), &wide] {
        let path = format!("/{word}");
        for (args, words) in [
            (&["alpine", word][..], "executable file not found"),
            (&["--entrypoint", word, "alpine"], "executable file not found"),
            (&["-u", word, "alpine", "true"], "unable to find user"),
            (&["--group-add", word, "alpine", "true"], "unable to find group"),
            (&["--name", word, "alpine", "true"], "at most 240 characters are allowed"),
            (&["-h", word, "alpine", "true"], "is too long (maximum 64 bytes)"),
            (&["--domainname", word, "alpine", "true"], "is too long (maximum 64 bytes)"),
            (&["-v", &format!("{word}:/x"), "alpine", "true"], "volume name"),
            (&["-w", &path, "alpine", "true"], "working directory"),
            (&["--cap-add", word, "alpine", "true"], "unknown capability"),
            (&["--pid", &format!("container:{word}"), "alpine", "true"], "No such container"),
        ] {
            let output = run(args);
            assert!(matches!(output.status(), 125..=127), "{}: {words}", output.status());
            let told = output.stderr_has(words).stderr();
            assert!(told.len() < MESSAGE_BYTES_MAX, "{} bytes: {words}", told.len());
        }
    }
    for (args, words) in [
        (&["inspect", &long][..], "no such object"),
        (&["rm", &long], "No such container"),
        (&["exec", &wide, "true"], "No such container"),
        (&["network", "create", &long], "more than 255 characters"),
        (&["volume", "create", &long[..241]], "at most 240 characters"),
        (&["tag", "alpine", &long], "error parsing reference"),
        (&[&long], "unknown command"),
    ] {
        let output = env.run(args);
        assert!(output.status() == 1, "{}: {words}", output.status());
        let told = output.stderr_has(words).stderr();
        assert!(told.len() < MESSAGE_BYTES_MAX, "{} bytes: {words}", told.len());
    }
    // What has no limit in Docker has none here.
    let name = &long[..240];
    run(&["--name", name, "-h", &long[..64], "-e", &format!("A={long}"), "alpine", "true"])
        .success();
    run(&["-l", &format!("a={long}"), "alpine", "true"]).success();
    env.run(["volume", "create", name]).success();
    env.run(["volume", "rm", name]).success();
    env.assert_nothing_left();
}

/// Answers each request by what `answer` makes of its first line; the address.
fn server(answer: impl Fn(&str) -> (String, Vec<u8>) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket").to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().expect("a descriptor")).lines();
            let request = lines.next().and_then(Result::ok).unwrap_or_default();
            let _headers = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).count();
            let (head, body) = answer(&request);
            // A client that hangs up early is its own business.
            write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").ok();
            stream.write_all(&body).ok();
        }
    });
    address
}

#[test]
fn a_token_that_never_expires_is_a_token() {
    let env = TestEnv::bare();
    let tokens = server(|_| {
        ("200 OK".to_owned(), br#"{"token":"t","expires_in":18446744073709551615}"#.to_vec())
    });
    let registry = server(move |_| {
        let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{tokens}/t\"");
        (format!("401 Unauthorized\r\n{challenge}"), Vec::new())
    });
    let pulled = env.run(["pull", &format!("{registry}/a/b:1")]).code(1);
    assert!(!pulled.stderr().contains("panicked"), "{}", pulled.stderr());
    pulled.stderr_has("unauthorized");
    env.assert_nothing_left();
}

#[test]
fn a_list_of_tags_that_does_not_end_is_cut_off() {
    let env = TestEnv::bare();
    let registry = server(|request| {
        let body = match request.contains("/tags/list") {
            true => [br#"{"tags":["#.to_vec(), b"\"a\",".repeat(2_000_000)].concat(),
            false => Vec::new(),
        };
        ("200 OK".to_owned(), body)
    });
    env.run(["pull", "-a", &format!("{registry}/a/b")])
        .code(1)
        .stderr_has("the list of tags at")
        .stderr_has("is larger than");
    env.assert_nothing_left();
}

#[test]
fn an_archive_that_comes_a_byte_a_second_is_given_up() {
    let env = TestEnv::bare();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        // An answer before the request is none.
        let asked = stream.read(&mut [0; 1024]).is_ok_and(|length| length > 0);
        assert!(asked, "nothing was asked for");
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 10240\r\n\r\n";
        let mut sent = stream.write_all(head.as_bytes());
        // Until the client has had enough.
        while sent.is_ok() {
            thread::sleep(std::time::Duration::from_secs(1));
            sent = stream.write_all(b"\0");
        }
    });
    env.run(["import", &format!("http://{address}/root.tar")])
        .code(1)
        .stderr_has("it sends less than 4096 bytes in 30 seconds");
    env.run(["images", "-aq"]).success().stdout_is("");
    env.assert_nothing_left();
}
