//! Test cases for policies, as files an authority writes beside its policies.
//!
//! ```toml
//! holder = "ua"                            # whose node decides
//!
//! [readers.olena]
//! person = "olena@ua"
//! role = "analyst"
//!
//! [[case]]
//! name = "an analyst does not read RED by being staff"
//! reader = "olena"
//! action = "read"
//! label = { tlp = "RED", originator = "ua", persons = ["anna@eu"] }
//! expect = "no"
//! because = "tlp.red"                      # optional: the code of one of the reasons
//! ```
//!
//! A record is looked for in the whole register unless the case names a `collection`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::access::Access;
use crate::action::{Action, Kind, Resource};
use crate::decision::Decision;
use crate::label::{Audience, Draft, LabelSet};
use crate::party::{PartyId, PrincipalId};
use crate::policies::Sources;
use crate::reader::{Account, Grants, Place, Reader};

/// What a file of cases came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Cases that came out as expected.
    pub passed: usize,
    /// One sentence for each that did not.
    pub failures: Vec<String>,
}

/// Runs one file of cases against policies.
///
/// # Errors
/// A sentence when the file cannot be read as cases or the policies cannot be used: nothing was tested then.
pub fn run(sources: &Sources<'_>, file: &str) -> Result<Report, String> {
    let file: File = toml::from_str(file).map_err(|error| error.to_string())?;
    let access = Access::with(file.holder, sources).map_err(|error| error.to_string())?;
    let mut readers = BTreeMap::new();
    for (name, account) in file.readers {
        let reader = account
            .reader()
            .map_err(|message| format!("reader `{name}`: {message}"))?;
        readers.insert(name, reader);
    }
    let mut report = Report::default();
    for case in &file.case {
        match case
            .run(&access, &readers)
            .map_err(|message| format!("case `{}`: {message}", case.name))?
        {
            None => report.passed += 1,
            Some(failure) => report.failures.push(format!("{}: {failure}", case.name)),
        }
    }
    Ok(report)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    holder: PartyId,
    readers: BTreeMap<String, AccountText>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountText {
    person: PrincipalId,
    role: String,
    entity_of: Option<PartyId>,
    #[serde(default)]
    community: bool,
    exercise: Option<String>,
    #[serde(default)]
    reads: Vec<String>,
    #[serde(default)]
    writes: Vec<String>,
}

impl AccountText {
    fn reader(self) -> Result<Reader, String> {
        let role = self
            .role
            .parse()
            .map_err(|error: crate::reader::ReaderError| error.to_string())?;
        let party = PartyId::parse(self.person.party()).map_err(|error| error.to_string())?;
        Reader::new(Account {
            principal: self.person,
            role,
            party,
            entity_of: self.entity_of,
            community: self.community,
            exercise: self.exercise,
            grants: Grants {
                read: self.reads.into_iter().collect(),
                write: self.writes.into_iter().collect(),
            },
        })
        .map_err(|error| error.to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    reader: String,
    action: String,
    label: Option<LabelText>,
    collection: Option<String>,
    expect: Expected,
    because: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Yes,
    No,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct LabelText {
    tlp: Option<String>,
    originator: PartyId,
    author: Option<PrincipalId>,
    #[serde(default)]
    parties: Vec<PartyId>,
    #[serde(default)]
    persons: Vec<PrincipalId>,
    exercise: Option<String>,
}

impl LabelText {
    fn label(&self) -> Result<LabelSet, String> {
        let text = self.clone();
        let tlp = match &text.tlp {
            Some(word) => Some(
                word.parse()
                    .map_err(|_| format!("`{word}` is not a TLP colour"))?,
            ),
            None => None,
        };
        let audience = Audience {
            parties: text.parties.into_iter().collect(),
            persons: text.persons.into_iter().collect(),
        };
        let draft = Draft {
            tlp,
            author: text.author,
            audience,
            exercise: text.exercise,
            ..Draft::new(text.originator)
        };
        LabelSet::new(draft).map_err(|error| error.to_string())
    }
}

impl Case {
    /// `None` if it came out as expected.
    fn run(
        &self,
        access: &Access,
        readers: &BTreeMap<String, Reader>,
    ) -> Result<Option<String>, String> {
        let reader = readers
            .get(&self.reader)
            .ok_or_else(|| format!("no reader `{}`", self.reader))?;
        let action = Action::ALL
            .into_iter()
            .find(|action| action.word() == self.action)
            .ok_or_else(|| format!("no action `{}`", self.action))?;
        let decision = match action.kind() {
            Kind::Record => self.on_record(access, reader, action)?,
            Kind::Collection => {
                let key = self
                    .collection
                    .as_deref()
                    .ok_or("this action needs a `collection`")?;
                access.decide(reader, action, Resource::Collection(key))
            }
            Kind::Node => access.decide(reader, action, Resource::Node),
        };
        Ok(self.judge(&decision))
    }

    fn on_record(
        &self,
        access: &Access,
        reader: &Reader,
        action: Action,
    ) -> Result<Decision, String> {
        let text = self.label.as_ref().ok_or("this action needs a `label`")?;
        let label = &text.label()?;
        let place = self
            .collection
            .as_deref()
            .map_or(Place::Register, Place::Collection);
        Ok(access.decide(
            reader,
            action,
            Resource::Record {
                label,
                place,
                author: text.author.as_ref(),
            },
        ))
    }

    fn judge(&self, decision: &Decision) -> Option<String> {
        if decision.permitted != (self.expect == Expected::Yes) {
            let got = if decision.permitted { "yes" } else { "no" };
            return Some(format!("got {got}, because {}", decision.text()));
        }
        let code = self.because.as_deref()?;
        if decision.reasons.iter().any(|reason| reason.code == code) {
            return None;
        }
        let codes: Vec<&str> = decision
            .reasons
            .iter()
            .map(|reason| reason.code.as_ref())
            .collect();
        Some(format!(
            "expected the reason `{code}`, got `{}`",
            codes.join("`, `")
        ))
    }
}
