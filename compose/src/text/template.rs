//! Variables in values: `$V`, `${V}`, `${V:-default}`, `${V:?message}`, `${V:+other}` and their
//! forms without the colon, nested; `$$` is a dollar.
//!
//! A braced expression ends at the brace that closes it, or, when braces do not match, at the last
//! one on the line; one of its operators needs a brace on the line at all. Compose reads it so, and
//! files depend on it.

use crate::limits::{TEMPLATE_DEPTH_MAX, VALUE_BYTES_MAX};

/// Looks up variables; told of those that are missing and have no default.
pub(crate) trait Lookup {
    fn get(&self, name: &str) -> Option<String>;
    fn missing(&self, name: &str);
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TemplateError {
    /// A `${` that begins no expression; the whole text.
    Invalid(String),
    /// `${V:?reason}` without a value.
    Required {
        name: String,
        reason: String,
    },
    TooDeep,
    TooLong,
}

impl TemplateError {
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Invalid(text) => format!("invalid interpolation format: {text}"),
            Self::Required { name, reason } if reason.is_empty() => {
                format!("required variable {name} is missing a value")
            }
            Self::Required { name, reason } => {
                format!("required variable {name} is missing a value: {reason}")
            }
            Self::TooDeep => format!("variables nested more than {TEMPLATE_DEPTH_MAX} levels deep"),
            Self::TooLong => "the value grows beyond any use".to_owned(),
        }
    }

    pub(crate) fn hint(&self) -> Option<&'static str> {
        matches!(self, Self::Invalid(_)).then_some("write $$ for a literal dollar")
    }
}

/// One piece of a text, as [`pieces`] finds it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Literal(&'a str),
    /// `$$`
    Dollar,
    /// `$V`
    Named(&'a str),
    /// From `$` to the brace that ends it.
    Braced(&'a str),
    /// `${` that begins nothing.
    Invalid,
}

/// Cuts a text at its variables.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut lines = Lines { text, end: 0, last_brace: None };
    let (mut done, mut from) = (0, 0);
    while let Some(at) = text[from..].find('$').map(|at| at + from) {
        let Some((piece, end)) = piece_at(text, at, &mut lines) else {
            from = at + 1;
            continue;
        };
        if at > done {
            out.push(Piece::Literal(&text[done..at]));
        }
        out.push(piece);
        (done, from) = (end, end);
    }
    if done < text.len() {
        out.push(Piece::Literal(&text[done..]));
    }
    out
}

/// What begins with the dollar at `at`, and where it ends.
fn piece_at<'a>(text: &'a str, at: usize, lines: &mut Lines<'a>) -> Option<(Piece<'a>, usize)> {
    let after = &text[at + 1..];
    match after.chars().next()? {
        '$' => Some((Piece::Dollar, at + 2)),
        '{' => {
            let name = name_length(&after[1..]);
            let end = if name == 0 { None } else { braced_end(text, at, at + 2 + name, lines) };
            Some(match end {
                None => (Piece::Invalid, at + 2),
                Some(end) => (Piece::Braced(&text[at..end]), end),
            })
        }
        _ => {
            let name = name_length(after);
            (name > 0).then(|| (Piece::Named(&after[..name]), at + 1 + name))
        }
    }
}

pub(crate) fn name_length(text: &str) -> usize {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return 0;
    }
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// Where the expression ends that begins at `at` and whose name ends at `tail`.
fn braced_end<'a>(text: &'a str, at: usize, tail: usize, lines: &mut Lines<'a>) -> Option<usize> {
    let rest = &text[tail..];
    let operator = rest.strip_prefix(':').unwrap_or(rest);
    if operator.starts_with(['-', '+', '?'])
        && let Some(last) = lines.last_brace(tail)
    {
        return Some(at + first_closing_brace(&text[at..=last]).unwrap_or(last - at) + 1);
    }
    rest.starts_with('}').then_some(tail + 1)
}

/// The last closing brace of the line at hand: looked for once for each line.
struct Lines<'a> {
    text: &'a str,
    end: usize,
    last_brace: Option<usize>,
}

impl Lines<'_> {
    /// At or behind `from`, which only grows.
    fn last_brace(&mut self, from: usize) -> Option<usize> {
        if from >= self.end {
            let line = self.text[from..].split('\n').next().unwrap_or_default();
            self.end = from + line.len() + 1;
            self.last_brace = line.rfind('}').map(|at| at + from);
        }
        self.last_brace.filter(|at| *at >= from)
    }
}

/// The index of the brace that closes the first one. An opening brace hides the character
/// after it.
fn first_closing_brace(text: &str) -> Option<usize> {
    let mut open = 0;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'}' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            b'{' => {
                open += 1;
                bytes.next();
            }
            _ => {}
        }
    }
    None
}

/// Puts the values of variables in their places.
pub(crate) fn substitute(text: &str, lookup: &dyn Lookup) -> Result<String, TemplateError> {
    if !text.contains('$') {
        return Ok(text.to_owned());
    }
    substitute_at(text, lookup, 0)
}

