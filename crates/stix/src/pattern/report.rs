//! Collects what is found while a pattern is read.

use std::ops::Range;

use super::error::{Code, PatternError};

/// Errors and warnings so far, within a limit.
pub(super) struct Report {
    pub(super) errors: Vec<PatternError>,
    pub(super) warnings: Vec<PatternError>,
    /// The text ends inside a constant: missing brackets behind it are no news.
    pub(super) cut_short: bool,
    /// Set by any error after which there is no tree.
    pub(super) broken: bool,
    lenient: bool,
    max: usize,
}

impl Report {
    pub(super) const fn new(lenient: bool, max: usize) -> Self {
        Self {
            errors: Vec::new(),
            warnings: Vec::new(),
            cut_short: false,
            broken: false,
            lenient,
            max,
        }
    }

    /// Against the grammar: there will be no tree.
    pub(super) fn error(&mut self, code: Code, span: Range<usize>, message: String, help: &str) {
        self.broken = true;
        push(&mut self.errors, self.max, entry(code, span, message, help));
    }

    /// Not in the text of the standard, but clear: a warning when lenient.
    pub(super) fn tolerable(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: String,
        help: &str,
    ) {
        if self.lenient {
            self.warning(code, span, message, help);
        } else {
            self.error(code, span, message, help);
        }
    }

    /// A rule of meaning is broken: the tree stays.
    pub(super) fn meaning(&mut self, code: Code, span: Range<usize>, message: String, help: &str) {
        push(&mut self.errors, self.max, entry(code, span, message, help));
    }

    /// Allowed, but unlikely to be meant.
    pub(super) fn warning(&mut self, code: Code, span: Range<usize>, message: String, help: &str) {
        push(
            &mut self.warnings,
            self.max,
            entry(code, span, message, help),
        );
    }

    /// Brings both lists in the order of the text.
    pub(super) fn sort(&mut self) {
        self.errors
            .sort_by_key(|error| (error.code == Code::TooMany, error.span.start));
        self.warnings
            .sort_by_key(|error| (error.code == Code::TooMany, error.span.start));
    }
}

fn entry(code: Code, span: Range<usize>, message: String, help: &str) -> PatternError {
    PatternError {
        code,
        message,
        help: (!help.is_empty()).then(|| help.to_owned()),
        span,
    }
}

fn push(list: &mut Vec<PatternError>, max: usize, entry: PatternError) {
    match list.len().cmp(&max) {
        std::cmp::Ordering::Less => list.push(entry),
        std::cmp::Ordering::Equal => {
            let message = format!("more than {max} findings, the rest is left out");
            list.push(PatternError {
                code: Code::TooMany,
                message,
                help: None,
                span: entry.span,
            });
        }
        std::cmp::Ordering::Greater => {}
    }
}

/// At most 40 characters of the user's text, for messages.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}..", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}
