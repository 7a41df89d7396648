//! `format("%s-%03d", …)`.

use super::{number, text};
use crate::bake::value::Value;

/// What a width or a precision may be.
const WIDTH_MAX: usize = 1024;

/// One verb: `%-08.2f`, `%[1]s`.
#[derive(Debug, Default)]
struct Verb {
    left: bool,
    zeros: bool,
    plus: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
    argument: Option<usize>,
}

pub(super) fn format(form: &str, given: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut letters = form.chars().peekable();
    let mut next = 0;
    let mut numbered = false;
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        if letters.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let mut verb = Verb::default();
        while let Some(flag) = letters.next_if(|letter| "-0+# ".contains(*letter)) {
            match flag {
                '-' => verb.left = true,
                '0' => verb.zeros = true,
                '+' => verb.plus = true,
                '#' => verb.sharp = true,
                _ => {}
            }
        }
        let digits = |letters: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut value = None;
            while let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(10)) {
                letters.next();
                value = Some(
                    value.unwrap_or(0_usize).saturating_mul(10).saturating_add(digit as usize),
                );
            }
            value
        };
        verb.width = digits(&mut letters).unwrap_or(0);
        if letters.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(&mut letters).unwrap_or(0));
        }
        if letters.next_if_eq(&'[').is_some() {
            verb.argument = digits(&mut letters);
            if letters.next_if_eq(&']').is_none() {
                return Err("a [ in the format has no ]".to_owned());
            }
        }
        if verb.width > WIDTH_MAX || verb.precision.is_some_and(|precision| precision > WIDTH_MAX) {
            return Err("the format is too wide".to_owned());
        }
        let Some(kind) = letters.next() else {
            return Err("the format ends within a verb".to_owned());
        };
        numbered |= verb.argument.is_some();
        let at = verb.argument.map_or(next, |number| number.wrapping_sub(1));
        next = at.saturating_add(1);
        let value = given.get(at).ok_or_else(|| {
            format!(
                "not enough arguments for \"%{kind}\": need index {} but have {} total",
                at + 1,
                given.len()
            )
        })?;
        verb.write(kind, value, &mut out)?;
    }
    if !numbered && next < given.len() {
        return Err(format!("too many arguments; only {next} used by format string"));
    }
    Ok(out)
}

impl Verb {
    fn write(&self, kind: char, value: &Value, out: &mut String) -> Result<(), String> {
        let cut = |text: String| match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text,
        };
        let is_number = "bdoxXeEfgG".contains(kind);
        let body = match kind {
            'v' if self.sharp => value.to_json(),
            'v' => value.text().unwrap_or_else(|| value.to_json()),
            's' => cut(text(value)?),
            'q' => Value::Text(cut(text(value)?)).to_json(),
            't' => value.truth().ok_or("a bool is required")?.to_string(),
            'b' | 'd' | 'o' | 'x' | 'X' => self.integer(kind, value)?,
            'f' | 'F' => format!("{:.*}", self.precision.unwrap_or(6), number(value)?),
            'e' => format!("{:e}", number(value)?),
            'g' | 'G' => number(value)?.to_string(),
            other => return Err(format!("unsupported format verb {other:?}")),
        };
        let body = if is_number && self.plus && !body.starts_with('-') {
            format!("+{body}")
        } else {
            body
        };
        let missing = self.width.saturating_sub(body.chars().count());
        if self.left {
            out.push_str(&body);
            out.extend(std::iter::repeat_n(' ', missing));
        } else if self.zeros && is_number {
            let (sign, digits) = body.split_at(usize::from(body.starts_with(['-', '+'])));
            out.push_str(sign);
            out.extend(std::iter::repeat_n('0', missing));
            out.push_str(digits);
        } else {
            out.extend(std::iter::repeat_n(' ', missing));
            out.push_str(&body);
        }
        Ok(())
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "as the language has it: the fraction is cut"
    )]
    fn integer(&self, kind: char, value: &Value) -> Result<String, String> {
        let whole = number(value)?.trunc() as i64;
        let digits = whole.unsigned_abs();
        let body = match kind {
            'b' => format!("{digits:b}"),
            'o' => format!("{digits:o}"),
            'x' => format!("{digits:x}"),
            'X' => format!("{digits:X}"),
            _ => digits.to_string(),
        };
        Ok(if whole < 0 { format!("-{body}") } else { body })
    }
}
