//! What was checked, what was found, and what it comes to.

use comity_evidence::json::{Object, Value};

use crate::words::{Language, text};

/// Most findings kept; a package with more is not read any better for it.
pub const FINDINGS_MAX: usize = 200;

/// The steps, in the order in which they rest on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Names, closed world, manifests.
    Layout,
    /// The payload's hashes.
    Payload,
    /// The seal and what it has the hashes of; items of exhibits.
    Seal,
    /// Signatures on custody events, and their order.
    Custody,
    /// The log has committed to the seal.
    Log,
    /// Witnesses have seen that log.
    Witnesses,
    /// What the other side said that it has.
    Receipts,
    /// The time-stamping authority's word.
    Time,
}

impl Step {
    /// All, in order.
    pub const ALL: [Self; 8] = [
        Self::Layout,
        Self::Payload,
        Self::Seal,
        Self::Custody,
        Self::Log,
        Self::Witnesses,
        Self::Receipts,
        Self::Time,
    ];

    /// For machines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Layout => "layout",
            Self::Payload => "payload",
            Self::Seal => "seal",
            Self::Custody => "custody",
            Self::Log => "log",
            Self::Witnesses => "witnesses",
            Self::Receipts => "receipts",
            Self::Time => "time",
        }
    }
}

/// Something that is wrong: one is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In which step.
    pub step: Step,
    /// Stable, for machines; the sentence for people belongs to it.
    pub code: &'static str,
    /// The file of the package, or the name as it came, escaped. Empty: the package as a whole.
    pub file: String,
    /// Octet in that file where it begins, where that can be said.
    pub offset: Option<u64>,
    /// What exactly, in English, for an expert.
    pub detail: String,
}

/// Something that was checked and holds, or that one should know. The sentence belongs to the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Of which step.
    pub step: Step,
    /// Stable, for machines.
    pub code: &'static str,
    /// Fills the gaps of the sentence.
    pub values: Vec<String>,
}

/// What it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything holds, by keys the caller gave.
    Verified,
    /// Everything holds, but some of the keys come from the package alone.
    OwnKeys,
    /// Something is wrong.
    NotVerified,
}

impl Verdict {
    /// The exit code of the program.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::NotVerified => 1,
            Self::OwnKeys => 3,
        }
    }

    /// For machines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::OwnKeys => "verified-by-own-keys",
            Self::NotVerified => "not-verified",
        }
    }
}

/// The whole answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
    /// Findings beyond [`FINDINGS_MAX`].
    more: u64,
    facts: Vec<Fact>,
    /// Whose keys nobody gave: codes of sentences.
    own_keys: Vec<&'static str>,
}

