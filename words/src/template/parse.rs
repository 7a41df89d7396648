//! Builds the syntax tree of a template from its tokens.

use super::ast::{Command, Node, Operand, OperandKind, Pipeline, Template};
use super::error::TemplateError;
use super::functions;
use super::lex::{self, Piece, Token, TokenKind};

impl Template {
    /// Parses `source`; `name` appears in error messages and may be empty.
    ///
    /// # Errors
    /// When it is no template.
    pub fn parse(name: &str, source: &str) -> Result<Self, TemplateError> {
        Self::parse_with(name, source, &[])
    }

    /// The same with functions besides Go's own.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn parse_with(name: &str, source: &str, functions: &[&str]) -> Result<Self, TemplateError> {
        let fail = |line: usize, message: String| {
            TemplateError::Parse(format!("template: {name}:{line}: {message}"))
        };
        let pieces = lex::pieces(source).map_err(|e| fail(e.line, e.message))?;
        let mut parser = Parser { pieces: pieces.into_iter(), line: 1, loops: 0, functions };
        let (nodes, end) = parser.block().map_err(|e| {
            let (line, message) = (parser.line, e);
            fail(line, message)
        })?;
        match end {
            Closed::AtEof => Ok(Self { name: name.to_owned(), source: source.to_owned(), nodes }),
            Closed::ByEnd => Err(fail(parser.line, "unexpected {{end}}".into())),
            Closed::ByElse(_) => Err(fail(parser.line, "unexpected {{else}}".into())),
        }
    }
}

struct Parser<'f> {
    /// Known here, besides Go's own.
    functions: &'f [&'f str],
    pieces: std::vec::IntoIter<Piece>,
    line: usize,
    loops: usize,
}

/// What closed a block.
enum Closed {
    AtEof,
    ByEnd,
    /// The tokens after `else`, such as those of `else if`.
    ByElse(Vec<Token>),
}

impl Parser<'_> {
    fn block(&mut self) -> Result<(Vec<Node>, Closed), String> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let tokens = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Action { tokens, line } => {
                    self.line = line;
                    tokens
                }
            };
            let keyword = match tokens.first().map(|t| &t.kind) {
                Some(TokenKind::Word(word)) => word.clone(),
                Some(_) => String::new(),
                None => return Err("missing value for command".into()),
            };
            match keyword.as_str() {
                "end" => return Ok((nodes, Closed::ByEnd)),
                "else" => return Ok((nodes, Closed::ByElse(tokens[1..].to_vec()))),
                _ => nodes.push(self.statement(&keyword, &tokens)?),
            }
        }
        Ok((nodes, Closed::AtEof))
    }

    fn statement(&mut self, keyword: &str, tokens: &[Token]) -> Result<Node, String> {
        let rest = tokens.get(1..).unwrap_or_default();
        match keyword {
            "if" => {
                let condition = pipeline(self.functions, rest, "if")?;
                let (then, otherwise) = self.branches("if")?;
                Ok(Node::If { condition, then, otherwise })
            }
            "with" => {
                let value = pipeline(self.functions, rest, "with")?;
                let (then, otherwise) = self.branches("with")?;
                Ok(Node::With { value, then, otherwise })
            }
            "range" => {
                let over = pipeline(self.functions, rest, "range")?;
                self.loops += 1;
                let (body, otherwise) = self.branches("range")?;
                self.loops -= 1;
                Ok(Node::Range { over, body, otherwise })
            }
            "break" if self.loops > 0 => Ok(Node::Break),
            "continue" if self.loops > 0 => Ok(Node::Continue),
            "break" | "continue" => Err(format!("{{{{{keyword}}}}} outside {{{{range}}}}")),
            "define" | "template" | "block" => {
                Err(format!("{{{{{keyword}}}}} is not supported in a format"))
            }
            _ => Ok(Node::Output(pipeline(self.functions, tokens, "command")?)),
        }
    }

    /// The body of a block and of its `else`, up to the matching `end`.
    fn branches(&mut self, keyword: &str) -> Result<(Vec<Node>, Vec<Node>), String> {
        let (then, end) = self.block()?;
        let otherwise = match end {
            Closed::ByEnd => Vec::new(),
            Closed::AtEof => return Err("unexpected EOF".into()),
            Closed::ByElse(tokens) if tokens.is_empty() => match self.block()? {
                (nodes, Closed::ByEnd) => nodes,
                (_, Closed::AtEof) => return Err("unexpected EOF".into()),
                (_, Closed::ByElse(_)) => return Err("expected end; found {{else}}".into()),
            },
            Closed::ByElse(tokens) => match tokens.first().map(|t| &t.kind) {
                Some(TokenKind::Word(word)) if word == keyword && word != "range" => {
                    let word = word.clone();
                    vec![self.statement(&word, &tokens)?]
                }
                _ => return Err(format!("unexpected token in else of {keyword}")),
            },
        };
        Ok((then, otherwise))
    }
}

