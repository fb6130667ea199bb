//! What a sender says about handling when it adds records over TAXII, and what a Comity peer is told when it fetches.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use comity_access::{Audience, LabelSet, PartyId, Reader, Role};
use comity_ledger::tree::leaf_hash;
use comity_stix::marking::Tlp;
use comity_store::{CollectionKey, LabelSetId, ReadError, Record, Seq};

use crate::app::App;
use crate::handling::{Handling, SIDECAR_PROPERTY, SidecarError, SidecarItem, read_sidecar};

/// Under which handling records come in that `reader` adds to a collection, with the sidecar of its envelope.
///
/// The party's own staff publish for the collection's audience. Another party's records are meant for us and nobody else,
/// unless its node says more beside them; what it says must name us.
///
/// # Errors
/// When a peer's sidecar cannot be used: the envelope is refused whole.
pub fn handling(
    app: &App,
    reader: &Reader,
    collection: CollectionKey,
    sidecar: Option<&[u8]>,
) -> Result<Handling, SidecarError> {
    if *reader.party() == app.party {
        return Ok(Handling {
            audience: app.catalog().audience(collection),
            ..Handling::default()
        });
    }
    let audience = Audience {
        parties: std::iter::once(app.party.clone()).collect(),
        ..Audience::default()
    };
    let mut handling = Handling {
        audience,
        ..Handling::default()
    };
    if matches!(reader.role(), Role::Peer | Role::Observer)
        && let Some(text) = sidecar
    {
        let mut by_record = read_sidecar(text)?;
        // nobody else speaks for our own records: what is really ours is known here with the label we gave it
        by_record.retain(|_, carried| *carried.label.originator() != app.party);
        for ((id, _), carried) in &by_record {
            if !names(&carried.label, &app.party) {
                return Err(SidecarError::NotForUs {
                    id: id.clone(),
                    party: app.party.as_str().to_owned(),
                });
            }
        }
        handling.by_record = by_record;
    }
    Ok(handling)
}

/// Whether a label lets `party` have the record at all.
#[must_use]
pub fn names(label: &LabelSet, party: &PartyId) -> bool {
    let audience = label.audience();
    label.tlp() <= Tlp::Green
        || audience.parties.contains(party)
        || audience
            .persons
            .iter()
            .any(|person| person.party() == party.as_str())
}

/// The line of the sidecar for a record.
///
/// # Errors
/// When the register cannot be read.
pub fn sidecar_item(app: &App, record: &Record) -> Result<SidecarItem, ReadError> {
    let label = app.release.label(record.label_set)?;
    let entry = app
        .store
        .entries(record.entry_index, record.entry_index + 1)?
        .into_iter()
        .next()
        .unwrap_or_default();
    Ok(SidecarItem {
        id: record.id.clone(),
        version: record.version.clone(),
        label: label.to_json(),
        leaf: STANDARD.encode(leaf_hash(&entry)),
        entry: record.entry_index,
        salt: (!record.granular).then(|| STANDARD.encode(record.salt)),
    })
}

/// The envelope `body` with the sidecar as one more property, for a Comity peer; the records are ones that release let it
/// have.
///
/// # Errors
/// When the register cannot be read.
pub fn with_sidecar(
    app: &App,
    body: &[u8],
    records: &[(Seq, LabelSetId)],
) -> Result<Vec<u8>, ReadError> {
    let Some(open) = body.strip_suffix(b"}").filter(|_| !records.is_empty()) else {
        return Ok(body.to_vec());
    };
    let items: Vec<SidecarItem> = records
        .iter()
        .filter_map(|(seq, _)| app.store.record(*seq).transpose())
        .map(|record| sidecar_item(app, &record?))
        .collect::<Result<_, _>>()?;
    let items =
        serde_json::to_vec(&items).map_err(|error| ReadError::Damaged(error.to_string()))?;
    Ok([
        open,
        b",\"",
        SIDECAR_PROPERTY.as_bytes(),
        b"\":",
        &items,
        b"}",
    ]
    .concat())
}
