//! From tokens to a tree, as the Go specification has it ("Expressions").

mod types;

use panicle_report::EvalError;

use super::error::Kind;
use super::lexer::{self, Token};

/// Bytes that an expression may have.
pub(super) const LONGEST: usize = 64 << 10;
/// Brackets and operators within one another.
const DEEPEST: usize = 100;
/// Operators, indices and selectors in all: a tree is no higher, whatever way it leans.
const MOST_PARTS: usize = 1000;
/// Names with slashes that are looked up as import paths.
const MOST_PATHS: usize = 64;

/// Part of an expression, and the byte of the expression that it is at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expr {
    pub(super) at: usize,
    pub(super) node: Node,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Name(String),
    Int(i128),
    Rune(char),
    Float(f64),
    Text(Vec<u8>),
    /// `x.f`
    Field(Box<Expr>, String),
    /// `x[i]`, or the generic type `x[i, …]`
    Index(Box<Expr>, Vec<Expr>),
    /// `x[a:b]`, `x[a:b:c]`
    Slice(Box<Expr>, [Option<Box<Expr>>; 3]),
    /// `*x`, or a pointer type
    Star(Box<Expr>),
    /// `&x`
    Address(Box<Expr>),
    Unary(&'static str, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// `f(x, …)`: a conversion, `len`, `cap`, or a call
    Call(Box<Expr>, Vec<Expr>),
    /// `x.(T)`
    Assert(Box<Expr>, Box<Expr>),
    /// A type that no name begins
    Type(Type),
    /// `T{…}`
    Composite(Box<Expr>, Vec<(Option<Expr>, Expr)>),
}

/// A type that begins like nothing else.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    Slice(Box<Expr>),
    Array(Box<Expr>, Box<Expr>),
    Map(Box<Expr>, Box<Expr>),
    Chan(Box<Expr>),
    /// `func`, `interface` and `struct` types, as they are spelled
    Spelled(String),
}

/// Parses `text`. `known` says which names with an import path there are: `example.com/x/y.Var`.
pub(super) fn parse(text: &str, known: &dyn Fn(&str) -> bool) -> Result<Expr, EvalError> {
    if text.len() > LONGEST {
        return Err(Kind::Limit.at(0, format!("an expression has at most {LONGEST} bytes")));
    }
    let mut parser =
        Parser { text, known, token: Token::End, at: 0, end: 0, depth: 0, parts: 0, paths_left: MOST_PATHS };
    parser.advance()?;
    if parser.token == Token::End {
        return Err(Kind::Syntax.at(0, "the expression is empty"));
    }
    let found = parser.expression(1)?;
    if parser.token == Token::End { Ok(found) } else { Err(parser.unexpected("the end")) }
}

struct Parser<'p> {
    text: &'p str,
    known: &'p dyn Fn(&str) -> bool,
    /// The token at hand, where it starts and ends.
    token: Token,
    at: usize,
    end: usize,
    depth: usize,
    parts: usize,
    /// Import paths that may still be looked for.
    paths_left: usize,
}

