//! How `compose` tells what goes on: on a terminal lines are drawn over, elsewhere each is one more;
//! and images come at the same time.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use coracle_integration::{TestEnv, wait};

/// What a terminal of 80 columns shows after `text`, without blank lines; enough of one for lines
/// that are drawn over.
fn screen(text: &str) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut row = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\x1b' => {
                let end = rest.find(|c: char| c.is_ascii_alphabetic()).expect("a whole sequence");
                let (parameter, letter) = (&rest[1..end], &rest[end..=end]);
                match letter {
                    "A" => {
                        row -= parameter.parse::<usize>().expect("a count of rows");
                        rows[row].clear();
                    }
                    "J" => rows.truncate(row + 1),
                    "K" | "h" | "l" | "m" => {}
                    other => panic!("{other:?} is not known here"),
                }
                rest = &rest[end + 1..];
            }
            '\r' if rest.starts_with('\n') => {}
            '\r' => rows[row].clear(),
            '\n' => {
                row += 1;
                if rows.len() == row {
                    rows.push(String::new());
                }
                rows[row].clear();
            }
            c => rows[row].push(c),
        }
    }
    rows.into_iter().filter(|row| !row.trim().is_empty()).collect()
}

/// A row without its time.
fn timeless(row: &str) -> String {
    let time = row.rfind(' ').map_or("", |at| &row[at + 1..]);
    let text = if time.ends_with('s') { row.trim_end_matches(time) } else { row };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(env: &TestEnv, words: &[&str]) -> Vec<String> {
    let (code, text) = env.terminal(words).finish();
    assert_eq!(code, 0, "{text}");
    screen(&text).iter().map(|row| timeless(row.trim_end())).collect()
}

#[test]
fn a_terminal_has_one_line_for_each_object() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "name: t
services:
  db: {image: alpine, command: sleep 1000, init: true}
  web: {image: alpine, command: sleep 1000, init: true, depends_on: [db]}
volumes: {data: {}}
",
    );
    let rows = shown(&env, &["compose", "up", "-d"]);
    assert_eq!(rows[0], "[+] up 3/3", "{rows:?}");
    let mut lines = rows[1..].to_vec();
    lines.sort();
    let expected = [
        "✔ Container t-db-1 Started",
        "✔ Container t-web-1 Started",
        "✔ Network t_default Created",
    ];
    assert_eq!(lines, expected);
    let rows = shown(&env, &["compose", "--ansi", "never", "up", "-d"]);
    assert!(rows.contains(&"Container t-web-1 Running".to_owned()), "{rows:?}");
    let rows = shown(&env, &["compose", "down", "-t", "0"]);
    assert_eq!(rows[0], "[+] down 3/3", "{rows:?}");
    assert!(rows[1..].iter().all(|row| row.ends_with("Removed")), "{rows:?}");
    assert_eq!(rows.len(), 4);
    env.assert_nothing_left();
}

#[test]
fn output_comes_below_the_lines() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "name: t
services:
  db: {image: alpine, command: sleep 1000, init: true}
  web: {image: alpine, command: echo said, depends_on: [db]}
",
    );
    let rows = shown(&env, &["compose", "run", "--rm", "web"]);
    assert_eq!(rows[0], "[+] run 2/2", "{rows:?}");
    assert_eq!(rows.last().map(String::as_str), Some("said"), "{rows:?}");
    assert_eq!(rows.len(), 4, "{rows:?}");
    env.run(["compose", "down", "-t", "0"]).success();
    env.assert_nothing_left();
}

/// Says that there is nothing of that name.
fn refuse(mut connection: TcpStream) {
    let mut request = [0; 4096];
    // A client that has gone needs no answer.
    drop(connection.read(&mut request));
    drop(
        connection
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    );
}

#[test]
fn images_are_fetched_at_the_same_time() {
    let env = TestEnv::new();
    let registry = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = registry.local_addr().expect("its address");
    let services = format!(
        "services:
  a: {{image: '{address}/a'}}
  b: {{image: '{address}/b'}}
  c: {{image: '{address}/a'}}
"
    );
    env.write("compose.yaml", &services);
    registry.set_nonblocking(true).expect("a socket of ours");
    let accept = || wait::poll(wait::DEADLINE, || registry.accept().ok()).map(|(socket, _)| socket);
    thread::scope(|scope| {
        let pull = scope.spawn(|| env.run(["compose", "-p", "t", "pull"]).code(1));
        // The first is not answered before the second has asked.
        let first = accept().expect("somebody asks for an image");
        let second = accept().expect("another asks while the first waits");
        for connection in [first, second] {
            connection.set_nonblocking(false).expect("a socket of ours");
            refuse(connection);
        }
        wait::until("the command ends", || {
            if let Ok((connection, _)) = registry.accept() {
                connection.set_nonblocking(false).expect("a socket of ours");
                refuse(connection);
            }
            pull.is_finished()
        });
        let said = pull.join().expect("the command ran").stderr();
        let lines: Vec<&str> = said.lines().map(str::trim).collect();
        for image in ["a", "b"] {
            let id = format!("Image {address}/{image}");
            let count = |start: &str| {
                let start = format!("{id} {start}");
                lines.iter().filter(|line| line.starts_with(&start)).count()
            };
            assert_eq!((count("Pulling"), count("Error")), (1, 1), "{image}: {said}");
        }
    });
    env.assert_nothing_left();
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services: {a: {image: alpine, network_mode: none, command: 'true'}}\n",
    );
    let create = |more: &[(&str, &str)], ansi: &[&str]| {
        let words = [&["compose", "-p", "t"], ansi, &["create", "--force-recreate"]].concat();
        let assignments: Vec<String> = more.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let line = format!("{} coracle {}", assignments.join(" "), words.join(" "));
        let script = format!("script -qec '{line}' /dev/null");
        env.sh(&script).success().stdout()
    };
    if coracle_integration::skip::program("script").is_none() {
        coracle_integration::skip!("script is not installed");
    }
    let green = "\u{1b}[32m ✔\u{1b}[0m Container t-a-1";
    assert!(create(&[], &[]).contains(green), "{:?}", create(&[], &[]));
    let plain = create(&[("NO_COLOR", "1")], &[]);
    assert!(plain.contains(" ✔ Container t-a-1") && !plain.contains("[32m"), "{plain:?}");
    let forced = create(&[("NO_COLOR", "1")], &["--ansi", "always"]);
    assert!(forced.contains(green), "{forced:?}");
    let never = create(&[], &["--ansi", "never"]);
    assert!(never.contains(" Container t-a-1 Recreate") && !never.contains('\u{1b}'), "{never:?}");
    env.run(["compose", "-p", "t", "down"]).success().stdout_is("");
    env.assert_nothing_left();
}
