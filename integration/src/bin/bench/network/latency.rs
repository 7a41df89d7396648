//! Small questions and answers, and new connections, through a published port.

use super::far::{ECHO, FAR, NEAR, beside, here, there};
use super::worlds::Worlds;
use crate::table::{self, Promise};
use crate::turns::{Contender, medians};

const TURNS: usize = 7;
/// Exchanges, and connections, of one turn.
const PINGS: &str = "3000";
const CONNECTIONS: &str = "500";

pub(crate) fn rows(worlds: &Worlds) {
    let latency = ("1-byte question and answer through `-p`", "ping", PINGS, "µs");
    let rate =
        ("connections a second through `-p`, one after the other", "connect", CONNECTIONS, "/s");
    for ((what, command, count, unit), promise) in
        [(latency, Promise::Times(2.0, "host")), (rate, Promise::Share(0.4, "host"))]
    {
        let to = |port: u16| move || parse(&there(&traffic(command, &at(NEAR, port), count))?);
        let ours = worlds.each().map(|world| Contender::new(world.name, to(world.echo)));
        let host = Contender::new("host", || {
            let words = traffic(command, &at(FAR, ECHO), count);
            let mut program = std::process::Command::new(&words[0]);
            program.args(&words[1..]);
            parse(&here(program)?)
        });
        let medians = medians(what, TURNS, ours.into_iter().chain([host]).collect());
        let [marks, packets, host] = medians.as_slice() else { return };
        table::row(what, unit, &promise, &[marks.clone(), host.clone()]);
        let what = format!("{what}, {}", packets.0);
        table::row(&what, unit, &promise, &[packets.clone(), host.clone()]);
    }
}

fn at(ip: &str, port: u16) -> String {
    format!("{ip}:{port}")
}

fn traffic(command: &str, to: &str, count: &str) -> Vec<String> {
    vec![beside("traffic").display().to_string(), command.into(), to.into(), count.into()]
}

fn parse(text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_| format!("not a number: {text}"))
}
