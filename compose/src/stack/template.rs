//! Variables in values as Docker's loader of stack files has them: `$V`, `${V}`, `${V:-d}`, `${V-d}`, `${V:?m}`,
//! `${V?m}`; `$$` is a dollar, and any other dollar is a mistake. Nothing is nested: an expression ends at the
//! first brace.

use std::collections::BTreeMap;

use crate::text::template::name_length;

/// Puts the values of variables in their places; nothing when the text is no template, or a variable that must be
/// there is missing.
pub(super) fn substitute(text: &str, variables: &BTreeMap<String, String>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(more) = after.strip_prefix('$') {
            out.push('$');
            rest = more;
        } else if let Some(inner) = after.strip_prefix('{') {
            let (expression, more) = inner.split_once('}')?;
            out.push_str(&value(expression, variables)?);
            rest = more;
        } else {
            let name = name_length(after);
            if name == 0 {
                return None;
            }
            // Docker's pattern lets an operator follow a name without braces.
            let end = name + operator_length(&after[name..]);
            out.push_str(&value(&after[..end], variables)?);
            rest = &after[end..];
        }
    }
    out.push_str(rest);
    Some(out)
}

/// From an operator to the first brace or the end.
fn operator_length(text: &str) -> usize {
    let operator = text.strip_prefix(':').unwrap_or(text);
    match operator.starts_with(['-', '?']) {
        true => text.find('}').unwrap_or(text.len()),
        false => 0,
    }
}

fn value(expression: &str, variables: &BTreeMap<String, String>) -> Option<String> {
    let length = name_length(expression);
    let (name, operator) = expression.split_at(length);
    if length == 0 || (!operator.is_empty() && operator_length(operator) == 0) {
        return None;
    }
    // As Docker looks for them: `:-` anywhere comes before `-`, and both before what demands.
    let cut = |separator: &str| expression.split_once(separator);
    let found = |name: &str| variables.get(name).cloned();
    if let Some((name, default)) = cut(":-") {
        return Some(found(name).filter(|v| !v.is_empty()).unwrap_or_else(|| default.to_owned()));
    }
    if let Some((name, default)) = cut("-") {
        return Some(found(name).unwrap_or_else(|| default.to_owned()));
    }
    if let Some((name, _)) = cut(":?") {
        return found(name).filter(|v| !v.is_empty());
    }
    if let Some((name, _)) = cut("?") {
        return found(name);
    }
    Some(found(name).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let variables = [("A", "a"), ("E", "")];
        let variables = variables.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        for (text, value) in [
            ("$A${A}$$A", Some("aa$A")),
            ("${U:-d} ${U-d} ${E:-d} ${E-d}|", Some("d d d |")),
            ("${A:?m}${E?m}${U}", Some("a")),
            ("${U:-${A}}", Some("${A}")),
            ("plain", Some("plain")),
            ("$A-b", Some("a")),
            ("$1", None),
            ("a$", None),
            ("${", None),
            ("${A:+x}", None),
            ("${a b}", None),
            ("${E:?m}", None),
            ("${U?m}", None),
        ] {
            assert_eq!(substitute(text, &variables).as_deref(), value, "{text}");
        }
    }
}
