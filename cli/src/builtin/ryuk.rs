//! `ryuk`: what a client of Testcontainers that insists on its reaper talks to.
//!
//! # How it works
//!
//! It speaks the reaper's protocol: after `Started!` on standard output, a client connects to port 8080, sends filters,
//! a line each, and gets `ACK` for each. It ends when nobody has been connected for a while.
//!
//! # Limits
//!
//! It removes nothing: the session of the Engine API, in which alone it stands in for the reaper, takes down what was
//! made in it, whatever filters say.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

const PORT: u16 = 8080;
/// How long the first client is waited for, and the next one.
const FIRST: Duration = Duration::from_secs(60);
const NEXT: Duration = Duration::from_secs(10);
/// The longest line of filters.
const LINE_BYTES_MAX: u64 = 64 * 1024;

static CONNECTED: AtomicUsize = AtomicUsize::new(0);

pub(super) fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when standard error is closed too.
            writeln!(std::io::stderr(), "ryuk: cannot listen on port {PORT}: {error}")
                .unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}

fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", PORT))?;
    let mut out = std::io::stdout();
    out.write_all(b"Started!\n").and_then(|()| out.flush())?;
    let mut patience = FIRST;
    loop {
        let mut fds = [PollFd::new(&listener, PollFlags::IN)];
        let timeout = Timespec::try_from(patience).ok();
        match poll(&mut fds, timeout.as_ref()) {
            Ok(0) if CONNECTED.load(Ordering::SeqCst) == 0 => return Ok(()),
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let (client, _) = listener.accept()?;
        CONNECTED.fetch_add(1, Ordering::SeqCst);
        patience = NEXT;
        std::thread::spawn(move || {
            // A client that is gone has nothing more to say.
            drop(answer(client));
            CONNECTED.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Every line is taken note of.
fn answer(client: TcpStream) -> std::io::Result<()> {
    let mut out = client.try_clone()?;
    let mut lines = BufReader::new(client);
    loop {
        let mut line = Vec::new();
        let mut bounded = std::io::Read::take(&mut lines, LINE_BYTES_MAX);
        if bounded.read_until(b'\n', &mut line)? == 0 || !line.ends_with(b"\n") {
            return Ok(());
        }
        out.write_all(b"ACK\n")?;
    }
}
