//! The transparency log as rows.

use comity_ledger::{
    checkpoint::{Checkpoint, CheckpointError},
    entry::Event,
    note::{NoteError, NoteInvalid, SignedNote, VerifierKey},
    salt::LabelOpening,
    tree::empty_root,
};
use serde::{Deserialize, Serialize};

use super::{Hash, LabelSetId, Seq};

/// What a database is, for life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Random; binds every head to this database.
    pub database_id: [u8; 16],
    /// Origin line of checkpoints.
    pub origin: String,
    /// Microseconds.
    pub created_micros: i64,
}

/// The tree head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Entries.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
    /// The signed checkpoint; empty only for a log without entries.
    pub note: String,
    /// Which database.
    pub database_id: [u8; 16],
    /// Origin line of checkpoints.
    pub origin: String,
}

impl Head {
    /// Whether the signed checkpoint says what this head says, and whether `key` signed it. Without a key only the former:
    /// who can write the file can write a checkpoint too, signed by a key of their own.
    ///
    /// # Errors
    /// [`HeadError`]: the register must not be gone on with.
    pub fn check(&self, key: Option<&VerifierKey>) -> Result<(), HeadError> {
        if self.size == 0 {
            // nothing was signed yet
            return if self.note.is_empty() && self.root == empty_root() {
                Ok(())
            } else {
                Err(HeadError::NotEmpty)
            };
        }
        let note = SignedNote::parse(self.note.as_bytes())?;
        let signed = Checkpoint::parse(note.text_unverified())?;
        if signed.origin() != self.origin {
            return Err(HeadError::Origin {
                signed: signed.origin().to_owned(),
                here: self.origin.clone(),
            });
        }
        if signed.size() != self.size {
            return Err(HeadError::Size {
                signed: signed.size(),
                here: self.size,
            });
        }
        if *signed.root() != self.root {
            return Err(HeadError::Root);
        }
        if let Some(key) = key {
            note.verify(std::slice::from_ref(key))
                .map_err(|source| HeadError::Signature {
                    key: key.to_string(),
                    source,
                })?;
        }
        Ok(())
    }
}

/// Why a head is not the one that was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// No entries, and yet a checkpoint or a root.
    #[error("it has no entries, but a checkpoint or a root")]
    NotEmpty,
    /// The checkpoint is no signed note.
    #[error("its checkpoint is not a signed note: {0}")]
    Note(#[from] NoteError),
    /// The note holds no checkpoint.
    #[error("its note holds no checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint of another log.
    #[error("a head of `{signed}` was signed, this register is of `{here}`")]
    Origin {
        /// In the checkpoint.
        signed: String,
        /// In the register.
        here: String,
    },
    /// A checkpoint of another size.
    #[error("a head with {signed} entries was signed, one with {here} is here")]
    Size {
        /// In the checkpoint.
        signed: u64,
        /// In the register.
        here: u64,
    },
    /// A checkpoint of another root.
    #[error("a head with another root was signed")]
    Root,
    /// Not signed by the key it must be signed by.
    #[error("its checkpoint is not signed by `{key}`: {source}")]
    Signature {
        /// The vkey.
        key: String,
        /// What is wrong.
        source: NoteInvalid,
    },
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A record was taken in.
    Record,
    /// A known record came into more collections.
    Membership,
    /// A record was deleted.
    Deletion,
    /// A record has another label set.
    Relabel,
    /// Records were handed out.
    Disclosure,
    /// Something was refused.
    Refusal,
    /// Administration.
    Administration,
    /// Another party's leaf was answered, apart from the entry the record came in with.
    Answer,
    /// A head of another party's log was acted on.
    PeerHead,
    /// No receipt came in time.
    Expiry,
    /// Something that somebody must look at.
    Alarm,
}

/// One entry, for followers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Index of the entry.
    pub entry_index: u64,
    /// What it is about.
    pub kind: EntryKind,
    /// Event code.
    pub event: Event,
    /// Microseconds.
    pub time_micros: i64,
    /// The record, if about one.
    pub seq: Option<Seq>,
    /// Label set of that record; `None` if it was deleted since.
    pub label_set: Option<LabelSetId>,
    /// The party that gave us that record.
    pub origin: Option<String>,
    /// Type of that record.
    pub object_type: Option<String>,
}

/// The content of an entry that is not about a record's own bytes: disclosure, refusal, deletion, administration, answers,
/// expiries, alarms; the text of a checkpoint for a head of another log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryDetail {
    /// Index of the entry.
    pub entry_index: u64,
    /// What it is about.
    pub kind: EntryKind,
    /// Event code.
    pub event: Event,
    /// Microseconds.
    pub time_micros: i64,
    /// The record, if about one.
    pub seq: Option<Seq>,
    /// Canonical JSON; the checkpoint's text for [`EntryKind::PeerHead`].
    pub content: String,
    /// What the commitment is over.
    pub content_sha256: Hash,
    /// Salt of the commitment.
    pub salt: [u8; 32],
}

/// What a proof for one record is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofMaterial {
    /// The record.
    pub seq: Seq,
    /// Its entry.
    pub entry_index: u64,
    /// The entry's bytes.
    pub entry: Vec<u8>,
    /// SHA-256 of the canonical form.
    pub content_sha256: Hash,
    /// Salt of the commitment. Not for a reader from whom a part of the record is kept: with it, the part could be guessed.
    pub salt: [u8; 32],
    /// Some properties are marked apart.
    pub granular: bool,
    /// The label the entry was made under, and what proves it; `None` for an entry from before salts committed to labels, and
    /// after a change of the label. Where the salt may not go, this may not either: it makes the salt from the label.
    pub label: Option<(String, LabelOpening)>,
}

/// One hand-over of a record to another party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disclosure {
    /// Entry that says so.
    pub entry_index: u64,
    /// The party.
    pub party: String,
    /// The principal.
    pub principal: String,
    /// Microseconds.
    pub time_micros: i64,
}
