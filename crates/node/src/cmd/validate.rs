//! `comity validate`: every object of every input against STIX 2.1, one at a time, with memory for one.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use comity_stix::bundle::Reader;
use comity_stix::codes;
use comity_stix::finding::{Finding, Severity};
use comity_stix::validate::{Checker, Options};
use serde::Serialize;

use super::excerpt::{self, Source};
use super::input::{self, Input};
use super::together::Together;
use super::ui::{Progress, Ui, Unit, counted, thousands};
use super::{Format, Global, exit};
use crate::handling::SIDECAR_PROPERTY;

/// Arguments of `comity validate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 valid (warnings may remain), 1 an object is not valid, 2 an input cannot be read"
)]
pub(crate) struct Args {
    /// Bundles, single objects or envelopes; folders are searched for .json and .json.gz; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    inputs: Vec<PathBuf>,
    /// Treat warnings as errors
    #[arg(long)]
    strict: bool,
    /// Also hold the objects to the OASIS interoperability profile
    #[arg(long)]
    interop: bool,
    /// Also report what hardly any published object has: `lang` beside texts, SHA-256 among hashes
    #[arg(long)]
    advice: bool,
    /// Show at most this many findings of one kind; 0 shows all (JSON always does)
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    max: u64,
    /// Leave warnings out
    #[arg(long, conflicts_with = "strict")]
    errors_only: bool,
}

pub(crate) fn run(args: Args, _global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let inputs = input::inputs(&args.inputs)?;
    let total: Option<u64> = inputs.iter().map(Input::size).sum();
    let read = Arc::new(AtomicU64::new(0));
    let options = Options {
        interop: args.interop,
        advice: args.advice,
        ..Options::default()
    };
    let mut work = Work {
        args: &args,
        ui,
        checker: Checker::new(options.clone()),
        options,
        bar: ui.progress(total, Unit::Bytes),
        read,
        shown: HashMap::new(),
        counts: Counts::default(),
    };
    for input in &inputs {
        work.file(input)?;
    }
    work.finish(inputs.len())
}

#[derive(Default)]
struct Counts {
    objects: u64,
    invalid: u64,
    errors: u64,
    warnings: u64,
    unreadable: u64,
}

struct Work<'a> {
    args: &'a Args,
    ui: &'a Ui,
    checker: Checker,
    options: Options,
    bar: Progress,
    read: Arc<AtomicU64>,
    shown: HashMap<&'static str, u64>,
    counts: Counts,
}

