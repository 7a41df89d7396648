//! Progress on standard error, in the lines of Docker Compose; on a terminal they are drawn over.

use std::io::Write as _;

use coracle_compose::apply::{Kind, Watcher};

use super::{board, log};
use crate::app::App;
use crate::ui::Ui;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// On a terminal.
    Board,
    Lines,
    Json,
    Quiet,
}

/// Shows what happens to objects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    style: Style,
    dry: bool,
    coloured: bool,
}

impl Progress {
    /// As `--progress` and `COMPOSE_PROGRESS` have it.
    pub(crate) fn new(app: &App) -> Self {
        let ansi =
            app.compose.ansi.as_deref().or_else(|| app.settings.environment.get("COMPOSE_ANSI"));
        let dumb = app.settings.environment.get("TERM") == Some("dumb");
        let board = match ansi {
            Some("never") => false,
            Some("always") => true,
            _ => Ui::stderr_is_terminal() && !dumb,
        };
        let given = app.compose.progress.as_deref().filter(|value| !value.is_empty());
        let given = given.or_else(|| app.settings.environment.get("COMPOSE_PROGRESS"));
        let style = match given {
            Some("json") => Style::Json,
            Some("quiet" | "none") => Style::Quiet,
            Some("tty") if !app.compose.dry_run => Style::Board,
            Some("plain") => Style::Lines,
            _ if board && !app.compose.dry_run => Style::Board,
            _ => Style::Lines,
        };
        let plain = app.settings.environment.get("NO_COLOR").is_some();
        let coloured = ansi == Some("always") || ansi != Some("never") && !plain;
        Self { style, dry: app.compose.dry_run, coloured }
    }

    /// Line after line, where other output comes between.
    pub(crate) fn in_lines(self) -> Self {
        match self.style {
            Style::Board => Self { style: Style::Lines, ..self },
            _ => self,
        }
    }

    /// Whether what is told again is drawn over.
    pub(crate) fn is_drawn(self) -> bool {
        self.style == Style::Board
    }

    /// A line about anything: `id`, what it is at, and more about that.
    pub(crate) fn line(self, id: &str, text: &str, status: &str) {
        let mark = if self.dry { "DRY-RUN MODE -  " } else { "" };
        let line = match self.style {
            Style::Quiet => return,
            Style::Board if text.is_empty() => return board::tell(id, status, "", self.coloured),
            Style::Board => return board::tell(id, text, status, self.coloured),
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
