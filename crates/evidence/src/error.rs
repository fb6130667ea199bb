//! Why bytes are not what they should be.

/// Why a line is refused. Every message names the place; nothing is repaired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Longer than [`crate::LINE_BYTES_MAX`].
    #[error("the line has {0} octets, more than {max}", max = crate::LINE_BYTES_MAX)]
    Long(usize),
    /// Not JSON, or not in its one spelling.
    #[error("octet {offset}: {what}")]
    Json {
        /// Where.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// The value is of another kind than it should be.
    #[error("{0} is not an object")]
    NotAnObject(&'static str),
    /// A property that must be there is not.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A property nobody knows: formats are closed, so that nothing is carried along unseen.
    #[error("`{0}` is no property here")]
    Unknown(String),
    /// A property with a value it cannot have.
    #[error("`{field}` {why}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What is wrong.
        why: String,
    },
    /// No line feed where the line ends, or something after it.
    #[error("the line does not end in one line feed")]
    LineEnd,
}

impl Malformed {
    pub(crate) fn field(field: &'static str, why: impl Into<String>) -> Self {
        Self::Field {
            field,
            why: why.into(),
        }
    }
}
