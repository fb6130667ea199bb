//! What would have to change for a no to become a yes.
//!
//! Candidates are tried on a copy of account and label, one, then two, then three at a time; the first size that works
//! is told. Ten candidates make 175 questions at most, a few milliseconds, asked only when somebody wants to know.

use comity_stix::marking::Tlp;

use crate::access::Access;
use crate::action::{Action, Resource};
use crate::explain::{Question, releases};
use crate::label::{Draft, LabelSet};
use crate::party::PrincipalId;
use crate::reader::{Account, Place, Reader, Role};

/// Most proposals told.
const PROPOSALS_MAX: usize = 4;
/// Most changes one proposal has; what needs more is a plain no.
const CHANGES_MAX: usize = 3;
/// Stands for a collection still to be chosen.
const SOME_COLLECTION: &str = "";

/// One thing that can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    GrantRead,
    GrantWrite,
    AskInCollection,
    JoinExercise,
    JoinCommunity,
    NameParty,
    NameCsirt,
    NamePerson,
    Role(Role),
    Lower(Tlp),
}

/// Sentences, the smallest sets of changes that work; or one that says nothing helps.
pub(crate) fn sentences(access: &Access, question: &Question<'_>) -> Vec<String> {
    let candidates = candidates(access, question);
    for size in 1..=CHANGES_MAX {
        let mut working: Vec<Vec<Change>> = Vec::new();
        for set in subsets(&candidates, size) {
            // A colour is lowered no further than needed.
            let milder = |other: &Vec<Change>| without_colour(other) == without_colour(&set);
            if !(has_colour(&set) && working.iter().any(milder)) && works(access, question, &set) {
                working.push(set);
            }
        }
        if !working.is_empty() {
            let told = working.iter().take(PROPOSALS_MAX);
            return told.map(|set| sentence(question, set)).collect();
        }
    }
    vec!["no change of account, grants, audience or label alone would allow it".to_owned()]
}

fn candidates(access: &Access, question: &Question<'_>) -> Vec<Change> {
    let Question {
        reader,
        action,
        resource,
    } = question;
    let mut changes = Vec::new();
    let staff = reader.party() == access.own();
    match resource {
        Resource::Record {
            place: Place::Register,
            ..
        } if !staff && *action != Action::Receive => {
            changes.push(Change::AskInCollection);
        }
        Resource::Record {
            place: Place::Collection(_),
            ..
        }
        | Resource::Collection(_) => {
            changes.extend([Change::GrantRead, Change::GrantWrite]);
        }
        _ => {}
    }
    if let Resource::Record { label, .. } = resource {
        if label.exercise().is_some() {
            changes.push(Change::JoinExercise);
        }
        if releases(*action) {
            changes.extend([Change::JoinCommunity, Change::NamePerson, Change::NameParty]);
            if reader.entity_of().is_some() {
                changes.push(Change::NameCsirt);
            }
            // Two steps at most, and to CLEAR only from GREEN: nobody publishes RED to the world to please one reader.
            let lowest = if label.tlp() > Tlp::Green {
                Tlp::Green
            } else {
                Tlp::Clear
            };
            let milder = Tlp::ALL.into_iter().rev();
            let milder = milder
                .filter(|tlp| *tlp < label.tlp() && *tlp >= lowest)
                .take(2);
            changes.extend(milder.map(Change::Lower));
        }
    }
    if staff && !matches!(action, Action::Read | Action::Search | Action::Receive) {
        let roles = [
            Role::Analyst,
            Role::Officer,
            Role::Administrator,
            Role::Auditor,
        ];
        changes.extend(
            roles
                .into_iter()
                .filter(|role| *role != reader.role())
                .map(Change::Role),
        );
    }
    changes
}

/// Every choice of `size` of the candidates, in their order.
fn subsets(candidates: &[Change], size: usize) -> Vec<Vec<Change>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let mut sets = Vec::new();
    for (index, first) in candidates.iter().enumerate() {
        let rest = candidates.get(index + 1..).unwrap_or_default();
        for mut set in subsets(rest, size - 1) {
            set.insert(0, *first);
            sets.push(set);
        }
    }
    sets
}

fn has_colour(set: &[Change]) -> bool {
    set.iter().any(|change| matches!(change, Change::Lower(_)))
}

fn without_colour(set: &[Change]) -> Vec<Change> {
    set.iter()
        .copied()
        .filter(|change| !matches!(change, Change::Lower(_)))
        .collect()
}

