//! `whoami`: a small HTTP server that tells where it runs and what it was asked.
//!
//! # How it works
//!
//! One thread and one `poll` loop ([`server`]). A connection is a state machine without
//! a socket ([`connection`]): bytes in, bytes out. Every answer says the host name, the
//! addresses, the **names** of the environment variables, and repeats the request.
//! `GET /health` says `ok`. SIGTERM and SIGINT end it at once.
//!
//! # Limits
//!
//! Named in [`limits`]: connections, bytes and fields of a request, time for each step.
//!
//! # Not here
//!
//! No bodies, no chunks, no TLS, no values of environment variables.

mod addresses;
mod answer;
mod connection;
mod limits;
mod options;
mod probe;
mod request;
mod server;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use options::{Action, Options};

/// Exit status for wrong words on the command line.
const USAGE: u8 = 2;

/// Runs the program; `words` follow its name.
pub(super) fn main(words: impl Iterator<Item = OsString>) -> ExitCode {
    let environment: Vec<_> = std::env::vars_os().collect();
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let options = match Options::parse(&words, &environment) {
        Ok(options) => options,
        Err(error) => return complain(&error, USAGE),
    };
    let result = match options.action {
        Action::Help => return say(options::HELP),
        Action::Probe => probe::run(options.port_to_probe()).map(|()| "ok\n"),
        Action::Serve => serve(&options, &environment),
    };
    match result {
        Ok(text) => say(text),
        Err(error) => complain(&error, 1),
    }
}

fn serve(options: &Options, environment: &[(OsString, OsString)]) -> Result<&'static str, String> {
    let port = options.port.unwrap_or(options::PORT);
    let names = environment.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    let facts = answer::Facts::new(options.name.clone(), names);
    let server = server::Server::bind(port)?;
    say(&format!("whoami: listening on port {port}\n"));
    server.run(&facts)?;
    Ok("whoami: stopped\n")
}

/// A closed standard output is no reason to stop serving.
fn say(text: &str) -> ExitCode {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).unwrap_or_default();
    ExitCode::SUCCESS
}

fn complain(error: &str, status: u8) -> ExitCode {
    writeln!(std::io::stderr(), "whoami: {error}").unwrap_or_default();
    ExitCode::from(status)
}
