//! Numbers of the language: finite floats that compare and print exactly, and seconds.

use std::cmp::Ordering;
use std::fmt;

/// A finite IEEE 754 double (2.6). Prints without an exponent, which the language has not, and always with a point.
#[derive(Clone, Copy, Debug)]
pub struct Finite(f64); // INVARIANT: finite, and never -0.0

impl Finite {
    /// `None` for infinities and not-a-number.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        value
            .is_finite()
            .then_some(Self(if value == 0.0 { 0.0 } else { value }))
    }

    /// The value.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Finite {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Finite {}
impl PartialOrd for Finite {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Finite {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
impl std::hash::Hash for Finite {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `Display` of f64 gives the shortest digits that read back as the same value, without an exponent
        let digits = self.0.to_string();
        f.write_str(&digits)?;
        if digits.contains('.') {
            Ok(())
        } else {
            f.write_str(".0")
        }
    }
}

/// A length of time for `WITHIN`: positive, whole or not (9.5.1). `5` and `5.0` are the same length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(Finite); // INVARIANT: greater than zero

impl Seconds {
    /// `None` unless positive and finite.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        Finite::new(value)
            .filter(|value| value.get() > 0.0)
            .map(Self)
    }

    /// The value in seconds.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0.get()
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.get())
    }
}
