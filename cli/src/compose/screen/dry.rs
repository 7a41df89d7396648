//! `--dry-run`: the lines of progress without what they tell of.

use coracle_compose::apply::{Kind, Watcher};
use coracle_compose::plan::{Action, Plan};

use super::progress::Progress;

/// Tells what a plan would do.
pub(crate) fn plan(plan: &Plan, mut progress: Progress) {
    for step in &plan.steps {
        let (kind, words): (Kind, &[&str]) = match step.action {
            Action::Pull => {
                progress.line(&format!("Image {}", step.object), "Pulling", "");
                progress.line(&format!("Image {}", step.object), "Pulled", "");
                continue;
            }
            Action::CreateNetwork => (Kind::Network, &["Creating", "Created"]),
            Action::ReplaceNetwork => {
                (Kind::Network, &["Removing", "Removed", "Creating", "Created"])
            }
            Action::RenameNetwork => (Kind::Network, &["Creating", "Created"]),
            Action::CreateVolume => (Kind::Volume, &["Creating", "Created"]),
            Action::ReplaceVolume => {
                (Kind::Volume, &["Removing", "Removed", "Creating", "Created"])
            }
            Action::Remove => (Kind::Container, &["Stopping", "Stopped", "Removing", "Removed"]),
            Action::Rename => (Kind::Container, &["Renamed"]),
            Action::Create => (Kind::Container, &["Creating", "Created"]),
            Action::Recreate => (Kind::Container, &["Recreate", "Recreated"]),
            Action::Stop => (Kind::Container, &["Stopping", "Stopped"]),
            Action::Start => (Kind::Container, &["Starting", "Started"]),
            Action::Keep => (Kind::Container, &["Running"]),
        };
        tell(&mut progress, kind, &step.object, words);
    }
}

/// Tells what would happen to one object.
pub(crate) fn tell(progress: &mut Progress, kind: Kind, name: &str, words: &[&str]) {
    for word in words {
        progress.tell(kind, name, word);
    }
}
