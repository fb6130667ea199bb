//! From an object's own markings and what its sender said about it to the label the register keeps.

mod sidecar;

pub use sidecar::{
    REASON_BYTES_MAX, SIDECAR_HEADER, SIDECAR_PROPERTY, Sidecar, SidecarError, SidecarItem, Unfit,
    read_line, read_sidecar, read_sidecar_by_line,
};

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use comity_access::{
    Action, Audience, Draft, GranularLabel, LabelError, LabelSet, PartyId, PrincipalId, Reader,
};
use comity_stix::marking::{Pap, Tlp, tlp_of};
use comity_stix::object::Object;
use comity_store::Withdrawal;

use crate::peers::delivery::Delivery;

/// What a sender says about handling beside what stands on the objects themselves.
#[derive(Clone, Debug, Default)]
pub struct Handling {
    /// Taken where an object carries no TLP of its own, and where it is stricter than the object's own.
    pub tlp: Option<Tlp>,
    /// Taken where an object carries no PAP of its own, and where it is stricter than the object's own.
    pub pap: Option<Pap>,
    /// For whom the records are meant; nobody outside the node's own party when empty.
    pub audience: Audience,
    /// The exercise the records belong to.
    pub exercise: Option<String>,
    /// What a Comity peer said about single records, by (id, version key); it leads over the rest.
    pub by_record: CarriedLines,
    /// How the records of a Comity peer are proved; nothing else needs a proof.
    pub delivery: Option<Delivery>,
    /// The one record is our own withdrawal.
    pub withdrawal: Option<Withdrawal>,
}

/// By (id, version key).
pub type CarriedLines = BTreeMap<(String, String), Carried>;

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
    /// As whom the policies are asked, with what it is granted.
    pub reader: Arc<Reader>,
    /// What it does: [`Action::Write`] into each collection, or [`Action::Import`] and [`Action::Publish`] past them.
    pub action: Action,
    /// An officer says that the identifiers are this party's own, whoever used them here before.
    pub claims: bool,
}

/// What a marking other than the predefined TLP ones means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A statement (a copyright notice, terms): says nothing about who may read.
    Statement,
    /// A level of the Permissible Actions Protocol: limits what readers do, not who reads.
    Pap(Pap),
    /// It calls itself a TLP, which only predefined markings are (STIX 2.1 section 7.2.1.4): that cannot make a record freer.
    Called(Tlp),
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
    let own = strictest(object, meanings);
    let mut draft = Draft::new(source.party.clone());
    // the stricter of the object's word and the sender's: neither may weaken the other
    draft.tlp = own.max(handling.tlp);
    draft.pap = own_pap(object, meanings).max(handling.pap);
    draft.author = PrincipalId::parse(&source.principal).ok();
    draft.audience = handling.audience.clone();
    draft.exercise.clone_from(&handling.exercise);
    draft.granular = granular(object, meanings);
    LabelSet::new(draft)
}

/// The label a peer carries for `object`, held against the object's own markings: a peer may say more, never less.
///
/// # Errors
/// When a limit of labels is passed; the text says which.
pub fn carried(
    object: &Object,
    carried: &Carried,
    meanings: &Meanings,
) -> Result<LabelSet, LabelError> {
    let own = strictest(object, meanings);
    let mut draft = carried.label.to_draft();
    if own > Some(carried.label.tlp()) {
        draft.tlp = own;
    }
    draft.pap = own_pap(object, meanings).max(draft.pap);
    draft.granular.extend(granular(object, meanings));
    LabelSet::new(draft)
}

/// The strictest PAP among the object's markings, those of its parts too: a label has one, and who holds the record to more
/// than a part asks for does nothing that part forbids.
fn own_pap(object: &Object, meanings: &Meanings) -> Option<Pap> {
    let whole = object.object_marking_refs().iter().map(|id| id.as_str());
    let parts = object
        .granular_markings()
        .iter()
        .filter_map(|marking| marking.marking_ref.as_deref());
    whole
        .chain(parts)
        .filter_map(|id| match meanings.get(id) {
            Some(Meaning::Pap(pap)) => Some(*pap),
            _ => None,
        })
        .max()
}

