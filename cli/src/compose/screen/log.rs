//! Lines for people in the layout of Docker Compose's log.

use std::io::Write as _;

use crate::app::App;

/// `time="…" level=warning msg="…"`; on a terminal `WARN[0000] …`.
pub(crate) fn warning(app: &mut App, text: &str) {
    // What is waiting on standard output comes first.
    app.ui.flush().unwrap_or_default();
    warn(text);
}

/// The same where there is only standard error.
pub(crate) fn warn(text: &str) {
    tell("WARN", "warning", text);
}

/// `level=info`: what is no reason to worry.
pub(crate) fn info(text: &str) {
    tell("INFO", "info", text);
}

fn tell(short: &str, level: &str, text: &str) {
    super::board::settle();
    let line = if crate::ui::Ui::stderr_is_terminal() {
        format!("{short}[0000] {text}")
    } else {
        let time = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ");
        format!("time=\"{time}\" level={level} msg={}", quoted(text))
    };
    // Nothing is left to do when standard error is closed.
    writeln!(std::io::stderr(), "{line}").unwrap_or_default();
}

/// In quotes, with what would end or break them escaped.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_within_a_message_are_escaped() {
        assert_eq!(super::quoted("The \"V\" variable"), r#""The \"V\" variable""#);
    }
}
