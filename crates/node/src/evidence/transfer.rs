//! What two nodes say to each other about a hand-over: the offer, and the answer to it.
//!
//! ```text
//! GET  /api/v1/evidence/<exhibit>          the offer: exhibit, custody, the records with their labels
//! GET  /api/v1/evidence/<exhibit>/<item>   contents of an item (0: the list of items) as an age file, by ranges
//! POST /api/v1/evidence/<exhibit>/answer   `received` or `refused`, with counter-signatures
//! ```
//!
//! Only the party it was handed to gets any of it, by its node's certificate, and only while it is handed over.

use comity_evidence::custody::{Chain, Event, Kind, Line, custody_key_name};
use comity_evidence::{Exhibit, Hash};
use comity_ledger::note::VerifierKey;
use serde::{Deserialize, Serialize};

use crate::control::ControlError;
use crate::limits::CUSTODY_EVENTS_MAX;

/// What [`Offer::format`] says.
pub const OFFER: &str = "comity-offer/v1";
/// What [`Answer::format`] says.
pub const ANSWER: &str = "comity-answer/v1";

/// An exhibit that is handed over.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// [`OFFER`].
    pub format: String,
    /// The line of the exhibit.
    pub exhibit: String,
    /// The lines of its custody, in order; the last hands it over.
    pub custody: Vec<String>,
    /// Octets of the list of items.
    pub list_size: u64,
    /// Its records, as an envelope with labels and proofs.
    pub envelope: Box<serde_json::value::RawValue>,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// [`ANSWER`].
    pub format: String,
    /// The line of `received` or `refused`.
    pub line: String,
    /// Signatures on the event that handed it over: person and authority.
    pub counter_signatures: Vec<String>,
    /// The record of the line, as an envelope with its label and proof.
    pub envelope: Box<serde_json::value::RawValue>,
}

/// An offer whose custody was checked.
#[derive(Debug)]
pub struct Checked {
    /// The exhibit.
    pub exhibit: Exhibit,
    /// Its custody.
    pub lines: Vec<Line>,
    /// Where it is.
    pub chain: Chain,
}

impl Checked {
    /// The event that hands it over.
    #[must_use]
    pub fn transferred(&self) -> Option<&Event> {
        self.lines.last().map(Line::event_unverified)
    }

    /// The party that gave it its number.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.lines.first().map_or("", |line| {
            line.event_unverified().fields().actor.authority.as_str()
        })
    }
}

/// Believes an offer only if every event in it is signed by an authority whose key is known here, follows the one before, and
/// the last hands this very exhibit to `own`.
///
/// # Errors
/// In words.
pub fn check(
    offer: &Offer,
    from: &str,
    own: &str,
    keys: &[VerifierKey],
) -> Result<Checked, ControlError> {
    let refuse =
        |why: String| ControlError::forbidden(format!("the offer of `{from}` is not sound: {why}"));
    if offer.format != OFFER {
        return Err(refuse(format!("it is of the format `{}`", offer.format)));
    }
    let exhibit =
        Exhibit::parse_line(offer.exhibit.as_bytes()).map_err(|error| refuse(error.to_string()))?;
    if offer.custody.len() > CUSTODY_EVENTS_MAX {
        return Err(refuse(format!(
            "it has more than {CUSTODY_EVENTS_MAX} events"
        )));
    }
    let lines = offer
        .custody
        .iter()
        .map(|line| Line::parse_line(line.as_bytes()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| refuse(error.to_string()))?;
    let persons: Vec<VerifierKey> = lines
        .iter()
        .map(|line| line.event_unverified().fields().actor.key.clone())
        .collect();
    for (place, line) in lines.iter().enumerate() {
        line.verify(keys, &persons).map_err(|error| {
            refuse(format!("event {place}: {error}"))
                .help("the card of a peer has its custody key; `comity peer add` again fetches it")
        })?;
    }
    let chain = Chain::of(lines.iter().map(Line::event_unverified))
        .map_err(|(place, error)| refuse(format!("event {place}: {error} ({})", error.code())))?;
    let same = chain.items() == Some((exhibit.items, exhibit.size, &exhibit.items_sha256))
        && chain.exhibit() == Some(&exhibit.id);
    let handed = chain.holder() == Some(from) && chain.away().is_some_and(|away| away.to == own);
    if !same || !handed {
        return Err(refuse(format!(
            "it does not hand this exhibit from `{from}` to `{own}`"
        )));
    }
    Ok(Checked {
        exhibit,
        lines,
        chain,
    })
}

/// What the keys for an item of a hand-over are derived from, beside the secret and the recipient.
#[must_use]
pub fn context(transferred: &Hash, item: u64, sha256: &Hash) -> [Vec<u8>; 3] {
    [
        transferred.to_vec(),
        item.to_be_bytes().to_vec(),
        sha256.to_vec(),
    ]
}

/// The custody keys of one party.
#[must_use]
pub fn keys_of(keys: &[VerifierKey], party: &str) -> Vec<VerifierKey> {
    let name = custody_key_name(party);
    keys.iter()
        .filter(|key| key.name().as_str() == name)
        .cloned()
        .collect()
}

/// Kinds that answer a hand-over.
#[must_use]
pub fn answers(kind: Kind) -> bool {
    matches!(kind, Kind::Received | Kind::Refused)
}