/// Whether the object's own markings say a TLP at least as strict. Where they do not, the label stands beside the object
/// only, and who cannot be told it there does not learn of it ([`is_silent`]).
#[must_use]
pub fn says_itself(object: &[u8], tlp: Tlp) -> bool {
    #[derive(serde::Deserialize)]
    struct Marked {
        #[serde(default)]
        object_marking_refs: Vec<String>,
    }
    serde_json::from_slice::<Marked>(object).is_ok_and(|marked| {
        marked
            .object_marking_refs
            .iter()
            .filter_map(|id| tlp_of(id))
            .any(|own| own >= tlp)
    })
}

/// Whether an object keeps silent about a label that its reader must know: TLP:AMBER or stricter, and not written on it. Such a
/// record is handed to another party only where the label goes beside it.
#[must_use]
pub fn is_silent(object: &[u8], label: &LabelSet) -> bool {
    label.tlp() >= Tlp::Amber && !says_itself(object, label.tlp())
}

/// The strictest of what is marked on the whole object; `None` when nothing there limits who reads.
fn strictest(object: &Object, meanings: &Meanings) -> Option<Tlp> {
    let refs = object.object_marking_refs().iter();
    refs.filter_map(|id| level(id.as_str(), meanings)).max()
}

/// What a marking demands. One that is not understood is taken as TLP:AMBER, whatever the sender's default is.
fn level(marking_ref: &str, meanings: &Meanings) -> Option<Tlp> {
    if let Some(tlp) = tlp_of(marking_ref) {
        return Some(tlp);
    }
    match meanings.get(marking_ref) {
        Some(Meaning::Statement | Meaning::Pap(_)) => None,
        Some(Meaning::Called(tlp)) => Some(Tlp::Amber.max(*tlp)),
        Some(Meaning::Unknown) | None => Some(Tlp::Amber),
    }
}

/// The TLP of each granular marking. A marking that is not understood is treated as TLP:AMBER, never as none.
fn granular(object: &Object, meanings: &Meanings) -> Vec<GranularLabel> {
    let refs = object
        .granular_markings()
        .iter()
        .filter_map(|marking| marking.marking_ref.as_ref());
    refs.filter_map(|marking_ref| {
        let tlp = level(marking_ref.as_str(), meanings)?;
        Some(GranularLabel {
            marking_ref: marking_ref.as_str().to_owned(),
            tlp,
        })
    })
    .collect()
}

/// Whether a kept label (its text) is at least as strict as what stands on the object itself, as [`label`] and [`carried`] make
/// them: says if parts of the object are marked apart. For `fsck`, which knows nothing of labels.
///
/// # Errors
/// What is wrong, in words.
pub fn fits(label: &str, object: &Object) -> Result<bool, String> {
    let label = LabelSet::from_json(label).map_err(|error| error.to_string())?;
    let own = object
        .object_marking_refs()
        .iter()
        .filter_map(|id| tlp_of(id.as_str()))
        .max();
    if own > Some(label.tlp()) {
        return Err(format!(
            "its label is TLP:{}, weaker than its own marking",
            label.tlp().word()
        ));
    }
    let parts = object
        .granular_markings()
        .iter()
        .filter_map(|marking| marking.marking_ref.as_ref());
    for marking_ref in parts {
        let id = marking_ref.as_str();
        let kept = label.granular().iter().find(|part| part.marking_ref == id);
        let kept = kept.map_or(label.tlp(), |part| part.tlp);
        // what a marking that is no TLP means was decided when the record came in
        if tlp_of(id).is_some_and(|tlp| tlp > kept) {
            return Err(format!(
                "its label does not know the marking `{id}` on a part of it"
            ));
        }
    }
    Ok(!label.granular().is_empty())
}

#[cfg(test)]
mod tests {
    use comity_access::PartyId;
    use comity_stix::validate::{Options, check};

    use super::*;

    const RED: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
    const GREEN: &str = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";