/// How tightly a binary operator binds.
fn precedence(mark: &str) -> Option<u32> {
    Some(match mark {
        "||" => 1,
        "&&" => 2,
        "==" | "!=" | "<" | "<=" | ">" | ">=" => 3,
        "+" | "-" | "|" | "^" => 4,
        "*" | "/" | "%" | "<<" | ">>" | "&" | "&^" => 5,
        _ => return None,
    })
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<(), EvalError> {
        (self.token, self.at, self.end) = lexer::next(self.text, self.end)?;
        Ok(())
    }

    fn is(&self, mark: &str) -> bool {
        matches!(self.token, Token::Mark(found) if found == mark)
    }

    /// Goes on behind `mark`, if that is at hand.
    fn take(&mut self, mark: &str) -> Result<bool, EvalError> {
        let found = self.is(mark);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, mark: &str) -> Result<(), EvalError> {
        if self.take(mark)? { Ok(()) } else { Err(self.unexpected(mark)) }
    }

    fn unexpected(&self, wanted: &str) -> EvalError {
        if self.token == Token::End {
            return Kind::Syntax.at(self.at, format!("the expression ends where {wanted} should be"));
        }
        let found = self.text.get(self.at..self.end).unwrap_or_default();
        Kind::Syntax.at(self.at, format!("{found} stands where {wanted} should be"))
    }

    /// Counts brackets and operators within one another.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, EvalError>) -> Result<T, EvalError> {
        if self.depth >= DEEPEST {
            return Err(Kind::Limit.at(self.at, "the expression is nested too deep"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// An expression of operators that bind at least as tightly as `least`.
    fn expression(&mut self, least: u32) -> Result<Expr, EvalError> {
        self.deeper(|parser| {
            let mut left = parser.unary()?;
            while let Token::Mark(mark) = parser.token {
                let Some(binds) = precedence(mark).filter(|binds| *binds >= least) else { break };
                parser.grow()?;
                let at = parser.at;
                parser.advance()?;
                let right = parser.expression(binds + 1)?;
                left = Expr { at, node: Node::Binary(mark, Box::new(left), Box::new(right)) };
            }
            Ok(left)
        })
    }

    fn grow(&mut self) -> Result<(), EvalError> {
        self.parts += 1;
        let limit = || Kind::Limit.at(self.at, "the expression has too many parts");
        if self.parts <= MOST_PARTS { Ok(()) } else { Err(limit()) }
    }

    fn unary(&mut self) -> Result<Expr, EvalError> {
        let Token::Mark(mark) = self.token else { return self.primary() };
        if !matches!(mark, "*" | "&" | "-" | "+" | "!" | "^" | "<-") {
            return self.primary();
        }
        let at = self.at;
        if mark == "<-" {
            return Err(Kind::Unsupported.at(at, "nothing can be received from a channel of a dead process"));
        }
        self.advance()?;
        let of = Box::new(self.deeper(Self::unary)?);
        let node = match mark {
            "*" => Node::Star(of),
            "&" => Node::Address(of),
            mark => Node::Unary(mark, of),
        };
        Ok(Expr { at, node })
    }

    fn primary(&mut self) -> Result<Expr, EvalError> {
        let mut expr = self.operand()?;
        loop {
            let at = self.at;
            let is_more = [".", "[", "(", "{"].iter().any(|mark| self.is(mark));
            if is_more {
                self.grow()?;
            }
            let node = if self.take(".")? {
                self.selector(expr)?
            } else if self.take("[")? {
                self.deeper(|parser| parser.index(expr))?
            } else if self.take("(")? {
                let arguments = self.deeper(|parser| parser.list(")"))?;
                Node::Call(Box::new(expr), arguments)
            } else if self.is("{") && is_type_like(&expr) {
                self.advance()?;
                let elements = self.deeper(Self::elements)?;
                Node::Composite(Box::new(expr), elements)
            } else {
                return Ok(expr);
            };
            expr = Expr { at, node };
        }
    }

    fn selector(&mut self, of: Expr) -> Result<Node, EvalError> {
        if self.take("(")? {
            let to = self.deeper(|parser| parser.expression(1))?;
            self.expect(")")?;
            return Ok(Node::Assert(Box::new(of), Box::new(to)));
        }
        let Token::Name(name) = &self.token else { return Err(self.unexpected("the name of a field")) };
        let name = name.clone();
        self.advance()?;
        Ok(Node::Field(Box::new(of), name))
    }

    fn index(&mut self, of: Expr) -> Result<Node, EvalError> {
        let mut parts: [Option<Box<Expr>>; 3] = [None, None, None];
        let mut at = 0;
        let mut indices = Vec::new();
        loop {
            if self.take(":")? {
                at += 1;
                if at == parts.len() || indices.len() > 1 {
                    return Err(self.unexpected("]"));
                }
                if let Some(first) = indices.pop() {
                    parts[0] = Some(Box::new(first));
                }
            } else if self.take("]")? {
                break;
            } else if at > 0 {
                if parts[at].is_some() {
                    return Err(self.unexpected("]"));
                }
                parts[at] = Some(Box::new(self.expression(1)?));
            } else {
                // Only generic types have several, and most indices are no types.
                if !indices.is_empty() && !self.take(",")? {
                    return Err(self.unexpected("]"));
                }
                indices.push(self.expression(1)?);
            }
        }
        if at > 0 {
            return Ok(Node::Slice(Box::new(of), parts));
        }
        if indices.is_empty() {
            return Err(Kind::Syntax.at(self.at, "an index is missing"));
        }
        Ok(Node::Index(Box::new(of), indices))
    }

    /// Expressions up to the bracket `close`.
    fn list(&mut self, close: &str) -> Result<Vec<Expr>, EvalError> {
        let mut list = Vec::new();
        while !self.take(close)? {
            list.push(self.expression(1)?);
            if !self.take(",")? {
                self.expect(close)?;
                break;
            }
        }
        Ok(list)
    }

    /// The elements of a composite literal.
    fn elements(&mut self) -> Result<Vec<(Option<Expr>, Expr)>, EvalError> {
        let mut list = Vec::new();
        while !self.take("}")? {
            let first = self.expression(1)?;
            if self.take(":")? {
                list.push((Some(first), self.expression(1)?));
            } else {
                list.push((None, first));
            }
            if !self.take(",")? {
                self.expect("}")?;
                break;
            }
        }
        Ok(list)
    }

    fn operand(&mut self) -> Result<Expr, EvalError> {
        let at = self.at;
        let node = match self.token.clone() {
            Token::Name(name) => match name.as_str() {
                "map" | "chan" | "func" | "interface" | "struct" => {
                    return self.deeper(Self::type_of_keyword);
                }
                _ => {
                    let name = self.with_path().unwrap_or(name);
                    Node::Name(name)
                }
            },
            Token::Int(number) => Node::Int(number),
            Token::Float(number) => Node::Float(number),
            Token::Rune(c) => Node::Rune(c),
            Token::Text(text) => Node::Text(text),
            Token::Mark("(") => {
                self.advance()?;
                let inner = self.deeper(|parser| parser.expression(1))?;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Mark("[") => return self.deeper(Self::sequence_type),
            _ => return Err(self.unexpected("a value")),
        };
        self.advance()?;
        Ok(Expr { at, node })
    }

    /// The name with an import path that starts here, if there is one that is known; then it is what the
    /// parser goes on behind.
    fn with_path(&mut self) -> Option<String> {
        if self.paths_left == 0 {
            return None;
        }
        let rest = &self.text[self.at..];
        let is_path =
            |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '~' | '%' | '-' | '+' | '@');
        let run = &rest[..rest.find(|c| !is_path(c)).unwrap_or(rest.len())];
        // Import paths end at a dot behind the last slash, which the name of the variable follows. What looks
        // like one may be a division: that is told by whether there is such a name.
        // Each attempt looks many names up, and an expression of slashes has many beginnings.
        self.paths_left -= usize::from(run.contains('/'));
        let slashes = run.rmatch_indices('/').take(32).map(|(at, _)| at);
        for slash in slashes {
            for (dot, _) in run[slash..].match_indices('.').take(32) {
                let name_at = slash + dot + 1;
                let length = lexer::name_length(&run[name_at..]);
                let starts_well = run[name_at..].starts_with(|c: char| c.is_alphabetic() || c == '_');
                if starts_well && (self.known)(&run[..name_at + length]) {
                    self.end = self.at + name_at + length;
                    return Some(run[..name_at + length].to_owned());
                }
            }
        }
        None
    }
}

/// Whether a brace behind `expr` begins a composite literal.
fn is_type_like(expr: &Expr) -> bool {
    match &expr.node {
        Node::Name(_) | Node::Type(_) => true,
        Node::Field(of, _) => matches!(of.node, Node::Name(_)),
        Node::Index(of, _) => is_type_like(of),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
