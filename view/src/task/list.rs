//! Tasks as lists show them: by slot, the newest of each first.

use coracle_image::Reference;
use coracle_swarm::model::Task;
use coracle_swarm::state::State;
use coracle_words::natural;

use crate::node;

/// A task with the names that go with it.
#[derive(Debug)]
pub struct TaskSummary<'a> {
    pub task: &'a Task,
    /// `web.1`, or with the node in place of the slot.
    pub name: String,
    pub node: String,
    /// An earlier one of the slot above it.
    pub is_previous: bool,
}

/// The tasks, those of one slot together. With `resolve` services and nodes are called by name, else by id.
#[must_use]
pub fn summaries<'a>(
    state: &'a State,
    tasks: Vec<&'a Task>,
    resolve: bool,
) -> Vec<TaskSummary<'a>> {
    let name = |task: &Task| {
        let service = match state.services.get(&task.service_id) {
            Some(service) if resolve => &service.spec.name,
            _ => &task.service_id,
        };
        match task.slot {
            0 => format!("{service}.{}", task.node_id),
            slot => format!("{service}.{slot}"),
        }
    };
    let node = |task: &Task| match state.nodes.get(&task.node_id) {
        Some(node) if resolve => node::name_of(node).to_owned(),
        _ => task.node_id.clone(),
    };
    let mut all: Vec<_> = tasks
        .into_iter()
        .map(|task| TaskSummary { name: name(task), node: node(task), task, is_previous: false })
        .collect();
    all.sort_by_cached_key(|one| {
        (natural(&one.name), one.name.clone(), std::cmp::Reverse(one.task.meta.created_at))
    });
    for at in 1..all.len() {
        all[at].is_previous = all[at].name == all[at - 1].name;
    }
    all
}

/// An image without the digest that was found for its tag.
#[must_use]
pub fn shown_image(image: &str) -> String {
    let Ok(reference) = Reference::parse(image) else { return image.to_owned() };
    let tagged =
        reference.tag().and_then(|tag| reference.without_tag_and_digest().with_tag(tag).ok());
    // Without a tag it is shown as it is.
    tagged.map_or_else(|| image.to_owned(), |tagged| tagged.familiar())
}

#[cfg(test)]
mod tests {
    use coracle_swarm::model::{Node, Service};

    use super::*;

    fn task(id: &str, slot: u64, created: &str) -> Task {
        let mut task = Task { id: id.to_owned(), slot, ..Task::default() };
        task.service_id = "svc".to_owned();
        task.node_id = "nod".to_owned();
        task.meta.created_at = created.parse().unwrap();
        task
    }

    #[test]
    fn slots_stand_together_and_the_newest_comes_first() {
        let mut state = State::default();
        let mut service = Service { id: "svc".to_owned(), ..Service::default() };
        service.spec.name = "w".to_owned();
        state.services.insert("svc".to_owned(), service);
        let mut node = Node { id: "nod".to_owned(), ..Node::default() };
        node.description.hostname = "host1".to_owned();
        state.nodes.insert("nod".to_owned(), node);
        let tasks = [
            task("a", 10, "2026-11-20T12:00:00Z"),
            task("b", 2, "2026-11-20T12:00:00Z"),
            task("c", 2, "2026-11-20T12:00:05Z"),
            task("d", 0, "2026-11-20T12:00:00Z"),
        ];
        let all = summaries(&state, tasks.iter().collect(), true);
        let shown: Vec<_> = all
            .iter()
            .map(|one| (one.task.id.as_str(), one.name.as_str(), one.is_previous))
            .collect();
        assert_eq!(
            shown,
            [("c", "w.2", false), ("b", "w.2", true), ("a", "w.10", false), ("d", "w.nod", false)]
        );
        assert_eq!(all[0].node, "host1");
        let all = summaries(&state, tasks.iter().collect(), false);
        assert_eq!((all[0].name.as_str(), all[0].node.as_str()), ("svc.2", "nod"));
    }

    #[test]
    fn digests_are_left_out_where_there_is_a_tag() {
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(shown_image(&format!("alpine:latest@{digest}")), "alpine:latest");
        assert_eq!(shown_image(&format!("docker.io/library/alpine:3.20@{digest}")), "alpine:3.20");
        assert_eq!(shown_image("127.0.0.1:5000/a"), "127.0.0.1:5000/a");
        assert_eq!(shown_image("alpine:3.20"), "alpine:3.20");
        let only = format!("alpine@{digest}");
        assert_eq!(shown_image(&only), only);
    }
}
