//! Commands at once on one container, many times: no row of speeds, but of what went wrong.

use std::io::Write as _;

use coracle_integration::race::{Arena, pairs, six};

/// Fights of two and of six, so many times; ends with a failure when anything went wrong.
pub(crate) fn rows(rounds: Option<&str>) {
    let rounds = rounds.map_or(25, |rounds| rounds.parse().expect("a number of rounds"));
    let mut wrong = 0;
    let all: Vec<Vec<_>> = pairs().map(|pair| pair.to_vec()).collect();
    wrong += fight("pairs", rounds, |_| all.clone());
    wrong += fight("sixes", rounds, |round| {
        (0..all.len() / 3).map(|place| six(round * all.len() + place)).collect()
    });
    assert!(wrong == 0, "{wrong} rounds went wrong");
}

fn fight<'a>(
    what: &str,
    rounds: usize,
    commands: impl Fn(usize) -> Vec<Vec<(&'a str, &'a str)>>,
) -> usize {
    let (mut fought, mut wrong) = (0, 0);
    let mut arena = Arena::new();
    for round in 0..rounds {
        for fighters in commands(round) {
            fought += 1;
            let faults = arena.fight(&fighters);
            if !faults.is_empty() {
                wrong += 1;
                let names: Vec<_> = fighters.iter().map(|(name, _)| *name).collect();
                say(&format!("{} in round {round}:\n  {}", names.join(" + "), faults.join("\n  ")));
            }
        }
    }
    arena.end();
    say(&format!("{what}: {fought} fights, {wrong} of them with a disagreement"));
    wrong
}

fn say(text: &str) {
    writeln!(std::io::stdout(), "{text}").expect("standard output is open");
}
