//! `compose events`: what happens to the containers of a project, as it happens.

use std::collections::BTreeMap;
use std::io::Write as _;

use coracle_compose::project::labels;
use coracle_runtime::events::{Event, Filter, Span};
use serde::Serialize;

use crate::app::App;
use crate::args::Runnable;
use crate::commands::system::events;
use crate::compose::project::target;
use crate::error::{CliError, CommandResult};

/// Labels of Compose are not shown among the attributes.
const OWN_LABELS: &str = "com.docker.compose.";

/// Print what happens to the containers of services
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeEventsArgs {
    /// One JSON object per line
    #[arg(long)]
    json: bool,
    /// Start point: RFC 3339 time, unix seconds, or age such as 42m
    #[arg(long, value_name = "string")]
    since: Option<String>,
    /// End point: RFC 3339 time, unix seconds, or age such as 42m
    #[arg(long, value_name = "string")]
    until: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposeEventsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let given = |text: &Option<String>| events::given(text.as_deref());
        let span = Span { since: given(&self.since)?, until: given(&self.until)? };
        let project = target::project(app)?.name;
        let label = format!("{}={project}", labels::PROJECT);
        let filter = Filter::new([("type", "container"), ("label", label.as_str())])
            .map_err(CliError::engine)?;
        events::read(app, span, &filter, |app, event| match shown(event, &self.args) {
            Some(shown) => print(app, &shown, event, self.json),
            None => Ok(()),
        })
    }
}

/// An event as it is shown, keys in the order of their names.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    action: &'a str,
    attributes: BTreeMap<&'a str, &'a str>,
    id: &'a str,
    service: &'a str,
    time: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// What is shown of an event: nothing when it is of `run`, or of another service.
fn shown<'a>(event: &'a Event, services: &[String]) -> Option<Shown<'a>> {
    let attributes = &event.actor.attributes;
    let label = |key: &str| attributes.get(key).map_or("", String::as_str);
    let service = label(labels::SERVICE);
    let chosen = services.is_empty() || services.iter().any(|name| name == service);
    if label(labels::ONE_OFF) == "True" || !chosen {
        return None;
    }
    let own = |key: &&str| !key.starts_with(OWN_LABELS);
    let pairs = attributes.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    Some(Shown {
        action: &event.action,
        attributes: pairs.filter(|(key, _)| own(key)).collect(),
        id: &event.actor.id,
        service,
        time: event.moment().to_string(),
        kind: event.kind.as_str(),
    })
}

fn print(app: &mut App, shown: &Shown<'_>, event: &Event, json: bool) -> Result<(), CliError> {
    if json {
        let text = serde_json::to_string(shown)
            .map_err(|e| CliError::plain(format!("cannot write an event as JSON: {e}")))?;
        writeln!(app.ui.data(), "{text}")?;
    } else {
        let pairs: Vec<String> =
            shown.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let time = event.moment().datetime().format("%Y-%m-%d %H:%M:%S%.6f");
        let Shown { kind, action, id, .. } = shown;
        // Compose ends each with an empty line.
        writeln!(app.ui.data(), "{time} {kind} {action} {id} ({})\n", pairs.join(", "))?;
    }
    // Whoever reads a pipe wants to see it now.
    Ok(app.ui.flush()?)
}

#[cfg(test)]
mod tests {
    use crate::compose::verbs::events::*;
    use coracle_runtime::events::Kind;

    fn event(one_off: &str) -> Event {
        let attributes = [
            (labels::PROJECT, "app"),
            (labels::SERVICE, "web"),
            (labels::ONE_OFF, one_off),
            ("image", "alpine"),
            ("name", "app-web-1"),
            ("signal", "15"),
        ];
        let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let now = "2026-11-21T00:10:36.1396959Z".parse().unwrap();
        Event::new(Kind::Container, "kill", "0ad4", attributes, now)
    }

    #[test]
    fn json_is_that_of_compose() {
        let event = event("False");
        let shown = shown(&event, &["web".to_owned()]).unwrap();
        assert_eq!(
            serde_json::to_string(&shown).unwrap(),
            r#"{"action":"kill","attributes":{"image":"alpine","name":"app-web-1","signal":"15"},"id":"0ad4","service":"web","time":"2026-11-21T00:10:36.1396959Z","type":"container"}"#
        );
    }

    #[test]
    fn other_services_and_containers_of_run_are_left_out() {
        assert!(shown(&event("False"), &["db".to_owned()]).is_none());
        assert!(shown(&event("True"), &[]).is_none());
    }
}
