//! Recursive descent over the tokens, with recovery: the observation level (9.5). What stands inside `[ ]` is read in
//! `comparison.rs`, paths in `path.rs`.
//!
//! Recovery: whoever finds an error reports it and skips to the next place it knows; at most one error is reported per
//! token. A function that gives `None` has reported, and there will be no tree, only more errors.

use std::num::NonZeroU64;
use std::ops::Range;

use super::ast::{Constant, Observation, Pattern, Qualifier};
use super::error::Code;
use super::lexer::{Kind, Token};
use super::number::Seconds;
use super::report::{Report, excerpt};
use super::{Options, Spans, Timestamp};

pub(super) struct Parser<'t, 'r> {
    pub(super) text: &'t str,
    pub(super) tokens: &'t [Token<'t>],
    pub(super) at: usize,
    pub(super) spans: Spans,
    pub(super) report: &'r mut Report,
    depth: usize,
    depth_max: usize,
    /// The token the last error was reported at.
    complained_at: Option<usize>,
}

/// What joins observation expressions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Joint {
    FollowedBy,
    Or,
    And,
}

impl<'t, 'r> Parser<'t, 'r> {
    pub(super) fn new(
        text: &'t str,
        tokens: &'t [Token<'t>],
        options: &Options,
        report: &'r mut Report,
    ) -> Self {
        let (at, depth, depth_max) = (0, 0, options.depth_max);
        Self {
            text,
            tokens,
            at,
            spans: Spans::default(),
            report,
            depth,
            depth_max,
            complained_at: None,
        }
    }

    /// The whole text.
    pub(super) fn pattern(&mut self) -> Option<Pattern> {
        if *self.kind() == Kind::End {
            let help = "the least is `[type:property = 'value']`";
            self.complain(Code::Empty, "there is no pattern".to_owned(), help);
            return None;
        }
        let root = self.joined(Joint::FollowedBy);
        while *self.kind() != Kind::End {
            let message = format!("{} is left over", self.found());
            self.complain(Code::Trailing, message, "nothing may follow the pattern");
            self.at += 1;
            if matches!(self.kind(), Kind::LeftBracket | Kind::LeftParen) {
                self.joined(Joint::FollowedBy);
            }
        }
        root.map(|root| Pattern { root })
    }

    /// Expressions joined by this operator or ones that bind tighter (9.5.3: AND, then OR, then FOLLOWEDBY).
    fn joined(&mut self, joint: Joint) -> Option<Observation> {
        let mut items = Vec::new();
        let mut whole = true;
        loop {
            let item = match joint {
                Joint::FollowedBy => self.joined(Joint::Or),
                Joint::Or => self.joined(Joint::And),
                Joint::And => self.qualified(),
            };
            whole &= item.is_some();
            items.extend(item);
            let keyword = match joint {
                Joint::FollowedBy => "FOLLOWEDBY",
                Joint::Or => "OR",
                Joint::And => "AND",
            };
            let goes_on = self.take_keyword(keyword) || joint == Joint::And && self.joint_missing();
            if !goes_on {
                break;
            }
        }
        if !whole {
            return None;
        }
        Some(match (joint, items.len()) {
            (_, 0 | 1) => items.pop()?,
            (Joint::FollowedBy, _) => Observation::FollowedBy(items),
            (Joint::Or, _) => Observation::Or(items),
            (Joint::And, _) => Observation::And(items),
        })
    }

    /// `[a] [b]`: reported, and read on as if joined.
    fn joint_missing(&mut self) -> bool {
        if !matches!(self.kind(), Kind::LeftBracket | Kind::LeftParen) {
            return false;
        }
        let help = "join them with `AND`, `OR` or `FOLLOWEDBY`";
        self.complain(
            Code::Expected,
            "two observation expressions with nothing between".to_owned(),
            help,
        );
        true
    }

    /// An expression with its qualifiers.
    fn qualified(&mut self) -> Option<Observation> {
        let expression = self.primary();
        let mut qualifiers: Vec<Qualifier> = Vec::new();
        let mut whole = true;
        while let Some((qualifier, span)) = self.qualifier() {
            let Some(qualifier) = qualifier else {
                whole = false;
                continue;
            };
            if qualifiers
                .iter()
                .any(|other| std::mem::discriminant(other) == std::mem::discriminant(&qualifier))
            {
                // 9.5.1: an Observation Expression MUST NOT have more than one Qualifier of a particular type
                let message = format!("a second `{}` on one expression", qualifier.keyword());
                let help = "put the first with its expression in parentheses, or take one out";
                self.report
                    .error(Code::DuplicateQualifier, span, message, help);
                whole = false;
                continue;
            }
            self.spans.qualifiers.push(span);
            qualifiers.push(qualifier);
        }
        let expression = expression.filter(|_| whole)?;
        Some(if qualifiers.is_empty() {
            expression
        } else {
            Observation::Qualified(Box::new(expression), qualifiers)
        })
    }

    fn primary(&mut self) -> Option<Observation> {
        match self.kind() {
            Kind::LeftBracket => self.single(),
            Kind::LeftParen => self.grouped(|parser| parser.joined(Joint::FollowedBy)),
            _ => {
                let message = format!("expected `[`, found {}", self.found());
                let help = "an observation expression is `[type:property = 'value']`";
                self.complain(Code::Expected, message, help);
                self.skip_to_observation();
                None
            }
        }
    }

    /// `[ comparison ]`
    fn single(&mut self) -> Option<Observation> {
        let open = self.span();
        self.at += 1;
        let inside = self.comparison();
        let strayed = self.skip_strays();
        let closed = self.close(&Kind::RightBracket, "]", &open);
        inside
            .filter(|_| closed && !strayed)
            .map(Observation::Single)
    }

    /// Something that fits neither the comparison before nor the end of the observation: reported, then reading goes on
    /// behind it. False if the observation ends here, closed or not.
    fn skip_strays(&mut self) -> bool {
        if self.ends_observation() {
            return false;
        }
        let message = format!("expected `AND`, `OR` or `]`, found {}", self.found());
        self.complain(Code::Expected, message, "");
        while !self.ends_observation() {
            match self.kind() {
                Kind::Word("AND" | "OR") => {
                    self.at += 1;
                    self.comparison();
                }
                Kind::RightParen => self.at += 1,
                _ => self.skip_to_comparison(),
            }
        }
        true
    }

    fn ends_observation(&self) -> bool {
        matches!(
            self.kind(),
            Kind::RightBracket
                | Kind::LeftBracket
                | Kind::End
                | Kind::Word("FOLLOWEDBY" | "WITHIN" | "REPEATS" | "START")
        )
    }

    /// `( inside )`, on either level.
    pub(super) fn grouped<T>(&mut self, inside: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let open = self.span();
        if self.depth >= self.depth_max {
            let message = format!("parentheses nest deeper than {}", self.depth_max);
            self.complain(Code::TooDeep, message, "");
            // nothing behind this is read: every further parenthesis would be the same error
            self.report.cut_short = true;
            self.at = self.tokens.len().saturating_sub(1);
            return None;
        }
        self.at += 1;
        self.depth += 1;
        let value = inside(self);
        self.depth -= 1;
        let closed = self.close(&Kind::RightParen, ")", &open);
        value.filter(|_| closed)
    }

    /// The closing bracket. If it is missing, the opening one is pointed at, and reading goes on as if it were there.
    fn close(&mut self, kind: &Kind<'_>, name: &str, open: &Range<usize>) -> bool {
        if self.kind() == kind {
            self.at += 1;
            return true;
        }
        if self.complained_at != Some(self.at) && !self.report.cut_short {
            let opener = if name == "]" { "[" } else { "(" };
            let message = format!(
                "`{opener}` is not closed: expected `{name}`, found {}",
                self.found()
            );
            self.report.error(Code::Unclosed, open.clone(), message, "");
            self.complained_at = Some(self.at);
        }
        self.report.broken = true;
        false
    }

    /// A qualifier and its place, if one starts here. `None` inside: it was wrong and is reported.
    fn qualifier(&mut self) -> Option<(Option<Qualifier>, Range<usize>)> {
        let start = self.span().start;
        let qualifier = if self.take_keyword("REPEATS") {
            self.repeats()
        } else if self.take_keyword("WITHIN") {
            self.within()
        } else if self.take_keyword("START") {
            self.start_stop()
        } else {
            return None;
        };
        let end = self
            .tokens
            .get(self.at.saturating_sub(1))
            .map_or(start, |token| token.span.end);
        Some((qualifier, start..end.max(start)))
    }

    fn repeats(&mut self) -> Option<Qualifier> {
        let span = self.span();
        let count = match self.operand("how many times, a whole number")? {
            Constant::Integer(count) => u64::try_from(count).ok().and_then(NonZeroU64::new),
            _ => None,
        };
        if count.is_none() {
            let message = format!("`REPEATS` cannot take `{}`", self.slice(&span));
            self.report
                .error(Code::Repeats, span, message, "a whole number from 1");
        }
        self.unit("TIMES", &[])?;
        count.map(Qualifier::Repeats)
    }

    fn within(&mut self) -> Option<Qualifier> {
        let span = self.span();
        let seconds = match self.operand("how many seconds")? {
            #[expect(
                clippy::cast_precision_loss,
                reason = "integer constants have 54 bits, a double holds them exactly"
            )]
            Constant::Integer(seconds) => Seconds::new(seconds as f64),
            Constant::Float(seconds) => Seconds::new(seconds.get()),
            _ => None,
        };
        if seconds.is_none() {
            let message = format!("`WITHIN` cannot take `{}`", self.slice(&span));
            self.report.error(
                Code::Within,
                span,
                message,
                "a number of seconds greater than 0",
            );
        }
        // the standard's own prose once writes MINUTES (9.5); its table has SECONDS only (9.5.1)
        self.unit(
            "SECONDS",
            &["MINUTES", "HOURS", "DAYS", "SECOND", "MILLISECONDS"],
        )?;
        seconds.map(Qualifier::Within)
    }

    fn start_stop(&mut self) -> Option<Qualifier> {
        let start = self.instant("START");
        if !self.take_keyword("STOP") {
            let message = format!("expected `STOP`, found {}", self.found());
            self.complain(
                Code::Expected,
                message,
                "a window is `START t'..' STOP t'..'`",
            );
            return None;
        }
        let stop = self.instant("STOP");
        Some(Qualifier::StartStop {
            start: start?,
            stop: stop?,
        })
    }

    fn instant(&mut self, keyword: &str) -> Option<Timestamp> {
        let span = self.span();
        match self.operand("a timestamp")? {
            Constant::Timestamp(instant) => Some(instant),
            _ => {
                let message = format!("`{keyword}` cannot take `{}`", excerpt(self.slice(&span)));
                self.report.error(
                    Code::Operand,
                    span,
                    message,
                    "a timestamp, `t'2014-01-13T07:03:17Z'`",
                );
                None
            }
        }
    }

    /// `TIMES`, `SECONDS`.
    fn unit(&mut self, unit: &str, others: &[&str]) -> Option<()> {
        if self.take_keyword(unit) {
            return Some(());
        }
        let message = format!("expected `{unit}`, found {}", self.found());
        self.complain(Code::Expected, message, "");
        if matches!(self.kind(), Kind::Word(word) if others.iter().any(|other| other.eq_ignore_ascii_case(word)))
        {
            self.at += 1;
        }
        None
    }

    /// A constant, or an error that one was expected.
    pub(super) fn operand(&mut self, what: &str) -> Option<Constant> {
        match self.kind() {
            Kind::Constant(constant) => {
                let constant = constant.clone();
                self.at += 1;
                Some(constant)
            }
            Kind::Broken => {
                self.at += 1;
                None
            }
            _ => {
                let message = format!("expected {what}, found {}", self.found());
                self.complain(Code::Expected, message, "");
                None
            }
        }
    }

    /// Skips to where an observation expression, an operator or a qualifier may stand.
    fn skip_to_observation(&mut self) {
        loop {
            match self.kind() {
                Kind::LeftBracket | Kind::LeftParen | Kind::RightParen | Kind::End => return,
                Kind::Word("AND" | "OR" | "FOLLOWEDBY" | "WITHIN" | "REPEATS" | "START") => return,
                _ => self.at += 1,
            }
        }
    }

    pub(super) fn kind(&self) -> &'t Kind<'t> {
        self.tokens
            .get(self.at)
            .map_or(&Kind::End, |token| &token.kind)
    }

    pub(super) fn kind_after(&self) -> &'t Kind<'t> {
        self.tokens
            .get(self.at + 1)
            .map_or(&Kind::End, |token| &token.kind)
    }

    pub(super) fn span(&self) -> Range<usize> {
        let end = self.text.len();
        self.tokens
            .get(self.at)
            .map_or(end..end, |token| token.span.clone())
    }

    /// The text from the start of one token up to the end of the token before this one.
    pub(super) fn span_from(&self, start: usize) -> Range<usize> {
        let end = self
            .at
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(start, |token| token.span.end);
        start..end.max(start)
    }

    pub(super) fn slice(&self, span: &Range<usize>) -> &'t str {
        self.text.get(span.clone()).unwrap_or("")
    }

    /// What stands here, for messages.
    pub(super) fn found(&self) -> String {
        match self.kind() {
            Kind::End => "the end".to_owned(),
            _ => format!("`{}`", excerpt(self.slice(&self.span()))),
        }
    }

    /// Reports at this token, unless something was reported at it before.
    pub(super) fn complain(&mut self, code: Code, message: String, help: &str) {
        self.report.broken = true;
        let after_cut = self.report.cut_short && *self.kind() == Kind::End;
        if self.complained_at == Some(self.at) || *self.kind() == Kind::Broken || after_cut {
            return;
        }
        self.complained_at = Some(self.at);
        self.report.error(code, self.span(), message, help);
    }

    /// Takes the keyword if it stands here. In another case it is reported and taken.
    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let Kind::Word(word) = self.kind() else {
            return false;
        };
        if *word != keyword {
            if !word.eq_ignore_ascii_case(keyword) {
                return false;
            }
            let message = format!("`{word}` is not a keyword");
            self.complain(Code::KeywordCase, message, &format!("write `{keyword}`"));
        }
        self.at += 1;
        true
    }
}
