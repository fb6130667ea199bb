//! The sidecar: what one Comity node says to another about each record, beside the records.

use std::collections::BTreeMap;

use comity_access::{LabelSet, PartyId};
use comity_stix::timestamp::Timestamp;

use super::{Carried, CarriedLines};
use crate::intake::Checked;
use crate::peers::delivery::{Offered, OfferedRecords};

/// The custom envelope property by which Comity nodes carry labels beside the objects (TAXII 2.1 section 7.1.1). Other
/// servers ignore it or are never sent it.
pub const SIDECAR_PROPERTY: &str = "x_comity_handling";

/// The request header by which a Comity node asks for the sidecar on what it pulls.
pub const SIDECAR_HEADER: &str = "comity-handling";

/// Longest reason of a withdrawal, octets: as long as one of a receipt.
pub const REASON_BYTES_MAX: usize = comity_ledger::receipt::REASON_BYTES_MAX;

/// Most records one sidecar may speak of.
const SIDECAR_RECORDS_MAX: usize = crate::limits::ENVELOPE_OBJECTS_MAX;

/// One line of the sidecar.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct SidecarItem {
    /// The object.
    pub id: String,
    /// Its version as written.
    pub version: String,
    /// The label, as [`LabelSet::to_json`] writes it.
    pub label: String,
    /// Leaf hash of the sender's entry for it, base64.
    pub leaf: String,
    /// Index of that entry in the sender's log.
    pub entry: u64,
    /// Salt of the commitment, base64. Not for records with granular markings: the parts left out could be guessed by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// That entry as it is logged, 76 bytes, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logged: Option<String>,
    /// From that entry to the root of the head beside the records, each hash in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Vec<String>>,
    /// This last version asks to remove what came before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdraw: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a peer says beside records.
#[derive(Clone, Debug, Default)]
pub struct Sidecar {
    /// Labels.
    pub by_record: CarriedLines,
    /// Entries of the peer's log.
    pub offered: OfferedRecords,
}

impl Sidecar {
    /// Nobody else speaks for our own records: what is really ours is known here with the label we gave it, and nobody is owed
    /// a receipt for its coming back.
    #[must_use]
    pub fn foreign_to(mut self, own: &PartyId) -> Self {
        let offered = &mut self.offered;
        self.by_record.retain(|key, carried| {
            let foreign = carried.label.originator() != own;
            if let Some(offered) = offered.get_mut(key) {
                offered.own = !foreign;
            }
            foreign
        });
        self
    }
}

/// Why a sidecar cannot be used. The envelope is refused whole: a record must not come in under a weaker label.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    /// Not the JSON it should be.
    #[error("`{SIDECAR_PROPERTY}` is not a list of labels: {0}")]
    Json(String),
    /// Too many.
    #[error("`{SIDECAR_PROPERTY}` names {0} records, at most {SIDECAR_RECORDS_MAX} are allowed")]
    TooMany(usize),
    /// A label that is none.
    #[error("the label of `{id}` cannot be used: {text}")]
    Label {
        /// The record.
        id: String,
        /// What is wrong.
        text: String,
    },
    /// A field that is not base64 of 32 bytes, or a version that is none.
    #[error("`{field}` of `{id}` is malformed")]
    Field {
        /// The record.
        id: String,
        /// Which field.
        field: &'static str,
    },
    /// The sender speaks for a record it does not name itself a receiver of.
    #[error(
        "`{id}` is not meant for this party: its label names neither `{party}` nor a community"
    )]
    NotForUs {
        /// The record.
        id: String,
        /// This node's party.
        party: String,
    },
}

/// Reads a sidecar that a peer sent to `own`.
///
/// # Errors
/// See [`SidecarError`].
pub fn read_sidecar(text: &[u8]) -> Result<Sidecar, SidecarError> {
    let items: Vec<SidecarItem> =
        serde_json::from_slice(text).map_err(|error| SidecarError::Json(error.to_string()))?;
    if items.len() > SIDECAR_RECORDS_MAX {
        return Err(SidecarError::TooMany(items.len()));
    }
    let mut sidecar = Sidecar::default();
    for item in items {
        let (key, carried, offered) = read_item(item)?;
        sidecar.by_record.insert(key.clone(), carried);
        sidecar.offered.insert(key, offered);
    }
    Ok(sidecar)
}

/// Lines of a sidecar that cannot be used. Their records must not come in under a weaker label, so they do not come in.
#[derive(Clone, Debug, Default)]
pub struct Unfit {
    by_id: BTreeMap<String, String>,
    /// A line that does not even name its record: it may be that of any record without one.
    nameless: Option<String>,
}

impl Unfit {
    /// The line of this record cannot be used.
    pub fn note(&mut self, id: &str, error: &SidecarError) {
        self.by_id.insert(id.to_owned(), error.to_string());
    }

