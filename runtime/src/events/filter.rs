//! `--filter` of `events`.
//!
//! Values of one key are alternatives, except labels, which must all be there; keys must
//! all agree. Names and ids match by their beginning.

use coracle_words::has_label;

use super::{Event, Kind};

/// A filter with a key that `events` does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid filter '{key}'")]
pub struct InvalidFilter {
    pub key: String,
}

/// Which events are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    clauses: Vec<(Key, Vec<String>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Type,
    Event,
    Scope,
    Label,
    Image,
    /// The name or id of an object of that kind.
    Object(Kind),
}

impl Key {
    fn parse(key: &str) -> Option<Self> {
        Some(match key {
            "type" => Self::Type,
            "event" => Self::Event,
            "scope" => Self::Scope,
            "label" => Self::Label,
            "image" => Self::Image,
            _ => Self::Object(
                [
                    Kind::Config,
                    Kind::Container,
                    Kind::Daemon,
                    Kind::Network,
                    Kind::Node,
                    Kind::Plugin,
                    Kind::Secret,
                    Kind::Service,
                    Kind::Volume,
                ]
                .into_iter()
                .find(|kind| kind.as_str() == key)?,
            ),
        })
    }
}

impl Filter {
    /// Makes a filter of keys and values.
    ///
    /// # Errors
    /// For an unknown key.
    pub fn new<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, InvalidFilter> {
        let mut filter = Self::default();
        for (name, value) in pairs {
            let key = Key::parse(name).ok_or_else(|| InvalidFilter { key: name.to_owned() })?;
            match filter.clauses.iter_mut().find(|(known, _)| *known == key) {
                Some((_, values)) => values.push(value.to_owned()),
                None => filter.clauses.push((key, vec![value.to_owned()])),
            }
        }
        Ok(filter)
    }

    /// Whether `event` is wanted.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        self.clauses.iter().all(|(key, values)| {
            let mut values = values.iter().map(String::as_str);
            match key {
                Key::Label => values.all(|value| has_label(&event.actor.attributes, value)),
                Key::Type => values.any(|value| value == event.kind.as_str()),
                Key::Scope => values.any(|value| value == event.scope),
                Key::Event => values.any(|value| is_action(event, value)),
                Key::Image => values.any(|value| is_of_image(event, value)),
                Key::Object(kind) => {
                    event.kind == *kind && values.any(|value| is_about(event, value))
                }
            }
        })
    }
}

/// An action may carry more after a colon, as in `health_status: healthy`.
fn is_action(event: &Event, wanted: &str) -> bool {
    event.action.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

fn is_about(event: &Event, wanted: &str) -> bool {
    let name = event.actor.attributes.get("name");
    event.actor.id.starts_with(wanted) || name.is_some_and(|name| name.starts_with(wanted))
}

fn is_of_image(event: &Event, wanted: &str) -> bool {
    let attribute = if event.kind == Kind::Image { "name" } else { "image" };
    let name = event.actor.attributes.get(attribute).map(String::as_str).unwrap_or_default();
    [event.actor.id.as_str(), name]
        .into_iter()
        .any(|known| known == wanted || without_tag(known) == wanted)
}

fn without_tag(name: &str) -> &str {
    match name.rsplit_once(':') {
        // A colon before the last slash belongs to the port of a registry.
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Filter, Kind};

    fn event(kind: Kind, action: &str, id: &str, attributes: &[(&str, &str)]) -> Event {
        let attributes = attributes.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        Event::new(kind, action, id, attributes, "2026-11-20T23:55:02Z".parse().unwrap())
    }

    fn passes(filter: &[(&str, &str)], event: &Event) -> bool {
        Filter::new(filter.iter().copied()).unwrap().matches(event)
    }

    #[test]
    fn of_containers() {
        let attributes = [("name", "p4"), ("image", "reg:5000/alpine:3"), ("tier", "web")];
        let die = event(Kind::Container, "die", "bde0442f", &attributes);
        for wanted in [
            &[][..],
            &[("container", "p4")],
            &[("container", "bde")],
            &[("container", "x"), ("container", "p4")],
            &[("type", "container"), ("event", "die")],
            &[("event", "start"), ("event", "die")],
            &[("label", "tier")],
            &[("label", "tier=web")],
            &[("image", "reg:5000/alpine")],
            &[("image", "reg:5000/alpine:3")],
            &[("scope", "local")],
        ] {
            assert!(passes(wanted, &die), "{wanted:?}");
        }
        for unwanted in [
            &[("container", "other")][..],
            &[("type", "bogus")],
            &[("type", "container"), ("event", "start")],
            &[("label", "tier"), ("label", "absent")],
            &[("label", "tier=db")],
            &[("image", "alpine")],
            &[("image", "reg")],
            &[("volume", "p4")],
            &[("scope", "swarm")],
        ] {
            assert!(!passes(unwanted, &die), "{unwanted:?}");
        }
    }

    #[test]
    fn actions_with_a_detail() {
        let health = event(Kind::Container, "health_status: healthy", "c", &[]);
        assert!(passes(&[("event", "health_status")], &health));
        assert!(passes(&[("event", "health_status: healthy")], &health));
        assert!(!passes(&[("event", "health")], &health));
        assert!(passes(
            &[("event", "exec_create")],
            &event(Kind::Container, "exec_create: true ", "c", &[])
        ));
    }

    #[test]
    fn unknown_keys_are_refused() {
        let error = Filter::new([("bogus", "x")]).unwrap_err();
        assert_eq!(error.to_string(), "invalid filter 'bogus'");
    }
}
