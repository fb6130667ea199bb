//! The handling label of a record: TLP and PAP, who gave it, and for whom it is.
//!
//! Equal labels have equal text ([`LabelSet::to_json`]), so the store keeps each once and release is decided once for all
//! the records that carry it.

use std::collections::BTreeSet;

use comity_stix::marking::{Pap, Tlp, strictest_tlp, tlp_of};

use crate::party::{NameError, PartyId, PrincipalId};

/// Most parties one audience names. A wider circle is a community: TLP:GREEN.
pub const AUDIENCE_PARTIES_MAX: usize = 256;
/// Most persons one audience names.
pub const AUDIENCE_PERSONS_MAX: usize = 256;
/// Most different granular markings of one record that are stricter than the record's own label.
pub const GRANULAR_MAX: usize = 64;
/// Longest name of an exercise, in bytes.
pub const EXERCISE_BYTES_MAX: usize = 64;
/// Longest canonical text of a label, in bytes: all of the above at their longest, with room.
pub const JSON_BYTES_MAX: usize = 64 * 1024;

/// For whom the source meant a record, beside what the TLP colour says.
///
/// "The source is at liberty to specify additional sharing restrictions. These must be adhered to by recipients." (TLP 2.0)
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Audience {
    /// Organisations by name. A party stands here for its own organisation; its clients follow under TLP:AMBER only.
    pub parties: BTreeSet<PartyId>,
    /// Persons by name. The only way to a TLP:RED record but being its author.
    pub persons: BTreeSet<PrincipalId>,
}

impl Audience {
    /// Nobody is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parties.is_empty() && self.persons.is_empty()
    }
}

/// A marking on a part of a record that is stricter than the record's own label (STIX 2.1 section 7.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GranularLabel {
    /// Identifier of the marking definition, as the record's `granular_markings` name it.
    pub marking_ref: String,
    /// What that definition means.
    pub tlp: Tlp,
}

/// What a caller knows about a record's handling; [`LabelSet::new`] makes a label of it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The strictest TLP found on the record, `None` when none was found or none was understood.
    pub tlp: Option<Tlp>,
    /// The Permissible Actions Protocol level. It limits what a reader does, not who reads; carried along unchanged.
    pub pap: Option<Pap>,
    /// The party whose record this is. Onward transfer stays under its control.
    pub originator: PartyId,
    /// The person who wrote it, where known.
    pub author: Option<PrincipalId>,
    /// Who is named.
    pub audience: Audience,
    /// The exercise the record was made in.
    pub exercise: Option<String>,
    /// TLP markings on parts of the record; those not understood belong in here as `Tlp::Amber`.
    pub granular: Vec<GranularLabel>,
}

impl Draft {
    /// A label of which nothing is known but where the record came from.
    #[must_use]
    pub fn new(originator: PartyId) -> Self {
        Self {
            tlp: None,
            pap: None,
            originator,
            author: None,
            audience: Audience::default(),
            exercise: None,
            granular: Vec::new(),
        }
    }

    /// What a record's markings say: of its own the strictest TLP, of its parts each TLP.
    ///
    /// `other` tells whether a marking that is no TLP is known to limit nobody's reading (a statement, a PAP level). A
    /// part whose marking is neither counts as AMBER: what is not understood is not given away.
    #[must_use]
    pub fn from_markings<'a>(
        originator: PartyId,
        record: impl IntoIterator<Item = &'a str>,
        parts: impl IntoIterator<Item = &'a str>,
        other: &dyn Fn(&str) -> bool,
    ) -> Self {
        let tlp = strictest_tlp(record);
        let part = |marking_ref: &str| {
            let tlp =
                tlp_of(marking_ref).or_else(|| (!other(marking_ref)).then_some(Tlp::Amber))?;
            Some(GranularLabel {
                marking_ref: marking_ref.to_owned(),
                tlp,
            })
        };
        let granular = parts.into_iter().filter_map(part).collect();
        Self {
            tlp,
            granular,
            ..Self::new(originator)
        }
    }
}

/// A checked label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LabelSet {
    tlp: Tlp,
    assumed: bool,
    pap: Option<Pap>,
    originator: PartyId,
    // INVARIANT: `Some` only if `tlp` or a granular label is RED; elsewhere the author has no say in release, and one label
    // for each author would multiply the labels to decide on.
    author: Option<PrincipalId>,
    // INVARIANT: empty if `tlp` is CLEAR and nothing granular is stricter; within the two limits above.
    audience: Audience,
    exercise: Option<String>,
    // INVARIANT: sorted by `marking_ref`, each once, each stricter than `tlp`.
    granular: Vec<GranularLabel>,
}

