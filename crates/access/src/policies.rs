//! The policies as text: the built-in ones, and why others were refused.

/// Schema and policy files, as text.
///
/// An authority that edits the policies tests its own files with this before it builds a node with them.
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    /// The schema, in Cedar's own syntax.
    pub schema: &'a str,
    /// Name and text of each policy file.
    pub policies: Vec<(&'a str, &'a str)>,
}

impl Sources<'static> {
    /// What is compiled in.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            schema: include_str!("../../../policies/comity.cedarschema"),
            policies: vec![
                (
                    "release.cedar",
                    include_str!("../../../policies/release.cedar"),
                ),
                (
                    "limits.cedar",
                    include_str!("../../../policies/limits.cedar"),
                ),
                ("roles.cedar", include_str!("../../../policies/roles.cedar")),
            ],
        }
    }
}

/// Policies or schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The schema does not parse.
    #[error("access schema: {0}")]
    Schema(String),
    /// A policy file does not parse, or a policy in it has no name, code or sentence.
    #[error("access policies in {file}: {message}")]
    Parse {
        /// The file.
        file: String,
        /// What is wrong, with its place.
        message: String,
    },
    /// The policies contradict the schema, or the validator warns.
    #[error("access policies against their schema: {0}")]
    Invalid(String),
}
