//! Object paths (9.7).

use std::ops::Range;

use super::ast::{Constant, ObjectPath, Step};
use super::error::Code;
use super::lexer::Kind;
use super::parser::Parser;

/// Where a path stands.
pub(super) struct PathSpan {
    pub(super) whole: Range<usize>,
    pub(super) object_type: Range<usize>,
}

impl Parser<'_, '_> {
    /// `type:name.name[n]`, with its place.
    pub(super) fn object_path(&mut self) -> Option<(ObjectPath, PathSpan)> {
        let type_span = self.span();
        let Kind::Word(object_type) = self.kind() else {
            let message = format!("expected an object path, found {}", self.found());
            self.complain(
                Code::Expected,
                message,
                "a comparison is `type:property = 'value'`",
            );
            return None;
        };
        self.at += 1;
        if *self.kind() != Kind::Colon {
            let message = format!("expected `:` after `{object_type}`, found {}", self.found());
            self.complain(Code::Expected, message, "an object path is `type:property`");
            return None;
        }
        self.at += 1;
        let mut steps = vec![self.name()?];
        loop {
            match self.kind() {
                Kind::Dot => {
                    self.at += 1;
                    steps.push(self.name()?);
                }
                Kind::LeftBracket => steps.push(self.index()?),
                _ => break,
            }
        }
        let whole = self.span_from(type_span.start);
        Some((
            ObjectPath {
                object_type: (*object_type).to_owned(),
                steps,
            },
            PathSpan {
                whole,
                object_type: type_span,
            },
        ))
    }

    /// A property name or dictionary key, in apostrophes or not.
    fn name(&mut self) -> Option<Step> {
        let span = self.span();
        match self.kind() {
            Kind::Word(word) => {
                if word.contains('-') {
                    // 9.7: a name with a hyphen or a full stop MUST be enclosed in apostrophes
                    let message = format!("`{word}` needs apostrophes");
                    self.report.tolerable(
                        Code::UnquotedName,
                        span,
                        message,
                        &format!("write `'{word}'`"),
                    );
                }
                self.at += 1;
                Some(Step::Key((*word).to_owned()))
            }
            Kind::Constant(Constant::String(key)) if self.slice(&span).starts_with('\'') => {
                self.at += 1;
                if key.is_empty() {
                    self.report
                        .error(Code::EmptyName, span, "an empty name".to_owned(), "");
                    return None;
                }
                Some(Step::Key(key.clone()))
            }
            Kind::Broken => {
                self.at += 1;
                None
            }
            _ => {
                let message = format!("expected a property name, found {}", self.found());
                self.complain(Code::Expected, message, "an object path is `type:property`");
                None
            }
        }
    }

    /// `[n]` or `[*]` (9.7.2; the `#*` of its text is a slip, its examples write `*`)
    fn index(&mut self) -> Option<Step> {
        self.at += 1;
        let step = match self.kind() {
            Kind::Star => Some(Step::Any),
            Kind::Constant(Constant::Integer(index)) => u64::try_from(*index).ok().map(Step::Index),
            _ => None,
        };
        if step.is_none() {
            let message = format!("{} is not an index", self.found());
            self.complain(
                Code::Index,
                message,
                "`[0]` for the first item, `[*]` for any",
            );
        }
        // whatever stood there, the path goes on behind the bracket
        if !matches!(self.kind(), Kind::RightBracket | Kind::End) {
            self.at += 1;
        }
        if *self.kind() == Kind::RightBracket {
            self.at += 1;
            return step;
        }
        let message = format!("expected `]`, found {}", self.found());
        self.complain(
            Code::Index,
            message,
            "`[0]` for the first item, `[*]` for any",
        );
        None
    }
}