    fn report(marks: &str) -> String {
        format!(
            r#"{{"type":"report","spec_version":"2.1","id":"report--5afe0000-2021-4603-8c0d-000000000001",
            "created":"2021-06-03T00:00:00.000Z","modified":"2021-06-03T00:00:00.000Z","name":"n","description":"d",
            "published":"2021-06-03T00:00:00Z","object_refs":["malware--5afe0000-2021-4603-8c0d-000000000002"],{marks}}}"#
        )
    }

    fn with(tlp: Option<Tlp>) -> Carried {
        let mut draft = Draft::new(PartyId::parse("ua").unwrap());
        draft.tlp = tlp;
        Carried {
            label: LabelSet::new(draft).unwrap(),
            leaf: [0; 32],
        }
    }

    #[test]
    fn the_stricter_pap_holds_wherever_it_is_said() {
        let marking = "marking-definition--0ed889c2-9bbc-4dea-a07f-bf68844359d7";
        let meanings = Meanings::from([(marking.to_owned(), Meaning::Pap(Pap::Amber))]);
        let olena = PrincipalId::parse("olena@ua").unwrap();
        let party = PartyId::parse("ua").unwrap();
        let account =
            comity_access::Account::new(olena, comity_access::Role::Analyst, party.clone());
        let source = Source {
            party,
            principal: "olena@ua".to_owned(),
            reader: Arc::new(Reader::new(account).unwrap()),
            action: Action::Write,
            claims: false,
        };
        let whole = format!(r#""object_marking_refs":["{marking}"]"#);
        let part = format!(
            r#""granular_markings":[{{"marking_ref":"{marking}","selectors":["description"]}}]"#
        );
        for (marks, said, pap) in [
            (&whole, None, Pap::Amber),
            (&whole, Some(Pap::Clear), Pap::Amber),
            (&whole, Some(Pap::Red), Pap::Red),
            (&part, Some(Pap::Green), Pap::Amber),
        ] {
            let object = check(report(marks).as_bytes(), &Options::default())
                .object
                .unwrap();
            let handling = Handling {
                pap: said,
                ..Handling::default()
            };
            let own = label(&object, &source, &handling, &meanings).unwrap();
            let mut draft = Draft::new(source.party.clone());
            draft.pap = said;
            let given = Carried {
                label: LabelSet::new(draft).unwrap(),
                leaf: [0; 32],
            };
            let theirs = carried(&object, &given, &meanings).unwrap();
            for label in [own, theirs] {
                assert_eq!(label.pap(), Some(pap), "{marks} {said:?}");
                assert!(label.granular().is_empty(), "a PAP limits no reading");
            }
        }
    }

    #[test]
    fn a_marking_nobody_understands_is_amber_whatever_the_default() {
        let other = "marking-definition--11111111-1111-4111-8111-111111111111";
        let marks = format!(r#""object_marking_refs":["{other}"]"#);
        let object = check(report(&marks).as_bytes(), &Options::default())
            .object
            .unwrap();
        let known = |meaning| Meanings::from([(other.to_owned(), meaning)]);
        for (meanings, expected) in [
            (Meanings::new(), Tlp::Amber),
            (known(Meaning::Unknown), Tlp::Amber),
            (known(Meaning::Statement), Tlp::Green),
            (known(Meaning::Called(Tlp::Clear)), Tlp::Amber),
            (known(Meaning::Called(Tlp::Red)), Tlp::Red),
        ] {
            assert_eq!(
                carried(&object, &with(Some(Tlp::Green)), &meanings)
                    .unwrap()
                    .tlp(),
                expected,
                "{meanings:?}"
            );
        }
    }

    #[test]
    fn what_the_object_says_only_makes_a_carried_label_stricter() {
        let whole = |id: &str| format!(r#""object_marking_refs":["{id}"]"#);
        let part = format!(
            r#""granular_markings":[{{"marking_ref":"{RED}","selectors":["description"]}}]"#
        );
        for (marks, given, tlp, parts) in [
            (whole(RED), Some(Tlp::Green), Tlp::Red, 0),
            (whole(GREEN), Some(Tlp::Red), Tlp::Red, 0),
            (whole(GREEN), None, Tlp::Amber, 0),
            (part, Some(Tlp::Green), Tlp::Green, 1),
        ] {
            let object = check(report(&marks).as_bytes(), &Options::default())
                .object
                .unwrap();
            let label = carried(&object, &with(given), &Meanings::new()).unwrap();
            assert_eq!(
                (label.tlp(), label.granular().len()),
                (tlp, parts),
                "{marks} {given:?}"
            );
            assert_eq!(fits(&label.to_json(), &object), Ok(parts > 0));
            // the same object under the mildest label: `fsck` must see it
            let mild = LabelSet::new(Draft {
                tlp: Some(Tlp::Clear),
                ..Draft::new(PartyId::parse("ua").unwrap())
            });
            assert!(fits(&mild.unwrap().to_json(), &object).is_err(), "{marks}");
        }
    }
}
