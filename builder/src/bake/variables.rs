//! The variables of files with their values, and whether those are valid.

use super::error::BakeError;
use super::eval::{Evaluator, Locals};
use super::types::Type;
use super::value::Value;

/// A variable as `--list=variables` shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(skip_serializing_if = "String::is_empty", rename = "type")]
    pub of: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Evaluator<'_> {
    /// All variables, each with its value, checked.
    pub(super) fn variables(&self) -> Result<Vec<Listed>, BakeError> {
        let mut listed = Vec::new();
        for (name, variable) in &self.definitions.variables {
            let fault = |why| BakeError::new(variable.place.clone(), why);
            let value = self.named(name).map_err(fault)?;
            let shown = match (&variable.of, &value) {
                (_, Value::Null) => None,
                (None | Some(Type::Text), Value::Text(text)) => Some(text.clone()),
                (_, value) => Some(value.to_json()),
            };
            listed.push(Listed {
                name: name.clone(),
                description: variable.description.clone(),
                of: variable.of.as_ref().map(Type::name).unwrap_or_default(),
                value: shown,
            });
        }
        for variable in self.definitions.variables.values() {
            for (condition, message, place) in &variable.validations {
                let fault = |why| BakeError::new((*place).clone(), why);
                let value = self.value(condition, &Locals::default()).map_err(fault)?;
                match value.truth() {
                    Some(true) => {}
                    Some(false) => {
                        let message =
                            message.map(|one| self.value(one, &Locals::default())).transpose();
                        let message = message.map_err(fault)?.and_then(|message| message.text());
                        let message = message.unwrap_or_else(|| {
                            "This check failed, but has an invalid error message.".to_owned()
                        });
                        return Err(fault(format!("Validation failed; {message}")));
                    }
                    None => {
                        let kind = value.kind();
                        let why = format!(
                            "Invalid condition result; it must be true or false, not {kind}"
                        );
                        return Err(fault(why));
                    }
                }
            }
        }
        Ok(listed)
    }
}
