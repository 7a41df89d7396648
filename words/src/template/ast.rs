//! The syntax tree of a `--format` template.

use std::ops::Range;

/// A parsed template, ready to be applied to any number of objects.
#[derive(Debug)]
pub struct Template {
    /// Name that error messages carry; empty for most commands.
    pub(super) name: String,
    pub(super) source: String,
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Output(Pipeline),
    If { condition: Pipeline, then: Vec<Node>, otherwise: Vec<Node> },
    With { value: Pipeline, then: Vec<Node>, otherwise: Vec<Node> },
    Range { over: Pipeline, body: Vec<Node>, otherwise: Vec<Node> },
    Break,
    Continue,
}

/// `$a, $b := command | command`.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) variables: Vec<String>,
    /// `=` rather than `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// A function or field with its arguments.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) operands: Vec<Operand>,
}

#[derive(Debug)]
pub(super) struct Operand {
    pub(super) kind: OperandKind,
    /// Where it stands in the source, for messages.
    pub(super) span: Range<usize>,
    /// Where messages say it stands: at its second field, if there is one, as in Go.
    pub(super) at: usize,
}

#[derive(Debug)]
pub(super) enum OperandKind {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// `.A.B`
    Field(Vec<String>),
    /// `$x.A.B`; the name carries its `$`.
    Variable(String, Vec<String>),
    Function(String),
    /// `(pipeline).A.B`
    Group(Box<Pipeline>, Vec<String>),
}
