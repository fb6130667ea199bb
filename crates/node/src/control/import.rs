//! Records from files into collections: checked on all cores, labelled, committed in batches, each with its verdict.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use comity_access::{Action, Audience, LabelSet, PrincipalId, Role};
use comity_stix::bundle::Seen;
use comity_stix::finding::{Finding, Position};
use comity_stix::marking::{Pap, Tlp};
use comity_stix::validate::Options;
use comity_store::{Admin, CollectionKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{ControlError, Input, Item, Output, collection, person};
use crate::app::App;
use crate::catalog::{audience_text, parse_audience};
use crate::handling::{self, Carried, Handling, Source};
use crate::intake::{self, Fate, Foresight, Incoming, Verdict};
use crate::peers::inbound;

/// How to take records in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Import {
    /// Aliases or UUIDs; at least one.
    pub collections: Vec<String>,
    /// Label for objects without one; where an object has one, the stricter of the two holds.
    pub tlp: Option<String>,
    /// Permissible actions for objects that say none.
    pub pap: Option<String>,
    /// Parties the records are meant for; the collection's audience when no person is named either.
    pub audience: Vec<String>,
    /// Persons the records are meant for; a bare name is one of the own party.
    #[serde(default)]
    pub persons: Vec<String>,
    /// The exercise the records belong to.
    pub exercise: Option<String>,
    /// The identifiers are this party's own, whoever sent records under them before.
    #[serde(default)]
    pub own: bool,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Names of the inputs, for the log.
    pub inputs: Vec<String>,
}

/// Objects of one transaction: enough that the disk's sync is shared by many, few enough that memory stays flat.
const BATCH_OBJECTS: usize = 1_024;
/// Objects of one input that are remembered to find what stands twice, some 250 octets each.
const SEEN_OBJECTS_MAX: usize = 100_000;
/// Octets of one batch, for the same reason.
const BATCH_BYTES: usize = 8 << 20;
/// Octets of objects put aside until their markings have come.
const ASIDE_BYTES_MAX: usize = 64 << 20;

pub(super) fn execute(
    app: &App,
    actor: &str,
    command: Import,
    input: Input<'_>,
    output: &mut dyn Output,
) -> Result<Value, ControlError> {
    let mut work = Work::new(app, actor, &command)?;
    let mut seen = Seen::new(SEEN_OBJECTS_MAX);
    let mut input_seen = 0;
    let mut counts = Counts::default();
    // what names a marking that has not come yet, for the end: a marking nobody understands makes a record TLP:AMBER
    let (mut aside, mut aside_bytes) = (Vec::<(Item, Vec<Finding>)>::new(), 0_usize);
    loop {
        let batch = gather(input);
        if batch.is_empty() {
            break;
        }
        let checked = check(&batch);
        let waits = intake::awaits(app, &checked);
        let (mut now, mut ready) = (Vec::new(), Vec::new());
        for ((item, mut checked), waits) in batch.into_iter().zip(checked).zip(waits) {
            // a file is one input: what stands in it twice, or does not fit together, is told
            if item.input != input_seen {
                input_seen = item.input;
                seen = Seen::new(SEEN_OBJECTS_MAX);
            }
            let found = checked.object().map(|object| seen.note(object));
            // what the register decides it decides by its own words
            let remarks: Vec<Finding> = found
                .into_iter()
                .flatten()
                .filter(|finding| !finding.is_error())
                .collect();
            if waits && aside_bytes < ASIDE_BYTES_MAX {
                aside_bytes = aside_bytes.saturating_add(item.bytes.len());
                aside.push((item, remarks));
            } else {
                checked.add(remarks);
                now.push(item);
                ready.push(checked);
            }
        }
        work.take(&now, ready, &mut counts, output)?;
    }
    while !aside.is_empty() {
        let rest = aside.split_off(aside.len().min(BATCH_OBJECTS));
        let (batch, remarks): (Vec<Item>, Vec<Vec<Finding>>) =
            std::mem::replace(&mut aside, rest).into_iter().unzip();
        let mut checked = check(&batch);
        for (checked, remarks) in checked.iter_mut().zip(remarks) {
            checked.add(remarks);
        }
        work.take(&batch, checked, &mut counts, output)?;
    }
    let answer = json!({
        "objects": counts.total,
        "results": counts.results,
        "warnings": counts.warnings,
        "collections": work.names,
        "default_label": work.handling.tlp.map_or_else(|| "TLP:AMBER".to_owned(), |tlp| tlp.to_string()),
        "audience": audience_text(&work.handling.audience),
        "dry_run": command.dry_run,
    });
    if !command.dry_run && counts.total > 0 {
        let note = json!({ "import": { "inputs": command.inputs, "result": answer } });
        app.administer_blocking(actor, Admin::Note(note))?;
    }
    Ok(answer)
}

