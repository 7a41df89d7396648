//! Progress for programs: one document a line, as BuildKit's clients write what its daemon tells
//! (`client.SolveStatus`): `vertexes`, `statuses`, `logs`, `warnings`.
//!
//! The digest of a vertex is that of its name, its number and what it needs: it tells vertices of a build apart, and
//! is no key of the cache.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use coracle_builder::progress::{Event, Status, Vertex};
use coracle_image::Digest;
use serde::Serialize;
use serde_json::{Value, json};

/// What is only a list of fields has no number for its severity: all warnings have this one.
const LEVEL: u8 = 1;

#[derive(Debug, Default)]
pub(super) struct RawJson {
    lines: Vec<Line>,
}

#[derive(Debug, Default, Clone, Serialize)]
struct Line {
    digest: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cached: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl RawJson {
    /// The line for an event.
    pub(super) fn write(&mut self, event: &Event, now: SystemTime) -> String {
        let document = match event {
            Event::Known { vertex, name, inputs } => {
                let inputs = inputs.iter().map(|input| self.digest(*input)).collect();
                let line = self.line(*vertex);
                (line.name, line.inputs) = (name.clone(), inputs);
                line.digest = digest(*vertex, &line.name, &line.inputs);
                self.vertex(*vertex)
            }
            Event::Started { vertex, at } => {
                let line = self.line(*vertex);
                (line.started, line.completed) = (Some(time(*at)), None);
                self.vertex(*vertex)
            }
            Event::Cached { vertex, at } => {
                let line = self.line(*vertex);
                (line.started, line.completed) = (Some(time(*at)), Some(time(*at)));
                line.cached = true;
                self.vertex(*vertex)
            }
            Event::Completed { vertex, at, error } => {
                let line = self.line(*vertex);
                line.started.get_or_insert_with(|| time(*at));
                (line.completed, line.error) = (Some(time(*at)), error.clone());
                self.vertex(*vertex)
            }
            Event::Status(status) => json!({ "statuses": [self.status(status, now)] }),
            Event::Warning { vertex, finding, source } => {
                let lines = finding.at.iter().flat_map(|span| span.first..=span.last);
                let ranges: Vec<Value> = lines
                    .map(|line| json!({ "start": { "line": line }, "end": { "line": line } }))
                    .collect();
                let line = finding.at.first().map(|span| format!(" (line {})", span.first));
                let short =
                    format!("{}: {}{}", finding.rule, finding.detail, line.unwrap_or_default());
                json!({ "warnings": [{
                    "vertex": self.digest(*vertex),
                    "level": LEVEL,
                    "short": STANDARD.encode(short),
                    "detail": [STANDARD.encode(finding.description)],
                    "url": finding.url,
                    "sourceInfo": {
                        "filename": source.path,
                        "data": STANDARD.encode(&source.text),
                        "language": "Dockerfile",
                    },
                    "range": ranges,
                }] })
            }
            Event::Log { vertex, stream, bytes, at } => json!({ "logs": [{
                "vertex": self.digest(*vertex),
                "stream": stream,
                "data": STANDARD.encode(bytes),
                "timestamp": time(*at),
            }] }),
        };
        format!("{document}\n")
    }

    fn line(&mut self, vertex: Vertex) -> &mut Line {
        if self.lines.len() <= vertex {
            self.lines.resize_with(vertex + 1, Line::default);
        }
        &mut self.lines[vertex]
    }

    fn digest(&self, vertex: Vertex) -> String {
        self.lines.get(vertex).map(|line| line.digest.clone()).unwrap_or_default()
    }

    fn vertex(&self, vertex: Vertex) -> Value {
        json!({ "vertexes": [self.lines[vertex]] })
    }

    fn status(&self, status: &Status, now: SystemTime) -> Value {
        let mut out = json!({
            "id": status.id,
            "vertex": self.digest(status.vertex),
            "current": status.current,
            "timestamp": time(status.completed.unwrap_or(now)),
            "started": time(status.started),
        });
        if status.id.starts_with("transferring ") {
            out["name"] = "transferring".into();
        }
        if status.total > 0 {
            out["total"] = status.total.into();
        }
        if let Some(at) = status.completed {
            out["completed"] = time(at).into();
        }
        out
    }
}

fn digest(vertex: Vertex, name: &str, inputs: &[String]) -> String {
    let text = format!("{vertex}\n{name}\n{}", inputs.join("\n"));
    Digest::of(text.as_bytes()).to_string()
}

fn time(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_vertex_its_counter_and_its_output() {
        let at = |ms| SystemTime::UNIX_EPOCH + Duration::from_millis(ms);
        let mut raw = RawJson::default();
        let mut write = |event: Event| -> Value {
            let line = raw.write(&event, at(7));
            assert!(line.ends_with("}\n"));
            serde_json::from_str(&line).unwrap()
        };
        let name = "[1/2] FROM a".to_owned();
        let first = write(Event::Known { vertex: 0, name, inputs: Vec::new() });
        let first = &first["vertexes"][0];
        assert_eq!(first["name"], "[1/2] FROM a");
        assert!(first.get("inputs").is_none() && first.get("started").is_none());
        let second = write(Event::Known { vertex: 1, name: "b".to_owned(), inputs: vec![0] });
        assert_eq!(second["vertexes"][0]["inputs"][0], first["digest"]);
        let started = write(Event::Started { vertex: 1, at: at(1) });
        assert_eq!(started["vertexes"][0]["started"], "1970-01-01T00:00:00.001Z");
        let id = "transferring context:".to_owned();
        let status =
            Status { vertex: 1, id, current: 0, total: 0, started: at(1), completed: None };
        let status = write(Event::Status(status));
        assert_eq!(
            status["statuses"][0],
            json!({ "id": "transferring context:", "vertex": started["vertexes"][0]["digest"],
                "name": "transferring", "current": 0, "timestamp": "1970-01-01T00:00:00.007Z",
                "started": "1970-01-01T00:00:00.001Z" })
        );
        let log = write(Event::Log { vertex: 1, stream: 2, bytes: b"x\n".to_vec(), at: at(2) });
        assert_eq!(log["logs"][0]["data"], "eAo=");
        let error = Some("no".to_owned());
        let end = write(Event::Completed { vertex: 1, at: at(3), error });
        assert_eq!(end["vertexes"][0]["error"], "no");
        let cached = write(Event::Cached { vertex: 0, at: at(3) });
        assert_eq!(cached["vertexes"][0]["cached"], true);
    }
}
