//! A collection as one STIX bundle: each object as it is kept, under release for whoever will read it. Labels stand beside the
//! objects as they do between nodes; the predefined markings that objects refer to are in it.

mod definitions;

use std::sync::Arc;

use comity_access::{LabelSet, Reader};
use comity_stix::marking::Tlp;
use comity_store::{Admin, Disclose, Op, PageQuery, ReadError, Row, Scope, Seq, VersionFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::definitions::Definitions;
use super::person::Eyes;
use super::{ControlError, Output, collection};
use crate::app::App;
use crate::handling::{SIDECAR_PROPERTY, is_silent};
use crate::peers::inbound;
use crate::release::{Visible, without};

/// What to give out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Export {
    /// Alias or UUID.
    pub collection: String,
    /// For whom: only what this person may read; the local officer when not given.
    pub reader: Option<String>,
    /// The one person the file is for. Only then TLP:RED records that name them are in it.
    pub person: Option<String>,
    /// Only these types.
    pub types: Vec<String>,
    /// Only what came into the collection after this time.
    pub since: Option<String>,
    /// Every version, not only the latest.
    pub all_versions: bool,
    /// Leave out records whose label stands beside the object only.
    #[serde(default)]
    pub marked_only: bool,
}

/// Records fetched at once.
const PAGE_RECORDS: usize = 1_000;
/// Octets fetched at once.
const PAGE_BYTES: usize = 8 << 20;

pub(super) fn execute(
    app: &App,
    actor: &str,
    command: &Export,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    let row = collection::find(app, &command.collection)?;
    if let (Some(reader), Some(person)) = (&command.reader, &command.person)
        && app.full_name(reader) != app.full_name(person)
    {
        return Err(ControlError::usage(format!(
            "`--as {reader}` and `--person {person}` are two people"
        )));
    }
    let name = command.person.as_deref().or(command.reader.as_deref());
    let eyes = Eyes::of(app, actor, name)?;
    let mut scope = eyes.scope(app, Some(row.key))?;
    let red_left_out;
    let file = File {
        reader: Arc::clone(&eyes.reader),
        for_person: command.person.is_some(),
        marked_only: command.marked_only,
    };
    (scope, red_left_out) = file.without_red(app, &scope, row.key)?;
    let mut query = PageQuery::new(row.key, scope, PAGE_RECORDS);
    query.bytes_max = PAGE_BYTES;
    query.filter.types.clone_from(&command.types);
    query.added_after = command.since.as_deref().map(instant).transpose()?;
    if command.all_versions {
        query.filter.version = VersionFilter::all();
    }
    let total = app.store.count(&query.scope, Some(row.key))?;
    let mut done = Done {
        red_left_out,
        ..Done::default()
    };
    walk(app, &file, query, total, &mut done, output)?;
    let answer = json!({
        "collection": row.alias.unwrap_or(row.uuid),
        "reader": eyes.reader.principal().as_str(),
        "objects": done.objects,
        "redacted": done.redacted,
        "withheld": done.withheld,
        "red_left_out": done.red_left_out,
        "silent": done.silent,
        "silent_left_out": done.silent_left_out,
        "definitions": done.definitions,
    });
    app.administer_blocking(actor, Admin::Note(json!({ "export": answer })))?;
    Ok(answer)
}

#[derive(Default)]
struct Done {
    objects: u64,
    redacted: u64,
    withheld: u64,
    red_left_out: u64,
    /// Records whose label other tools do not see.
    silent: u64,
    silent_left_out: u64,
    /// Predefined markings added.
    definitions: u64,
}

fn walk(
    app: &App,
    file: &File,
    mut query: PageQuery,
    total: u64,
    done: &mut Done,
    output: &mut dyn Output,
) -> Result<(), ControlError> {
    let id = crate::entropy::uuid_v4(&*app.entropy).map_err(ControlError::internal)?;
    let head = format!("{{\"type\":\"bundle\",\"id\":\"bundle--{id}\"");
    let mut definitions = Definitions::default();
    let mut handed = Vec::new();
    loop {
        let mut page = Page::default();
        let end = app.store.page(&query, &mut |row| {
            if let Err(error) = page.take(app, file, &row, done) {
                page.failed = Some(error);
            }
        })?;
        if let Some(error) = page.failed {
            return Err(error.into());
        }
        handed.extend_from_slice(&page.records);
        disclose(app, &file.reader, page.records)?;
        let mut text = String::new();
        for object in page.objects {
            // a bundle without objects leaves the list out (STIX 2.1 section 8)
            text.push_str(if done.objects == 0 { &head } else { ",\n" });
            if done.objects == 0 {
                text.push_str(",\"objects\":[\n");
            }
            definitions.note(&object);
            text.push_str(&String::from_utf8(object).map_err(ControlError::internal)?);
            done.objects += 1;
        }
        output.text(text)?;
        output.progress("export", done.objects, total);
        if !end.more {
            break;
        }
        query.cursor = end.last_added;
    }
    if done.objects == 0 {
        return output.text(format!("{head}}}\n"));
    }
    for definition in definitions.missing() {
        done.definitions += 1;
        output.text(format!(",\n{definition}"))?;
    }
    output.text("\n]".to_owned())?;
    labels(app, &handed, output)?;
    output.text("}\n".to_owned())
}

