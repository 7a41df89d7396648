//! `+`, `==`, `&&` and their kind.

use hcl_edit::expr::{BinaryOperator, UnaryOperator};

use super::value::Value;

pub(super) fn unary(operator: UnaryOperator, value: &Value) -> Result<Value, String> {
    match operator {
        UnaryOperator::Neg => number(value).map(|number| Value::Number(-number)),
        UnaryOperator::Not => truth(value).map(|yes| Value::Bool(!yes)),
    }
}

pub(super) fn binary(
    operator: BinaryOperator,
    left: &Value,
    right: &Value,
) -> Result<Value, String> {
    use BinaryOperator as B;
    let numbers = || Ok::<_, String>((number(left)?, number(right)?));
    let compare = |with: fn(&f64, &f64) -> bool| {
        numbers().map(|(left, right)| Value::Bool(with(&left, &right)))
    };
    match operator {
        B::Eq => Ok(Value::Bool(left == right)),
        B::NotEq => Ok(Value::Bool(left != right)),
        B::Less => compare(f64::lt),
        B::LessEq => compare(f64::le),
        B::Greater => compare(f64::gt),
        B::GreaterEq => compare(f64::ge),
        B::And => Ok(Value::Bool(truth(left)? && truth(right)?)),
        B::Or => Ok(Value::Bool(truth(left)? || truth(right)?)),
        B::Plus => numbers().map(|(left, right)| Value::Number(left + right)),
        B::Minus => numbers().map(|(left, right)| Value::Number(left - right)),
        B::Mul => numbers().map(|(left, right)| Value::Number(left * right)),
        B::Div | B::Mod => {
            let (left, right) = numbers()?;
            if right == 0.0 {
                return Err("Division by zero".to_owned());
            }
            Ok(Value::Number(if operator == B::Div { left / right } else { left % right }))
        }
    }
}

fn number(value: &Value) -> Result<f64, String> {
    value
        .number()
        .ok_or_else(|| format!("Invalid operand; a number is required, not {}", value.kind()))
}

fn truth(value: &Value) -> Result<bool, String> {
    value
        .truth()
        .ok_or_else(|| format!("Invalid operand; a bool is required, not {}", value.kind()))
}
