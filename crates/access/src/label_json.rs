//! The canonical text of a label, the key under which the store keeps it once.
//!
//! Members stand in a fixed order, sets are sorted, nothing empty is written, there is no white space:
//! `{"tlp":"AMBER","originator":"ua","parties":["eu"]}`.

use std::collections::BTreeSet;

use comity_stix::marking::Tlp;
use serde::{Deserialize, Serialize};

use crate::label::{Audience, Draft, GranularLabel, JSON_BYTES_MAX, LabelError, LabelSet};
use crate::party::{PartyId, PrincipalId};

impl LabelSet {
    /// The canonical text: equal labels, equal text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = Text {
            tlp: self.tlp().word().to_owned(),
            assumed: self.assumed(),
            pap: self.pap().map(|pap| pap.word().to_owned()),
            originator: self.originator().clone(),
            author: self.author().cloned(),
            parties: self.audience().parties.clone(),
            persons: self.audience().persons.clone(),
            exercise: self.exercise().map(str::to_owned),
            granular: self.granular().iter().map(GranularText::from).collect(),
        };
        // A struct of strings and lists always serialises; an empty text could not be read back and so not be released.
        serde_json::to_string(&text).unwrap_or_default()
    }

    /// Reads what [`LabelSet::to_json`] wrote. Members in another order or spelling are refused, so that one label never has two texts.
    ///
    /// # Errors
    /// [`LabelError`]; a label that cannot be read is released to nobody.
    pub fn from_json(json: &str) -> Result<Self, LabelError> {
        if json.len() > JSON_BYTES_MAX {
            return Err(LabelError::TooMany {
                what: "bytes",
                count: json.len(),
                max: JSON_BYTES_MAX,
            });
        }
        let refuse = |error: &dyn std::fmt::Display| LabelError::Json(error.to_string());
        let text: Text = serde_json::from_str(json).map_err(|error| refuse(&error))?;
        let tlp: Tlp = text
            .tlp
            .parse()
            .map_err(|_| LabelError::Json(format!("`{}` is not a TLP colour", text.tlp)))?;
        let pap = match &text.pap {
            Some(pap) => Some(
                pap.parse()
                    .map_err(|_| LabelError::Json(format!("`{pap}` is not a PAP level")))?,
            ),
            None => None,
        };
        let granular = text
            .granular
            .into_iter()
            .map(GranularLabel::try_from)
            .collect::<Result<_, _>>()?;
        let label = Self::new(Draft {
            tlp: (!text.assumed).then_some(tlp),
            pap,
            originator: text.originator,
            author: text.author,
            audience: Audience {
                parties: text.parties,
                persons: text.persons,
            },
            exercise: text.exercise,
            granular,
        })?;
        if label.to_json() == json {
            Ok(label)
        } else {
            Err(LabelError::Json("not in canonical form".to_owned()))
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    tlp: String,
    #[serde(default, skip_serializing_if = "is_false")]
    assumed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pap: Option<String>,
    originator: PartyId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<PrincipalId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    parties: BTreeSet<PartyId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    persons: BTreeSet<PrincipalId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exercise: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    granular: Vec<GranularText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GranularText {
    marking_ref: String,
    tlp: String,
}

impl From<&GranularLabel> for GranularText {
    fn from(label: &GranularLabel) -> Self {
        Self {
            marking_ref: label.marking_ref.clone(),
            tlp: label.tlp.word().to_owned(),
        }
    }
}

impl TryFrom<GranularText> for GranularLabel {
    type Error = LabelError;
    fn try_from(text: GranularText) -> Result<Self, LabelError> {
        let tlp = text
            .tlp
            .parse()
            .map_err(|_| LabelError::Json(format!("`{}` is not a TLP colour", text.tlp)))?;
        Ok(Self {
            marking_ref: text.marking_ref,
            tlp,
        })
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}