/// Why a label was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// More parties, persons or granular markings than the limit.
    #[error("{count} {what} in one label, at most {max} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many came.
        count: usize,
        /// How many may.
        max: usize,
    },
    /// The exercise's name has other characters than `a-z0-9-`, or too many.
    #[error("`{0}` is not the name of an exercise: 1 to 64 lower-case letters, digits and hyphens")]
    Exercise(String),
    /// A party or person in it is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The stored text is not what [`LabelSet::to_json`] writes.
    #[error("not a label: {0}")]
    Json(String),
}

impl LabelSet {
    /// Makes a label. No TLP means TLP:AMBER, assumed (DESIGN invariant 2), never CLEAR.
    ///
    /// # Errors
    /// [`LabelError`] when a limit is passed or the exercise's name is none.
    pub fn new(draft: Draft) -> Result<Self, LabelError> {
        let Draft {
            tlp: found,
            pap,
            originator,
            author,
            mut audience,
            exercise,
            mut granular,
        } = draft;
        let tlp = found.unwrap_or(Tlp::Amber);
        granular.retain(|part| part.tlp > tlp);
        granular.sort_by(|a, b| a.marking_ref.cmp(&b.marking_ref).then(b.tlp.cmp(&a.tlp)));
        granular.dedup_by(|later, earlier| later.marking_ref == earlier.marking_ref);
        if tlp == Tlp::Clear && granular.is_empty() {
            audience = Audience::default();
        }
        within("parties", audience.parties.len(), AUDIENCE_PARTIES_MAX)?;
        within("persons", audience.persons.len(), AUDIENCE_PERSONS_MAX)?;
        within("granular markings", granular.len(), GRANULAR_MAX)?;
        if let Some(name) = &exercise {
            check_exercise(name)?;
        }
        let red = tlp == Tlp::Red || granular.iter().any(|part| part.tlp == Tlp::Red);
        Ok(Self {
            tlp,
            assumed: found.is_none(),
            pap,
            originator,
            author: author.filter(|_| red),
            audience,
            exercise,
            granular,
        })
    }

    /// The TLP colour that decides.
    #[must_use]
    pub fn tlp(&self) -> Tlp {
        self.tlp
    }

    /// True when no label was found and TLP:AMBER was taken.
    #[must_use]
    pub fn assumed(&self) -> bool {
        self.assumed
    }

    /// The Permissible Actions Protocol level.
    #[must_use]
    pub fn pap(&self) -> Option<Pap> {
        self.pap
    }

    /// The party whose record this is.
    #[must_use]
    pub fn originator(&self) -> &PartyId {
        &self.originator
    }

    /// The author, kept only where TLP:RED makes it matter.
    #[must_use]
    pub fn author(&self) -> Option<&PrincipalId> {
        self.author.as_ref()
    }

    /// Who is named.
    #[must_use]
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// The exercise the record was made in.
    #[must_use]
    pub fn exercise(&self) -> Option<&str> {
        self.exercise.as_deref()
    }

    /// Markings on parts of the record that are stricter than its own label.
    #[must_use]
    pub fn granular(&self) -> &[GranularLabel] {
        &self.granular
    }

    /// This label with another colour: the one a granular marking gives to a part.
    pub(crate) fn with_tlp(&self, tlp: Tlp) -> Self {
        Self {
            tlp,
            granular: Vec::new(),
            ..self.clone()
        }
    }

    /// This label as a draft, to make another of it.
    #[must_use]
    pub fn to_draft(&self) -> Draft {
        Draft {
            tlp: (!self.assumed).then_some(self.tlp),
            pap: self.pap,
            originator: self.originator.clone(),
            author: self.author.clone(),
            audience: self.audience.clone(),
            exercise: self.exercise.clone(),
            granular: self.granular.clone(),
        }
    }
}

pub(crate) fn check_exercise(name: &str) -> Result<(), LabelError> {
    let allowed = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if allowed && (1..=EXERCISE_BYTES_MAX).contains(&name.len()) {
        Ok(())
    } else {
        Err(LabelError::Exercise(name.to_owned()))
    }
}

fn within(what: &'static str, count: usize, max: usize) -> Result<(), LabelError> {
    if count <= max {
        Ok(())
    } else {
        Err(LabelError::TooMany { what, count, max })
    }
}
