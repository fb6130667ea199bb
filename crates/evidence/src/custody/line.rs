//! An event with the signatures on it: a line of `custody.jsonl`, and how it is signed and verified.

use comity_ledger::note::{KeyName, NoteSignature, SignedNote, Signer, VerifierKey};

use super::{Event, Kind};
use crate::fields::{Fields, line};
use crate::json::{Object, Value, parse};
use crate::{Hash, Hex, Malformed};

/// Most signatures on one event: person and authority of both sides, and room for a second pair after keys were changed.
pub const SIGNATURES_MAX: usize = 16;

/// The text everybody signs: a C2SP note's. Short, so that it can be made with a shell: `printf 'comity-custody/v1\n%s\n' HASH`.
#[must_use]
pub fn custody_text(hash: &Hash) -> String {
    format!("comity-custody/v1\n{}\n", Hex(hash))
}

/// Name of an authority's custody key: `comity.<authority>/custody/1`.
#[must_use]
pub fn custody_key_name(authority: &str) -> String {
    format!("comity.{authority}/custody/1")
}

/// Signs the event with this hash. For a person whose key is elsewhere the hash is all that must travel.
#[must_use]
pub fn sign_hash(hash: &Hash, signer: &Signer) -> NoteSignature {
    signer.sign(&custody_text(hash))
}

/// An event and its signature lines, as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    event: Event,
    // INVARIANT: 2..=SIGNATURES_MAX; the text in it is `custody_text` of the event
    note: SignedNote,
}

/// An event that its actor and their authority have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<'l> {
    event: &'l Event,
    countersigned: Option<VerifierKey>,
    others: Vec<KeyName>,
}

/// Why an event is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The person's signature is missing or wrong.
    #[error("`{0}` has not signed the event: {1}")]
    Person(String, String),
    /// No key of the authority is known: nothing can be said.
    #[error("no custody key of `{0}` is known")]
    NoKey(String),
    /// The authority's signature is missing or wrong.
    #[error("`{0}` has not signed the event: {1}")]
    Authority(String, String),
    /// A counter-signature is wrong.
    #[error("the counter-signature is wrong: {0}")]
    Counter(String),
}

impl Line {
    /// Signs an event: first the person, then the authority.
    ///
    /// # Errors
    /// When a signer is not who the event says.
    pub fn sign(event: Event, person: &Signer, authority: &Signer) -> Result<Self, Malformed> {
        let actor = &event.fields().actor;
        if person.verifier() != &actor.key {
            return Err(Malformed::field("key", "is not the one that signs"));
        }
        if authority.verifier().name().as_str() != custody_key_name(&actor.authority) {
            return Err(Malformed::field(
                "authority",
                "is not the one whose key signs",
            ));
        }
        let text = custody_text(event.hash());
        let note = SignedNote::sign(text, &[person, authority])
            .map_err(|error| Malformed::field("signatures", error.to_string()))?;
        Ok(Self { event, note })
    }

