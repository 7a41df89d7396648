//! What a replay decided, compared with what was recorded.

use super::play::{Play, number_of, slot_of};
use super::recorded::{Seen, Timeline};
use super::replay::{EARLY, LATE, Replay, end_of};

impl Replay {
    #[track_caller]
    pub(super) fn compare(&mut self, key: &str, timeline: &Timeline, play: &Play, apart: &[&str]) {
        let mut expected: Vec<(i64, String, String)> = Vec::new();
        for (at, seen) in &timeline.seen {
            match seen {
                Seen::Task { name, desired, state, .. } => {
                    let slot = slot_of(name);
                    let number = self.numbers.entry(slot).or_default();
                    *number = (*number).max(number_of(name));
                    if self.wanted.insert(name.clone(), desired.clone()).as_ref() != Some(desired) {
                        expected.push((*at, name.clone(), desired.clone()));
                    }
                    if state == "orphaned" {
                        expected.push((*at, name.clone(), state.clone()));
                    }
                }
                Seen::Gone(name) => expected.push((*at, name.clone(), "gone".to_owned())),
                Seen::Update(status) => {
                    let service = key.split(' ').next().unwrap();
                    expected.push((*at, format!("={service}"), status.clone()));
                }
                Seen::Node { name, state } if !name.is_empty() => {
                    expected.push((*at, format!("@{name}"), state.clone()));
                }
                Seen::Node { .. } | Seen::Command => {}
            }
        }
        let ours: Vec<(i64, String, String)> = play
            .decided
            .iter()
            .map(|(at, id, what)| (*at, play.recorded_name(id), what.clone()))
            .collect();
        let account = || format!("{key}:\nrecorded {expected:#?}\nours {ours:#?}");
        for (at, name, what) in &expected {
            let tag = format!("{name} {what}");
            if apart.contains(&tag.as_str()) {
                continue;
            }
            let found = ours.iter().filter(|(_, of, is)| of == name && is == what);
            let nearest = found.map(|(time, ..)| at - time).min_by_key(|late| late.abs());
            // What was left of an earlier timeline was decided then.
            let left = play.recorded_old.get(&slot_or(name)).is_some_and(|it| it.contains(name));
            let late = match nearest {
                Some(late) => late,
                None if left && (what == "running" || self.is_so(play, name, what)) => continue,
                None if play.last.get(name) == Some(what) => continue,
                None => panic!("{tag} at {at} is not decided; {}", account()),
            };
            assert!(
                (-EARLY..=LATE).contains(&late),
                "{tag} at {at} is late by {late}; {}",
                account()
            );
        }
        for (at, name, what) in &ours {
            let tag = format!("{name} {what}");
            let known = expected.iter().any(|(_, of, is)| of == name && is == what);
            // A state that was over before anybody looked.
            let passing =
                what == "ready" && expected.iter().any(|(_, of, is)| of == name && is != what);
            let told =
                known || passing || name.starts_with(['=', '@']) || apart.contains(&tag.as_str());
            assert!(told || *at > end_of(timeline) - LATE, "{tag} at {at} of ours; {}", account());
        }
    }

    fn is_so(&self, play: &Play, name: &str, what: &str) -> bool {
        let id = play.resolve(name);
        match id.and_then(|id| self.sim.state.tasks.get(&id)) {
            Some(task) => task.desired_state.to_string() == what,
            None => what == "gone",
        }
    }
}

fn slot_or(name: &str) -> String {
    if name.contains('#') { slot_of(name) } else { name.to_owned() }
}
