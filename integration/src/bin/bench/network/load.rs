//! Many connections, and floods: nothing is lost, and the helper stays small and at work.

use std::time::Instant;

use coracle_integration::hostile::{
    FLOOD_PACKETS, FLOODS, GROWTH_MAX, NEW, idle_connections, private_memory,
};

use super::far::{ECHO, ECHO_TOO, FAR, NEAR, beside, there};
use super::worlds::{World, Worlds};
use crate::table;

/// Nobody is there: where first segments of a flood go.
const NOBODY: &str = "10.231.78.99";

/// How long another container may wait for an answer right after a flood, in seconds.
const PATIENCE: f64 = 2.0;

pub(crate) fn rows(worlds: &Worlds) {
    let idle = idle_connections().to_string();
    for world in worlds.each() {
        let suffix = if world.name == "coracle" { "" } else { ", without nf_tables" };
        // Each path to a port of its own: those that linger are in the way of who comes next.
        let port = if suffix.is_empty() { ECHO } else { ECHO_TOO };
        let outward = world.traffic_inside("c2", &hold(&format!("{FAR}:{port}"), &idle));
        held(&format!("{idle} idle and 500 new connections a second, out{suffix}"), outward);
        let tool = beside("traffic").display().to_string();
        let to = format!("{NEAR}:{}", world.echo);
        let inward = there(&[&[tool.as_str()], hold(&to, &idle).as_slice()].concat());
        held(&format!("{idle} idle and 500 new connections a second, in by `-p`{suffix}"), inward);
        for kind in FLOODS {
            let to = match kind {
                "syn" => NOBODY,
                "names" => "127.0.0.11",
                _ => FAR,
            };
            let what = format!("flood of {FLOOD_PACKETS} × {kind}{suffix}");
            flood(world, &what, &["flood", kind, to, FLOOD_PACKETS]);
        }
    }
}

fn hold<'a>(to: &'a str, idle: &'a str) -> Vec<&'a str> {
    ["hold", to, idle].into_iter().chain(NEW).collect()
}

/// `traffic hold` prints: lost, seconds to open the idle ones, seconds that the latest was late.
fn held(what: &str, result: Result<String, String>) {
    let words: Vec<String> =
        result.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect();
    let [lost, opened, late] = words.as_slice() else {
        return table::line(what, "-", &result.unwrap_or_else(|why| why), "-", "0 lost", "MISS");
    };
    let said = format!("idle ones opened in {opened} s, at most {late} s late");
    let kept = if lost == "0" { "PASS" } else { "MISS" };
    table::line(what, &format!("{lost} lost"), &said, "-", "0 lost", kept);
}

/// `c2` floods; then `c1`, an innocent neighbour, asks the far host something.
fn flood(world: &World, what: &str, words: &[&str]) {
    let promise = format!("≤ {:.0} kB more, ≤ {PATIENCE} s", GROWTH_MAX);
    let attempt = || -> Result<(f64, f64, String), String> {
        let helper = world.helper()?;
        let before = private_memory(helper)?;
        let sent = world.traffic_inside("c2", words)?;
        let start = Instant::now();
        world.traffic_inside("c1", &["connect", &format!("{FAR}:{ECHO}"), "1"])?;
        let waited = start.elapsed().as_secs_f64();
        let grown = private_memory(helper)? - before;
        if world.helper()? != helper {
            return Err("the helper died".to_owned());
        }
        Ok((grown, waited, sent))
    };
    match attempt() {
        Ok((grown, waited, sent)) => {
            let ours = format!("{grown:.0} kB more, {waited:.2} s");
            let kept = if grown <= GROWTH_MAX && waited <= PATIENCE { "PASS" } else { "MISS" };
            table::line(what, &ours, &format!("{sent} sent"), "-", &promise, kept);
        }
        Err(why) => table::line(what, "-", &why, "-", &promise, "MISS"),
    }
}
