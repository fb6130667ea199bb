//! Granular selectors (7.2.3): names joined by points, list items as `[n]`, leading to content that is present.

use crate::json::{Kind, Value};

/// One step of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'t> {
    /// A property or dictionary key.
    Name(&'t str),
    /// An item of a list, from 0.
    Index(usize),
}

/// A selector that is well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector<'t> {
    text: &'t str,
    steps: Vec<Step<'t>>,
}

/// Why a text is no selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Nothing between two points, or nothing at all.
    #[error("a step of the selector is empty")]
    Empty,
    /// `[` without a decimal number and `]`, or leading zeros.
    #[error("a list step must be written `[n]` with a decimal number")]
    Index,
    /// The first step is a list step.
    #[error("a selector begins with a property name")]
    FirstIndex,
}

impl<'t> Selector<'t> {
    /// Reads a selector.
    ///
    /// # Errors
    /// When `text` is not of the form of 7.2.3.
    pub fn parse(text: &'t str) -> Result<Self, SelectorError> {
        let steps = text.split('.').map(step).collect::<Result<Vec<_>, _>>()?;
        if matches!(steps.first(), Some(Step::Index(_))) {
            return Err(SelectorError::FirstIndex);
        }
        Ok(Self { text, steps })
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &'t str {
        self.text
    }

    /// Its steps, at least one.
    #[must_use]
    pub fn steps(&self) -> &[Step<'t>] {
        &self.steps
    }

    /// The content it selects in `object`; `None` when there is none.
    #[must_use]
    pub fn resolve<'d>(&self, object: Value<'d>) -> Option<Value<'d>> {
        self.steps
            .iter()
            .try_fold(object, |value, step| match (step, value.kind()) {
                (Step::Name(name), Kind::Object) => value.get(name),
                (Step::Index(index), Kind::Array) => value.items().nth(*index),
                _ => None,
            })
    }
}

fn step(text: &str) -> Result<Step<'_>, SelectorError> {
    let Some(rest) = text.strip_prefix('[') else {
        return if text.is_empty() {
            Err(SelectorError::Empty)
        } else {
            Ok(Step::Name(text))
        };
    };
    let number = rest.strip_suffix(']').ok_or(SelectorError::Index)?;
    let plain = number == "0"
        || (!number.starts_with('0')
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit()));
    if !plain {
        return Err(SelectorError::Index);
    }
    number
        .parse()
        .map(Step::Index)
        .map_err(|_| SelectorError::Index)
}