impl Work<'_> {
    fn file(&mut self, input: &Input) -> anyhow::Result<()> {
        let name = input.name();
        self.bar.message(name.clone());
        let stream = match input.open(&self.read) {
            Ok(stream) => stream,
            Err(error) => {
                // the other files are still worth checking
                self.counts.unreadable += 1;
                self.bar.suspend(|| self.ui.error(&error));
                return Ok(());
            }
        };
        let mut reader = Reader::new(stream, self.options.limits.clone()).keeping(SIDECAR_PROPERTY);
        let mut together = Together::new();
        for item in &mut reader {
            match item {
                Ok(raw) => {
                    let position = raw.position();
                    let mut checked = self.checker.check_at(&raw.bytes, &position);
                    if let Some(object) = &checked.object {
                        let beside = together.note(object, &raw);
                        let placed = beside.into_iter().map(|one| one.at(b"", 0, 1, &position));
                        checked.findings.extend(placed);
                    }
                    self.counts.objects += 1;
                    let source = Source {
                        text: &raw.bytes,
                        offset: raw.offset,
                    };
                    let mut valid = true;
                    for finding in &checked.findings {
                        valid &= self.severity(finding) != Severity::Error;
                        self.report(&name, finding, source)?;
                    }
                    self.counts.invalid += u64::from(!valid);
                }
                Err(finding) => {
                    self.counts.unreadable += u64::from(finding.code == codes::READ.code);
                    let (text, offset) = around(input, finding.offset);
                    self.report(
                        &name,
                        &finding,
                        Source {
                            text: &text,
                            offset,
                        },
                    )?;
                }
            }
            self.bar.set(self.read.load(Ordering::Relaxed), 0);
        }
        let translations = together.translations(input, &self.options.limits);
        for finding in reader.findings().to_vec().into_iter().chain(translations) {
            let (text, offset) = around(input, finding.offset);
            self.report(
                &name,
                &finding,
                Source {
                    text: &text,
                    offset,
                },
            )?;
        }
        if together.left_out() {
            self.bar.suspend(|| {
                self.ui.say(format_args!(
                    "{name}: more objects than are remembered: what stands twice was looked for among the first only"
                ));
            });
        }
        Ok(())
    }

    fn severity(&self, finding: &Finding) -> Severity {
        if self.args.strict {
            Severity::Error
        } else {
            finding.severity
        }
    }

    fn report(&mut self, file: &str, finding: &Finding, source: Source<'_>) -> anyhow::Result<()> {
        let severity = self.severity(finding);
        match severity {
            Severity::Error => self.counts.errors += 1,
            Severity::Warning => self.counts.warnings += 1,
        }
        if severity == Severity::Warning && self.args.errors_only {
            return Ok(());
        }
        let seen = self.shown.entry(finding.code).or_default();
        *seen += 1;
        if self.args.max > 0 && *seen > self.args.max && self.ui.format != Format::Json {
            return Ok(());
        }
        self.bar.suspend(|| -> anyhow::Result<()> {
            match self.ui.format {
                Format::Text => self.ui.line(format!(
                    "{}\n",
                    excerpt::long(self.ui, file, finding, severity, source)
                ))?,
                Format::Short => self.ui.line(excerpt::short(file, finding, severity))?,
                Format::Json => self.ui.json(&Json::new(file, finding, severity))?,
            }
            Ok(())
        })
    }

    fn finish(self, files: usize) -> anyhow::Result<u8> {
        let Self {
            args,
            ui,
            bar,
            shown,
            counts,
            ..
        } = self;
        drop(bar);
        if args.max > 0 && ui.format != Format::Json {
            let mut hidden: Vec<_> = shown
                .into_iter()
                .filter(|(_, count)| *count > args.max)
                .collect();
            hidden.sort_unstable();
            for (code, count) in hidden {
                ui.say(format_args!(
                    "{} more of `{code}` not shown (--max 0 shows all)",
                    thousands(count - args.max)
                ));
            }
        }
        ui.say(format_args!(
            "{} in {}: {} invalid, {}, {}",
            counted(counts.objects, "object"),
            counted(files as u64, "input"),
            thousands(counts.invalid),
            counted(counts.errors, "error"),
            counted(counts.warnings, "warning"),
        ));
        Ok(if counts.unreadable > 0 {
            exit::UNABLE
        } else {
            exit::found(counts.errors > 0)
        })
    }
}

/// A few lines around `offset` of a file, when it can be read again at that place.
fn around(input: &Input, offset: usize) -> (Vec<u8>, usize) {
    const WINDOW: usize = 512;
    let Input::File(path) = input else {
        return (Vec::new(), 0);
    };
    let start = offset.saturating_sub(WINDOW);
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(start as u64))?;
        let mut text = Vec::new();
        file.take(2 * WINDOW as u64).read_to_end(&mut text)?;
        Ok(text)
    };
    // the magic number of gzip: places are in the unpacked text, which is not at hand
    let packed = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    if packed {
        (Vec::new(), 0)
    } else {
        (read().unwrap_or_default(), start)
    }
}

#[derive(Serialize)]
struct Json<'a> {
    file: &'a str,
    severity: String,
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    pointer: &'a str,
    line: u32,
    column: u32,
    offset: usize,
    length: usize,
    clause: &'a str,
}

impl<'a> Json<'a> {
    fn new(file: &'a str, finding: &'a Finding, severity: Severity) -> Self {
        Self {
            file,
            severity: severity.to_string(),
            code: finding.code,
            message: &finding.message,
            help: finding.help.as_deref(),
            pointer: &finding.pointer,
            line: finding.line,
            column: finding.column,
            offset: finding.offset,
            length: finding.len,
            clause: finding.clause,
        }
    }
}
