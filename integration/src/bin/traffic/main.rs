//! Makes traffic of the kinds that the network rows of `scripts/bench` measure; static, so that any container
//! can run it.
//!
//! | command | what it does, and prints |
//! | --- | --- |
//! | `serve PORT` | sends back what comes, to any number of connections, until it is killed |
//! | `ping IP:PORT COUNT` | sends a byte and waits for it, again and again; the median in microseconds |
//! | `connect IP:PORT COUNT` | connects, exchanges a byte, closes, one after the other; connections a second |
//! | `hold IP:PORT IDLE RATE SECONDS` | keeps `IDLE` connections and makes `RATE` new ones a second; how many were lost |
//! | `flood KIND IP COUNT` | `syn`, `udp`, `fragments` or `names`: hostile packets, as fast as they go; how many |
//!

mod flood;
mod measure;
mod serve;

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    raise_limit();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("traffic: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), String> {
    let result = match words {
        ["serve", port] => return serve::serve(number(port)?).map_err(|error| error.to_string()),
        ["ping", to, count] => measure::ping(address(to)?, number(count)?),
        ["connect", to, count] => measure::connect(address(to)?, number(count)?),
        ["hold", to, idle, rate, seconds] => {
            measure::hold(address(to)?, number(idle)?, number(rate)?, number(seconds)?)
        }
        ["flood", kind, to, count] => {
            let to: IpAddr = to.parse().map_err(|_| format!("not an address: {to}"))?;
            flood::flood(kind, to, number(count)?)
        }
        _ => return Err("see the table at the top of its source".to_owned()),
    };
    say(&mut std::io::stdout(), &result.map_err(|error| error.to_string())?);
    Ok(())
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("not an address with a port: {text}"))
}

fn say(to: &mut impl std::io::Write, text: &str) {
    writeln!(to, "{text}").expect("whoever started us reads it");
}

/// Thousands of connections need as many descriptors.
fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .expect("up to the hard limit");
}
