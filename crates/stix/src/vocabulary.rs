//! The vocabularies and enumerations of the standard (clause 10).

/// A list of values that a property takes.
#[derive(Debug)]
pub struct Vocabulary {
    /// Name in the standard, for example `industry-sector-ov`.
    pub name: &'static str,
    /// Clause.
    pub clause: &'static str,
    /// Open: other values are allowed. Closed (`-enum`): they are not.
    pub open: bool,
    /// The values.
    pub values: &'static [&'static str],
}

impl Vocabulary {
    /// True when `value` is on the list.
    #[must_use]
    pub fn has(&self, value: &str) -> bool {
        self.values.contains(&value)
    }
}
