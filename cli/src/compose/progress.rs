//! Progress on standard error, in the lines of Docker Compose.

use std::io::Write as _;

use coracle_compose::apply::{Kind, Watcher};

use super::log;
use crate::app::App;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Lines,
    Json,
    Quiet,
}

/// Shows what happens to objects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    style: Style,
    dry: bool,
}

impl Progress {
    /// As `--progress` and `COMPOSE_PROGRESS` have it.
    pub(crate) fn new(app: &App) -> Self {
        let given = app.compose.progress.as_deref().filter(|value| !value.is_empty());
        let given = given.or_else(|| app.settings.environment.get("COMPOSE_PROGRESS"));
        let style = match given {
            Some("json") => Style::Json,
            Some("quiet" | "none") => Style::Quiet,
            _ => Style::Lines,
        };
        Self { style, dry: app.compose.dry_run }
    }

    /// A line about anything: `id`, what it is at, and more about that.
    pub(crate) fn line(self, id: &str, text: &str, status: &str) {
        let mark = if self.dry { "DRY-RUN MODE -  " } else { "" };
        let line = match self.style {
            Style::Quiet => return,
            Style::Json => {
                let fields = [("id", id), ("text", text), ("status", status)];
                let map: serde_json::Map<String, serde_json::Value> = fields
                    .into_iter()
                    .filter(|(_, value)| !value.is_empty())
                    .map(|(key, value)| (key.to_owned(), value.into()))
                    .collect();
                serde_json::Value::Object(map).to_string()
            }
            Style::Lines => format!(" {mark}{id} {text} {status}"),
        };
        // Nothing is left to do when standard error is closed.
        writeln!(std::io::stderr(), "{line}").unwrap_or_default();
    }
}

impl Watcher for Progress {
    fn tell(&mut self, kind: Kind, name: &str, word: &str) {
        let id = format!("{} {name}", kind.as_str());
        match self.style {
            Style::Json => self.line(&id, word, ""),
            _ => self.line(&id, "", word),
        }
    }

    fn warn(&mut self, text: &str) {
        log::warn(text);
    }
}
