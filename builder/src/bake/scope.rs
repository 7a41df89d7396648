//! What names stand for: variables with their overrides, global attributes, functions, attributes of other blocks.

use std::collections::BTreeMap;

use hcl_edit::expr::Expression;

use super::Facts;
use super::error::{BakeError, Place};
use super::eval::{Evaluator, Locals};
use super::syntax::{Block, Body};
use super::types::Type;
use super::value::Value;

/// All that files define.
#[derive(Debug)]
pub(super) struct Definitions<'a> {
    pub(super) facts: &'a Facts,
    pub(super) variables: BTreeMap<String, Variable<'a>>,
    pub(super) attributes: BTreeMap<String, &'a Expression>,
    pub(super) functions: BTreeMap<String, Function<'a>>,
    /// Targets and groups, those of one name in their order.
    pub(super) blocks: Vec<&'a Block>,
}

#[derive(Debug)]
pub(super) struct Variable<'a> {
    pub(super) place: &'a Place,
    pub(super) default: Option<&'a Expression>,
    pub(super) of: Option<Type>,
    pub(super) description: String,
    /// Condition and message.
    pub(super) validations: Vec<(&'a Expression, Option<&'a Expression>, &'a Place)>,
}

#[derive(Debug)]
pub(super) struct Function<'a> {
    parameters: Vec<String>,
    variadic: Option<String>,
    result: &'a Expression,
}

impl<'a> Definitions<'a> {
    pub(super) fn read(bodies: &'a [Body], facts: &'a Facts) -> Result<Self, BakeError> {
        let mut all = Self {
            facts,
            variables: BTreeMap::new(),
            attributes: BTreeMap::new(),
            functions: BTreeMap::new(),
            blocks: Vec::new(),
        };
        for body in bodies {
            for attribute in &body.attributes {
                all.attributes.insert(attribute.name.clone(), &attribute.expression);
            }
            for block in &body.blocks {
                let fault = |why| BakeError::new(block.place.clone(), why);
                match block.kind.as_str() {
                    "variable" => all.variable(block)?,
                    "function" => {
                        let function = function(&block.body).map_err(fault)?;
                        all.functions.insert(block.label.clone(), function);
                    }
                    "target" | "group" => all.blocks.push(block),
                    other => {
                        let why = format!(
                            "Unsupported block type; blocks of type {other:?} are not expected here"
                        );
                        return Err(fault(why));
                    }
                }
            }
        }
        Ok(all)
    }

    /// A later file may say only a part of it.
    fn variable(&mut self, block: &'a Block) -> Result<(), BakeError> {
        let fault = |why: String| BakeError::new(block.place.clone(), why);
        let new = || Variable {
            place: &block.place,
            default: None,
            of: None,
            description: String::new(),
            validations: Vec::new(),
        };
        let variable = self.variables.entry(block.label.clone()).or_insert_with(new);
        for attribute in &block.body.attributes {
            match attribute.name.as_str() {
                "default" => variable.default = Some(&attribute.expression),
                "description" => {
                    variable.description =
                        attribute.expression.as_str().unwrap_or_default().to_owned();
                }
                "type" => variable.of = Some(type_of(&attribute.expression).map_err(fault)?),
                other => return Err(fault(unexpected(other))),
            }
        }
        for inner in &block.body.blocks {
            let body = &inner.body;
            match (inner.kind.as_str(), body.get("condition")) {
                ("validation", Some(condition)) => {
                    let message = body.get("error_message").map(|one| &one.expression);
                    variable.validations.push((&condition.expression, message, &condition.place));
                }
                ("validation", None) => {
                    return Err(fault("a validation needs a condition".to_owned()));
                }
                (other, _) => return Err(fault(unexpected(other))),
            }
        }
        Ok(())
    }
}

/// In JSON a type is text.
fn type_of(expression: &Expression) -> Result<Type, String> {
    match expression.as_str() {
        Some(text) => {
            let parsed: Expression = text.parse().map_err(|_| format!("{text:?} is no type"))?;
            Type::read(&parsed)
        }
        None => Type::read(expression),
    }
}

fn function(body: &Body) -> Result<Function<'_>, String> {
    let name_of = |expression: &Expression| match expression {
        Expression::Variable(name) => Ok(name.as_str().to_owned()),
        Expression::String(name) => Ok(name.value().clone()),
        _ => Err("Invalid param element; each parameter name must be an identifier".to_owned()),
    };
    let parameters = match body.get("params").map(|one| &one.expression) {
        Some(Expression::Array(list)) => list.iter().map(name_of).collect::<Result<_, _>>()?,
        Some(_) => return Err("params must be a list of names".to_owned()),
        None => return Err("empty params not allowed for a function".to_owned()),
    };
    let variadic = body.get("variadic_params").map(|one| name_of(&one.expression)).transpose()?;
    let result = body.get("result").ok_or("empty result not allowed for a function")?;
    Ok(Function { parameters, variadic, result: &result.expression })
}