    /// Why a record does not come in, if it does not.
    #[must_use]
    pub fn about(&self, checked: &Checked, lines: &CarriedLines) -> Option<String> {
        if let Some(reason) = self.by_id.get(checked.id()) {
            return Some(reason.clone());
        }
        let has_line = || {
            let from = (checked.id().to_owned(), String::new());
            let mut after = lines.range(from..);
            after.next().is_some_and(|((id, _), _)| id == checked.id())
        };
        self.nameless.clone().filter(|_| !has_line())
    }
}

/// Reads a sidecar of which single lines may be unusable; [`read_sidecar`] refuses it whole then.
///
/// # Errors
/// When it is not a list, or too long.
pub fn read_sidecar_by_line(text: &[u8]) -> Result<(Sidecar, Unfit), SidecarError> {
    #[derive(serde::Deserialize)]
    struct Named {
        id: String,
    }
    let lines: Vec<&serde_json::value::RawValue> =
        serde_json::from_slice(text).map_err(|error| SidecarError::Json(error.to_string()))?;
    if lines.len() > SIDECAR_RECORDS_MAX {
        return Err(SidecarError::TooMany(lines.len()));
    }
    let (mut sidecar, mut unfit) = (Sidecar::default(), Unfit::default());
    for line in lines {
        match read_line(line.get().as_bytes()) {
            Ok((key, carried, offered)) => {
                sidecar.by_record.insert(key.clone(), carried);
                sidecar.offered.insert(key, offered);
            }
            Err(error) => match serde_json::from_str::<Named>(line.get()) {
                Ok(named) => unfit.note(&named.id, &error),
                Err(_) => unfit.nameless = Some(error.to_string()),
            },
        }
    }
    Ok((sidecar, unfit))
}

/// Reads one line of a sidecar.
///
/// # Errors
/// See [`SidecarError`].
pub fn read_line(text: &[u8]) -> Result<((String, String), Carried, Offered), SidecarError> {
    let item =
        serde_json::from_slice(text).map_err(|error| SidecarError::Json(error.to_string()))?;
    read_item(item)
}

fn read_item(item: SidecarItem) -> Result<((String, String), Carried, Offered), SidecarError> {
    use base64::Engine as _;
    let field = |field| SidecarError::Field {
        id: item.id.clone(),
        field,
    };
    let version = Timestamp::parse(&item.version).map_err(|_| field("version"))?;
    let leaf = base64::engine::general_purpose::STANDARD
        .decode(&item.leaf)
        .ok()
        .and_then(|bytes| comity_ledger::Hash::try_from(bytes.as_slice()).ok())
        .ok_or_else(|| field("leaf"))?;
    let label = LabelSet::from_json(&item.label).map_err(|error| SidecarError::Label {
        id: item.id.clone(),
        text: error.to_string(),
    })?;
    if item
        .reason
        .as_ref()
        .is_some_and(|reason| reason.len() > REASON_BYTES_MAX)
    {
        return Err(field("reason"));
    }
    let offered = Offered::of(&item).map_err(field)?;
    let key = (item.id, version.key().to_owned());
    Ok((key, Carried { label, leaf }, offered))
}

#[cfg(test)]
mod tests {
    use comity_stix::finding::Position;

    use super::*;
    use crate::intake::{self, Incoming};

    #[test]
    fn one_unusable_line_keeps_one_record_out() {
        let label = LabelSet::new(comity_access::Draft::new(PartyId::parse("ua").unwrap()))
            .unwrap()
            .to_json();
        let line = |id: &str, version: &str| serde_json::json!({ "id": id, "version": version, "label": label, "leaf": "A".repeat(43) + "=", "entry": 1 });
        let id = |number| format!("tool--5afe0000-2021-4603-8c0d-{number:012}");
        let good = line(&id(1), "2024-01-01T00:00:00.000Z");
        let bad = line(&id(2), "yesterday");
        let checked = |id: &str| {
            let bytes = format!(r#"{{"type":"tool","id":"{id}"}}"#).into_bytes();
            let position = Position::START;
            intake::check(&Incoming { bytes, position }, &intake::options())
        };
        let text = serde_json::json!([good, bad]).to_string();
        assert!(read_sidecar(text.as_bytes()).is_err(), "refused whole");
        let (sidecar, unfit) = read_sidecar_by_line(text.as_bytes()).unwrap();
        let out = |id: &str| unfit.about(&checked(id), &sidecar.by_record).is_some();
        assert_eq!(
            [out(&id(1)), out(&id(2)), out(&id(3))],
            [false, true, false]
        );
        // a line that names nothing may be that of any record without one
        let text = serde_json::json!([good, { "version": "x" }]).to_string();
        let (sidecar, unfit) = read_sidecar_by_line(text.as_bytes()).unwrap();
        let out = |id: &str| unfit.about(&checked(id), &sidecar.by_record).is_some();
        assert_eq!([out(&id(1)), out(&id(3))], [false, true]);
        assert!(read_sidecar_by_line(b"{}").is_err());
    }
}
