//! Applies a parsed template to an object.

use std::ops::Range;

use serde_json::Value;

use super::ast::{Command, Node, Operand, OperandKind, Pipeline, Template};
use super::data::{Context, Data, Missing};
use super::error::TemplateError;
use super::functions;
use super::print;
use super::value::{Val, Zero};

impl Template {
    /// Applies the template; gives the text it produces.
    /// # Errors
    /// When a function fails, or a field is asked for that is not there.
    pub fn apply(&self, data: Data<'_>) -> Result<String, TemplateError> {
        let mut run = Run { template: self, data, out: String::new(), variables: Vec::new() };
        run.variables.push(("$".to_owned(), Val::Root));
        run.nodes(&self.nodes, &Val::Root)?;
        Ok(run.out)
    }
}

/// One application of a template.
pub(super) struct Run<'a> {
    template: &'a Template,
    pub(super) data: Data<'a>,
    out: String,
    variables: Vec<(String, Val)>,
}

/// Whether a loop body ran to its end.
#[derive(PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl Run<'_> {
    fn nodes(&mut self, nodes: &[Node], dot: &Val) -> Result<Flow, TemplateError> {
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &Node, dot: &Val) -> Result<Flow, TemplateError> {
        let scope = self.variables.len();
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Output(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.out.push_str(&print::display(&value, self.data));
                }
                // A variable declared here lives until the end of the block.
                return Ok(Flow::Next);
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
            Node::If { condition, then, otherwise } => {
                let chosen = if self.pipeline(condition, dot)?.truth() { then } else { otherwise };
                let flow = self.nodes(chosen, dot)?;
                self.variables.truncate(scope);
                return Ok(flow);
            }
            Node::With { value, then, otherwise } => {
                let value = self.pipeline(value, dot)?;
                let flow = if value.truth() {
                    self.nodes(then, &value)?
                } else {
                    self.nodes(otherwise, dot)?
                };
                self.variables.truncate(scope);
                return Ok(flow);
            }
            Node::Range { over, body, otherwise } => {
                self.range(over, body, otherwise, dot)?;
                self.variables.truncate(scope);
            }
        }
        Ok(Flow::Next)
    }

    fn range(
        &mut self,
        over: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        dot: &Val,
    ) -> Result<(), TemplateError> {
        let value = self.commands(over, dot)?;
        let items: Vec<(Val, Val)> = match &value {
            Val::Null(_) => Vec::new(),
            Val::Json(Value::Array(list), _) => list
                .iter()
                .enumerate()
                .map(|(i, item)| (Val::of(Value::from(i)), Val::of(item.clone())))
                .collect(),
            Val::Json(Value::Object(map), _) => {
                let mut keys: Vec<&String> = map.keys().collect();
                keys.sort();
                keys.into_iter().map(|k| (Val::text(k), Val::of(map[k].clone()))).collect()
            }
            Val::Json(Value::Number(n), _) if n.is_i64() => {
                let count = n.as_i64().unwrap_or_default();
                (0..count).map(|i| (Val::of(i.into()), Val::of(i.into()))).collect()
            }
            other => {
                let shown = print::display(other, self.data);
                return Err(self.fail(over, &format!("range can't iterate over {shown}")));
            }
        };
        if items.is_empty() {
            self.nodes(otherwise, dot)?;
            return Ok(());
        }
        for (key, item) in items {
            let scope = self.variables.len();
            match over.variables.as_slice() {
                [value] => self.set(value, item.clone(), over.assigns),
                [k, v] => {
                    self.set(k, key, over.assigns);
                    self.set(v, item.clone(), over.assigns);
                }
                _ => {}
            }
            let flow = self.nodes(body, &item)?;
            self.variables.truncate(scope);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: Val, assigns: bool) {
        if assigns && let Some(slot) = self.variables.iter_mut().rev().find(|(n, _)| n == name) {
            slot.1 = value;
            return;
        }
        self.variables.push((name.to_owned(), value));
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Val) -> Result<Val, TemplateError> {
        let value = self.commands(pipeline, dot)?;
        if let Some(name) = pipeline.variables.first() {
            self.set(name, value.clone(), pipeline.assigns);
        }
        Ok(value)
    }

    fn commands(&mut self, pipeline: &Pipeline, dot: &Val) -> Result<Val, TemplateError> {
        let mut last = None;
        for command in &pipeline.commands {
            last = Some(self.command(command, dot, last)?);
        }
        Ok(last.unwrap_or(Val::Null(Zero::Text)))
    }

    fn command(
        &mut self,
        command: &Command,
        dot: &Val,
        piped: Option<Val>,
    ) -> Result<Val, TemplateError> {
        let Some((first, rest)) = command.operands.split_first() else {
            return Ok(Val::Null(Zero::Text));
        };
        match &first.kind {
            OperandKind::Function(name) => {
                if matches!(name.as_str(), "and" | "or") {
                    return self.short_circuit(name == "or", rest, dot, piped);
                }
                let mut arguments =
                    rest.iter().map(|o| self.operand(o, dot)).collect::<Result<Vec<_>, _>>()?;
                arguments.extend(piped);
                functions::call(name, &arguments, self.data).map_err(|message| {
                    let span = first.span.start..rest.last().unwrap_or(first).span.end;
                    self.fail_in(span, first.at, &format!("error calling {name}: {message}"))
                })
            }
            OperandKind::Field(path) if !rest.is_empty() || piped.is_some() => {
                let mut arguments =
                    rest.iter().map(|o| self.operand(o, dot)).collect::<Result<Vec<_>, _>>()?;
                arguments.extend(piped);
                self.method(first, path, &arguments)
            }
            _ if !rest.is_empty() || piped.is_some() => {
                Err(self.fail_at(first, "can't give argument to non-function"))
            }
            _ => self.operand(first, dot),
        }
    }

    fn short_circuit(
        &mut self,
        stop_on: bool,
        operands: &[Operand],
        dot: &Val,
        piped: Option<Val>,
    ) -> Result<Val, TemplateError> {
        let mut last = Val::Null(Zero::Text);
        for operand in operands {
            last = self.operand(operand, dot)?;
            if last.truth() == stop_on {
                return Ok(last);
            }
        }
        Ok(piped.unwrap_or(last))
    }

    /// The one method with an argument that rows have: `.Label "key"`.
    fn method(
        &self,
        operand: &Operand,
        path: &[String],
        arguments: &[Val],
    ) -> Result<Val, TemplateError> {
        let [name] = path else {
            return Err(self.fail_at(operand, "can't give argument to non-function"));
        };
        match (name.as_str(), self.data, arguments) {
            ("Label", Data::Fields(fields), [Val::Json(Value::String(key), _)]) => {
                Ok(Val::text(fields.label(key)))
            }
            _ => Err(self.fail_at(
                operand,
                &format!("{name} has arguments but cannot be invoked as function"),
            )),
        }
    }

    fn operand(&mut self, operand: &Operand, dot: &Val) -> Result<Val, TemplateError> {
        match &operand.kind {
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Nil => Ok(Val::Null(Zero::Pointer)),
            OperandKind::Bool(b) => Ok(Val::of(Value::Bool(*b))),
            OperandKind::Int(n) => Ok(Val::of(Value::from(*n))),
            OperandKind::Float(n) => Ok(Val::of(Value::from(*n))),
            OperandKind::Text(text) => Ok(Val::text(text)),
            OperandKind::Field(path) => self.walk(operand, dot.clone(), path),
            OperandKind::Variable(name, path) => {
                let value = self.variables.iter().rev().find(|(n, _)| n == name);
                let value = value.map(|(_, v)| v.clone()).ok_or_else(|| {
                    self.fail_at(operand, &format!("undefined variable {name:?}"))
                })?;
                self.walk(operand, value, path)
            }
            OperandKind::Group(inner, path) => {
                let value = self.pipeline(inner, dot)?;
                self.walk(operand, value, path)
            }
            OperandKind::Function(name) => functions::call(name, &[], self.data)
                .map_err(|m| self.fail_at(operand, &format!("error calling {name}: {m}"))),
        }
    }

    fn walk(&self, operand: &Operand, from: Val, path: &[String]) -> Result<Val, TemplateError> {
        let mut value = from;
        let mut parent = "";
        for name in path {
            value = self.field(operand, &value, name, parent)?;
            parent = name;
        }
        Ok(value)
    }

    fn field(
        &self,
        operand: &Operand,
        from: &Val,
        name: &str,
        parent: &str,
    ) -> Result<Val, TemplateError> {
        let object = match (from, self.data) {
            (Val::Root, Data::Fields(fields)) => {
                return fields.field(name).map(|v| Val::named(v, name)).ok_or_else(|| {
                    let message =
                        format!("can't evaluate field {name} in type {}", fields.type_name());
                    self.fail_at(operand, &message)
                });
            }
            (Val::Root, Data::Context(context)) => {
                return self.known(operand, context, context.value, ("", name));
            }
            (Val::Json(value, key), Data::Context(context)) => {
                return self.known(operand, context, value, (key, name));
            }
            (Val::Root, Data::Document { value, .. }) => value,
            (Val::Json(value, _), _) => value,
            (Val::Null(Zero::Map | Zero::Absent), _) => return Ok(Val::Null(Zero::Absent)),
            (Val::Null(_), _) => {
                let message = format!("map has no entry for key {parent:?}");
                return Err(self.fail_at(operand, &message));
            }
        };
        let holder = if let Val::Json(_, key) = from { key.as_str() } else { "" };
        match object {
            Value::Object(map) => match map.get(name).or_else(|| print::by_go_name(map, name)) {
                Some(found) => Ok(Val::named(found.clone(), print::key_in(holder, name))),
                None if self.is_raw() => Err(self.missing(operand, name, false)),
                None if matches!(from, Val::Json(_, key) if print::is_map(key)) => {
                    Ok(Val::Null(Zero::Absent))
                }
                None => {
                    let at_root = matches!(from, Val::Root);
                    print::optional(name, holder, at_root)
                        .map(Val::Null)
                        .ok_or_else(|| self.missing(operand, name, at_root))
                }
            },
            _ => {
                let typed = matches!(self.data, Data::Document { missing: Missing::Type(_), .. });
                let kind = if typed { print::go_type(object) } else { "interface {}" };
                Err(self.fail_at(operand, &format!("can't evaluate field {name} in type {kind}")))
            }
        }
    }

    fn is_raw(&self) -> bool {
        matches!(self.data, Data::Document { missing: Missing::Raw, .. })
    }

    /// A field of the value under `key`, which must be there.
    fn known(
        &self,
        operand: &Operand,
        context: &Context<'_>,
        value: &Value,
        (key, name): (&str, &str),
    ) -> Result<Val, TemplateError> {
        if let Some(found) = value.as_object().and_then(|map| map.get(name)) {
            return Ok(Val::named(found.clone(), name));
        }
        let structure =
            if value.is_object() { (context.type_of)(key) } else { Some(print::go_type(value)) };
        let message = match structure {
            Some(structure) => format!("can't evaluate field {name} in type {structure}"),
            None => format!("map has no entry for key {name:?}"),
        };
        Err(self.fail_at(operand, &message))
    }

    fn missing(&self, operand: &Operand, name: &str, at_root: bool) -> TemplateError {
        let message = match self.data {
            Data::Document { missing: Missing::Type(name_of_type), .. } if at_root => {
                format!("can't evaluate field {name} in type {name_of_type}")
            }
            _ => format!("map has no entry for key {name:?}"),
        };
        self.fail_at(operand, &message)
    }

    fn fail(&self, pipeline: &Pipeline, message: &str) -> TemplateError {
        match pipeline.commands.first().and_then(|c| c.operands.first()) {
            Some(operand) => self.fail_at(operand, message),
            None => TemplateError::Execute(message.to_owned()),
        }
    }

    /// `template: NAME:LINE:COLUMN: executing "NAME" at <TEXT>: MESSAGE`
    fn fail_at(&self, operand: &Operand, message: &str) -> TemplateError {
        self.fail_in(operand.span.clone(), operand.at, message)
    }

    fn fail_in(&self, span: Range<usize>, at: usize, message: &str) -> TemplateError {
        let source = &self.template.source;
        let line = super::lex::line_of(source, at);
        let column = at - source[..at].rfind('\n').map_or(0, |i| i + 1);
        let shown = source.get(span).unwrap_or_default();
        let name = &self.template.name;
        TemplateError::Execute(format!(
            "template: {name}:{line}:{column}: executing \"{name}\" at <{shown}>: {message}"
        ))
    }
}
