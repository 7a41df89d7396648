//! Progress on standard error, in the lines of Docker Compose 5; on a terminal they are drawn over.

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
        board::title(app.compose.operation);
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
    pub(crate) fn line(self, id: &str, text: &str, details: &str) {
        let line = match self.style {
            Style::Quiet => return,
            Style::Board => return board::tell(id, text, details, self.coloured),
            Style::Json => self.json(id, text, details),
            Style::Lines => {
                let mark = if self.dry { " DRY-RUN MODE - " } else { "" };
                format!("{mark} {id} {text} {details}")
            }
        };
        // Nothing is left to do when standard error is closed.
        writeln!(std::io::stderr(), "{line}").unwrap_or_default();
    }

    fn json(self, id: &str, text: &str, details: &str) -> String {
        let status = board::State::of(text).name();
        let fields = [("id", id), ("status", status), ("text", text), ("details", details)];
        let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
        let fields = fields.map(|(key, value)| (key.to_owned(), value.into()));
        let dry = self.dry.then(|| ("dry-run".to_owned(), true.into()));
        let map: serde_json::Map<String, serde_json::Value> =
            dry.into_iter().chain(fields).collect();
        serde_json::Value::Object(map).to_string()
    }
}

impl Watcher for Progress {
    fn show(&mut self, kind: Kind, name: &str, word: &str, details: &str) {
        self.line(&format!("{} {name}", kind.as_str()), word, details);
    }

    fn warn(&mut self, text: &str) {
        log::warn(text);
    }
}

#[cfg(test)]
mod tests {
    use crate::compose::screen::progress::*;

    #[test]
    fn programs_are_told_how_far_an_object_is() {
        let shown = |dry, text, details| {
            Progress { style: Style::Json, dry, coloured: false }.json("Container a", text, details)
        };
        assert_eq!(
            shown(false, "Creating", ""),
            r#"{"id":"Container a","status":"Working","text":"Creating"}"#
        );
        assert_eq!(
            shown(false, "Error", "no \"x\""),
            r#"{"id":"Container a","status":"Error","text":"Error","details":"no \"x\""}"#
        );
        assert_eq!(
            shown(true, "Started", ""),
            r#"{"dry-run":true,"id":"Container a","status":"Done","text":"Started"}"#
        );
    }
}
