//! What was listed after a recorded timeline, compared with the state that the replay ended in.

use std::collections::BTreeMap;

use super::recorded::{Listing, rows, without_task};
use super::replay::Replay;
use crate::model::{Mode, Task, TaskState};

impl Replay {
    /// Compares a table with the state. Slots are told apart by `slots`; others stand for any that are left.
    #[track_caller]
    pub(super) fn compare_listing(
        &self,
        key: &str,
        listing: &Listing,
        slots: &BTreeMap<String, String>,
    ) {
        let command = &listing.command;
        match command.split(' ').nth(1).zip(command.split(' ').nth(2)) {
            Some(("service", "ps")) => self.compare_tasks(key, listing, slots),
            Some(("service", "ls")) => self.compare_services(key, listing),
            Some(("service", "inspect")) => self.compare_updates(key, listing),
            Some(("node", "ls")) => self.compare_nodes(key, listing),
            _ => panic!("{command}"),
        }
        // A command that prints two things.
        if let Some(table) = listing.lines.iter().position(|line| line.starts_with("ID "))
            && table > 0
        {
            let lines = listing.lines[table..].to_vec();
            let table = Listing { command: "docker service ps".to_owned(), lines };
            self.compare_tasks(key, &table, slots);
        }
    }

    #[track_caller]
    fn compare_tasks(&self, key: &str, listing: &Listing, slots: &BTreeMap<String, String>) {
        let mut recorded: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows(&listing.lines) {
            let name = row["NAME"].trim_start_matches("\\_ ").to_owned();
            let state = row["CURRENT STATE"].split(' ').next().unwrap_or_default().to_lowercase();
            let error = row["ERROR"].trim_matches('"').trim_end_matches(" …").to_owned();
            let line = format!("{} {state} {error}", row["DESIRED STATE"].to_lowercase());
            recorded.entry(name).or_default().push(line);
        }
        let mut ours: BTreeMap<String, Vec<&Task>> = BTreeMap::new();
        for task in self.sim.state.tasks.values() {
            ours.entry(task.short_name()).or_default().push(task);
        }
        let mut ours: BTreeMap<String, Vec<String>> = ours
            .into_iter()
            .map(|(slot, mut tasks)| {
                tasks
                    .sort_by_key(|task| std::cmp::Reverse((task.meta.created_at, task.id.clone())));
                (slot, tasks.into_iter().map(told).collect())
            })
            .collect();
        let account = format!("{key}: {recorded:#?}\nours {ours:#?}\n{slots:?}");
        let same = |theirs: &Vec<String>, ours: &Vec<String>| {
            theirs.len() == ours.len()
                && theirs.iter().zip(ours).all(|(a, b)| b.starts_with(a.trim_end()))
        };
        let (mapped, others): (Vec<_>, Vec<_>) =
            recorded.iter().partition(|(slot, _)| slots.contains_key(*slot));
        for (slot, lines) in mapped {
            let tasks = ours.remove(&slots[slot]).unwrap_or_default();
            assert!(same(lines, &tasks), "{slot} {lines:#?} {tasks:#?} {account}");
        }
        for (slot, lines) in others {
            let service = slot.split('.').next().unwrap_or_default();
            let any = ours
                .iter()
                .find(|(name, tasks)| {
                    name.starts_with(&format!("{service}.")) && same(lines, tasks)
                })
                .map(|(name, _)| name.clone());
            let any = any.unwrap_or_else(|| panic!("{slot} {lines:#?} {account}"));
            ours.remove(&any);
        }
    }

    #[track_caller]
    fn compare_services(&self, key: &str, listing: &Listing) {
        let state = &self.sim.state;
        for row in rows(&listing.lines) {
            let Some(service) = state.services.get(&row["NAME"]) else { continue };
            let tasks: Vec<&Task> = state.tasks_of(&service.id).collect();
            let running = tasks.iter().filter(|it| it.status.state == TaskState::Running).count();
            let wanted = match &service.spec.mode {
                Mode::Replicated(replicated) => replicated.replicas.unwrap_or(1),
                _ => tasks
                    .iter()
                    .filter(|it| it.desired_state == TaskState::Running)
                    .count()
                    .try_into()
                    .unwrap_or_default(),
            };
            assert_eq!(row["REPLICAS"], format!("{running}/{wanted}"), "{key}: {}", service.id);
        }
    }

    #[track_caller]
    fn compare_updates(&self, key: &str, listing: &Listing) {
        let service = key.split(' ').next().unwrap_or_default();
        let line = &listing.lines[0];
        let mut values = serde_json::Deserializer::from_str(line).into_iter::<serde_json::Value>();
        let status = values.next().unwrap().unwrap();
        let service = &self.sim.state.services[service];
        let ours = serde_json::to_value(service.update_status.as_ref().unwrap()).unwrap();
        let message = |value: &serde_json::Value| without_task(value["Message"].as_str().unwrap());
        assert_eq!(status["State"], ours["State"], "{key}");
        assert_eq!(message(&status), message(&ours), "{key}");
        assert_eq!(status.get("CompletedAt").is_some(), ours.get("CompletedAt").is_some(), "{key}");
        if let Some(args) = values.next() {
            let ours = serde_json::to_value(&service.spec.task_template.container_spec.args);
            let ours = ours.unwrap();
            // The commands of a replay stand for those of the recording.
            assert_eq!(args.unwrap()[0] == "sleep", ours[0] == "sleep", "{key}: {ours}");
        }
    }

    #[track_caller]
    fn compare_nodes(&self, key: &str, listing: &Listing) {
        for row in rows(&listing.lines) {
            let id = row["HOSTNAME"].replace("swm", "n");
            let node = self.sim.state.nodes.get(&id).unwrap_or_else(|| panic!("{key}: {id}"));
            assert_eq!(row["STATUS"], format!("{:?}", node.status.state), "{key}");
            assert_eq!(row["AVAILABILITY"], format!("{:?}", node.spec.availability), "{key}");
        }
        assert_eq!(rows(&listing.lines).len(), self.sim.state.nodes.len(), "{key}");
    }
}

/// A task as `service ps` tells of it.
fn told(task: &Task) -> String {
    format!("{} {} {}", task.desired_state, task.status.state, task.status.err)
}
