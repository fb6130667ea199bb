//! One custody event: its fields and what they must be.

use comity_ledger::note::VerifierKey;

use super::Kind;
use crate::json::INTEGER_MAX;
use crate::{ExhibitId, Hash, ITEMS_MAX, Malformed, Time, sha256, text};

/// Most exhibits made by one event.
const OUTPUTS_MAX: usize = 256;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person, `name@authority`; also the name of their key.
    pub name: String,
    /// The authority they act for, `ua`.
    pub authority: String,
    /// Their public key. That it is theirs, the authority's signature over this event says.
    pub key: VerifierKey,
}

/// With what it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Name of the program.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it was told; may be empty.
    pub parameters: String,
}

/// Another exhibit made by the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Which.
    pub exhibit: ExhibitId,
    /// Hash of its list of items.
    pub items_sha256: Hash,
}

/// The fields of an event (evidence-log C4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// Identifier of the event: a random UUID.
    pub id: String,
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// What happened.
    pub kind: Kind,
    /// Who did it.
    pub actor: Actor,
    /// For whom, when for another than the actor's authority.
    pub on_behalf_of: Option<String>,
    /// Legal basis, or the request it answers.
    pub basis: String,
    /// Where.
    pub place: String,
    /// Handling code: `TLP:AMBER`, a national marking.
    pub handling: String,
    /// When, by the actor's word. That it was not later, the log proves.
    pub time: Time,
    /// With what.
    pub tool: Tool,
    /// Number of items.
    pub items: u64,
    /// Octets of all items.
    pub size: u64,
    /// Hash of the list of items: what the exhibit is by this event.
    pub items_sha256: Hash,
    /// What hashing the contents again gave.
    pub rehashed: Option<Hash>,
    /// The other side of a hand-over: an authority's name, or in words whom it was shown or given back to.
    pub counterparty: Option<String>,
    /// Exhibits made by it.
    pub outputs: Vec<Output>,
    /// Hash of the event before; `None` for the first.
    pub previous: Option<Hash>,
    /// What was not as it should be.
    pub anomaly: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// An event whose fields fit together, with its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    // INVARIANT: `check` accepted them
    fields: Fields,
    // INVARIANT: SHA-256 of the canonical JSON
    hash: Hash,
}

impl Event {
    /// Checks the fields.
    ///
    /// # Errors
    /// [`Malformed`], naming the field.
    pub fn new(fields: Fields) -> Result<Self, Malformed> {
        check(&fields)?;
        let hash = sha256(super::event_json::value(&fields).to_string().as_bytes());
        Ok(Self { fields, hash })
    }

    /// What it says.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// SHA-256 of its canonical JSON: what is signed, and what the next event links to.
    #[must_use]
    pub fn hash(&self) -> &Hash {
        &self.hash
    }
}

fn check(fields: &Fields) -> Result<(), Malformed> {
    let refuse = |field, why: &str| Err(Malformed::field(field, why));
    if !text::is_uuid4(&fields.id) {
        return refuse("id", "is no random UUID in lower case");
    }
    check_actor(&fields.actor)?;
    for (field, value) in [
        ("basis", &fields.basis),
        ("place", &fields.place),
        ("handling", &fields.handling),
        ("tool.name", &fields.tool.name),
        ("tool.version", &fields.tool.version),
    ] {
        text::check(field, value)?;
    }
    if !fields.tool.parameters.is_empty() {
        text::check("tool.parameters", &fields.tool.parameters)?;
    }
    for (field, value) in [
        ("on_behalf_of", &fields.on_behalf_of),
        ("counterparty", &fields.counterparty),
        ("anomaly", &fields.anomaly),
        ("reason", &fields.reason),
    ] {
        if let Some(value) = value {
            text::check(field, value)?;
        }
    }
    if !(1..=ITEMS_MAX).contains(&fields.items) {
        return refuse("items", "is no number from 1 to 10,000,000");
    }
    if fields.size > INTEGER_MAX {
        return refuse("size", "is beyond 2^53 - 1");
    }
    check_kind(fields)
}

fn check_actor(actor: &Actor) -> Result<(), Malformed> {
    if !text::is_authority(&actor.authority) {
        return Err(Malformed::field(
            "authority",
            "is no authority: lower-case letters, digits and hyphens, starting with a letter, 2 to 32 long",
        ));
    }
    let of_authority = actor
        .name
        .split_once('@')
        .is_some_and(|(person, authority)| !person.is_empty() && authority == actor.authority);
    if !of_authority {
        return Err(Malformed::field(
            "name",
            format!("is not `person@{}`", actor.authority),
        ));
    }
    if actor.key.name().as_str() != actor.name {
        return Err(Malformed::field(
            "key",
            format!("is named `{}`, not `{}`", actor.key.name(), actor.name),
        ));
    }
    Ok(())
}

/// What each kind must say.
fn check_kind(fields: &Fields) -> Result<(), Malformed> {
    let kind = fields.kind;
    let needed = |field, needed: bool, there: bool| {
        if needed && !there {
            Err(Malformed::field(field, format!("must be said of `{kind}`")))
        } else {
            Ok(())
        }
    };
    needed(
        "counterparty",
        kind.names_counterparty(),
        fields.counterparty.is_some(),
    )?;
    needed("rehashed", kind.needs_rehash(), fields.rehashed.is_some())?;
    needed("reason", kind.needs_reason(), fields.reason.is_some())?;
    needed("outputs", kind == Kind::Derived, !fields.outputs.is_empty())?;
    if !fields.outputs.is_empty() && !kind.has_outputs() {
        return Err(Malformed::field(
            "outputs",
            format!("cannot come from `{kind}`"),
        ));
    }
    if fields.outputs.len() > OUTPUTS_MAX {
        return Err(Malformed::field("outputs", "are more than 256"));
    }
    if let Some(counterparty) = &fields.counterparty {
        // these are answered by the other side with its key, so it must be somebody who has one
        let answered = matches!(kind, Kind::Transferred | Kind::Received | Kind::Refused);
        if answered && !text::is_authority(counterparty) {
            return Err(Malformed::field("counterparty", "is no authority"));
        }
        if *counterparty == fields.actor.authority && kind != Kind::Disclosed {
            return Err(Malformed::field(
                "counterparty",
                "is the actor's own authority",
            ));
        }
    }
    let differs = fields
        .rehashed
        .is_some_and(|rehashed| rehashed != fields.items_sha256);
    needed("anomaly", differs, fields.anomaly.is_some())
}
