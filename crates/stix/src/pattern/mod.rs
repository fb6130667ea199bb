//! The STIX pattern language (STIX 2.1, section 9): read, check, print, explain.
//!
//! [`parse`] reports everything it finds in one pass; the tree in [`ast`] has no positions, prints back to a pattern
//! that parses to itself, and is what matching and search are built on. Nothing is evaluated here.
//!
//! Start reading at [`parse`], then `ast.rs`, `parser.rs`.

mod ast;
mod error;
mod number;
mod time;

use std::ops::Range;

pub use ast::{
    Comparator, Comparison, Constant, Leaf, ObjectPath, Observation, Pattern, Qualifier, Step, Test,
};
pub use error::{Code, PatternError};
pub use number::{Finite, Seconds};
pub use time::Timestamp;

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
