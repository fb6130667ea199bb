//! `comity import`: bundles into a collection, with a result for every object.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use comity_stix::bundle::{Reader, beside};
use comity_stix::finding::Finding;
use comity_stix::json::Limits;
use serde_json::{Value, json};

use super::call::{self, Piece, number, text};
use super::input::{self, Input};
use super::labels::Labels;
use super::ui::{Ink, Progress, Ui, Unit, counted, thousands, visible};
use super::{Global, exit};
use crate::control::{Command, Import, Item};
use crate::handling::SIDECAR_PROPERTY;

/// Arguments of `comity import`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An object's own TLP marking holds; --tlp is for those without one (else TLP:AMBER is assumed) and can only\n\
                  make a label stricter. What a file of `comity export` says beside its objects about their handling holds\n\
                  too; then --audience and --person are not asked.\n\
                  Exit codes: 0 all taken, 1 some refused or in conflict, 2 an input cannot be read"
)]
pub(crate) struct Args {
    /// Bundles, single objects or envelopes; folders are searched for .json and .json.gz; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    inputs: Vec<PathBuf>,
    /// Into this collection, by alias or UUID; may be given several times
    #[arg(long, short, required = true, value_name = "ALIAS")]
    collection: Vec<String>,
    /// Label for objects without one: clear, green, amber, amber+strict, red
    #[arg(long, value_name = "TLP")]
    tlp: Option<String>,
    /// Permissible actions: clear, green, amber, red; can only make what an object says stricter
    #[arg(long, value_name = "PAP")]
    pap: Option<String>,
    /// Parties the records are meant for; by default the collection's audience
    #[arg(long, value_delimiter = ',', value_name = "PARTY,..")]
    audience: Vec<String>,
    /// Persons the records are meant for, as `name@party`, or a name of the own party; TLP:RED goes to them only
    #[arg(long, value_delimiter = ',', value_name = "PERSON,..")]
    person: Vec<String>,
    /// The exercise the records belong to; they never leave it
    #[arg(long, value_name = "NAME")]
    exercise: Option<String>,
    /// The identifiers are this party's own, whoever sent records under them before: the label given now replaces theirs,
    /// and other content under the same version is erased. For officers; each is an entry of the log
    #[arg(long)]
    own: bool,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Show every object, not only those refused or in conflict
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(args: Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let inputs = input::inputs(&args.inputs)?
        .into_iter()
        .map(|input| input.rereadable(&global.dir))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let names: Vec<String> = inputs.iter().map(Input::name).collect();
    let bar = ui.progress(inputs.iter().map(Input::size).sum(), Unit::Bytes);
    let (troubles, seen) = mpsc::channel();
    let items = Items::new(inputs, bar.handle(), troubles);
    let command = Command::Import(Import {
        collections: args.collection.clone(),
        tlp: args.tlp.clone(),
        pap: args.pap.clone(),
        audience: args.audience.clone(),
        persons: args.person.clone(),
        exercise: args.exercise.clone(),
        own: args.own,
        dry_run: args.dry_run,
        inputs: names.clone(),
    });
    let answer = call::stream(
        global,
        ui,
        command,
        Some(Box::new(items)),
        Some(bar),
        &mut |piece| {
            if let Piece::Row(row) = piece {
                show(ui, &names, row, args.list)?;
            }
            Ok(())
        },
    )?;
    let (mut unread, mut unreadable) = (0, false);
    for trouble in seen.try_iter() {
        unread += 1;
        unreadable |= trouble.is_unreadable();
        trouble.show(ui)?;
    }
    summary(ui, &answer, unread)?;
    if unreadable {
        return Ok(exit::UNABLE);
    }
    let results = answer.get("results").cloned().unwrap_or_default();
    Ok(exit::found(
        unread > 0 || number(&results, "refused") > 0 || number(&results, "conflict") > 0,
    ))
}

fn show(ui: &Ui, names: &[String], mut row: Value, all: bool) -> anyhow::Result<()> {
    let file = names
        .get(usize::try_from(number(&row, "input")).unwrap_or_default())
        .cloned()
        .unwrap_or_default();
    if ui.is_json() {
        if let Some(members) = row.as_object_mut() {
            members.remove("input");
            members.insert("file".to_owned(), file.into());
        }
        return ui.json(&row);
    }
    let result = text(&row, "result");
    let differs = row.get("label_differs") == Some(&Value::Bool(true));
    let bad = matches!(result.as_str(), "refused" | "conflict");
    if all || bad || differs {
        let ink = if bad {
            Ink::Red
        } else if differs {
            Ink::Yellow
        } else {
            Ink::Green
        };
        let id = if text(&row, "id").is_empty() {
            "(no identifier)".to_owned()
        } else {
            text(&row, "id")
        };
        let line = number(&row, "line");
        ui.line(format!(
            "{}:{line}: {} {id}: {}",
            visible(&file),
            ui.ink(ink, &result),
            text(&row, "text")
        ))?;
    }
    Ok(())
}

fn summary(ui: &Ui, answer: &Value, unread: u64) -> anyhow::Result<()> {
    if ui.is_json() {
        return ui.json(&json!({ "summary": answer, "unread": unread }));
    }
    let objects = number(answer, "objects");
    let results = answer.get("results").cloned().unwrap_or_default();
    let would = if answer.get("dry_run") == Some(&Value::Bool(true)) {
        " (dry run: nothing was changed)"
    } else {
        ""
    };
    ui.line(format!(
        "{} into `{}`{would}",
        counted(objects, "object"),
        text(answer, "collections")
    ))?;
    for word in ["new", "new version", "known", "conflict", "refused"] {
        let count = number(&results, word);
        if count > 0 {
            ui.line(format!("  {:>10}  {word}", thousands(count)))?;
        }
    }
    if number(answer, "warnings") > 0 {
        ui.say(format_args!(
            "{}; `comity validate` shows them",
            counted(number(answer, "warnings"), "warning")
        ));
    }
    let audience = text(answer, "audience");
    let who = if audience.is_empty() {
        "no audience: outside this party nobody gets what is TLP:AMBER or stricter".to_owned()
    } else {
        format!("audience: {audience}")
    };
    ui.say(format_args!(
        "label where an object has none: {}; {who}",
        text(answer, "default_label")
    ));
    Ok(())
}

/// Objects of all inputs, one after the other; what cannot be read is told apart, and the next input goes on.
struct Items {
    inputs: std::vec::IntoIter<Input>,
    number: u32,
    open: Option<Open>,
    read: Arc<AtomicU64>,
    bar: Progress,
    troubles: mpsc::Sender<Trouble>,
}

impl Items {
    fn new(inputs: Vec<Input>, bar: Progress, troubles: mpsc::Sender<Trouble>) -> Self {
        Self {
            inputs: inputs.into_iter(),
            number: 0,
            open: None,
            read: Arc::default(),
            bar,
            troubles,
        }
    }

