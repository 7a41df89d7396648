//! The host beyond this one, and how programs are run there.
//!
//! The agent is this program, started in the far host's network namespace. It listens at a unix socket, which
//! knows no network namespaces, takes one command a connection and answers with what the command prints.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The far host's address, and this host's as seen from there; `scripts/bench` gives them.
pub(crate) const FAR: &str = "10.231.78.2";
pub(crate) const NEAR: &str = "10.231.78.1";

/// Where iperf3 and `traffic serve` listen, on the far host as in containers.
pub(crate) const IPERF: u16 = 5201;
pub(crate) const ECHO: u16 = 7;
/// And on the far host alone.
pub(crate) const ECHO_TOO: u16 = 8;

/// Beside this program: the socket of the agent, and `traffic`.
pub(crate) fn beside(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a file");
    own.with_file_name(name)
}

/// Serves at `socket` until it is killed.
pub(crate) fn agent(socket: &Path) {
    let listener = UnixListener::bind(socket).expect("a socket in a folder of ours");
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || serve(stream).ok());
    }
}

fn serve(mut stream: UnixStream) -> std::io::Result<()> {
    let mut line = String::new();
    stream.read_to_string(&mut line)?;
    let words: Vec<String> = serde_json::from_str(&line)?;
    let (program, arguments) = words.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let answer = json!({
        "fine": output.status.success(), "out": text(&output.stdout), "error": text(&output.stderr),
    });
    stream.write_all(answer.to_string().as_bytes())
}

/// Runs a program on the far host; what it prints.
pub(crate) fn there(words: &[impl AsRef<str>]) -> Result<String, String> {
    let ask = || -> std::io::Result<Value> {
        let mut stream = UnixStream::connect(beside("far/agent"))?;
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        stream.write_all(json!(words).to_string().as_bytes())?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    };
    let answer = ask().map_err(|error| format!("the far host: {error}"))?;
    match answer["fine"].as_bool() {
        Some(true) => Ok(answer["out"].as_str().unwrap_or_default().to_owned()),
        _ => Err(answer["error"].as_str().unwrap_or_default().trim().to_owned()),
    }
}

/// Runs a program here; what it prints.
pub(crate) fn here(mut command: Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(format!("{} {}", text(&output.stdout), text(&output.stderr))),
    }
}
