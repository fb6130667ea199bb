//! Sentences for an officer: why, and what would have to change.
//!
//! A proposed change is never reasoned out beside the policies: it is made on a copy and the policies are asked again.
//! So whoever edits the policies gets explanations that fit, and a proposal always holds.

use comity_stix::marking::Tlp;

use crate::access::Access;
use crate::action::{Action, Resource};
use crate::decision::Reason;
use crate::label::LabelSet;
use crate::proposal;
use crate::reader::{Place, Reader, Role};

/// What is to be explained.
pub(crate) struct Question<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) action: Action,
    pub(crate) resource: Resource<'a>,
}

pub(crate) fn explain(access: &Access, question: &Question<'_>) -> Vec<String> {
    let Question {
        reader,
        action,
        resource,
    } = question;
    let decision = access.decide(reader, *action, *resource);
    let may = if decision.permitted { "may" } else { "may not" };
    let mut lines = vec![format!(
        "{} {may} {}: {}",
        who(reader),
        what(*action, resource),
        decision.text()
    )];
    if let Resource::Record { label, .. } = resource {
        lines.push(label_sentence(label));
    }
    if decision.permitted {
        let hidden = access.redactions(reader, *action, *resource);
        if !hidden.is_empty() {
            lines.push(format!(
                "left out are the parts marked {}",
                list(hidden.into_iter())
            ));
        }
    } else if action.kind() == resource.kind() {
        lines.extend(proposal::sentences(access, question));
    }
    lines
}

/// The reason when no policy permits: what the label or the work would need.
pub(crate) fn unpermitted(reader: &Reader, action: Action, resource: Resource<'_>) -> Reason {
    let (code, text) = match resource {
        Resource::Record { label, .. } if releases(action) => nobody(label),
        Resource::Collection(key) => (
            "role.collection",
            format!("nothing is granted in collection `{key}`"),
        ),
        _ => (
            "role.none",
            format!("{action} is not {}'s work here", article(reader.role())),
        ),
    };
    Reason {
        code: code.into(),
        text: text.into(),
        policy: None,
    }
}

pub(crate) fn releases(action: Action) -> bool {
    matches!(
        action,
        Action::Read | Action::Search | Action::Export | Action::PassOn | Action::Receive
    )
}

fn nobody(label: &LabelSet) -> (&'static str, String) {
    let named = !label.audience().is_empty();
    match label.tlp() {
        Tlp::Red => (
            "tlp.red",
            "TLP:RED is for its author and the persons named in its audience only".to_owned(),
        ),
        Tlp::AmberStrict if named => (
            "tlp.amber-strict",
            "TLP:AMBER+STRICT is for the organisations named, not for their clients".to_owned(),
        ),
        Tlp::Amber if named => (
            "tlp.amber",
            "TLP:AMBER is for the organisations named and their clients".to_owned(),
        ),
        Tlp::Green if named => (
            "tlp.green-audience",
            "the source restricted TLP:GREEN to the audience it named".to_owned(),
        ),
        Tlp::Green => (
            "tlp.green",
            "TLP:GREEN is for the community, and this account is not in it".to_owned(),
        ),
        Tlp::Amber | Tlp::AmberStrict => (
            "audience.empty",
            format!(
                "{} without an audience is for the node's own staff only",
                label.tlp()
            ),
        ),
        Tlp::Clear => ("tlp.clear", "no policy releases TLP:CLEAR".to_owned()),
    }
}

fn who(reader: &Reader) -> String {
    let of = match reader.entity_of() {
        Some(csirt) => format!("constituent of `{csirt}`"),
        None => format!("{} of `{}`", reader.role(), reader.party()),
    };
    format!("`{}` ({of})", reader.principal())
}

fn what(action: Action, resource: &Resource<'_>) -> String {
    let verb = match action {
        Action::PassOn => "pass on".to_owned(),
        Action::Search => "find".to_owned(),
        Action::SeeEntry => "see log entries".to_owned(),
        Action::Backup => "copy the node".to_owned(),
        other => other.word().replace('-', " "),
    };
    match resource {
        Resource::Record {
            place: Place::Collection(key),
            ..
        } => format!("{verb} this record in collection `{key}`"),
        Resource::Record { .. } => format!("{verb} this record"),
        Resource::Collection(key) => format!("{verb} `{key}`"),
        Resource::Node => verb,
    }
}

fn label_sentence(label: &LabelSet) -> String {
    let assumed = if label.assumed() {
        " (assumed, it came without a label)"
    } else {
        ""
    };
    let audience = label.audience();
    let names = audience
        .parties
        .iter()
        .map(|party| party.as_str())
        .chain(audience.persons.iter().map(|person| person.as_str()));
    let named = if audience.is_empty() {
        "nobody named".to_owned()
    } else {
        format!("for {}", list(names))
    };
    let exercise = label
        .exercise()
        .map(|name| format!(", made in exercise `{name}`"))
        .unwrap_or_default();
    format!(
        "its label: {}{assumed}, from `{}`, {named}{exercise}",
        label.tlp(),
        label.originator()
    )
}

fn article(role: Role) -> String {
    let article = if role.word().starts_with(['a', 'e', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {role}")
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