    /// Puts an event and signature lines made elsewhere together; nothing is checked but their form.
    ///
    /// # Errors
    /// When a line is no signature line, one is there twice, or they are too few or too many.
    pub fn assemble<'s>(
        event: Event,
        signatures: impl IntoIterator<Item = &'s str>,
    ) -> Result<Self, Malformed> {
        let refuse = |why: String| Malformed::field("signatures", why);
        let mut text = custody_text(event.hash());
        let mut seen = Vec::new();
        for signature in signatures {
            if seen.contains(&signature) {
                return Err(refuse("has the same line twice".into()));
            }
            if signature.contains('\n') || seen.len() >= SIGNATURES_MAX {
                return Err(refuse(format!(
                    "are more than {SIGNATURES_MAX}, or one has a line feed"
                )));
            }
            seen.push(signature);
        }
        text.push('\n');
        for signature in &seen {
            text.push_str(signature);
            text.push('\n');
        }
        let note = SignedNote::parse(text.as_bytes()).map_err(|error| refuse(error.to_string()))?;
        if note.signatures().len() < 2 || note.to_string() != text {
            return Err(refuse(
                "are fewer than two, or not spelled in the one way".into(),
            ));
        }
        Ok(Self { event, note })
    }

    /// Adds a counter-signature; a line that is there already is not added again.
    ///
    /// # Errors
    /// When there are [`SIGNATURES_MAX`] already.
    pub fn countersign(&mut self, signature: NoteSignature) -> Result<(), Malformed> {
        if self.note.signatures().contains(&signature) {
            return Ok(());
        }
        if self.note.signatures().len() >= SIGNATURES_MAX {
            return Err(Malformed::field("signatures", "are too many"));
        }
        self.note
            .add(signature)
            .map_err(|error| Malformed::field("signatures", error.to_string()))
    }

    /// The event, believed by nobody yet.
    #[must_use]
    pub fn event_unverified(&self) -> &Event {
        &self.event
    }

    /// The signature lines without line feeds, in their order.
    #[must_use]
    pub fn signatures(&self) -> Vec<String> {
        let lines = self.note.signatures().iter();
        lines
            .map(|line| line.to_string().trim_end_matches('\n').to_owned())
            .collect()
    }

    /// The signature lines, none of them checked.
    #[must_use]
    pub fn note_signatures(&self) -> &[NoteSignature] {
        self.note.signatures()
    }

    /// The line of `custody.jsonl` with its line feed.
    #[must_use]
    pub fn to_line(&self) -> String {
        let signatures = self.signatures().into_iter().map(Value::from).collect();
        let object = Object::from([
            ("event".to_owned(), self.event.to_value()),
            ("signatures".to_owned(), signatures),
        ]);
        format!("{}\n", Value::Object(object))
    }

    /// Reads a line with its line feed.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn parse_line(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::of("a custody line", parse(line(bytes)?)?)?;
        let event = Event::from_value(fields.value("event")?)?;
        let Value::Array(values) = fields.value("signatures")? else {
            return Err(Malformed::field("signatures", "is no list"));
        };
        fields.end()?;
        let mut signatures = Vec::with_capacity(values.len().min(SIGNATURES_MAX));
        for value in &values {
            match value {
                Value::String(text) => signatures.push(text.as_str()),
                _ => {
                    return Err(Malformed::field(
                        "signatures",
                        "has something that is no string",
                    ));
                }
            }
        }
        Self::assemble(event, signatures)
    }

    /// Checks the signatures. `authorities` are the custody keys of all authorities the caller trusts, several of one name
    /// when keys were changed; `persons` are keys of persons that may have counter-signed (of a hand-over: the actor of the
    /// `received` that answers it).
    ///
    /// The person's key stands in the event and is believed because the authority signs the event; the authority's key is
    /// believed because the caller has it from elsewhere. A signature by nobody known is named and decides nothing.
    ///
    /// # Errors
    /// See [`Invalid`]. A wrong signature by a known key is never passed over.
    pub fn verify(
        &self,
        authorities: &[VerifierKey],
        persons: &[VerifierKey],
    ) -> Result<Verified<'_>, Invalid> {
        let fields = self.event.fields();
        let actor = &fields.actor;
        let person = self.note.verify(std::slice::from_ref(&actor.key));
        person.map_err(|error| Invalid::Person(actor.name.clone(), error.to_string()))?;
        let named = |authority: &str| -> Vec<VerifierKey> {
            let name = custody_key_name(authority);
            let keys = authorities.iter();
            keys.filter(|key| key.name().as_str() == name)
                .cloned()
                .collect()
        };
        let own = named(&actor.authority);
        if own.is_empty() {
            return Err(Invalid::NoKey(actor.authority.clone()));
        }
        let signed = self.note.verify(&own).map_err(|error| {
            Invalid::Authority(custody_key_name(&actor.authority), error.to_string())
        })?;
        let mut known = vec![actor.key.clone()];
        known.extend(signed.signers().iter().cloned());
        let counterparty = fields
            .counterparty
            .as_deref()
            .filter(|_| matches!(fields.kind, Kind::Transferred | Kind::Returned));
        let others = counterparty.map(named).unwrap_or_default();
        let countersigned = self.verify_more(&others, &mut known)?.into_iter().next();
        self.verify_more(persons, &mut known)?;
        let unknown = self.note.signatures().iter().filter(|line| {
            !known
                .iter()
                .any(|key| key.name() == line.name() && key.id() == line.key_id())
        });
        Ok(Verified {
            event: &self.event,
            countersigned,
            others: unknown.map(|line| line.name().clone()).collect(),
        })
    }

    /// Those of `keys` that have signed, each rightly.
    fn verify_more(
        &self,
        keys: &[VerifierKey],
        known: &mut Vec<VerifierKey>,
    ) -> Result<Vec<VerifierKey>, Invalid> {
        let keys: Vec<_> = keys
            .iter()
            .filter(|key| !known.contains(key))
            .cloned()
            .collect();
        let there = keys.iter().any(|key| {
            let lines = self.note.signatures();
            lines
                .iter()
                .any(|line| key.name() == line.name() && key.id() == line.key_id())
        });
        if !there {
            return Ok(Vec::new());
        }
        let verified = self
            .note
            .verify(&keys)
            .map_err(|error| Invalid::Counter(error.to_string()))?;
        known.extend(verified.signers().iter().cloned());
        Ok(verified.signers().to_vec())
    }
}

impl<'l> Verified<'l> {
    /// The event.
    #[must_use]
    pub fn event(&self) -> &'l Event {
        self.event
    }

    /// The counterparty's custody key, when it has counter-signed the hand-over.
    #[must_use]
    pub fn countersigned(&self) -> Option<&VerifierKey> {
        self.countersigned.as_ref()
    }

    /// Names on signatures by keys that are not known here. They say nothing.
    #[must_use]
    pub fn unknown_signers(&self) -> &[KeyName] {
        &self.others
    }
}
