//! Under which head an entry is proved: the newest one that witnesses cosigned, if it covers the entry.

use comity_store::{Head, ReadError, Store};
use serde::Serialize;

/// A head to prove an entry under.
#[derive(Clone, Debug)]
pub struct ProofHead {
    /// Entries.
    pub size: u64,
    /// The note.
    pub note: String,
    /// What witnesses have said of it.
    pub witnesses: WitnessState,
}

/// How far a head is witnessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WitnessState {
    /// No policy names any witness.
    None,
    /// The quorum has not cosigned a head that covers the entry yet: ask again in some seconds.
    Pending,
    /// The quorum has cosigned it.
    Quorum,
}

impl WitnessState {
    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "no witnesses are configured",
            Self::Pending => "pending witnesses",
            Self::Quorum => "cosigned by a quorum of witnesses",
        }
    }

    /// The word in JSON and headers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pending => "pending",
            Self::Quorum => "quorum",
        }
    }
}

/// Picks the head for the entry at `index`. A proof never waits: one without cosignatures says `pending`.
///
/// # Errors
/// When the register cannot be read.
pub fn head_for(store: &Store, has_witnesses: bool, index: u64) -> Result<ProofHead, ReadError> {
    if let Some(head) = store.witnessed_head(true)?
        && head.size > index
    {
        return Ok(ProofHead {
            size: head.size,
            note: head.note,
            witnesses: WitnessState::Quorum,
        });
    }
    let witnesses = if has_witnesses {
        WitnessState::Pending
    } else {
        WitnessState::None
    };
    // some cosignatures are better than none
    if let Some(head) = store.witnessed_head(false)?
        && head.size > index
        && has_witnesses
    {
        return Ok(ProofHead {
            size: head.size,
            note: head.note,
            witnesses,
        });
    }
    let Head { size, note, .. } = store.head()?;
    Ok(ProofHead {
        size,
        note,
        witnesses,
    })
}
