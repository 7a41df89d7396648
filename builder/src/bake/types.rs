//! Types of variables: `string`, `list(number)`, `object({ tag = string })`.

use std::collections::BTreeMap;

use hcl_edit::expr::Expression;

use super::value::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Any,
    Text,
    Number,
    Bool,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(BTreeMap<String, Type>),
}

impl Type {
    /// Reads a type expression.
    pub(super) fn read(expression: &Expression) -> Result<Self, String> {
        match expression {
            Expression::Variable(name) => match name.as_str() {
                "string" => Ok(Self::Text),
                "number" => Ok(Self::Number),
                "bool" => Ok(Self::Bool),
                "any" => Ok(Self::Any),
                kind @ ("list" | "set" | "map" | "tuple" | "object") => {
                    Err(format!("the type {kind} needs an argument: {kind}(…)"))
                }
                other => Err(format!("the keyword {other:?} is no type")),
            },
            Expression::FuncCall(call) => {
                let name = call.name.name.as_str();
                let [of] = call.args.iter().collect::<Vec<_>>()[..] else {
                    return Err(format!("the type {name} needs one argument"));
                };
                match name {
                    "list" => Ok(Self::List(Box::new(Self::read(of)?))),
                    "set" => Ok(Self::Set(Box::new(Self::read(of)?))),
                    "map" => Ok(Self::Map(Box::new(Self::read(of)?))),
                    "tuple" => match of {
                        Expression::Array(list) => {
                            list.iter().map(Self::read).collect::<Result<_, _>>().map(Self::Tuple)
                        }
                        _ => Err("a tuple needs a list of types".to_owned()),
                    },
                    "object" => Self::object(of),
                    other => Err(format!("the keyword {other:?} is no type")),
                }
            }
            _ => Err("a type is a keyword or a call such as list(string)".to_owned()),
        }
    }

    fn object(of: &Expression) -> Result<Self, String> {
        let Expression::Object(object) = of else {
            return Err("an object needs a map of types".to_owned());
        };
        let mut fields = BTreeMap::new();
        for (key, value) in object.iter() {
            let name = match key {
                hcl_edit::expr::ObjectKey::Ident(name) => name.as_str().to_owned(),
                hcl_edit::expr::ObjectKey::Expression(Expression::String(name)) => {
                    name.value().clone()
                }
                hcl_edit::expr::ObjectKey::Expression(_) => {
                    return Err("the fields of an object are names".to_owned());
                }
            };
            fields.insert(name, Self::read(value.expr())?);
        }
        Ok(Self::Object(fields))
    }

    /// As `--list=variables` shows it.
    pub(super) fn name(&self) -> String {
        let of = |kind: &str, each: &Self| match each {
            Self::Any => format!("{kind} of any single type"),
            each => format!("{kind} of {}", each.name()),
        };
        match self {
            Self::Any => "any type".to_owned(),
            Self::Text => "string".to_owned(),
            Self::Number => "number".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::List(each) => of("list", each),
            Self::Set(each) => of("set", each),
            Self::Map(each) => of("map", each),
            Self::Tuple(_) => "tuple".to_owned(),
            Self::Object(_) => "object".to_owned(),
        }
    }

    fn is_primitive(&self) -> bool {
        matches!(self, Self::Text | Self::Number | Self::Bool)
    }

    /// A value in this type, where it can be one.
    pub(super) fn convert(&self, value: Value) -> Result<Value, String> {
        let wrong = |value: &Value| format!("{} required, not {}", self.name(), value.kind());
        if matches!(value, Value::Null) {
            return Ok(value);
        }
        match (self, value) {
            (Self::Any, value) => Ok(value),
            (Self::Text, value) => value.text().map(Value::Text).ok_or_else(|| wrong(&value)),
            (Self::Number, value) => value.number().map(Value::Number).ok_or_else(|| wrong(&value)),
            (Self::Bool, value) => value.truth().map(Value::Bool).ok_or_else(|| wrong(&value)),
            (Self::List(each), Value::List(list)) => list
                .into_iter()
                .map(|part| each.convert(part))
                .collect::<Result<_, _>>()
                .map(Value::List),
            (Self::Set(each), Value::List(list)) => {
                let mut set: Vec<Value> = Vec::new();
                for part in list {
                    let part = each.convert(part)?;
                    if !set.contains(&part) {
                        set.push(part);
                    }
                }
                set.sort_by_key(Value::to_json);
                Ok(Value::List(set))
            }
            (Self::Tuple(types), Value::List(list)) if types.len() == list.len() => {
                let each = types.iter().zip(list).map(|(of, part)| of.convert(part));
                each.collect::<Result<_, _>>().map(Value::List)
            }
            (Self::Map(each), Value::Map(map)) => {
                let each = map.into_iter().map(|(key, part)| Ok((key, each.convert(part)?)));
                each.collect::<Result<_, String>>().map(Value::Map)
            }
            (Self::Object(fields), Value::Map(mut map)) => {
                let mut object = BTreeMap::new();
                for (name, of) in fields {
                    let part = map.remove(name).ok_or(format!("attribute {name:?} is required"))?;
                    object.insert(name.clone(), of.convert(part)?);
                }
                Ok(Value::Map(object))
            }
            (_, value) => Err(wrong(&value)),
        }
    }

