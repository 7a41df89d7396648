//! One event, as JSON and as a line of text.

use std::collections::BTreeMap;
use std::fmt;

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use crate::model::{Container, Timestamp};
use coracle_words::moment::nine_digits;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Config,
    Container,
    Daemon,
    Image,
    Network,
    Node,
    Plugin,
    Secret,
    Service,
    Volume,
}

impl Kind {
    /// The word in JSON, text and filters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Container => "container",
            Self::Daemon => "daemon",
            Self::Image => "image",
            Self::Network => "network",
            Self::Node => "node",
            Self::Plugin => "plugin",
            Self::Secret => "secret",
            Self::Service => "service",
            Self::Volume => "volume",
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    #[serde(rename = "Type")]
    pub kind: Kind,
    #[serde(rename = "Action")]
    pub action: String,
    #[serde(rename = "Actor")]
    pub actor: Actor,
    /// `local`, or `swarm` for what belongs to a swarm.
    pub scope: String,
    /// Seconds since 1970.
    pub time: i64,
    /// Nanoseconds since 1970.
    #[serde(rename = "timeNano")]
    pub time_nanos: i64,
    /// The session of the Engine API whose object it is; readers are not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// Whom it happened to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(rename = "Attributes", default)]
    pub attributes: BTreeMap<String, String>,
}

impl Event {
    /// An event about the object `id`.
    #[must_use]
    pub fn new(
        kind: Kind,
        action: &str,
        id: &str,
        attributes: BTreeMap<String, String>,
        now: Timestamp,
    ) -> Self {
        let now = now.datetime();
        Self {
            kind,
            action: action.to_owned(),
            actor: Actor { id: id.to_owned(), attributes },
            scope: match kind {
                Kind::Config | Kind::Node | Kind::Secret | Kind::Service => "swarm",
                _ => "local",
            }
            .to_owned(),
            time: now.timestamp(),
            time_nanos: now.timestamp_nanos_opt().unwrap_or_default(),
            owner: None,
        }
    }

    /// An event of a container: its labels, image and name are attributes besides `extra`.
    #[must_use]
    pub fn of_container(
        container: &Container,
        action: &str,
        extra: &[(&str, &str)],
        now: Timestamp,
    ) -> Self {
        let mut attributes = container.config.labels.clone();
        attributes.insert("image".to_owned(), container.config.image.clone());
        attributes.insert("name".to_owned(), container.name.clone());
        for (name, value) in extra {
            attributes.insert((*name).to_owned(), (*value).to_owned());
        }
        let event = Self::new(Kind::Container, action, &container.id, attributes, now);
        Self { owner: container.owner.clone(), ..event }
    }

    /// When it happened.
    #[must_use]
    pub fn moment(&self) -> Timestamp {
        DateTime::from_timestamp_nanos(self.time_nanos).into()
    }
}

/// The line that `events` prints.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = nine_digits(self.moment());
        write!(f, "{time} {} {} {}", self.kind.as_str(), self.action, self.actor.id)?;
        if self.actor.attributes.is_empty() {
            return Ok(());
        }
        let pairs: Vec<_> =
            self.actor.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        write!(f, " ({})", pairs.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Kind};
    use crate::model::{Config, Container};

    fn container() -> Container {
        let config = Config {
            image: "alpine".to_owned(),
            labels: [("k".to_owned(), "v".to_owned())].into(),
            ..Config::default()
        };
        let id = "cdb4e087a696".to_owned();
        Container { id, name: "evc".to_owned(), config, ..Container::default() }
    }

    #[test]
    fn json_is_dockers() {
        let now = "2026-11-20T23:55:02.199764194Z".parse().unwrap();
        let event = Event::of_container(&container(), "create", &[], now);
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"Type":"container","Action":"create","Actor":{"ID":"cdb4e087a696","Attributes":{"image":"alpine","k":"v","name":"evc"}},"scope":"local","time":1795218902,"timeNano":1795218902199764194}"#
        );
        let attributes = [("driver".to_owned(), "local".to_owned())].into();
        let event = Event::new(Kind::Volume, "create", "evv", attributes, now);
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(
            json,
            r#"{"Type":"volume","Action":"create","Actor":{"ID":"evv","Attributes":{"driver":"local"}},"scope":"local","time":1795218902,"timeNano":1795218902199764194}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
    }

    #[test]
    fn lines_are_dockers() {
        let now = "2026-11-20T23:55:02.8323648Z".parse().unwrap();
        let extra = [("execDuration", "0"), ("exitCode", "129")];
        assert_eq!(
            Event::of_container(&container(), "die", &extra, now).to_string(),
            "2026-11-20T23:55:02.832364800Z container die cdb4e087a696 \
             (execDuration=0, exitCode=129, image=alpine, k=v, name=evc)"
        );
        assert_eq!(
            Event::new(Kind::Daemon, "reload", "x", Default::default(), now).to_string(),
            "2026-11-20T23:55:02.832364800Z daemon reload x"
        );
    }
}
