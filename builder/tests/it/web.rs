//! A web server for tests: answers from a table, and notes what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What is sent for a request: head lines and body. The request comes with its first line.
type Answer = dyn Fn(&[String]) -> (String, Vec<u8>) + Send + Sync;

pub(crate) struct Web {
    address: SocketAddr,
    /// Lines of all requests.
    pub(crate) asked: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Web {
    pub(crate) fn new(answer: Box<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        // It ends with the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let lines: Vec<String> = BufReader::new(&stream)
                    .lines()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                if lines.is_empty() {
                    continue;
                }
                let (head, body) = answer(&lines);
                notes.lock().unwrap().push(lines);
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                // A client that has seen enough is not an error.
                drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)));
            }
        });
        Self { address, asked }
    }

    /// Files of a folder, nothing else said about them.
    pub(crate) fn of_folder(folder: &Path) -> Self {
        let folder: PathBuf = folder.to_owned();
        Self::new(Box::new(move |lines| {
            let path = path(lines).trim_start_matches('/');
            let path = path.split('?').next().unwrap_or_default();
            match std::fs::read(folder.join(path)) {
                Ok(body) => ("200 OK".to_owned(), body),
                Err(_) => ("404 Not Found".to_owned(), Vec::new()),
            }
        }))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

pub(crate) fn path(lines: &[String]) -> &str {
    lines[0].split(' ').nth(1).unwrap_or_default()
}

/// The value of a header.
pub(crate) fn header<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines[1..].iter().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
