//! Text with `${…}` and `%{…}` in it.

use hcl_edit::expr::Expression;
use hcl_edit::template::{Directive, Element, Strip};

use super::eval::{Evaluator, Locals, pairs};
use super::value::Value;

/// Text that is being put together.
#[derive(Debug, Default)]
struct Text {
    text: String,
    /// The last part stands in the file as it is: `~` may cut it.
    is_literal: bool,
    /// White space that comes next is left out.
    cuts: bool,
}

impl Text {
    fn literal(&mut self, part: &str) {
        let part = if self.cuts { part.trim_start() } else { part };
        self.cuts = false;
        self.is_literal = true;
        self.text.push_str(part);
    }

    /// A sequence begins.
    fn before(&mut self, strip: Strip) {
        if matches!(strip, Strip::Start | Strip::Both) && self.is_literal {
            self.text.truncate(self.text.trim_end().len());
        }
        self.is_literal = false;
    }

    /// It has ended.
    fn after(&mut self, strip: Strip) {
        self.cuts = matches!(strip, Strip::End | Strip::Both);
    }
}

impl Evaluator<'_> {
    /// A template that is one `${…}` and nothing else is the value itself.
    pub(super) fn template<'t>(
        &self,
        elements: impl Iterator<Item = &'t Element>,
        locals: &Locals<'_>,
    ) -> Result<Value, String> {
        let elements: Vec<&Element> = elements.collect();
        if let [Element::Interpolation(only)] = elements[..] {
            return self.value(&only.expr, locals);
        }
        let mut text = Text::default();
        self.parts(elements.into_iter(), locals, &mut text)?;
        Ok(Value::Text(text.text))
    }

    fn parts<'t>(
        &self,
        elements: impl Iterator<Item = &'t Element>,
        locals: &Locals<'_>,
        out: &mut Text,
    ) -> Result<(), String> {
        for element in elements {
            let before = out.text.len();
            match element {
                Element::Literal(part) => out.literal(part.value()),
                Element::Interpolation(part) => {
                    out.before(part.strip);
                    out.text.push_str(&self.shown(&part.expr, locals)?);
                    out.after(part.strip);
                }
                Element::Directive(directive) => self.directive(directive, locals, out)?,
            }
            self.spend(out.text.len().saturating_sub(before))?;
        }
        Ok(())
    }

    fn shown(&self, expression: &Expression, locals: &Locals<'_>) -> Result<String, String> {
        let value = self.value(expression, locals)?;
        value.text().ok_or_else(|| {
            format!(
                "Invalid template interpolation value; a string is required, not {}",
                value.kind()
            )
        })
    }

    fn directive(
        &self,
        directive: &Directive,
        locals: &Locals<'_>,
        out: &mut Text,
    ) -> Result<(), String> {
        match directive {
            Directive::If(choice) => {
                let yes = self.value(&choice.if_expr.cond_expr, locals)?.truth();
                let yes = yes.ok_or("the condition of a template must be true or false")?;
                out.before(choice.if_expr.strip);
                out.after(choice.if_expr.strip);
                if yes {
                    self.parts(choice.if_expr.template.iter(), locals, out)?;
                }
                if let Some(other) = &choice.else_expr {
                    out.before(other.strip);
                    out.after(other.strip);
                    if !yes {
                        self.parts(other.template.iter(), locals, out)?;
                    }
                }
                out.before(choice.endif_expr.strip);
                out.after(choice.endif_expr.strip);
            }
            Directive::For(each) => {
                let head = &each.for_expr;
                let collection = self.value(&head.collection_expr, locals)?;
                out.before(head.strip);
                for (key, value) in pairs(collection)? {
                    out.after(head.strip);
                    let mut inner = Locals { outer: Some(locals), ..Locals::default() };
                    inner.values.insert(head.value_var.as_str().to_owned(), value);
                    if let Some(name) = &head.key_var {
                        inner.values.insert(name.as_str().to_owned(), key);
                    }
                    self.parts(head.template.iter(), &inner, out)?;
                    out.before(each.endfor_expr.strip);
                }
                out.after(each.endfor_expr.strip);
            }
        }
        Ok(())
    }
}
