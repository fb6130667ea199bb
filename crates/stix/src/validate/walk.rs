//! What every check shares: the object in view, the path to the value, the list of findings.

use super::Options;
use crate::codes::Code;
use crate::finding::{Finding, Position};
use crate::json::Value;

/// The state of checking one object.
pub(super) struct Walk<'c> {
    pub(super) text: &'c str,
    pub(super) base: &'c Position,
    pub(super) options: &'c Options,
    /// The whole object.
    pub(super) root: Value<'c>,
    pub(super) object_type: &'c str,
    /// Addresses of defanged observables are not in the form of their family (3.2).
    pub(super) defanged: bool,
    /// Custom properties are defined by an extension, or belong to a custom type.
    pub(super) custom_defined: bool,
    /// The object is a stub of the standard that an extension completes.
    pub(super) completed: bool,
    /// Where the first custom property without a definition stands, and how many there are.
    pub(super) custom: Option<(usize, usize)>,
    pub(super) findings: Vec<Finding>,
}

impl Walk<'_> {
    /// Adds a finding at `value`.
    pub(super) fn report(
        &mut self,
        code: &'static Code,
        value: Value<'_>,
        path: &Path<'_>,
        message: String,
    ) {
        self.report_in(code, code.clause, value, path, message);
    }

    /// Adds a finding at `value`, with the clause of the type in view.
    pub(super) fn report_in(
        &mut self,
        code: &'static Code,
        clause: &'static str,
        value: Value<'_>,
        path: &Path<'_>,
        message: String,
    ) {
        let span = value.span();
        let finding = Finding {
            clause,
            pointer: path.pointer(),
            ..Finding::new(code, message)
        };
        self.push(finding, span.start, span.len());
    }

    /// Adds a finding at a place of the object's text. Beyond [`FINDINGS_MAX`] only the first error still counts: finding
    /// a line costs a pass over the text, and nobody reads that many.
    pub(super) fn push(&mut self, finding: Finding, offset: usize, len: usize) {
        let full = self.findings.len() >= FINDINGS_MAX;
        if full && (!finding.is_error() || self.findings.iter().any(Finding::is_error)) {
            return;
        }
        let text = self.text.as_bytes();
        self.findings.push(finding.at(text, offset, len, self.base));
    }
}

/// Findings reported for one object.
const FINDINGS_MAX: usize = 100;

/// The way from the whole object to a value, kept on the stack and printed only for a finding.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    above: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Name(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    pub(super) const ROOT: Path<'static> = Path {
        above: None,
        step: Step::Root,
    };

    pub(super) fn name(&'p self, name: &'p str) -> Path<'p> {
        Path {
            above: Some(self),
            step: Step::Name(name),
        }
    }

    pub(super) fn index(&'p self, index: usize) -> Path<'p> {
        Path {
            above: Some(self),
            step: Step::Index(index),
        }
    }

    /// The last property name on the way.
    pub(super) fn property(&self) -> &'p str {
        match (self.step, self.above) {
            (Step::Name(name), _) => name,
            (Step::Index(_), Some(above)) => above.property(),
            _ => "",
        }
    }

    /// The JSON pointer (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        let mut pointer = self.above.map(Path::pointer).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Name(name) => {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            }
            Step::Index(index) => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
        }
        pointer
    }
}

/// Enough of foreign text to recognise it in a message.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
