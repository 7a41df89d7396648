//! What the store will not take is told before any step is carried out.

use coracle_image::limits::LAYERS_MAX;
use coracle_words::ErrorKind;

use super::error::BuildError;
use super::graph::{Graph, NodeId};
use crate::request::{BuildRequest, OutputKind};

/// Fails when the image of a request would have too many layers.
pub(super) fn check(
    graph: &Graph,
    number: usize,
    request: &BuildRequest,
    target: Option<NodeId>,
) -> Result<(), BuildError> {
    let Some(node) = target.filter(|_| goes_to_store(request)) else { return Ok(()) };
    let layers = graph.layers(node);
    if layers <= LAYERS_MAX {
        return Ok(());
    }
    let message =
        format!("an image may have at most {LAYERS_MAX} layers, this one would have {layers}");
    let mut error = BuildError::new(message, ErrorKind::BadRequest);
    error.hint = Some("join commands, or copy what they made into another stage".to_owned());
    error.at = Some((number, vec![graph.nodes[node].step.span]));
    Err(error)
}

/// Files alone have no layers.
fn goes_to_store(request: &BuildRequest) -> bool {
    let is_image = |kind: &OutputKind| {
        !matches!(kind, OutputKind::Local(_) | OutputKind::Tar(_) | OutputKind::Nothing)
    };
    request.outputs.is_empty() || request.outputs.iter().any(|output| is_image(&output.kind))
}
