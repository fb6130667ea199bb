//! What becomes of an object, in the words its sender gets.

/// What happened to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Accepted: the first version seen here.
    New {
        /// Its log entry.
        entry_index: u64,
    },
    /// Accepted: another version of a known object.
    NewVersion {
        /// Its log entry.
        entry_index: u64,
    },
    /// Already here with the same content.
    Known {
        /// Its log entry.
        entry_index: u64,
        /// It is new in at least one of the collections.
        added: bool,
        /// The label given now is another than the one kept; the one kept stands.
        label_differs: bool,
    },
    /// Same identifier and version, other content: refused, the first one stands (STIX 2.1 section 3.6).
    Conflict,
    /// Refused for another reason.
    Refused {
        /// Stable code.
        code: &'static str,
        /// For the sender.
        reason: String,
    },
    /// What would become of it; nothing was done.
    Foreseen {
        /// The word of the fate it would meet.
        word: &'static str,
        /// A sentence about it.
        text: String,
        /// The label given is another than the one kept.
        label_differs: bool,
    },
}

impl Fate {
    /// Whether the record is in the register now.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(
            self,
            Self::New { .. } | Self::NewVersion { .. } | Self::Known { .. }
        )
    }

    /// One word for tables and metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::New { .. } => "new",
            Self::NewVersion { .. } => "new version",
            Self::Known { .. } => "known",
            Self::Conflict => "conflict",
            Self::Refused { .. } => "refused",
            Self::Foreseen { word, .. } => word,
        }
    }

    /// A sentence for the sender.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::New { entry_index } => format!("accepted as log entry {entry_index}"),
            Self::NewVersion { entry_index } => {
                format!("accepted as a new version, log entry {entry_index}")
            }
            Self::Known {
                entry_index,
                label_differs: false,
                ..
            } => format!("already here, log entry {entry_index}"),
            Self::Known {
                entry_index,
                label_differs: true,
                ..
            } => {
                format!(
                    "already here, log entry {entry_index}; the label it has stands, not the one given now"
                )
            }
            Self::Conflict => CONFLICT.to_owned(),
            Self::Refused { reason, .. } | Self::Foreseen { text: reason, .. } => reason.clone(),
        }
    }
}

pub(super) const CONFLICT: &str = "another content is kept under this identifier and version: give the change a later `modified` \
                        (STIX 2.1 section 3.6)";
pub(super) const AFTER_REVOKED: &str =
    "a later version of an object that was revoked: revoking is final (STIX 2.1 section 3.2)";