struct Work<'a> {
    app: &'a App,
    keys: Vec<CollectionKey>,
    names: Vec<String>,
    source: Source,
    handling: Handling,
    /// `Some` when nothing is to be kept.
    foresight: Option<Foresight>,
}

impl<'a> Work<'a> {
    fn new(app: &'a App, actor: &str, command: &Import) -> Result<Self, ControlError> {
        if command.collections.is_empty() {
            return Err(ControlError::usage("no collection given")
                .help("`--collection ALIAS`; `comity collection list` shows them"));
        }
        let mut keys = Vec::new();
        let mut names = Vec::new();
        for name in &command.collections {
            let row = collection::find(app, name)?;
            keys.push(row.key);
            names.push(row.alias.unwrap_or(row.uuid));
        }
        let reader = person::acting(app, actor, command.exercise.as_deref())?;
        if command.own && reader.role() != Role::Officer {
            return Err(ControlError::forbidden(
                "only an officer says that identifiers are this party's own",
            ));
        }
        let tlp = command.tlp.as_deref().map(str::parse::<Tlp>).transpose();
        let pap = command.pap.as_deref().map(str::parse::<Pap>).transpose();
        let mut handling = Handling {
            tlp: tlp.map_err(|error| ControlError::usage(error.to_string()))?,
            pap: pap.map_err(|error| ControlError::usage(error.to_string()))?,
            audience: audience(app, command)?,
            exercise: command
                .exercise
                .clone()
                .or_else(|| reader.exercise().map(str::to_owned)),
            ..Handling::default()
        };
        if handling.audience.is_empty() {
            handling.audience = common_audience(app, &keys);
        }
        let source = Source {
            party: app.party.clone(),
            principal: actor.to_owned(),
            reader,
            action: Action::Import,
            claims: command.own,
        };
        Ok(Self {
            app,
            keys,
            names,
            source,
            handling,
            foresight: command.dry_run.then(Foresight::default),
        })
    }

    fn take(
        &mut self,
        batch: &[Item],
        checked: Vec<intake::Checked>,
        counts: &mut Counts,
        output: &mut dyn Output,
    ) -> Result<(), ControlError> {
        let verdicts = self.accept(batch, checked)?;
        for (item, verdict) in batch.iter().zip(&verdicts) {
            counts.add(verdict);
            output.row(row(item, verdict))?;
        }
        output.progress("import", counts.total, 0);
        Ok(())
    }

    fn accept(
        &mut self,
        batch: &[Item],
        mut checked: Vec<intake::Checked>,
    ) -> Result<Vec<Verdict>, ControlError> {
        let mut handling = self.handling.clone();
        for (item, checked) in batch.iter().zip(&mut checked) {
            let Some(line) = &item.handling else { continue };
            match self.carried(line) {
                Ok((key, carried)) => {
                    handling.by_record.insert(key, carried);
                }
                Err(reason) => checked.refuse("label", reason),
            }
        }
        if let Some(foresight) = &mut self.foresight {
            return Ok(foresight.foresee(
                self.app,
                checked,
                &self.keys,
                &self.source,
                &handling,
            )?);
        }
        Ok(intake::accept_blocking(
            self.app,
            checked,
            &self.keys,
            &self.source,
            &handling,
        )?)
    }

    /// What a file says beside an object about its handling leads, as it does from a peer; what the command says can make it
    /// stricter.
    fn carried(&self, line: &str) -> Result<((String, String), Carried), String> {
        let (key, carried, _) =
            handling::read_line(line.as_bytes()).map_err(|error| error.to_string())?;
        let label = &carried.label;
        if *label.originator() != self.app.party && !inbound::names(label, &self.app.party) {
            let error = handling::SidecarError::NotForUs {
                id: key.0,
                party: self.app.party.as_str().to_owned(),
            };
            return Err(error.to_string());
        }
        let mut draft = label.to_draft();
        if self.handling.tlp > Some(label.tlp()) {
            draft.tlp = self.handling.tlp;
        }
        draft.pap = draft.pap.max(self.handling.pap);
        match (&draft.exercise, &self.handling.exercise) {
            (None, given) => draft.exercise.clone_from(given),
            (Some(said), Some(given)) if said != given => {
                return Err(format!(
                    "the record belongs to the exercise `{said}`, not `{given}`"
                ));
            }
            _ => {}
        }
        let label = LabelSet::new(draft).map_err(|error| error.to_string())?;
        Ok((key, Carried { label, ..carried }))
    }
}

