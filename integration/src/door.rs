//! A door to a server of 127.0.0.1 that breaks off in the middle of a transfer, until it is mended.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// The door; its threads end with the test process.
#[derive(Debug)]
pub struct BreakingDoor {
    address: String,
    most: Arc<AtomicU64>,
}

impl BreakingDoor {
    /// A door to `server`, `127.0.0.1:port`, that is whole.
    pub fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket").to_string();
        let most = Arc::new(AtomicU64::new(u64::MAX));
        let (server, allowed) = (server.to_owned(), Arc::clone(&most));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, most) = (server.clone(), allowed.load(Ordering::SeqCst));
                thread::spawn(move || connect(&client, &server, most));
            }
        });
        Self { address, most }
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// From here on a connection ends as soon as it has carried so many bytes in one direction.
    pub fn break_after(&self, bytes: u64) {
        self.most.store(bytes, Ordering::SeqCst);
    }

    /// From here on connections carry all.
    pub fn mend(&self) {
        self.break_after(u64::MAX);
    }
}

fn connect(client: &TcpStream, server: &str, most: u64) {
    let Ok(server) = TcpStream::connect(server) else { return };
    thread::scope(|scope| {
        scope.spawn(|| carry(client, &server, most));
        carry(&server, client, most);
    });
}

/// Carries what is read to the other side; both are closed when too much has come.
fn carry(mut from: &TcpStream, mut to: &TcpStream, most: u64) {
    let mut left = most;
    let mut buffer = [0; 4096];
    while left > 0 {
        let room = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let Ok(read @ 1..) = from.read(&mut buffer[..room]) else { break };
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
        left -= u64::try_from(read).expect("a small number");
    }
    let how = if left == 0 { Shutdown::Both } else { Shutdown::Write };
    // Whoever has gone needs no closing.
    drop(to.shutdown(how));
    if left == 0 {
        drop(from.shutdown(Shutdown::Both));
    }
}
