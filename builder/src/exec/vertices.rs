//! Lines of work: their numbers, and what their names begin with.

use super::graph::Graph;
use crate::progress::{Event, Progress, Vertex};
use crate::request::BuildRequest;

/// The lines of work of a call.
#[derive(Debug, Default)]
pub(super) struct Vertices {
    /// The first number that is free.
    pub(super) next: Vertex,
    /// Names of the targets, where there are several.
    targets: Vec<String>,
}

impl Vertices {
    pub(super) fn of(requests: &[BuildRequest]) -> Self {
        let targets = match requests {
            [_] => Vec::new(),
            several => several.iter().map(|request| request.name.clone()).collect(),
        };
        Self { next: 0, targets }
    }

    /// What a line of work of a request is called: as in buildx, where there are several targets it begins with its own.
    pub(super) fn title(&self, request: usize, name: &str) -> String {
        match self.targets.get(request).filter(|target| !target.is_empty()) {
            None => name.to_owned(),
            Some(target) => match name.strip_prefix('[') {
                Some(rest) => format!("[{target} {rest}"),
                None => format!("[{target}] {name}"),
            },
        }
    }

    /// What the steps of a graph are called.
    pub(super) fn titles(&self, graph: &Graph) -> Vec<String> {
        graph.nodes.iter().map(|node| self.title(node.request, &node.step.name)).collect()
    }

    /// Tells of a new line of work by its title.
    pub(super) fn add(&mut self, progress: &mut dyn Progress, name: String) -> Vertex {
        let vertex = self.next;
        self.next += 1;
        progress.tell(Event::Known { vertex, name, inputs: Vec::new() });
        vertex
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_targets_are_told_apart() {
        let named = |name: &str| BuildRequest { name: name.to_owned(), ..BuildRequest::default() };
        let one = Vertices::of(&[named("web")]);
        assert_eq!(one.title(0, "[1/2] FROM alpine"), "[1/2] FROM alpine");
        let two = Vertices::of(&[named("web"), named("db")]);
        assert_eq!(two.title(0, "[base 1/2] RUN true"), "[web base 1/2] RUN true");
        assert_eq!(two.title(1, "exporting to image"), "[db] exporting to image");
    }
}
