//! What a route answers with.

use serde_json::Value;

/// What is left to be sent when a route has done its work.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A document.
    Json(u16, Value),
    /// A status alone.
    Empty(u16),
    /// The route has sent head and body itself.
    Sent,
}

impl From<Value> for Answer {
    fn from(document: Value) -> Self {
        Self::Json(200, document)
    }
}