fn substitute_at(text: &str, lookup: &dyn Lookup, depth: usize) -> Result<String, TemplateError> {
    if depth > TEMPLATE_DEPTH_MAX {
        return Err(TemplateError::TooDeep);
    }
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Literal(literal) => out.push_str(literal),
            Piece::Dollar => out.push('$'),
            Piece::Named(name) => out.push_str(&value_of(name, lookup)),
            Piece::Braced(whole) => out.push_str(&braced(whole, lookup, depth)?),
            Piece::Invalid => return Err(TemplateError::Invalid(text.to_owned())),
        }
        if out.len() > VALUE_BYTES_MAX {
            return Err(TemplateError::TooLong);
        }
    }
    Ok(out)
}

fn value_of(name: &str, lookup: &dyn Lookup) -> String {
    lookup.get(name).unwrap_or_else(|| {
        lookup.missing(name);
        String::new()
    })
}

fn braced(whole: &str, lookup: &dyn Lookup, depth: usize) -> Result<String, TemplateError> {
    let expression = &whole[2..whole.len() - 1];
    let name = name_length(expression);
    let (name, operator) = expression.split_at(name);
    applied(name, operator, lookup, depth)
}

fn applied(
    name: &str,
    operator: &str,
    lookup: &dyn Lookup,
    depth: usize,
) -> Result<String, TemplateError> {
    if operator.is_empty() {
        return Ok(value_of(name, lookup));
    }
    let (strict, operator) = match operator.strip_prefix(':') {
        Some(operator) => (true, operator),
        None => (false, operator),
    };
    let mut chars = operator.chars();
    let kind = chars.next();
    // Looked at only where it is needed: nobody misses variables of a default that is not taken.
    let operand = || substitute_at(chars.as_str(), lookup, depth + 1);
    let value = lookup.get(name);
    let present = value.as_deref().is_some_and(|value| !strict || !value.is_empty());
    match kind {
        Some('-') if !present => operand(),
        Some('+') if present => operand(),
        Some('?') if !present => {
            Err(TemplateError::Required { name: name.to_owned(), reason: operand()? })
        }
        _ => Ok(value.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    struct Vars(BTreeMap<&'static str, &'static str>, RefCell<Vec<String>>);

    impl Lookup for Vars {
        fn get(&self, name: &str) -> Option<String> {
            self.0.get(name).map(|value| (*value).to_owned())
        }

        fn missing(&self, name: &str) {
            self.1.borrow_mut().push(name.to_owned());
        }
    }

    fn vars() -> Vars {
        Vars(BTreeMap::from([("A", "a"), ("E", ""), ("_x1", "x")]), RefCell::default())
    }

    fn done(text: &str) -> String {
        substitute(text, &vars()).unwrap()
    }

    #[test]
    fn forms() {
        for (text, value) in [
            ("$A${A}$$A", "aa$A"),
            ("$_x1.${_x1}", "x.x"),
            ("${U:-d} ${U-d} ${E:-d} ${E-d}|", "d d d |"),
            ("${A:+s} ${A+s} ${E:+s} ${E+s} ${U+s}|", "s s  s |"),
            ("${A:?m}${E?m}", "a"),
            ("${U:-${A:-z}} ${U:-${V:-${A}}}", "a a"),
            ("${U:-{}}", "{}"),
            ("${U:-a:b-c?d}", "a:b-c?d"),
            ("${U-x:-y}", "x:-y"),
            ("$(date) $ 5$ %", "$(date) $ 5$ %"),
            ("${U:-$$x}", "$x"),
            ("${U:-{}a} ${A:-b} }", "{}a} a "),
        ] {
            assert_eq!(done(text), value, "{text}");
        }
    }

    #[test]
    fn missing_variables_are_told() {
        let vars = vars();
        assert_eq!(substitute("[$U][${V}][${W:-}]", &vars).unwrap(), "[][][]");
        assert_eq!(*vars.1.borrow(), ["U", "V"]);
    }

    #[test]
    fn mistakes() {
        let message = |text: &str| substitute(text, &vars()).unwrap_err().message();
        for text in ["${", "x ${V", "${}", "${1}", "${A!}", "${A:-x\ny}"] {
            assert_eq!(message(text), format!("invalid interpolation format: {text}"));
        }
        assert_eq!(message("${U:?need $A}"), "required variable U is missing a value: need a");
        assert_eq!(message("${E:?}"), "required variable E is missing a value");
        assert_eq!(message("${E:-${U?}}"), "required variable U is missing a value");
        // Nobody looks at what is not taken.
        for text in ["${A:-${U?}}", "${A:?${U?}}", "${A-${}}"] {
            assert_eq!(done(text), "a", "{text}");
        }
        let known = vars();
        assert_eq!(substitute("${A:-$V}${U+$V}", &known).unwrap(), "a");
        assert!(known.1.borrow().is_empty());
        let many = "${U:-x}".repeat(1000);
        assert_eq!(substitute(&many, &vars()), Ok("x".repeat(1000)));
        let deep = "${U:-".repeat(1000) + &"}".repeat(1000);
        assert!(message(&deep).contains("levels deep"));
    }
}
