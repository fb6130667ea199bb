//! From an object's own markings and what its sender said about it to the label the register keeps.

use std::collections::{BTreeMap, HashMap};

use comity_access::{Audience, Draft, GranularLabel, LabelError, LabelSet, PartyId, PersonId};
use comity_stix::marking::{Pap, Tlp, tlp_of};
use comity_stix::object::Object;

/// What a sender says about handling beside what stands on the objects themselves.
#[derive(Clone, Debug, Default)]
pub struct Handling {
    /// Taken where an object carries no TLP of its own, and where it is stricter than the object's own.
    pub tlp: Option<Tlp>,
    /// Taken where an object carries no PAP of its own.
    pub pap: Option<Pap>,
    /// For whom the records are meant; nobody outside the node's own party when empty.
    pub audience: Audience,
    /// The exercise the records belong to.
    pub exercise: Option<String>,
    /// What a Comity peer said about single records, by (id, version key); it leads over the rest.
    pub by_record: BTreeMap<(String, String), Carried>,
}

/// The label of one record as a peer carries it across the border.
#[derive(Clone, Debug)]
pub struct Carried {
    /// The label as its originator made it.
    pub label: LabelSet,
    /// Leaf of the sender's log entry for the record.
    pub leaf: comity_ledger::Hash,
}

/// Who gives the records, and whose they are.
#[derive(Clone, Debug)]
pub struct Source {
    /// The party whose records these are.
    pub party: PartyId,
    /// The principal who brings them.
    pub principal: String,
}

/// What a marking other than the predefined TLP ones means for release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A statement (a copyright notice, terms): says nothing about who may read.
    Statement,
    /// Not known here.
    Unknown,
}

/// Meanings of marking definitions that records refer to, by identifier.
pub type Meanings = HashMap<String, Meaning>;

/// Makes the label of `object`.
///
/// # Errors
/// When a limit of labels is passed; the text says which.
pub fn label(
    object: &Object,
    source: &Source,
    handling: &Handling,
    meanings: &Meanings,
) -> Result<LabelSet, LabelError> {
    let own = object.object_marking_refs().iter().filter_map(|id| tlp_of(id.as_str())).max();
    let mut draft = Draft::new(source.party.clone());
    // the stricter of the object's word and the sender's: neither may weaken the other
    draft.tlp = own.max(handling.tlp);
    draft.pap = handling.pap;
    draft.author = PersonId::parse(&source.principal).ok();
    draft.audience = handling.audience.clone();
    draft.exercise.clone_from(&handling.exercise);
    draft.granular = granular(object, meanings);
    LabelSet::new(draft)
}

/// The TLP of each granular marking. A marking that is not understood is treated as TLP:AMBER, never as none.
fn granular(object: &Object, meanings: &Meanings) -> Vec<GranularLabel> {
    let refs = object.granular_markings().iter().filter_map(|marking| marking.marking_ref.as_ref());
    refs.filter_map(|marking_ref| {
        let tlp = match tlp_of(marking_ref.as_str()) {
            Some(tlp) => tlp,
            None if meanings.get(marking_ref.as_str()) == Some(&Meaning::Statement) => return None,
            None => Tlp::Amber,
        };
        Some(GranularLabel { marking_ref: marking_ref.as_str().to_owned(), tlp })
    })
    .collect()
}
