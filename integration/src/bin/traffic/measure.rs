//! What a client sees: latency, rate of connections, losses.

use std::io::{Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A byte that takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(10);

fn open(to: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn exchange(stream: &mut TcpStream) -> Result<()> {
    stream.write_all(b"x")?;
    stream.read_exact(&mut [0])
}

/// The median time of a request and its answer.
pub(crate) fn ping(to: SocketAddr, count: usize) -> Result<String> {
    let mut stream = open(to)?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        exchange(&mut stream)?;
        times.push(start.elapsed());
    }
    times.sort();
    let median = times.get(count / 2).copied().unwrap_or_default();
    Ok(format!("{:.2}", median.as_secs_f64() * 1e6))
}

/// Connections a second, one after the other.
pub(crate) fn connect(to: SocketAddr, count: u32) -> Result<String> {
    let start = Instant::now();
    for _ in 0..count {
        exchange(&mut open(to)?)?;
    }
    Ok(format!("{:.1}", f64::from(count) / start.elapsed().as_secs_f64()))
}

/// Keeps connections idle while others come and go, then asks each whether it still works.
pub(crate) fn hold(to: SocketAddr, idle: u32, rate: u32, seconds: u32) -> Result<String> {
    let start = Instant::now();
    let mut held = Vec::new();
    let mut lost = 0;
    for _ in 0..idle {
        match open(to).and_then(|mut stream| exchange(&mut stream).map(|()| stream)) {
            Ok(stream) => held.push(stream),
            Err(_) => lost += 1,
        }
    }
    let opened = start.elapsed();
    let start = Instant::now();
    let (mut late, gap) = (Duration::ZERO, Duration::from_secs(1) / rate.max(1));
    for number in 0..rate * seconds {
        let due = start + gap * number;
        // The rate is the point; there is nothing to wait for but the time itself.
        thread::sleep(due.saturating_duration_since(Instant::now()));
        late = late.max(due.elapsed());
        if open(to).and_then(|mut stream| exchange(&mut stream)).is_err() {
            lost += 1;
        }
    }
    lost += held.iter_mut().map(exchange).filter(Result::is_err).count();
    Ok(format!("{lost} {:.2} {:.3}", opened.as_secs_f64(), late.as_secs_f64()))
}
