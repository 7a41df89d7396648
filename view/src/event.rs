//! What happened, as it is sent and printed as JSON.

use coracle_runtime::events::{Event, Kind};
use serde_json::{Map, Value};

use crate::document::value_of;
use crate::{Api, ViewError};

/// An event as JSON. Up to API 1.51 those of containers and images have the action and the id
/// twice, and those of containers the image, for clients that are older still.
///
/// # Errors
/// When it has no JSON form.
pub fn document(event: &Event, api: Api) -> Result<Value, ViewError> {
    let sent = value_of(event)?;
    if api > Api::V1_51 || !matches!(event.kind, Kind::Container | Kind::Image) {
        return Ok(sent);
    }
    let mut out = Map::new();
    out.insert("status".to_owned(), event.action.as_str().into());
    out.insert("id".to_owned(), event.actor.id.as_str().into());
    if let (Kind::Container, Some(image)) = (event.kind, event.actor.attributes.get("image")) {
        out.insert("from".to_owned(), image.as_str().into());
    }
    if let Value::Object(sent) = sent {
        out.extend(sent);
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_clients_are_told_twice() {
        let now = "2026-11-20T23:55:02.199764194Z".parse().unwrap();
        let image = ("image".to_owned(), "alpine".to_owned());
        let event = Event::new(Kind::Container, "create", "cdb4", [image].into(), now);
        let newer = r#"{"Type":"container","Action":"create","Actor":{"ID":"cdb4","Attributes":{"image":"alpine"}},"scope":"local","time":1795218902,"timeNano":1795218902199764194}"#;
        assert_eq!(document(&event, Api::V1_55).unwrap().to_string(), newer);
        let older = newer.replacen('{', r#"{"status":"create","id":"cdb4","from":"alpine","#, 1);
        assert_eq!(document(&event, Api::V1_51).unwrap().to_string(), older);
        let volume = Event::new(Kind::Volume, "create", "v", [].into(), now);
        let both = [Api::V1_51, Api::V1_55].map(|api| document(&volume, api).unwrap());
        assert_eq!(both[0], both[1]);
    }
}