/// `--audience` names parties (or persons, as `name@party`), `--person` persons: a bare name is a person here, never a party.
fn audience(app: &App, command: &Import) -> Result<Audience, ControlError> {
    let mut audience = parse_audience(&collection::audience(&command.audience)?);
    for name in &command.persons {
        let person = PrincipalId::parse(&app.full_name(name))
            .map_err(|error| ControlError::usage(error.to_string()))?;
        audience.persons.insert(person);
    }
    Ok(audience)
}

/// What the audiences of all the collections agree on: a record must not reach, through one collection, those another
/// one leaves out.
fn common_audience(app: &App, keys: &[CollectionKey]) -> Audience {
    let catalog = app.catalog();
    let mut audiences = keys.iter().map(|key| catalog.audience(*key));
    let Some(mut common) = audiences.next() else {
        return Audience::default();
    };
    for other in audiences {
        common.parties.retain(|party| other.parties.contains(party));
        common
            .persons
            .retain(|person| other.persons.contains(person));
    }
    common
}

fn gather(input: Input<'_>) -> Vec<Item> {
    let mut batch = Vec::new();
    let mut bytes = 0_usize;
    while batch.len() < BATCH_OBJECTS && bytes < BATCH_BYTES {
        let Some(item) = input.next() else { break };
        bytes = bytes.saturating_add(item.bytes.len());
        batch.push(item);
    }
    batch
}

/// Checks a batch on all cores; the answers are in the order of the items.
fn check(batch: &[Item]) -> Vec<intake::Checked> {
    let options = Options::default();
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let slice = batch.len().div_ceil(cores).max(32);
    let one = |item: &Item| {
        let position = Position {
            offset: item.offset,
            line: item.line,
            column: item.column,
            pointer: item.pointer.clone(),
        };
        intake::check(
            &Incoming {
                bytes: item.bytes.clone(),
                position,
            },
            &options,
        )
    };
    std::thread::scope(|scope| {
        let mut slices = batch.chunks(slice);
        let first = slices.next().unwrap_or_default();
        let others: Vec<_> = slices
            .map(|part| {
                (
                    part,
                    scope.spawn(move || part.iter().map(one).collect::<Vec<_>>()),
                )
            })
            .collect();
        let mut checked: Vec<_> = first.iter().map(one).collect();
        for (part, other) in others {
            // a check that panicked would be a defect of ours; then the slice is checked again here and shows it
            checked.extend(
                other
                    .join()
                    .unwrap_or_else(|_| part.iter().map(one).collect()),
            );
        }
        checked
    })
}

#[derive(Default)]
struct Counts {
    total: u64,
    results: BTreeMap<&'static str, u64>,
    warnings: u64,
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        self.total += 1;
        *self.results.entry(verdict.fate.word()).or_default() += 1;
        self.warnings += verdict
            .findings
            .iter()
            .filter(|finding| !finding.is_error())
            .count() as u64;
    }
}

fn row(item: &Item, verdict: &Verdict) -> Value {
    let mut row = Map::new();
    row.insert("input".into(), item.input.into());
    row.insert("index".into(), item.index.into());
    row.insert("line".into(), item.line.into());
    row.insert("id".into(), verdict.id.as_str().into());
    row.insert("version".into(), verdict.version.as_str().into());
    row.insert("result".into(), verdict.fate.word().into());
    row.insert("text".into(), verdict.fate.text().into());
    match &verdict.fate {
        Fate::New { entry_index } | Fate::NewVersion { entry_index } => {
            row.insert("entry".into(), (*entry_index).into());
        }
        Fate::Known {
            entry_index,
            label_differs,
            relabelled,
            ..
        } => {
            row.insert("entry".into(), (*entry_index).into());
            row.insert("label_differs".into(), (*label_differs).into());
            row.insert("relabelled".into(), (*relabelled).into());
        }
        Fate::Refused { code, .. } => {
            row.insert("code".into(), (*code).into());
        }
        Fate::Foreseen { label_differs, .. } => {
            row.insert("label_differs".into(), (*label_differs).into());
        }
        Fate::Conflict => {}
    }
    if !verdict.findings.is_empty() {
        row.insert(
            "findings".into(),
            verdict.findings.iter().map(finding).collect(),
        );
    }
    Value::Object(row)
}

fn finding(finding: &Finding) -> Value {
    json!({
        "code": finding.code,
        "severity": finding.severity.to_string(),
        "message": finding.message,
        "help": finding.help,
        "pointer": finding.pointer,
        "line": finding.line,
        "column": finding.column,
        "clause": finding.clause,
    })
}