    /// What the environment or `--var` says of the variable `name`: plain text, or comma-separated.
    pub(super) fn parse(&self, name: &str, text: &str) -> Result<Value, String> {
        let unsupported = || format!("unsupported type {} for variable {name}", self.name());
        let fields = || super::entry::fields(text).ok_or(format!("failed to parse {text} as CSV"));
        let each = |of: &Self| {
            if !of.is_primitive() {
                return Err(format!("unsupported type {} for CSV specification", self.name()));
            }
            fields()?.iter().map(|field| of.parse(name, field)).collect::<Result<Vec<_>, _>>()
        };
        match self {
            Self::Text => Ok(Value::from(text)),
            Self::Bool => coracle_words::strconv::parse_bool(text)
                .map(Value::Bool)
                .ok_or_else(|| format!("failed to parse {name} as bool: {text:?}")),
            Self::Number => Value::from(text)
                .number()
                .map(Value::Number)
                .ok_or_else(|| format!("failed to parse {name} as number: {text:?}")),
            Self::List(of) => each(of).map(Value::List),
            Self::Set(of) => self.convert(Value::List(each(of)?)),
            Self::Tuple(types) => {
                let fields = fields()?;
                if fields.len() != types.len() {
                    let (wanted, given) = (types.len(), fields.len());
                    return Err(format!(
                        "tuple expects {wanted} elements but only {given} provided"
                    ));
                }
                let pairs = types.iter().zip(&fields);
                let parts: Result<_, _> = pairs.map(|(of, field)| of.parse(name, field)).collect();
                parts.map(Value::List)
            }
            Self::Map(of) if of.is_primitive() => {
                let pair = |field: &String| {
                    let (key, value) = field.split_once(':').ok_or_else(|| {
                        format!("expected one k/v pair but got 1 pieces from {field}")
                    })?;
                    Ok((key.to_owned(), of.parse(name, value)?))
                };
                let pairs: Result<_, String> = fields()?.iter().map(pair).collect();
                pairs.map(Value::Map)
            }
            Self::Any | Self::Map(_) | Self::Object(_) => Err(unsupported()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Type, String> {
        Type::read(&text.parse().unwrap())
    }

    #[test]
    fn types_and_their_values() {
        let list = of("list(number)").unwrap();
        assert_eq!(list.name(), "list of number");
        assert_eq!(list.parse("V", "1,2").unwrap().to_json(), "[1,2]");
        assert!(list.parse("V", "1,x").unwrap_err().contains("failed to parse V as number"));
        let map = of("map(string)").unwrap();
        assert_eq!(map.parse("V", "a:b,c:d").unwrap().to_json(), r#"{"a":"b","c":"d"}"#);
        let object = of("object({a = string, b = bool})").unwrap();
        let value: serde_json::Value = serde_json::from_str(r#"{"a":1,"b":"true"}"#).unwrap();
        let value = object.convert(Value::from_json(&value)).unwrap();
        assert_eq!(value.to_json(), r#"{"a":"1","b":true}"#);
        assert!(object.parse("V", "x").unwrap_err().contains("unsupported type object"));
        assert!(of("lists").is_err() && of("list").is_err() && of("1").is_err());
        let set = of("set(string)").unwrap().parse("V", "b,a,b").unwrap();
        assert_eq!(set.to_json(), r#"["a","b"]"#);
    }
}