/// Asks the policies with the changes made.
fn works(access: &Access, question: &Question<'_>, set: &[Change]) -> bool {
    let Question {
        reader,
        action,
        resource,
    } = question;
    let collection = match resource {
        Resource::Record {
            place: Place::Collection(key),
            ..
        }
        | Resource::Collection(key) => key,
        _ => SOME_COLLECTION,
    };
    let mut account = reader.to_account();
    let mut draft = match resource {
        Resource::Record { label, .. } => Some(label.to_draft()),
        _ => None,
    };
    for change in set {
        change_account(*change, &mut account, collection, resource);
        if let Some(draft) = &mut draft {
            change_label(*change, draft, reader);
        }
    }
    let Ok(changed) = Reader::new(account) else {
        return false;
    };
    let Some(draft) = draft else {
        return access.decide(&changed, *action, *resource).permitted;
    };
    let (Ok(label), Resource::Record { place, author, .. }) = (LabelSet::new(draft), resource)
    else {
        return false;
    };
    let place = if set.contains(&Change::AskInCollection) {
        Place::Collection(SOME_COLLECTION)
    } else {
        *place
    };
    access
        .decide(
            &changed,
            *action,
            Resource::Record {
                label: &label,
                place,
                author: *author,
            },
        )
        .permitted
}

fn change_account(
    change: Change,
    account: &mut Account,
    collection: &str,
    resource: &Resource<'_>,
) {
    match change {
        Change::GrantRead => {
            account.grants.read.insert(collection.to_owned());
        }
        Change::GrantWrite => {
            account.grants.write.insert(collection.to_owned());
        }
        Change::AskInCollection => {
            account.grants.read.insert(SOME_COLLECTION.to_owned());
            account.grants.write.insert(SOME_COLLECTION.to_owned());
        }
        Change::JoinExercise => {
            if let Resource::Record { label, .. } = resource {
                account.exercise = label.exercise().map(str::to_owned);
            }
        }
        Change::JoinCommunity => account.community = true,
        Change::Role(role) => account.role = role,
        Change::NameParty | Change::NameCsirt | Change::NamePerson | Change::Lower(_) => {}
    }
}

fn change_label(change: Change, draft: &mut Draft, reader: &Reader) {
    match change {
        Change::NameParty => {
            draft.audience.parties.insert(reader.party().clone());
        }
        Change::NameCsirt => draft.audience.parties.extend(reader.entity_of().cloned()),
        Change::NamePerson => {
            draft.audience.persons.insert(reader.principal().clone());
        }
        Change::Lower(tlp) => draft.tlp = Some(tlp),
        _ => {}
    }
}

fn sentence(question: &Question<'_>, set: &[Change]) -> String {
    let parts: Vec<String> = set.iter().map(|change| part(question, *change)).collect();
    format!("it would be allowed if {}", parts.join(", and "))
}

fn part(question: &Question<'_>, change: Change) -> String {
    let Question {
        reader, resource, ..
    } = question;
    let principal: &PrincipalId = reader.principal();
    let key = match resource {
        Resource::Record {
            place: Place::Collection(key),
            ..
        }
        | Resource::Collection(key) => key,
        _ => "",
    };
    let (source, exercise) = match resource {
        Resource::Record { label, .. } => (
            label.originator().as_str(),
            label.exercise().unwrap_or_default(),
        ),
        _ => ("", ""),
    };
    match change {
        Change::GrantRead => format!("`{principal}` were granted reading in collection `{key}`"),
        Change::GrantWrite => format!("`{principal}` were granted writing in collection `{key}`"),
        Change::AskInCollection => {
            "the record were asked for in a collection granted to it".to_owned()
        }
        Change::JoinExercise => format!("`{principal}` took part in exercise `{exercise}`"),
        Change::JoinCommunity => format!("`{principal}` were admitted to the community"),
        Change::NamePerson => {
            format!("`{source}`, whose record it is, named `{principal}` in the audience")
        }
        Change::NameParty => format!(
            "`{source}`, whose record it is, named `{}` in the audience",
            reader.party()
        ),
        Change::NameCsirt => {
            let csirt = reader.entity_of().map_or("", |party| party.as_str());
            format!("`{source}`, whose record it is, named `{csirt}` in the audience")
        }
        Change::Role(role) => format!("the account's role were {role}"),
        Change::Lower(tlp) => format!("`{source}`, whose record it is, lowered its label to {tlp}"),
    }
}
