//! What stands inside `[ ]`: comparisons joined by AND and OR (9.6).

use super::LeafSpan;
use super::ast::{Comparator, Comparison, Constant, Leaf, Test};
use super::error::Code;
use super::lexer::Kind;
use super::parser::Parser;
use super::path::PathSpan;
use super::report::excerpt;

impl<'t> Parser<'t, '_> {
    /// `a OR b ..`
    pub(super) fn comparison(&mut self) -> Option<Comparison> {
        self.chain("OR", Self::comparison_and, Comparison::Or)
    }

    /// `a AND b ..`, which binds tighter (9.5, 9.5.3)
    fn comparison_and(&mut self) -> Option<Comparison> {
        self.chain("AND", Self::comparison_unit, Comparison::And)
    }

    fn chain(
        &mut self,
        keyword: &str,
        item: fn(&mut Self) -> Option<Comparison>,
        join: fn(Vec<Comparison>) -> Comparison,
    ) -> Option<Comparison> {
        let mut items = Vec::new();
        let mut whole = true;
        loop {
            let next = item(self);
            whole &= next.is_some();
            items.extend(next);
            if !self.take_keyword(keyword) {
                break;
            }
        }
        if !whole || items.len() < 2 {
            return items.pop().filter(|_| whole);
        }
        Some(join(items))
    }

    /// One comparison, or several in parentheses.
    fn comparison_unit(&mut self) -> Option<Comparison> {
        let unit = if *self.kind() == Kind::LeftParen {
            self.grouped(Self::comparison)
        } else {
            self.leaf().map(Comparison::Leaf)
        };
        if unit.is_none() {
            self.skip_to_comparison();
        }
        unit
    }

    fn leaf(&mut self) -> Option<Leaf> {
        let start = self.span().start;
        // `NOT EXISTS a` is allowed: NOT may precede any comparison operator (9.6.1)
        let named_like_keyword = *self.kind_after() == Kind::Colon;
        let negated = !named_like_keyword && self.take_keyword("NOT");
        if !named_like_keyword && self.take_keyword("EXISTS") {
            let (path, span) = self.object_path()?;
            self.keep_span(start, span);
            return Some(Leaf {
                path,
                negated,
                test: Test::Exists,
            });
        }
        if negated {
            let help = "NOT stands before the operator: `a:b NOT = 'x'`";
            self.complain(
                Code::Expected,
                format!("expected `EXISTS` after `NOT`, found {}", self.found()),
                help,
            );
            return None;
        }
        let (path, span) = self.object_path()?;
        let negated = self.take_keyword("NOT");
        let test = self.test()?;
        self.keep_span(start, span);
        Some(Leaf {
            path,
            negated,
            test,
        })
    }

    /// Remembers where the comparison that ends before this token stands.
    fn keep_span(&mut self, start: usize, path: PathSpan) {
        let whole = self.span_from(start);
        self.spans.leaves.push(LeafSpan {
            whole,
            path: path.whole,
            object_type: path.object_type,
        });
    }

    /// The operator and what follows it.
    fn test(&mut self) -> Option<Test> {
        let comparator = match self.kind() {
            Kind::Equal => Comparator::Equal,
            Kind::NotEqual => Comparator::NotEqual,
            Kind::Less => Comparator::Less,
            Kind::LessOrEqual => Comparator::LessOrEqual,
            Kind::Greater => Comparator::Greater,
            Kind::GreaterOrEqual => Comparator::GreaterOrEqual,
            _ => return self.word_test(),
        };
        self.at += 1;
        self.compare(comparator)
    }

    fn compare(&mut self, comparator: Comparator) -> Option<Test> {
        let span = self.span();
        let constant = self.constant()?;
        let ordered = !matches!(comparator, Comparator::Equal | Comparator::NotEqual);
        if ordered && matches!(constant, Constant::Boolean(_)) {
            let message = format!(
                "`{}` has no order for `{}`",
                self.slice(&span),
                comparator.as_str()
            );
            self.report.error(
                Code::Operand,
                span,
                message,
                "compare truth values with `=` or `!=`",
            );
            return None;
        }
        Some(Test::Compare(comparator, constant))
    }

    fn word_test(&mut self) -> Option<Test> {
        if self.take_keyword("IN") {
            return self.set().map(Test::In);
        }
        for (keyword, make) in [
            ("LIKE", Test::Like as fn(String) -> Test),
            ("MATCHES", Test::Matches),
            ("ISSUBSET", Test::IsSubset),
            ("ISSUPERSET", Test::IsSuperset),
        ] {
            if self.take_keyword(keyword) {
                return self.text_operand(keyword).map(make);
            }
        }
        let help = "one of = != < <= > >= IN LIKE MATCHES ISSUBSET ISSUPERSET";
        self.complain(
            Code::Expected,
            format!("expected an operator, found {}", self.found()),
            help,
        );
        None
    }

    fn text_operand(&mut self, keyword: &str) -> Option<String> {
        let span = self.span();
        match self.constant()? {
            Constant::String(text) => Some(text),
            _ => {
                let message = format!("`{keyword}` cannot take `{}`", excerpt(self.slice(&span)));
                self.report
                    .error(Code::Operand, span, message, "text in apostrophes");
                None
            }
        }
    }

    /// `(a, b, ..)`: at least one constant, all of one kind (9.6.1).
    fn set(&mut self) -> Option<Vec<Constant>> {
        let open = self.span();
        if *self.kind() != Kind::LeftParen {
            let message = format!("expected `(`, found {}", self.found());
            self.complain(Code::Set, message, "a set is `('a', 'b')`");
            return None;
        }
        self.at += 1;
        if *self.kind() == Kind::RightParen {
            self.at += 1;
            let span = self.span_from(open.start);
            self.report.error(
                Code::Set,
                span,
                "an empty set".to_owned(),
                "nothing is in it, so nothing would match",
            );
            return None;
        }
        let mut set: Vec<Constant> = Vec::new();
        let mut whole = true;
        loop {
            let span = self.span();
            let constant = self.constant();
            match (&constant, set.first()) {
                (Some(constant), Some(first)) if constant.kind() != first.kind() => {
                    let message = format!(
                        "`{}` among {}s",
                        excerpt(self.slice(&span)),
                        first.kind().as_str()
                    );
                    self.report.error(
                        Code::Set,
                        span,
                        message,
                        "the constants of a set are of one kind",
                    );
                    whole = false;
                }
                _ => whole &= constant.is_some(),
            }
            set.extend(constant);
            if *self.kind() != Kind::Comma {
                break;
            }
            self.at += 1;
        }
        if *self.kind() != Kind::RightParen {
            let message = format!("expected `,` or `)`, found {}", self.found());
            self.complain(Code::Set, message, "a set is `('a', 'b')`");
            whole = false;
            while matches!(self.kind(), Kind::Constant(_) | Kind::Comma | Kind::Broken) {
                self.at += 1;
            }
        }
        self.at += usize::from(*self.kind() == Kind::RightParen);
        Some(set).filter(|_| whole)
    }

    /// A constant, `true` and `false` among them.
    fn constant(&mut self) -> Option<Constant> {
        if self.take_keyword("true") {
            return Some(Constant::Boolean(true));
        }
        if self.take_keyword("false") {
            return Some(Constant::Boolean(false));
        }
        if matches!(self.kind(), Kind::Word(_)) {
            let message = format!("expected a constant, found {}", self.found());
            self.complain(Code::Expected, message, "text stands in apostrophes");
            return None;
        }
        self.operand("a constant")
    }

    /// After an error: skips to where the next comparison or the end of this observation may be.
    pub(super) fn skip_to_comparison(&mut self) {
        loop {
            match self.kind() {
                Kind::RightBracket | Kind::RightParen | Kind::End => return,
                Kind::Word("AND" | "OR" | "FOLLOWEDBY" | "WITHIN" | "REPEATS" | "START") => return,
                Kind::LeftBracket if self.is_index() => {
                    while !matches!(self.kind(), Kind::RightBracket | Kind::End) {
                        self.at += 1;
                    }
                    self.at += usize::from(*self.kind() == Kind::RightBracket);
                }
                Kind::LeftBracket => return,
                // a set or group the error stands before
                Kind::LeftParen => {
                    while !matches!(
                        self.kind(),
                        Kind::RightParen | Kind::RightBracket | Kind::End
                    ) {
                        self.at += 1;
                    }
                    self.at += usize::from(*self.kind() == Kind::RightParen);
                }
                _ => self.at += 1,
            }
        }
    }

    /// Whether the `[` here stands right behind a name, so is an index and not the next observation.
    fn is_index(&self) -> bool {
        let before = self
            .at
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last));
        before.is_some_and(|token| {
            token.span.end == self.span().start
                && matches!(
                    token.kind,
                    Kind::Word(_) | Kind::Constant(Constant::String(_)) | Kind::RightBracket
                )
        })
    }
}
