//! What becomes of an object, in the words its sender gets.

use comity_store::Stored;

use super::admission::{NEUTRAL, Told};

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
        /// It is under the label given now: who sent it speaks for it.
        relabelled: bool,
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
                relabelled: true,
                ..
            } => format!("already here, log entry {entry_index}; it is under the label given now"),
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
pub(super) const DELETED: &str = "this version was deleted here and is not taken again";
pub(super) const AFTER_REVOKED: &str =
    "a later version of an object that was revoked: revoking is final (STIX 2.1 section 3.2)";

pub(super) fn fate(stored: Stored) -> Fate {
    match stored {
        Stored::New { entry_index, .. } => Fate::New { entry_index },
        Stored::NewVersion { entry_index, .. } => Fate::NewVersion { entry_index },
        Stored::Known {
            entry_index,
            added_to,
            label_differs,
            relabelled,
            ..
        } => Fate::Known {
            entry_index,
            added: added_to > 0,
            label_differs,
            relabelled,
        },
        Stored::Conflict { .. } => Fate::Conflict,
        Stored::NotSuccessor { reason, .. } => Fate::Refused {
            code: "versions",
            reason,
        },
        Stored::AfterRevoked { .. } => Fate::Refused {
            code: "revoked",
            reason: AFTER_REVOKED.to_owned(),
        },
        Stored::Deleted { .. } => Fate::Refused {
            code: "deleted",
            reason: DELETED.to_owned(),
        },
    }
}

/// What a sender is told who may not see what is here: nothing that a new record would not have been answered with, except
/// that the identifier cannot be used.
pub(super) fn as_told(fate: Fate, told: Told) -> Fate {
    match (told, fate) {
        (Told::Plainly, fate) | (_, fate @ Fate::Foreseen { .. }) => fate,
        (
            Told::AsIfNew,
            Fate::Known { entry_index, .. }
            | Fate::New { entry_index }
            | Fate::NewVersion { entry_index },
        ) => Fate::New { entry_index },
        (Told::AsIfItsOwn, Fate::Known { entry_index, .. }) => Fate::Known {
            entry_index,
            added: false,
            label_differs: false,
            relabelled: false,
        },
        (Told::AsIfItsOwn, fate) => fate,
        (Told::AsIfNew, Fate::Conflict | Fate::Refused { .. }) => Fate::Refused {
            code: "identifier",
            reason: NEUTRAL.to_owned(),
        },
    }
}
