//! Types that begin like nothing else.

use panicle_report::EvalError;

use super::{
    super::{error::Kind, lexer::Token},
    Expr, Node, Parser, Type,
};

impl Parser<'_> {
    /// A type that is an operand of its own: what may follow it is `(`, `{`, and the end of a bracket.
    fn type_operand(&mut self) -> Result<Box<Expr>, EvalError> {
        self.deeper(|parser| {
            let at = parser.at;
            if parser.take("*")? {
                let to = parser.type_operand()?;
                return Ok(Box::new(Expr { at, node: Node::Star(to) }));
            }
            if parser.take("(")? {
                let inner = parser.type_operand()?;
                parser.expect(")")?;
                return Ok(inner);
            }
            let mut expr = parser.operand()?;
            if !matches!(expr.node, Node::Name(_) | Node::Type(_)) {
                return Err(Kind::Syntax.at(at, "a type should be here"));
            }
            while matches!(expr.node, Node::Name(_) | Node::Field(..)) {
                let at = parser.at;
                if parser.take(".")? {
                    let Token::Name(name) = &parser.token else {
                        return Err(parser.unexpected("the name of a type"));
                    };
                    let name = name.clone();
                    parser.advance()?;
                    expr = Expr { at, node: Node::Field(Box::new(expr), name) };
                } else if parser.take("[")? {
                    let arguments = parser.list("]")?;
                    expr = Expr { at, node: Node::Index(Box::new(expr), arguments) };
                } else {
                    break;
                }
            }
            Ok(Box::new(expr))
        })
    }

    /// `[]T`, `[n]T`
    pub(super) fn sequence_type(&mut self) -> Result<Expr, EvalError> {
        let at = self.at;
        self.expect("[")?;
        let node = if self.take("]")? {
            Type::Slice(self.type_operand()?)
        } else {
            let len = Box::new(self.expression(1)?);
            self.expect("]")?;
            Type::Array(len, self.type_operand()?)
        };
        Ok(Expr { at, node: Node::Type(node) })
    }

    pub(super) fn type_of_keyword(&mut self) -> Result<Expr, EvalError> {
        let at = self.at;
        let Token::Name(name) = self.token.clone() else { return Err(self.unexpected("a type")) };
        self.advance()?;
        let node = match name.as_str() {
            "map" => {
                self.expect("[")?;
                let key = self.type_operand()?;
                self.expect("]")?;
                Type::Map(key, self.type_operand()?)
            }
            "chan" => {
                // The direction is part of the name only.
                self.take("<-")?;
                Type::Chan(self.type_operand()?)
            }
            _ => Type::Spelled(self.spelled_type(at)?),
        };
        Ok(Expr { at, node: Node::Type(node) })
    }

    /// The text of a `func`, `interface` or `struct` type: what is within its brackets, and for functions
    /// the result.
    fn spelled_type(&mut self, from: usize) -> Result<String, EvalError> {
        let mut depth = 0_usize;
        let mut end = self.at;
        let mut marks = Vec::new();
        while let Token::Mark(mark @ ("(" | "{" | "[" | ")" | "}" | "]")) = self.token {
            match mark {
                "(" | "{" | "[" => {
                    // What follows a whole type is something else, unless it is a function's result.
                    if depth == 0 && !marks.is_empty() {
                        break;
                    }
                    depth += 1;
                    marks.push(mark);
                }
                _ if depth == 0 => break,
                _ => depth -= 1,
            }
            end = self.end;
            self.advance()?;
            while depth > 0 && !matches!(self.token, Token::Mark("(" | "{" | "[" | ")" | "}" | "]")) {
                if self.token == Token::End {
                    return Err(self.unexpected("a bracket"));
                }
                self.advance()?;
            }
        }
        if depth > 0 || marks.is_empty() {
            return Err(self.unexpected("a bracket"));
        }
        Ok(self.text[from..end].to_owned())
    }
}
