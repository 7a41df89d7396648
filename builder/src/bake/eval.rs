//! Expressions to values.
//!
//! # How it works
//!
//! Variables, functions and the attributes of other targets are worked out when an expression asks for them, once.
//! What asks for itself is refused, and so is what would grow without an end ([`super::limits`]).

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{
    Conditional, Expression, ForExpr, FuncCall, ObjectKey, Traversal, TraversalOperator,
};

use super::functions;
use super::limits::{DEPTH_MAX, VALUES_MAX};
use super::scope::Definitions;
use super::types::Type;
use super::value::Value;

/// Names that only a part of an expression knows: those of `for`, of parameters, of a matrix.
#[derive(Debug, Default)]
pub(super) struct Locals<'p> {
    pub(super) outer: Option<&'p Locals<'p>>,
    pub(super) values: BTreeMap<String, Value>,
}

impl Locals<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).or_else(|| self.outer.and_then(|outer| outer.get(name)))
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

#[derive(Debug)]
pub(super) struct Evaluator<'a> {
    pub(super) definitions: &'a Definitions<'a>,
    pub(super) known: RefCell<BTreeMap<String, Value>>,
    pub(super) underway: RefCell<BTreeSet<String>>,
    spent: Cell<usize>,
    depth: Cell<usize>,
}

type Outcome = Result<Value, String>;

impl<'a> Evaluator<'a> {
    pub(super) fn new(definitions: &'a Definitions<'a>) -> Self {
        Self {
            definitions,
            known: RefCell::default(),
            underway: RefCell::default(),
            spent: Cell::new(0),
            depth: Cell::new(0),
        }
    }

    /// Counts what was made.
    pub(super) fn spend(&self, amount: usize) -> Result<(), String> {
        self.spent.set(self.spent.get().saturating_add(amount));
        if self.spent.get() > VALUES_MAX {
            return Err("its expressions make more than a bake file may ask for".to_owned());
        }
        Ok(())
    }

    pub(super) fn value(&self, expression: &Expression, locals: &Locals<'_>) -> Outcome {
        if self.depth.get() >= DEPTH_MAX {
            return Err("expressions and functions are too deep within each other".to_owned());
        }
        self.depth.set(self.depth.get() + 1);
        let value = self.step(expression, locals);
        self.depth.set(self.depth.get() - 1);
        if let Ok(value) = &value {
            self.spend(value.weight())?;
        }
        value
    }

    fn step(&self, expression: &Expression, locals: &Locals<'_>) -> Outcome {
        match expression {
            Expression::Null(_) => Ok(Value::Null),
            Expression::Bool(yes) => Ok(Value::Bool(*yes.value())),
            Expression::Number(number) => {
                number.value().as_f64().map(Value::Number).ok_or("a number out of range".to_owned())
            }
            Expression::String(text) => Ok(Value::Text(text.value().clone())),
            Expression::Array(list) => list
                .iter()
                .map(|part| self.value(part, locals))
                .collect::<Result<_, _>>()
                .map(Value::List),
            Expression::Object(object) => {
                let mut map = BTreeMap::new();
                for (key, value) in object.iter() {
                    let key = match key {
                        ObjectKey::Ident(name) => name.as_str().to_owned(),
                        ObjectKey::Expression(key) => {
                            self.value(key, locals)?.text().ok_or("a key must be text")?
                        }
                    };
                    map.insert(key, self.value(value.expr(), locals)?);
                }
                Ok(Value::Map(map))
            }
            Expression::StringTemplate(template) => self.template(template.iter(), locals),
            Expression::HeredocTemplate(here) => self.template(here.template.iter(), locals),
            Expression::Parenthesis(inner) => self.value(inner.inner(), locals),
            Expression::Variable(name) => self.variable(name.as_str(), locals),
            Expression::Conditional(choice) => self.conditional(choice, locals),
            Expression::FuncCall(call) => self.call(call, locals),
            Expression::Traversal(path) => self.traversal(path, locals),
            Expression::UnaryOp(operation) => {
                let value = self.value(&operation.expr, locals)?;
                super::operators::unary(*operation.operator.value(), &value)
            }
            Expression::BinaryOp(operation) => {
                let left = self.value(&operation.lhs_expr, locals)?;
                let right = self.value(&operation.rhs_expr, locals)?;
                super::operators::binary(*operation.operator.value(), &left, &right)
            }
            Expression::ForExpr(each) => self.each(each, locals),
        }
    }

    fn variable(&self, name: &str, locals: &Locals<'_>) -> Outcome {
        if let Some(value) = locals.get(name) {
            return Ok(value.clone());
        }
        self.named(name)
    }

    fn conditional(&self, choice: &Conditional, locals: &Locals<'_>) -> Outcome {
        let condition = self.value(&choice.cond_expr, locals)?;
        let Some(yes) = condition.truth() else {
            return Err(format!("a condition must be true or false, not {}", condition.kind()));
        };
        self.value(if yes { &choice.true_expr } else { &choice.false_expr }, locals)
    }

    fn call(&self, call: &FuncCall, locals: &Locals<'_>) -> Outcome {
        let name = call.name.name.as_str();
        if call.name.is_namespaced() {
            return Err(format!("there is no function named {name:?} in a namespace"));
        }
        let given: Vec<&Expression> = call.args.iter().collect();
        // These look at their arguments before those have a value.
        match (name, &given[..]) {
            ("try", tried) => {
                let found = tried.iter().find_map(|one| self.value(one, locals).ok());
                return found
                    .ok_or("no call succeeded; all of the expressions of try failed".to_owned());
            }
            ("can", [one]) => return Ok(Value::Bool(self.value(one, locals).is_ok())),
            ("convert", [one, wanted]) => {
                return Type::read(wanted)?.convert(self.value(one, locals)?);
            }
            _ => {}
        }
        let mut values: Vec<Value> =
            given.iter().map(|one| self.value(one, locals)).collect::<Result<_, _>>()?;
        if call.args.expand_final() {
            let last = values.pop().as_ref().and_then(Value::parts);
            values.extend(last.ok_or("only a list can be expanded with ...")?);
        }
        if let Some(function) = self.definitions.functions.get(name) {
            return self.own_function(name, function, values);
        }
        functions::call(name, &values, self.definitions.facts).map_err(|why| {
            format!("Error in function call; Call to function {name:?} failed: {why}")
        })
    }

