//! What a target comes to: its configuration with layers and times.
//!
//! # Times
//!
//! As BuildKit's exporter has them: an entry of the history with a layer has the time of that layer, one without has that
//! of the layer before it, or of the first new one; the image has that of its last entry. So what is built again from
//! the cache is the same image.

use coracle_image::config::{History, ImageConfig};

use super::scheduler::Outcome as Made;
use crate::plan::Outcome;

/// The configuration of a target, with `made`, what its last step came to.
pub(super) fn config(outcome: &Outcome, made: Option<&Made>) -> ImageConfig {
    let mut config = outcome.image.clone();
    config.rootfs.kind = "layers".to_owned();
    let layers = made.map_or(&[][..], |made| &made.layers);
    config.rootfs.diff_ids = layers.iter().map(|layer| layer.diff_id).collect();
    let times: Vec<String> =
        made.map(|made| made.created.iter().map(ToString::to_string).collect()).unwrap_or_default();
    let own = config.history.len().min(outcome.inherited);
    give_layers_times(&mut config.history[own..], &times);
    fill_times(&mut config.history);
    if config.created.is_none() {
        config.created = config.history.iter().rev().find_map(|entry| entry.created.clone());
    }
    config
}

fn give_layers_times(history: &mut [History], times: &[String]) {
    let with_layer = history.iter_mut().filter(|entry| !entry.empty_layer);
    for (entry, time) in with_layer.zip(times) {
        if entry.created.is_none() {
            entry.created = Some(time.clone());
        }
    }
}

/// Entries without a layer get the time of what is before them, or of the first new layer.
fn fill_times(history: &mut [History]) {
    let mut created = None;
    let mut is_missing = false;
    for entry in history.iter() {
        if entry.created.is_some() {
            created.clone_from(&entry.created);
            if is_missing {
                break;
            }
        } else {
            is_missing = true;
        }
    }
    is_missing = false;
    for entry in history {
        if entry.created.is_some() {
            if is_missing {
                created.clone_from(&entry.created);
            }
        } else {
            is_missing = true;
            entry.created.clone_from(&created);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(created: Option<&str>, empty_layer: bool) -> History {
        History { created: created.map(str::to_owned), empty_layer, ..History::default() }
    }

    fn shown(history: &[History]) -> Vec<&str> {
        history.iter().map(|entry| entry.created.as_deref().unwrap_or("-")).collect()
    }

    #[test]
    fn entries_without_layers_have_the_times_of_their_neighbours() {
        let mut history = vec![
            entry(Some("base"), false),
            entry(None, true),
            entry(None, false),
            entry(None, true),
            entry(None, false),
        ];
        give_layers_times(&mut history[1..], &["one".to_owned(), "two".to_owned()]);
        fill_times(&mut history);
        assert_eq!(shown(&history), ["base", "one", "one", "one", "two"]);
        let mut history = vec![entry(Some("base"), false), entry(None, true)];
        fill_times(&mut history);
        assert_eq!(shown(&history), ["base", "base"]);
    }
}
