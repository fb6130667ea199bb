//! The way of one object: bytes -> JSON -> rules -> [`Valid<Object>`].
//!
//! The rules are data, see [`crate::model`]; here stands what reads them. `object` looks at the whole, `value` at one
//! value against its kind, `rules` at properties together, the rest at one matter each.

mod build;
mod custom;
mod extensions;
mod formats;
mod hashes;
mod identifiers;
mod markings;
mod object;
mod pattern;
mod rules;
mod value;
mod walk;

use crate::finding::{Finding, Position};
use crate::json::{Document, Limits, Scratch};
use crate::object::{Object, Valid};

/// What to hold an object to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Bounds on its text.
    pub limits: Limits,
    /// Also report what the interoperability test document wants shared objects to have: `created_by_ref`.
    pub interop: bool,
    /// Also report SHOULD rules that hardly any published object follows: `lang` beside texts (3.2), SHA-256
    /// among hashes (2.7).
    pub advice: bool,
}

/// The outcome of a check.
#[derive(Debug)]
pub struct Checked {
    /// The object, when no finding is an error.
    pub object: Option<Valid<Object>>,
    /// Everything found.
    pub findings: Vec<Finding>,
}

/// Checks the text of one object; places are relative to `bytes`.
#[must_use]
pub fn check(bytes: &[u8], options: &Options) -> Checked {
    check_at(bytes, &Position::START, options)
}

/// Checks the text of one object that begins at `base` of a larger text.
#[must_use]
pub fn check_at(bytes: &[u8], base: &Position, options: &Options) -> Checked {
    Checker::new(options.clone()).check_at(bytes, base)
}

/// Checks many objects with the same memory.
#[derive(Debug, Default)]
pub struct Checker {
    options: Options,
    scratch: Scratch,
}

impl Checker {
    /// A checker that holds objects to `options`.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            scratch: Scratch::default(),
        }
    }

    /// As [`check`].
    pub fn check(&mut self, bytes: &[u8]) -> Checked {
        self.check_at(bytes, &Position::START)
    }

    /// As [`check_at`].
    pub fn check_at(&mut self, bytes: &[u8], base: &Position) -> Checked {
        let scratch = std::mem::take(&mut self.scratch);
        let document = match Document::parse_with(bytes, &self.options.limits, base, scratch) {
            Ok(document) => document,
            Err(finding) => {
                return Checked {
                    object: None,
                    findings: vec![finding],
                };
            }
        };
        let findings = object::check(&document, base, &self.options);
        let refused = findings.iter().any(Finding::is_error);
        let object = if refused {
            None
        } else {
            build::object(&document).map(Valid::new)
        };
        self.scratch = document.into_scratch();
        Checked { object, findings }
    }
}
