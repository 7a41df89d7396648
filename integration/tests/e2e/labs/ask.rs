//! Asks web servers: once, until they answer as they should, and all the time while something is done.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use coracle_integration::wait;

use super::PATIENCE;

/// Longer than anything takes that is not lost.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// The body of what `ADDRESS:PORT` answers, or what went wrong.
pub(super) fn ask(address: &str, path: &str) -> Result<String, String> {
    let fails = |error: std::io::Error| format!("{address}: {error}");
    let mut stream = TcpStream::connect(address).map_err(fails)?;
    stream.set_read_timeout(Some(ANSWER_DEADLINE)).map_err(fails)?;
    let mut answer = String::new();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").map_err(fails)?;
    stream.read_to_string(&mut answer).map_err(fails)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.split(' ').nth(1) == Some("200") => Ok(body.to_owned()),
        _ => Err(format!("{address}: {answer:?}")),
    }
}

/// Asks until the answer is that.
#[track_caller]
pub(super) fn answers(address: &str, path: &str, expected: &str) {
    let mut seen = Err(String::new());
    let met = wait::poll(PATIENCE, || {
        seen = ask(address, path);
        (seen.as_deref() == Ok(expected)).then_some(())
    });
    assert!(met.is_some(), "{address}{path} gives {seen:?}, not {expected:?}");
}

/// Asks `turns` times for each of `names`, which the answers begin with; all come as often, as those who answer do so
/// in turn.
#[track_caller]
pub(super) fn in_turn(address: &str, names: &[&str], turns: usize) {
    let count = names.len() * turns;
    let mut seen: Vec<_> = (0..count)
        .map(|_| {
            let answer = ask(address, "/").unwrap_or_else(|error| panic!("{error}"));
            answer.split_whitespace().next().unwrap_or_default().to_owned()
        })
        .collect();
    seen.sort();
    let expected: Vec<_> = names.iter().flat_map(|name| vec![*name; turns]).collect();
    assert_eq!(seen, expected, "{address}");
}

/// Somebody who asks all the time.
pub(super) struct Load {
    ends: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    asker: JoinHandle<(Vec<String>, Vec<String>)>,
}

impl Load {
    /// Asks all of these, one after the other.
    pub(super) fn start(addresses: &[String]) -> Self {
        let (ends, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let asker = std::thread::spawn({
            let (ends, asked, addresses) = (ends.clone(), asked.clone(), addresses.to_vec());
            move || {
                let (mut answers, mut failures) = (Vec::new(), Vec::new());
                let mut round = || {
                    for address in &addresses {
                        match ask(address, "/") {
                            Ok(answer) => answers.push(answer),
                            Err(error) => failures.push(error),
                        }
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                    ends.load(Ordering::Relaxed).then_some(())
                };
                wait::poll(PATIENCE * 2, &mut round);
                answers.dedup();
                (answers, failures)
            }
        });
        Self { ends, asked, asker }
    }

    /// Waits until all have been asked this many times more.
    #[track_caller]
    pub(super) fn goes_on(&self, rounds: usize) {
        let begun = self.asked.load(Ordering::Relaxed);
        let met = wait::poll(PATIENCE, || {
            (self.asked.load(Ordering::Relaxed) >= begun + rounds).then_some(())
        });
        assert!(met.is_some(), "nobody asks");
    }

    /// Stops; fails when a request has. Gives the answers, as they changed.
    #[track_caller]
    pub(super) fn end(self) -> Vec<String> {
        self.ends.store(true, Ordering::Relaxed);
        let (answers, failures) = self.asker.join().expect("it does not panic");
        assert!(failures.is_empty(), "{} failures: {failures:#?}", failures.len());
        answers
    }
}
