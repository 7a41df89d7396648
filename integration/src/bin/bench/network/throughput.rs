//! Gigabits a second, and the processor time of whoever carries them.

use std::cell::RefCell;
use std::process::{Child, Command, Stdio};

use coracle_integration::skip::program;
use coracle_integration::wait;
use serde_json::Value;

use super::far::{FAR, IPERF, NEAR, here, there};
use super::worlds::{World, Worlds};
use crate::table::{self, Promise};
use crate::turns::{Contender, medians};

/// Turns of a row; each moves data for a second.
const TURNS: usize = 7;
const SECONDS: &str = "1";

/// Seconds of processor time a gigabyte, by contender.
type Costs = RefCell<Vec<(String, f64)>>;

pub(crate) fn rows(worlds: &Worlds) {
    let slirp = Slirp::start();
    let costs = Costs::default();
    for (what, reverse, promise) in [
        ("container → test host", false, 0.7),
        ("test host → container, over a connection out", true, 0.6),
    ] {
        let mut contenders: Vec<_> = worlds
            .each()
            .into_iter()
            .map(|world| outward(world, reverse, &costs))
            .chain([Contender::new("host", move || rate(&here(client(FAR, IPERF, reverse))?))])
            .collect();
        contenders.push(Contender::new("slirp4netns", || match &slirp {
            Ok(slirp) => counted("slirp4netns", slirp.pid(), &costs, || {
                rate(&here(slirp.inside(&client(FAR, IPERF, reverse)))?)
            }),
            Err(why) => Err(why.clone()),
        }));
        contenders.push(Contender::new("pasta", || pasta_rate(reverse, &costs)));
        two_rows(what, promise, &medians(what, TURNS, contenders));
    }
    cost_row(&costs.into_inner());
    published(worlds);
    between(worlds);
}

/// A row for each of our paths, from the same turns.
fn two_rows(what: &str, promise: f64, medians: &[(String, Option<f64>)]) {
    let promise = Promise::Share(promise, "host");
    let [marks, packets, peers @ ..] = medians else { return };
    let of = |ours: &(String, Option<f64>)| [std::slice::from_ref(ours), peers].concat();
    table::row(what, "Gbit/s", &promise, &of(marks));
    table::row(&format!("{what}, {}", packets.0), "Gbit/s", &promise, &of(packets));
}

fn outward<'a>(world: &'a World, reverse: bool, costs: &'a Costs) -> Contender<'a> {
    Contender::new(world.name, move || {
        let port = IPERF.to_string();
        let mut words = vec!["-c", FAR, "-p", &port, "-t", SECONDS, "-J"];
        words.extend(reverse.then_some("-R"));
        counted(world.name, world.helper()?, costs, || rate(&world.iperf_inside("c2", &words)?))
    })
}

fn published(worlds: &Worlds) {
    let what = "test host → published port";
    let to = |port: u16| move || rate(&there(&iperf(NEAR, &port.to_string(), false))?);
    let ours = worlds.each().map(|world| Contender::new(world.name, to(world.iperf)));
    let host = Contender::new("host", || rate(&here(client(FAR, IPERF, false))?));
    two_rows(what, 0.7, &medians(what, TURNS, ours.into_iter().chain([host]).collect()));
}

fn between(worlds: &Worlds) {
    let what = "container → container";
    let world = &worlds.marks;
    let address = world.address("c1");
    let ours = Contender::new(world.name, || {
        rate(&world.iperf_inside("c2", &["-c", &address, "-t", SECONDS, "-J"])?)
    });
    let host = Contender::new("host", || rate(&here(client(FAR, IPERF, false))?));
    table::row(
        what,
        "Gbit/s",
        &Promise::Share(0.9, "host"),
        &medians(what, TURNS, vec![ours, host]),
    );
}

fn iperf<'a>(to: &'a str, port: &'a str, reverse: bool) -> Vec<&'a str> {
    let mut words = vec!["iperf3", "-c", to, "-p", port, "-t", SECONDS, "-J"];
    words.extend(reverse.then_some("-R"));
    words
}

fn client(to: &str, port: u16, reverse: bool) -> Command {
    let port = port.to_string();
    let words = iperf(to, &port, reverse);
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

fn pasta(reverse: bool) -> Command {
    let mut command = Command::new(program("pasta").unwrap_or_else(|| "pasta".into()));
    let port = IPERF.to_string();
    command.args(["--config-net", "-q", "--"]).args(iperf(FAR, &port, reverse));
    command
}

/// Gigabits a second that arrived.
fn rate(json: &str) -> Result<f64, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| format!("{error}: {json}"))?;
    let bits = value["end"]["sum_received"]["bits_per_second"].as_f64();
    bits.map(|bits| bits / 1e9).ok_or_else(|| value["error"].to_string())
}