impl Report {
    pub(crate) fn find(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn wrong(
        &mut self,
        step: Step,
        code: &'static str,
        file: impl ToString,
        offset: Option<u64>,
        detail: impl ToString,
    ) {
        self.find(Finding {
            step,
            code,
            file: file.to_string(),
            offset,
            detail: detail.to_string(),
        });
    }

    pub(crate) fn fact<const N: usize>(
        &mut self,
        step: Step,
        code: &'static str,
        values: [String; N],
    ) {
        self.facts.push(Fact {
            step,
            code,
            values: values.into(),
        });
    }

    pub(crate) fn own_keys(&mut self, code: &'static str) {
        if !self.own_keys.contains(&code) {
            self.own_keys.push(code);
        }
    }

    /// What it comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if !self.findings.is_empty() {
            Verdict::NotVerified
        } else if self.own_keys.is_empty() {
            Verdict::Verified
        } else {
            Verdict::OwnKeys
        }
    }

    /// What is wrong, in the order of the steps.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What was checked, in the order of the steps.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Whose keys come from the package alone.
    #[must_use]
    pub fn own_key_codes(&self) -> &[&'static str] {
        &self.own_keys
    }

    pub(crate) fn sort(&mut self) {
        self.findings
            .sort_by(|a, b| (a.step, &a.file, a.offset).cmp(&(b.step, &b.file, b.offset)));
        self.facts.sort_by_key(|fact| fact.step);
    }

    /// For machines: one JSON value.
    #[must_use]
    pub fn to_json(&self) -> String {
        let findings = self.findings.iter().map(|finding| {
            let mut object = Object::from([
                ("code".to_owned(), finding.code.into()),
                ("detail".to_owned(), finding.detail.as_str().into()),
                ("file".to_owned(), finding.file.as_str().into()),
                (
                    "message".to_owned(),
                    text(Language::En, finding.code, &[]).into(),
                ),
                ("step".to_owned(), finding.step.word().into()),
            ]);
            if let Some(offset) = finding.offset {
                object.insert("offset".to_owned(), offset.into());
            }
            Value::Object(object)
        });
        let facts = self.facts.iter().map(|fact| {
            Value::Object(Object::from([
                ("code".to_owned(), fact.code.into()),
                (
                    "message".to_owned(),
                    text(Language::En, fact.code, &fact.values).into(),
                ),
                ("step".to_owned(), fact.step.word().into()),
                (
                    "values".to_owned(),
                    fact.values.iter().map(|v| v.as_str().into()).collect(),
                ),
            ]))
        });
        let object = Object::from([
            ("facts".to_owned(), facts.collect()),
            ("findings".to_owned(), findings.collect()),
            ("more_findings".to_owned(), self.more.into()),
            (
                "own_keys".to_owned(),
                self.own_keys.iter().map(|code| (*code).into()).collect(),
            ),
            ("verdict".to_owned(), self.verdict().word().into()),
        ]);
        Value::Object(object).to_string()
    }

    /// For people.
    #[must_use]
    pub fn to_text(&self, language: Language) -> String {
        let say = |code: &'static str| text(language, code, &[]);
        let mut out = String::new();
        for step in Step::ALL {
            let findings = self.findings.iter().filter(|it| it.step == step);
            let facts = self.facts.iter().filter(|it| it.step == step);
            let failed = self.findings.iter().any(|it| it.step == step);
            let mark = if failed {
                say("mark.failed")
            } else if self.facts.iter().any(|it| it.step == step) {
                say("mark.ok")
            } else {
                say("mark.none")
            };
            out.push_str(&format!("{mark}  {}\n", say(step_title(step))));
            for finding in findings {
                let place = match (finding.file.as_str(), finding.offset) {
                    ("", _) => String::new(),
                    (file, None) => format!("{file}: "),
                    (file, Some(offset)) => {
                        format!("{file}, {} {offset}: ", say("word.octet"))
                    }
                };
                let detail = if finding.detail.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", finding.detail)
                };
                out.push_str(&format!("    ! {place}{}{detail}\n", say(finding.code)));
            }
            for fact in facts {
                out.push_str(&format!(
                    "    - {}\n",
                    text(language, fact.code, &fact.values)
                ));
            }
        }
        if self.more > 0 {
            let more = [self.more.to_string()];
            out.push_str(&format!("{}\n", text(language, "word.more", &more)));
        }
        out.push('\n');
        out.push_str(&say(match self.verdict() {
            Verdict::Verified => "verdict.verified",
            Verdict::OwnKeys => "verdict.own-keys",
            Verdict::NotVerified => "verdict.not-verified",
        }));
        out.push('\n');
        if self.verdict() != Verdict::NotVerified {
            for code in &self.own_keys {
                out.push_str(&format!("  * {}\n", say(code)));
            }
        }
        out
    }
}

fn step_title(step: Step) -> &'static str {
    match step {
        Step::Layout => "step.layout",
        Step::Payload => "step.payload",
        Step::Seal => "step.seal",
        Step::Custody => "step.custody",
        Step::Log => "step.log",
        Step::Witnesses => "step.witnesses",
        Step::Receipts => "step.receipts",
        Step::Time => "step.time",
    }
}
