//! What `secret inspect` and `config inspect` tell.

use coracle_swarm::model::Secret;
use serde_json::Value;

use crate::ViewError;
use crate::document::value_of;

/// What Docker tells of a secret, or of a config with its content in base64.
///
/// # Errors
/// When it has no JSON form.
pub fn document(one: &Secret, data: Option<&str>) -> Result<Value, ViewError> {
    let mut document = value_of(one)?;
    if let Value::Object(map) = &mut document {
        map.remove("Coracle");
    }
    if let Some(data) = data {
        document["Spec"]["Data"] = data.into();
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_document_is_the_recorded_one() {
        let recorded = json!({
            "ID": "y1ufe8d81f2semk88e2x2nlfv",
            "Version": { "Index": 1542 },
            "CreatedAt": "2026-11-20T23:57:15.995039506Z",
            "UpdatedAt": "2026-11-20T23:57:15.995039506Z",
            "Spec": { "Name": "c2", "Labels": { "k": "v" } },
        });
        let mut one: Secret = serde_json::from_value(recorded.clone()).unwrap();
        one.sealed.text = "sealed".to_owned();
        assert_eq!(document(&one, None).unwrap().to_string(), recorded.to_string());
        let with_data = document(&one, Some("YWJj")).unwrap();
        assert_eq!(
            with_data["Spec"].to_string(),
            r#"{"Name":"c2","Labels":{"k":"v"},"Data":"YWJj"}"#
        );
    }
}