    fn traversal(&self, path: &Traversal, locals: &Locals<'_>) -> Outcome {
        let operators: Vec<&TraversalOperator> =
            path.operators.iter().map(|one| one.value()).collect();
        if let Expression::Variable(kind) = &path.expr
            && matches!(kind.as_str(), "target" | "group")
            && !locals.has(kind.as_str())
        {
            let [
                TraversalOperator::GetAttr(name),
                TraversalOperator::GetAttr(attribute),
                rest @ ..,
            ] = &operators[..]
            else {
                return Err(format!("{} is used as {0}.NAME.ATTRIBUTE", kind.as_str()));
            };
            let value = self.of_block(kind.as_str(), name.as_str(), attribute.as_str())?;
            return self.follow(value, rest, locals);
        }
        let value = self.value(&path.expr, locals)?;
        self.follow(value, &operators, locals)
    }

    fn follow(&self, value: Value, path: &[&TraversalOperator], locals: &Locals<'_>) -> Outcome {
        let Some((first, rest)) = path.split_first() else { return Ok(value) };
        let splat = |value: Value| match value {
            Value::List(list) => list,
            Value::Null => Vec::new(),
            other => vec![other],
        };
        match first {
            TraversalOperator::GetAttr(name) => {
                let next = member(&value, &Value::from(name.as_str()))?;
                self.follow(next, rest, locals)
            }
            TraversalOperator::Index(index) => {
                let next = member(&value, &self.value(index, locals)?)?;
                self.follow(next, rest, locals)
            }
            TraversalOperator::LegacyIndex(index) => {
                let next = member(&value, &Value::from(index.value().to_string().as_str()))?;
                self.follow(next, rest, locals)
            }
            TraversalOperator::FullSplat(_) => {
                let parts = splat(value).into_iter().map(|part| self.follow(part, rest, locals));
                parts.collect::<Result<_, _>>().map(Value::List)
            }
            TraversalOperator::AttrSplat(_) => {
                let is_name =
                    |one: &&TraversalOperator| matches!(one, TraversalOperator::GetAttr(_));
                let names = rest.iter().take_while(|one| is_name(one)).count();
                let (names, rest) = rest.split_at(names);
                let parts = splat(value).into_iter().map(|part| self.follow(part, names, locals));
                let list = parts.collect::<Result<_, _>>().map(Value::List)?;
                self.follow(list, rest, locals)
            }
        }
    }

    fn each(&self, each: &ForExpr, locals: &Locals<'_>) -> Outcome {
        let collection = self.value(&each.intro.collection_expr, locals)?;
        let (mut list, mut map) = (Vec::new(), BTreeMap::<String, Value>::new());
        for (key, value) in pairs(collection)? {
            let mut values = BTreeMap::from([(each.intro.value_var.as_str().to_owned(), value)]);
            if let Some(name) = &each.intro.key_var {
                values.insert(name.as_str().to_owned(), key);
            }
            let inner = Locals { outer: Some(locals), values };
            if let Some(condition) = &each.cond {
                let yes = self.value(&condition.expr, &inner)?.truth();
                if !yes.ok_or("the condition of for must be true or false")? {
                    continue;
                }
            }
            let value = self.value(&each.value_expr, &inner)?;
            let Some(key) = &each.key_expr else {
                list.push(value);
                continue;
            };
            let key = self.value(key, &inner)?.text().ok_or("a key of for must be text")?;
            if each.grouping {
                match map.entry(key).or_insert_with(|| Value::List(Vec::new())) {
                    Value::List(list) => list.push(value),
                    _ => return Err("a key of for has two kinds of values".to_owned()),
                }
            } else if map.insert(key.clone(), value).is_some() {
                return Err(format!("two items make the key {key:?}; use ... to group them"));
            }
        }
        Ok(if each.key_expr.is_some() { Value::Map(map) } else { Value::List(list) })
    }
}

/// What a `for` goes through: keys, and values.
pub(super) fn pairs(collection: Value) -> Result<Vec<(Value, Value)>, String> {
    match collection {
        Value::List(list) => Ok((0_u32..)
            .zip(list)
            .map(|(number, value)| (Value::Number(number.into()), value))
            .collect()),
        Value::Map(map) => {
            Ok(map.into_iter().map(|(key, value)| (Value::Text(key), value)).collect())
        }
        other => Err(format!("a list or a map is required, not {}", other.kind())),
    }
}

/// One part of a list or a map.
pub(super) fn member(value: &Value, key: &Value) -> Outcome {
    match value {
        Value::List(list) => {
            let number = key.number().filter(|number| number.fract() == 0.0 && *number >= 0.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole and positive"
            )]
            let part = number.and_then(|number| list.get(number as usize));
            part.cloned().ok_or_else(|| "Invalid index; the list has no such element".to_owned())
        }
        Value::Map(map) => {
            let key = key.text().ok_or("Invalid index; a key must be text")?;
            let missing = || format!("Unsupported attribute; there is no attribute named {key:?}");
            map.get(&key).cloned().ok_or_else(missing)
        }
        other => Err(format!("Unsupported attribute; a {} has no attributes", other.kind())),
    }
}