/// Measures, and notes what it cost the process `pid`.
fn counted(
    name: &str,
    pid: u32,
    costs: &Costs,
    work: impl FnOnce() -> Result<f64, String>,
) -> Result<f64, String> {
    let before = processor_seconds(pid)?;
    let rate = work()?;
    let spent = processor_seconds(pid)? - before;
    costs.borrow_mut().push((name.to_owned(), spent / (rate / 8.0)));
    Ok(rate)
}

/// User and system time of a process.
fn processor_seconds(pid: u32) -> Result<f64, String> {
    let path = format!("/proc/{pid}/stat");
    ticks(&path, [11, 12])
}

/// The sum of two fields of a `stat` file (proc_pid_stat(5)), counted after the name, in seconds.
fn ticks(path: &str, fields: [usize; 2]) -> Result<f64, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let after: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |index: usize| after.get(index).and_then(|field| field.parse::<f64>().ok());
    let sum: Option<f64> = fields.into_iter().map(field).sum();
    sum.map(|ticks| ticks / 100.0).ok_or_else(|| format!("{path}: {text}"))
}

/// pasta is the parent of its iperf3: what both spent is known when it ends, and iperf3 tells its part.
fn pasta_rate(reverse: bool, costs: &Costs) -> Result<f64, String> {
    let spent = || ticks("/proc/self/stat", [13, 14]);
    let before = spent()?;
    let json = here(pasta(reverse))?;
    let both = spent()? - before;
    let rate = rate(&json)?;
    let value: Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    let share = value["end"]["cpu_utilization_percent"]["host_total"].as_f64().unwrap_or(0.0);
    let seconds = value["end"]["sum_received"]["seconds"].as_f64().unwrap_or(0.0);
    costs.borrow_mut().push(("pasta".to_owned(), (both - share / 100.0 * seconds) / (rate / 8.0)));
    Ok(rate)
}

fn cost_row(costs: &[(String, f64)]) {
    let medians: Vec<(String, Option<f64>)> =
        ["coracle", "without nf_tables", "slirp4netns", "pasta"]
            .into_iter()
            .map(|name| {
                let mut theirs: Vec<f64> = costs
                    .iter()
                    .filter(|(of, _)| of == name)
                    .map(|(_, cost)| *cost * 1000.0)
                    .collect();
                theirs.sort_by(f64::total_cmp);
                (name.to_owned(), theirs.get(theirs.len() / 2).copied())
            })
            .collect();
    let what = "processor time of the helper per gigabyte, both directions";
    table::row(what, "ms", &Promise::Times(1.0, "slirp4netns"), &medians);
}

/// slirp4netns with a namespace of its own.
struct Slirp {
    holder: Child,
    slirp: Child,
}

impl Slirp {
    fn start() -> Result<Self, String> {
        let slirp = program("slirp4netns").ok_or("slirp4netns is not installed")?;
        let quiet = |command: &mut Command| {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        };
        let mut holder = Command::new("unshare");
        holder.args(["--user", "--map-root-user", "--net", "sleep", "1000"]);
        quiet(&mut holder);
        let holder = holder.spawn().map_err(|error| error.to_string())?;
        let own = std::fs::read_link("/proc/self/ns/net").ok();
        wait::until("a namespace for slirp4netns", || {
            let theirs = std::fs::read_link(format!("/proc/{}/ns/net", holder.id()));
            theirs.is_ok() && theirs.ok() != own
        });
        let mut command = Command::new(slirp);
        command.args(["--configure", "--mtu=65520", &holder.id().to_string(), "tap0"]);
        quiet(&mut command);
        let slirp = command.spawn().map_err(|error| error.to_string())?;
        let started = Self { holder, slirp };
        let ready = wait::poll(wait::DEADLINE, || {
            let mut route = Command::new("ip");
            route.args(["route", "get", FAR]);
            here(started.inside(&route)).ok()
        });
        ready.map(|_| started).ok_or_else(|| "slirp4netns does not get ready".to_owned())
    }

    fn pid(&self) -> u32 {
        self.slirp.id()
    }

    /// The same command, in the namespace.
    fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.args(["--preserve-credentials", "-U", "-n", "-t", &self.holder.id().to_string()]);
        inside.arg(command.get_program()).args(command.get_args());
        inside
    }
}

impl Drop for Slirp {
    fn drop(&mut self) {
        for child in [&mut self.slirp, &mut self.holder] {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