/// Where each record came from, under which label, and what proves it: as one node tells another (docs/EXCHANGE.md).
fn labels(app: &App, records: &[Seq], output: &mut dyn Output) -> Result<(), ControlError> {
    let mut text = format!(",\n\"{SIDECAR_PROPERTY}\":[\n");
    let mut first = true;
    for page in records.chunks(PAGE_RECORDS) {
        for seq in page {
            // one that was deleted meanwhile is gone
            let Some(record) = app.store.record(*seq)? else {
                continue;
            };
            text.push_str(if first { "" } else { ",\n" });
            first = false;
            let line = inbound::sidecar_item(app, &record)?;
            text.push_str(&serde_json::to_string(&line).map_err(ControlError::internal)?);
        }
        output.text(std::mem::take(&mut text))?;
    }
    output.text("\n]".to_owned())
}

#[derive(Default)]
struct Page {
    objects: Vec<Vec<u8>>,
    records: Vec<Seq>,
    failed: Option<comity_store::ReadError>,
}

impl Page {
    fn take(
        &mut self,
        app: &App,
        file: &File,
        row: &Row<'_>,
        done: &mut Done,
    ) -> Result<(), ReadError> {
        let silent = is_silent(row.bytes, &*app.release.label(row.label_set)?);
        if silent && file.marked_only {
            done.silent_left_out += 1;
            return Ok(());
        }
        let bytes = match file.visible(app, row)? {
            Visible::Whole(bytes) => bytes.to_vec(),
            Visible::Redacted(bytes) => {
                done.redacted += 1;
                bytes
            }
            Visible::Withheld => {
                done.withheld += 1;
                return Ok(());
            }
        };
        done.silent += u64::from(silent);
        self.records.push(row.seq);
        self.objects.push(bytes);
        Ok(())
    }
}

/// Handing records to another party is itself an entry, on disk before the records leave.
fn disclose(app: &App, reader: &Reader, records: Vec<Seq>) -> Result<(), ControlError> {
    if *reader.party() == app.party || records.is_empty() {
        return Ok(());
    }
    let op = Op::Disclose(Disclose {
        reader_party: reader.party().as_str().to_owned(),
        principal: reader.principal().as_str().to_owned(),
        records,
        salt: app.salt()?,
    });
    app.sequencer.submit_blocking(vec![op])?;
    Ok(())
}

/// For whom a file is. It passes from hand to hand, and TLP:RED is for the eyes of named persons only; another party's is not
/// written to files at all (docs/ACCESS.md).
struct File {
    reader: Arc<Reader>,
    for_person: bool,
    marked_only: bool,
}

impl File {
    fn keeps(&self, app: &App, label: &LabelSet, tlp: Tlp) -> bool {
        tlp != Tlp::Red || (self.for_person && *label.originator() == app.party)
    }

    /// A record as it may stand in the file: TLP:RED parts go as TLP:RED records do.
    fn visible<'a>(&self, app: &App, row: &Row<'a>) -> Result<Visible<'a>, ReadError> {
        if !row.granular {
            return Ok(Visible::Whole(row.bytes));
        }
        let label = app.release.label(row.label_set)?;
        let mut hidden = app
            .release
            .redactions(&self.reader, row.label_set)?
            .to_vec();
        let red = label
            .granular()
            .iter()
            .filter(|part| !self.keeps(app, &label, part.tlp));
        hidden.extend(red.map(|part| part.marking_ref.clone()));
        Ok(without(row.bytes, &hidden))
    }

    fn without_red(
        &self,
        app: &App,
        scope: &Scope,
        key: comity_store::CollectionKey,
    ) -> Result<(Scope, u64), ControlError> {
        let mut kept = Vec::new();
        let mut red = Vec::new();
        for id in scope.label_sets() {
            let label = app.release.label(*id)?;
            if !self.keeps(app, &label, label.tlp()) {
                red.push(*id)
            } else {
                kept.push(*id)
            }
        }
        let left_out = if red.is_empty() {
            0
        } else {
            app.store.count(&Scope::new(red), Some(key))?
        };
        Ok((Scope::new(kept), left_out))
    }
}

fn instant(text: &str) -> Result<i64, ControlError> {
    let whole = if text.len() == "2026-11-23".len() {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    let at: jiff::Timestamp = whole.parse().map_err(|error: jiff::Error| {
        ControlError::usage(format!("`{text}` is not a time: {error}"))
            .help("for example `2026-11-23T00:00:00Z` or `2026-11-23`")
    })?;
    Ok(at.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_dates() {
        assert_eq!(instant("1970-01-02").unwrap(), 86_400_000_000);
        assert_eq!(instant("1970-01-01T00:00:01Z").unwrap(), 1_000_000);
        assert!(instant("yesterday").is_err());
    }
}