    fn open_next(&mut self) -> Option<()> {
        let input = self.inputs.next()?;
        let name = input.name();
        self.bar.message(name.clone());
        match Open::new(&input, &name, &self.read) {
            Ok(open) => self.open = Some(open),
            Err(trouble) => {
                let _told = self.troubles.send(trouble);
                self.number += 1;
            }
        }
        Some(())
    }
}

/// An input that is being read.
struct Open {
    name: String,
    reader: Reader<Box<dyn std::io::Read + Send>>,
    labels: Labels,
}

impl Open {
    /// Opens `input` twice: what it says beside its objects is needed before the first of them, and stands behind the last.
    fn new(input: &Input, name: &str, read: &Arc<AtomicU64>) -> Result<Self, Trouble> {
        let open = |read: &Arc<AtomicU64>| {
            input.open(read).map_err(|error| Trouble {
                file: name.to_owned(),
                finding: None,
                text: format!("{error:#}"),
            })
        };
        let mut labels = Labels::default();
        let mut wrong = None;
        let found = beside(
            open(&Arc::default())?,
            SIDECAR_PROPERTY,
            &Limits::default(),
            &mut |line| {
                if let Err(error) = labels.add(line) {
                    wrong.get_or_insert(error);
                }
            },
        );
        // what is wrong with the rest of the input the reader below will say, at its place
        if let Err(finding) = found
            && finding.code == comity_stix::codes::BUNDLE_FORM.code
        {
            return Err(Trouble::new(name, finding));
        }
        // as from a peer: a record must not come in under a weaker label
        if let Some(error) = wrong {
            return Err(Trouble {
                file: name.to_owned(),
                finding: None,
                text: format!("nothing of it was taken: {error}"),
            });
        }
        Ok(Self {
            name: name.to_owned(),
            reader: Reader::new(open(read)?, Limits::default()).keeping(SIDECAR_PROPERTY),
            labels,
        })
    }
}

impl Iterator for Items {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            let Some(open) = &mut self.open else {
                self.open_next()?;
                continue;
            };
            match open.reader.next() {
                Some(Ok(raw)) => {
                    self.bar.set(self.read.load(Ordering::Relaxed), 0);
                    return Some(Item {
                        input: self.number,
                        offset: raw.offset,
                        line: raw.line,
                        column: raw.column,
                        index: raw.index,
                        handling: open.labels.of(&raw.bytes),
                        pointer: raw.pointer,
                        bytes: raw.bytes,
                    });
                }
                Some(Err(finding)) => {
                    let _told = self.troubles.send(Trouble::new(&open.name, finding));
                }
                None => {
                    let findings = open.reader.findings().iter();
                    for finding in findings.filter(|finding| finding.is_error()) {
                        let _told = self
                            .troubles
                            .send(Trouble::new(&open.name, finding.clone()));
                    }
                    self.open = None;
                    self.number += 1;
                }
            }
        }
    }
}

/// A part of an input that is no object, or an input that cannot be read.
struct Trouble {
    file: String,
    finding: Option<Box<Finding>>,
    text: String,
}

impl Trouble {
    fn new(file: &str, finding: Finding) -> Self {
        Self {
            file: file.to_owned(),
            text: visible(&finding.to_string()),
            finding: Some(Box::new(finding)),
        }
    }

    /// The input itself could not be read, whatever it holds.
    fn is_unreadable(&self) -> bool {
        self.finding
            .as_ref()
            .is_none_or(|finding| finding.code == comity_stix::codes::READ.code)
    }

    fn show(&self, ui: &Ui) -> anyhow::Result<()> {
        if ui.is_json() {
            let (line, code) = self
                .finding
                .as_ref()
                .map_or((0, "io"), |finding| (finding.line, finding.code));
            return ui.json(&json!({ "file": self.file, "line": line, "result": "unread", "code": code, "text": self.text }));
        }
        ui.line(format!(
            "{}:{}",
            visible(&self.file),
            ui.ink(Ink::Red, &self.text)
        ))?;
        Ok(())
    }
}