/// Parses a whole token list as one pipeline.
fn pipeline(functions: &[&str], tokens: &[Token], context: &str) -> Result<Pipeline, String> {
    let mut reader = Reader { functions, tokens, at: 0 };
    let (variables, assigns) = reader.declaration();
    let commands = reader.commands(context)?;
    if let Some(token) = reader.peek() {
        return Err(format!("unexpected {:?} in {context}", describe(&token.kind)));
    }
    Ok(Pipeline { variables, assigns, commands })
}

struct Reader<'a> {
    functions: &'a [&'a str],
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// `$a :=`, `$a =`, `$a, $b :=`; nothing is consumed when there is none.
    fn declaration(&mut self) -> (Vec<String>, bool) {
        let mut names = Vec::new();
        let mut at = self.at;
        while let Some(Token { kind: TokenKind::Variable(name), .. }) = self.tokens.get(at) {
            names.push(name.clone());
            match self.tokens.get(at + 1).map(|t| &t.kind) {
                Some(TokenKind::Declare) => {
                    self.at = at + 2;
                    return (names, false);
                }
                Some(TokenKind::Assign) => {
                    self.at = at + 2;
                    return (names, true);
                }
                Some(TokenKind::Comma) => at += 2,
                _ => break,
            }
        }
        (Vec::new(), false)
    }

    fn commands(&mut self, context: &str) -> Result<Vec<Command>, String> {
        let mut commands = Vec::new();
        loop {
            let mut operands = Vec::new();
            while let Some(token) = self.peek() {
                if matches!(token.kind, TokenKind::Pipe | TokenKind::Close) {
                    break;
                }
                operands.push(self.operand(context)?);
            }
            if operands.is_empty() {
                return Err(format!("missing value for {context}"));
            }
            commands.push(Command { operands });
            match self.peek().map(|t| &t.kind) {
                Some(TokenKind::Pipe) => self.at += 1,
                _ => return Ok(commands),
            }
        }
    }

    fn operand(&mut self, context: &str) -> Result<Operand, String> {
        let Some(token) = self.peek() else {
            return Err(format!("missing value for {context}"));
        };
        let before = self.at;
        self.at += 1;
        let start = token.span.start;
        let kind = match &token.kind {
            TokenKind::Dot => OperandKind::Dot,
            TokenKind::Field(name) => {
                let mut path = vec![name.clone()];
                path.extend(self.fields());
                OperandKind::Field(path)
            }
            TokenKind::Variable(name) => OperandKind::Variable(name.clone(), self.fields()),
            TokenKind::Text(text) => OperandKind::Text(text.clone()),
            TokenKind::Int(value) => OperandKind::Int(*value),
            TokenKind::Float(value) => OperandKind::Float(*value),
            TokenKind::Word(word) => match word.as_str() {
                "true" => OperandKind::Bool(true),
                "false" => OperandKind::Bool(false),
                "nil" => OperandKind::Nil,
                name if functions::exists(name) || self.functions.contains(&name) => {
                    OperandKind::Function(word.clone())
                }
                name => return Err(format!("function {name:?} not defined")),
            },
            TokenKind::Open => {
                let (variables, assigns) = self.declaration();
                let commands = self.commands("parenthesized pipeline")?;
                self.at += 1; // the closing one; the lexer has paired them
                let inner = Pipeline { variables, assigns, commands };
                OperandKind::Group(Box::new(inner), self.fields())
            }
            other => return Err(format!("unexpected {:?} in operand", describe(other))),
        };
        let at = match (&kind, self.tokens.get(before + 1)) {
            (OperandKind::Field(_) | OperandKind::Variable(..), Some(next)) if is_chained(next) => {
                next.span.start
            }
            _ => start,
        };
        let end = self.tokens.get(self.at.wrapping_sub(1)).map_or(start, |t| t.span.end);
        Ok(Operand { kind, span: start..end, at })
    }

    /// Field tokens that follow without a blank.
    fn fields(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        while let Some(Token { kind: TokenKind::Field(name), spaced: false, .. }) = self.peek() {
            path.push(name.clone());
            self.at += 1;
        }
        path
    }
}

/// Whether this is a field of what stands before it.
fn is_chained(token: &Token) -> bool {
    matches!(token, Token { kind: TokenKind::Field(_), spaced: false, .. })
}

fn describe(kind: &TokenKind) -> String {
    match kind {
        TokenKind::Dot => ".".into(),
        TokenKind::Field(name) => format!(".{name}"),
        TokenKind::Variable(name) | TokenKind::Word(name) => name.clone(),
        TokenKind::Text(text) => text.clone(),
        TokenKind::Int(value) => value.to_string(),
        TokenKind::Float(value) => value.to_string(),
        TokenKind::Pipe => "|".into(),
        TokenKind::Open => "(".into(),
        TokenKind::Close => ")".into(),
        TokenKind::Declare => ":=".into(),
        TokenKind::Assign => "=".into(),
        TokenKind::Comma => ",".into(),
    }
}
