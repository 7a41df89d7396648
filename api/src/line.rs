//! What service and worker say to each other: a line of JSON each.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::request::Request;

/// Service to worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToWorker {
    /// What is asked for; the first line, and for most workers the only one.
    Do(Request),
    /// The client's connection comes with this line; it has already sent these bytes (base64).
    Client { sent: String },
    /// What the worker that was asked by [`ToService::Ask`] says; null when there is none.
    Answer(Value),
    /// Another worker asks this.
    Question(Value),
}

/// Worker to service.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToService {
    /// The head of the answer. With status 101 the connection is wanted.
    Head { status: u16, headers: Vec<(String, String)> },
    /// From now on others find this worker by that name.
    Name(String),
    /// Ask the worker of that name, if there is one.
    Ask { name: String, question: Value },
    /// The answer to a [`ToWorker::Question`].
    Reply(Value),
}
