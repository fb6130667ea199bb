//! Parties, people and labels the tests speak of.

use comity_access::{Account, Draft, LabelSet, PartyId, PrincipalId, Reader, Role};

pub(crate) fn party(name: &str) -> PartyId {
    PartyId::parse(name).unwrap()
}

pub(crate) fn person(name: &str) -> PrincipalId {
    PrincipalId::parse(name).unwrap()
}

pub(crate) fn account(name: &str, role: Role) -> Account {
    let principal = person(name);
    let party = party(principal.party());
    Account::new(principal, role, party)
}

pub(crate) fn reader(name: &str, role: Role, change: impl FnOnce(&mut Account)) -> Reader {
    let mut account = account(name, role);
    change(&mut account);
    Reader::new(account).unwrap()
}

/// `"RED ua -> anna@eu eu / ex1"`: colour (or `none`), originator, audience, exercise.
pub(crate) fn label(text: &str) -> LabelSet {
    label_by(text, None)
}

pub(crate) fn label_by(text: &str, author: Option<&str>) -> LabelSet {
    let (text, exercise) = match text.split_once(" / ") {
        Some((text, exercise)) => (text, Some(exercise.to_owned())),
        None => (text, None),
    };
    let (head, audience) = text.split_once(" -> ").unwrap_or((text, ""));
    let (tlp, originator) = head.split_once(' ').unwrap();
    let mut draft = Draft::new(party(originator));
    draft.tlp = (tlp != "none").then(|| tlp.parse().unwrap());
    draft.exercise = exercise;
    draft.author = author.map(person);
    for name in audience.split_whitespace() {
        if name.contains('@') {
            draft.audience.persons.insert(person(name));
        } else {
            draft.audience.parties.insert(party(name));
        }
    }
    LabelSet::new(draft).unwrap()
}
