//! `events`: print what happens, as it happens.

use std::borrow::Cow;
use std::io::Write as _;
use std::ops::ControlFlow;

use coracle_runtime::events::{Actor, Event, Events, Filter as EventFilter, Kind, Span};
use coracle_runtime::model::Timestamp;
use coracle_swarm::container::volumes;
use serde_json::{Value, json};

use crate::app::App;
use crate::args::Runnable;
use crate::args::values::{self, Filter};
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::filters::moment;
use crate::format::{Data, Missing, Template, visible};
use crate::ui::Ui;
use coracle_view::Api;

/// Print what happens, as it happens
#[derive(Debug, clap::Args)]
pub(crate) struct EventsArgs {
    /// Show only matches, key=value (type, event, container, image, label, volume, ...)
    #[arg(long, short = 'f', value_name = "filter", value_parser = values::filter)]
    pub(crate) filter: Vec<Filter>,
    /// Layout: json, or a Go template for each object
    #[arg(long, value_name = "string")]
    pub(crate) format: Option<String>,
    /// Start point: RFC 3339 time, unix seconds, or age such as 42m
    #[arg(long, value_name = "string")]
    pub(crate) since: Option<String>,
    /// End point: RFC 3339 time, unix seconds, or age such as 42m
    #[arg(long, value_name = "string")]
    pub(crate) until: Option<String>,
}

impl Runnable for EventsArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let template = match self.format.as_deref() {
            None | Some("") => None,
            Some("json") => Some("{{json .}}"),
            Some(source) => Some(source),
        };
        let template = template
            .map(|source| Template::parse("", source))
            .transpose()
            .map_err(|e| bad_format(&e))?;
        if let Some(template) = &template {
            // On an event of nothing, so that a wrong field is told of before there is one.
            let (value, missing) = (nothing(app.settings.api), Missing::Type("*events.Message"));
            template
                .apply(Data::Document { value: &value, missing })
                .map_err(|e| bad_format(&e))?;
        }
        let span =
            Span { since: given(self.since.as_deref())?, until: given(self.until.as_deref())? };
        if let (Some(since), Some(until)) = (&span.since, &span.until)
            && until < since
        {
            let (since, until) = (self.since.unwrap_or_default(), self.until.unwrap_or_default());
            return Err(CliError::engine(format!(
                "`since` time ({since}) cannot be after `until` time ({until})"
            )));
        }
        let pairs = self.filter.iter().map(|f| (f.key.as_str(), f.value.as_str()));
        let filter = EventFilter::new(pairs).map_err(CliError::engine)?;
        let template = template.as_ref();
        read(app, span, &filter, |app, event| match of_node(app, event) {
            Some(event) => show(app, &event, template),
            None => Ok(()),
        })
    }
}

/// What the node that is asked tells of it, if it happened there. Images are those of all nodes.
fn of_node<'a>(app: &App, event: &'a Event) -> Option<Cow<'a, Event>> {
    let Some(scope) = app.home.scope() else { return Some(Cow::Borrowed(event)) };
    let Actor { id, attributes } = &event.actor;
    let is_here = |id: &String| match app.engine().ok()?.records.load(id) {
        Ok(container) => Some(scope.has(&container)),
        // Of one that is gone, nobody knows where it was.
        Err(_) => Some(scope.is_machine),
    };
    let has_user = || attributes.get("container").map_or(Some(scope.is_machine), is_here);
    let shown = match event.kind {
        Kind::Container => scope.has_labels(attributes),
        Kind::Volume => match volumes::from_stored(id) {
            Some((number, name)) => {
                let mut event = event.clone();
                name.clone_into(&mut event.actor.id);
                return (number == scope.number).then_some(Cow::Owned(event));
            }
            None => has_user()?,
        },
        Kind::Network => has_user()?,
        Kind::Config | Kind::Node | Kind::Secret | Kind::Service => scope.is_manager,
        Kind::Daemon | Kind::Image | Kind::Plugin => true,
    };
    shown.then_some(Cow::Borrowed(event))
}

fn bad_format(error: &impl std::fmt::Display) -> CliError {
    CliError::plain(format!("Error parsing format: {error}")).status(ExitStatus::BadTemplate)
}

/// An event with every field, all of them empty.
fn nothing(api: Api) -> Value {
    let mut out = json!({
        "Type": "", "Action": "", "Actor": { "ID": "", "Attributes": {} }, "scope": "", "time": 0,
        "timeNano": 0,
    });
    if api <= Api::V1_51 {
        for old in ["status", "id", "from"] {
            out[old] = "".into();
        }
    }
    out
}

/// An empty time is none.
pub(crate) fn given(text: Option<&str>) -> Result<Option<Timestamp>, CliError> {
    text.filter(|text| !text.is_empty()).map(moment).transpose()
}

/// Reads events and has each shown; the first failure to show one ends it.
pub(crate) fn read(
    app: &mut App,
    span: Span,
    filter: &EventFilter,
    mut show: impl FnMut(&mut App, &Event) -> Result<(), CliError>,
) -> CommandResult {
    let events = Events::new(app.settings.data_root.join("events.jsonl"));
    let mut failed = None;
    let read = events.read(span, filter, &mut |event| match show(app, event) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    });
    read.map_err(|e| CliError::library(&e, None))?;
    failed.map_or(Ok(ExitStatus::Success), Err)
}

fn show(app: &mut App, event: &Event, template: Option<&Template>) -> Result<(), CliError> {
    let text = match template {
        None if Ui::stdout_is_terminal() => visible(&event.to_string()),
        None => event.to_string(),
        Some(template) => {
            let value = coracle_view::event::document(event, app.settings.api)?;
            template.apply(Data::Document { value: &value, missing: Missing::Map })?
        }
    };
    writeln!(app.ui.data(), "{text}")?;
    // Whoever reads a pipe wants to see it now.
    Ok(app.ui.flush()?)
}
