//! The steps that made an image: what `GET /images/{name}/history` answers, and what `history`
//! makes rows of.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use coracle_image::config::ImageConfig;
use coracle_image::{Digest, Image, Reference};
use coracle_runtime::Home;
use serde::Serialize;

use super::parse_time;
use crate::ViewError;

/// Docker's word for a step whose image is not here.
const MISSING: &str = "<missing>";

/// One step, as the Engine API has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HistoryStep {
    pub comment: String,
    /// Unix seconds; 0 when it does not say.
    pub created: i64,
    pub created_by: String,
    /// The image that was complete with it, or `<missing>`.
    pub id: String,
    /// Bytes of the layer it made.
    pub size: u64,
    /// Names of that image; `None` is sent as null.
    pub tags: Option<Vec<String>>,
    /// When it was done, as exactly as that is known.
    #[serde(skip)]
    pub created_at: Option<DateTime<Utc>>,
    /// The image again.
    #[serde(skip)]
    pub image: Option<Digest>,
}

/// The steps of an image, newest first.
///
/// # Errors
/// When its configuration, or that of an image it was made from, cannot be read.
pub fn history(home: &Home, image: &Image) -> Result<Vec<HistoryStep>, ViewError> {
    let store = home.store()?;
    let config = store.config(&image.id)?;
    // After how many steps which image was complete: this one and its parents.
    let mut known = HashMap::from([(config.history.len(), image.clone())]);
    let mut parent = image.parent;
    while let Some(id) = parent {
        let Ok(image) = store.get(&id) else { break };
        parent = image.parent;
        known.insert(store.config(&id)?.history.len(), image);
    }
    Ok(steps(image, &config, &known))
}

/// Layers belong, in order, to the steps that are not empty.
fn steps(image: &Image, config: &ImageConfig, known: &HashMap<usize, Image>) -> Vec<HistoryStep> {
    let mut layers = image.layers.iter();
    let mut steps = Vec::new();
    for (step, history) in config.history.iter().enumerate() {
        let size = match history.empty_layer {
            true => 0,
            false => layers.next().map_or(0, |layer| layer.unpacked_size),
        };
        let created_at = history.created.as_deref().and_then(parse_time);
        let image = known.get(&(step + 1));
        let tags = image.map(|image| image.names.iter().map(Reference::familiar).collect());
        steps.push(HistoryStep {
            comment: history.comment.clone().unwrap_or_default(),
            created: created_at.map_or(0, |time| time.timestamp()),
            created_by: history.created_by.clone().unwrap_or_default(),
            id: image.map_or_else(|| MISSING.to_owned(), |image| image.id.to_string()),
            size,
            tags: tags.filter(|tags: &Vec<String>| !tags.is_empty()),
            created_at,
            image: image.map(|image| image.id),
        });
    }
    steps.reverse();
    steps
}