pub(super) fn unexpected(name: &str) -> String {
    format!("Unsupported argument; an argument named {name:?} is not expected here")
}

impl Evaluator<'_> {
    /// The value of a variable or a global attribute.
    pub(super) fn named(&self, name: &str) -> Result<Value, String> {
        if let Some(text) = self.definitions.facts.builtin.get(name) {
            return Ok(Value::from(text.as_str()));
        }
        if let Some(value) = self.known.borrow().get(name) {
            return Ok(value.clone());
        }
        if !self.underway.borrow_mut().insert(name.to_owned()) {
            return Err(format!("variable cycle not allowed for {name}"));
        }
        let value =
            match (self.definitions.attributes.get(name), self.definitions.variables.get(name)) {
                (_, Some(variable)) => self.variable_value(name, variable),
                (Some(expression), None) => self.value(expression, &Locals::default()),
                (None, None) => {
                    Err(format!("Unknown variable; there is no variable named {name:?}"))
                }
            };
        self.underway.borrow_mut().remove(name);
        let value = value?;
        self.known.borrow_mut().insert(name.to_owned(), value.clone());
        Ok(value)
    }

    fn variable_value(&self, name: &str, variable: &Variable<'_>) -> Result<Value, String> {
        let default =
            variable.default.map(|one| self.value(one, &Locals::default())).transpose()?;
        let default = match (default, &variable.of) {
            (Some(value), Some(of)) => Some(of.convert(value).map_err(|why| {
                format!("invalid type {} for variable {name} default value: {why}", of.name())
            })?),
            (value, _) => value,
        };
        let facts = self.definitions.facts;
        let json_name = format!("{name}_JSON");
        let as_json = || {
            let is_other = self.definitions.variables.contains_key(&json_name);
            facts.variable(&json_name).filter(|_| !is_other)
        };
        let plain = facts.variable(name);
        let json = if plain.is_none() || variable.of.is_some() { as_json() } else { None };
        match (&variable.of, plain, json) {
            (Some(of), _, Some(text)) => {
                let json: serde_json::Value = serde_json::from_str(text)
                    .map_err(|why| format!("failed to convert variable {name} from JSON: {why}"))?;
                of.convert(Value::from_json(&json))
            }
            (Some(of), Some(text), None) => of.parse(name, text),
            (None, Some(text), _) | (None, None, Some(text)) => match default {
                None | Some(Value::Null | Value::Text(_)) => Ok(Value::from(text)),
                Some(Value::Bool(_)) => Type::Bool.parse(name, text),
                Some(Value::Number(_)) => Type::Number.parse(name, text),
                Some(other) => {
                    Err(format!("unsupported type {} for variable {name}", other.kind()))
                }
            },
            (Some(_), None, None) => Ok(default.unwrap_or(Value::Null)),
            (None, None, None) => Ok(default.unwrap_or_else(|| Value::from(""))),
        }
    }

    pub(super) fn own_function(
        &self,
        name: &str,
        function: &Function<'_>,
        values: Vec<Value>,
    ) -> Result<Value, String> {
        let wanted = function.parameters.len();
        if values.len() < wanted || (values.len() > wanted && function.variadic.is_none()) {
            let given = values.len();
            return Err(format!("function {name:?} takes {wanted} arguments, and got {given}"));
        }
        let mut values = values.into_iter();
        let mut locals = Locals::default();
        for (parameter, value) in function.parameters.iter().zip(values.by_ref()) {
            locals.values.insert(parameter.clone(), value);
        }
        if let Some(rest) = &function.variadic {
            locals.values.insert(rest.clone(), Value::List(values.collect()));
        }
        self.value(function.result, &locals)
    }

    /// `target.NAME.ATTRIBUTE`: what the block itself says.
    pub(super) fn of_block(
        &self,
        kind: &str,
        name: &str,
        attribute: &str,
    ) -> Result<Value, String> {
        let mut blocks = self.definitions.blocks.iter().rev();
        let found = blocks.find_map(|block| {
            let is_it = block.kind == kind && block.label == name;
            if is_it { block.body.get(attribute) } else { None }
        });
        let Some(found) = found else {
            return Err(format!(
                "Unsupported attribute; {kind} {name:?} has no attribute named {attribute:?}"
            ));
        };
        let path = format!("{kind}.{name}.{attribute}");
        if !self.underway.borrow_mut().insert(path.clone()) {
            return Err(format!("reference cycle not allowed for {path}"));
        }
        let value = self.value(&found.expression, &Locals::default());
        self.underway.borrow_mut().remove(&path);
        value
    }
}
