//! The STIX pattern language (STIX 2.1, section 9): read, check, print, explain.
//!
//! [`parse`] reports everything it finds in one pass; the tree in `ast` has no positions, prints back to a pattern
//! that parses to itself, and is what matching and search are built on. Nothing is evaluated here.
//!
//! Start reading at [`parse`], then `ast.rs`, `parser.rs`.

mod ast;
mod check;
mod comparison;
mod error;
mod explain;
mod lexer;
mod literal;
mod number;
mod parser;
mod path;
mod print;
mod report;
mod walk;

use std::ops::Range;

use crate::timestamp::Timestamp;

pub use ast::{
    Comparator, Comparison, Constant, ConstantKind, Leaf, ObjectPath, Observation, Pattern,
    Qualifier, Step, Test,
};
pub use check::{Part, Remark, check};
pub use error::{Code, PatternError};
pub use explain::explain;
pub use number::{Finite, Seconds};

/// Reads a pattern as the text of the standard has it.
///
/// ```
/// use comity_stix::pattern::parse;
/// let parsed = parse("[file:name = 'a.exe' AND file:size > 0] REPEATS 2 TIMES");
/// assert_eq!(parsed.valid().unwrap().to_string(), "[file:name = 'a.exe' AND file:size > 0] REPEATS 2 TIMES");
///
/// let parsed = parse("[file:name == 'a.exe' and file:size > ]");
/// let codes: Vec<_> = parsed.errors.iter().map(|error| error.code.as_str()).collect();
/// assert_eq!(codes, ["stix.pattern.operator", "stix.pattern.keyword-case", "stix.pattern.expected"]);
/// ```
#[must_use]
pub fn parse(text: &str) -> Parsed {
    parse_with(text, &Options::default())
}

/// Reads a pattern.
#[must_use]
pub fn parse_with(text: &str, options: &Options) -> Parsed {
    let mut report = report::Report::new(options.lenient, options.errors_max);
    if text.len() > options.bytes_max {
        let message = format!(
            "the pattern has {} bytes, more than {}",
            text.len(),
            options.bytes_max
        );
        report.error(Code::TooLong, 0..0, message, "");
        return Parsed {
            ast: None,
            spans: Spans::default(),
            errors: report.errors,
            warnings: report.warnings,
        };
    }
    let tokens = lexer::tokens(text, &mut report);
    let mut parser = parser::Parser::new(text, &tokens, options, &mut report);
    let ast = parser.pattern();
    let spans = parser.spans;
    let ast = ast.filter(|_| !report.broken);
    let spans = if ast.is_some() {
        spans
    } else {
        Spans::default()
    };
    for remark in ast.iter().flat_map(check) {
        let span = spans.of(remark.part);
        if remark.code.is_warning() {
            report.warning(remark.code, span, remark.message, &remark.help);
        } else {
            report.meaning(remark.code, span, remark.message, &remark.help);
        }
    }
    report.sort();
    Parsed {
        ast,
        spans,
        errors: report.errors,
        warnings: report.warnings,
    }
}

/// How a pattern is read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Longest pattern, in bytes. Indicators with thousands of hashes in one pattern exist.
    pub bytes_max: usize,
    /// Deepest nesting of parentheses and brackets.
    pub depth_max: usize,
    /// Most errors reported.
    pub errors_max: usize,
    /// Takes what other programs write though the text does not have it (`==`, `<>`, comments, `+1`, upper-case hex,
    /// `hashes.SHA-256`) with a warning. Without it these are errors.
    pub lenient: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bytes_max: 1 << 20,
            depth_max: 64,
            errors_max: 50,
            lenient: false,
        }
    }
}

/// What came of reading a pattern.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The tree, if the text follows the grammar. With errors beside it, the pattern breaks a rule of meaning and must
    /// not match anything (9.4): use [`Parsed::valid`] before matching.
    pub ast: Option<Pattern>,
    /// Where the parts of `ast` stand in the text.
    pub spans: Spans,
    /// Broken MUST rules, in order of their place.
    pub errors: Vec<PatternError>,
    /// What is allowed but unlikely to be meant, in order of its place.
    pub warnings: Vec<PatternError>,
}

impl Parsed {
    /// The tree of a pattern without any error.
    #[must_use]
    pub fn valid(&self) -> Option<&Pattern> {
        self.ast.as_ref().filter(|_| self.errors.is_empty())
    }
}

/// Positions of the parts of a tree, kept apart from it. Bytes of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// Per comparison, in the order of [`Pattern::leaves`].
    pub leaves: Vec<LeafSpan>,
    /// Per qualifier, in the order of the text.
    pub qualifiers: Vec<Range<usize>>,
}

impl Spans {
    /// Where a part stands; an empty range for a part that is not there.
    #[must_use]
    pub fn of(&self, part: Part) -> Range<usize> {
        let span = match part {
            Part::Leaf(number) => self.leaves.get(number).map(|leaf| &leaf.whole),
            Part::ObjectType(number) => self.leaves.get(number).map(|leaf| &leaf.object_type),
            Part::Qualifier(number) => self.qualifiers.get(number),
        };
        span.cloned().unwrap_or_default()
    }
}

/// Where one comparison stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafSpan {
    /// All of it.
    pub whole: Range<usize>,
    /// Its object path.
    pub path: Range<usize>,
    /// The object type of the path.
    pub object_type: Range<usize>,
}

/// How much of the language a pattern needs (12.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// One observation expression without qualifiers (12.7.1).
    One,
    /// Also AND and OR of observations (12.7.2).
    Two,
    /// Also FOLLOWEDBY and qualifiers (12.7.3). This crate reads all of it.
    Three,
}
