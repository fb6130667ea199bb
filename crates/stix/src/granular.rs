//! Granular markings (STIX 2.1, 7.2.3): an object without what a reader may not see.
//!
//! Bytes are cut, nothing is written anew: what stays is what came, white space included. One exception: when a list
//! item goes, the selectors of markings that stay are counted anew, because `labels.[1]` would point at the wrong item
//! from then on.
//!
//! In doubt nothing leaves. [`redact`] withholds the object when a selector leads nowhere, when the cut takes what the
//! type requires or what others rely on, and when the identifier was computed from what is cut.

use std::collections::{HashMap, HashSet};

use crate::id::{Identifier, deterministic_id};
use crate::json::{Document, Kind, Limits, Value};
use crate::selector::{Selector, Step};
use crate::validate;

/// One entry of `granular_markings`. Exactly one of `lang` and `marking_ref` is there in a valid object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GranularMarking {
    /// Language of the selected text (RFC 5646).
    pub lang: Option<String>,
    /// Id of the marking definition that applies to the selected content.
    pub marking_ref: Option<String>,
    /// What is selected, as written.
    pub selectors: Vec<String>,
}

/// An object after redaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redacted {
    /// What the reader may see: the original bytes without the cut parts.
    Object(Vec<u8>),
    /// Nothing may be shown. The text says why, without telling what was cut.
    Withhold(String),
}

/// The bytes are not a JSON object this crate reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot redact: {0}")]
pub struct RedactError(String);

/// Properties without which an object is not what it was: a reader would take it for unmarked, unrevoked or real.
const NEVER_CUT: [&str; 9] = [
    "type",
    "id",
    "spec_version",
    "created",
    "modified",
    "revoked",
    "defanged",
    "object_marking_refs",
    "granular_markings",
];

/// Leaves out of an object what the entries of `granular_markings` for which `remove` is true select, and those entries.
///
/// A list or dictionary that would be empty goes too (2.3, 2.12). Entries that stay lose selectors of what is gone.
/// `remove` is asked once per entry. When it is never true the object is given back as it came, unchecked.
///
/// # Errors
/// When the bytes are not a JSON object this crate reads.
pub fn redact(
    object: &[u8],
    remove: &dyn Fn(&GranularMarking) -> bool,
) -> Result<Redacted, RedactError> {
    let document = Document::parse(object, &Limits::default())
        .map_err(|finding| RedactError(finding.message))?;
    let root = document.root();
    if root.kind() != Kind::Object {
        return Err(RedactError(format!(
            "{} is not an object",
            root.kind().name()
        )));
    }
    let Some(markings) = root.get("granular_markings") else {
        return Ok(Redacted::Object(object.to_vec()));
    };
    Ok(match Cut::plan(root, markings, remove) {
        Ok(None) => Redacted::Object(object.to_vec()),
        Ok(Some(cut)) => finish(root, &cut),
        Err(reason) => Redacted::Withhold(reason.to_owned()),
    })
}

/// Writes what is left and holds it to the rules.
fn finish(root: Value<'_>, cut: &Cut) -> Redacted {
    let mut text = String::with_capacity(root.span().len());
    cut.write(root, &mut text);
    let withhold = |reason: &str| Redacted::Withhold(reason.to_owned());
    let Ok(rest) = Document::parse(text.as_bytes(), &Limits::default()) else {
        return withhold("what is left cannot be read");
    };
    if commits_to_more(root, rest.root()) {
        return withhold(
            "the identifier is computed from what may not be seen, so that it could be guessed",
        );
    }
    let checked = validate::check(text.as_bytes(), &validate::Options::default());
    match checked.findings.iter().find(|finding| finding.is_error()) {
        Some(finding) => Redacted::Withhold(format!(
            "what is left is not a valid object: {} ({})",
            finding.code, finding.clause
        )),
        None if checked.object.is_none() => withhold("what is left is not an object"),
        None => Redacted::Object(text.into_bytes()),
    }
}

/// Whether the id is the deterministic one of the whole object (2.9) but not of the rest: a reader who guesses the cut
/// value could then prove the guess.
fn commits_to_more(whole: Value<'_>, rest: Value<'_>) -> bool {
    let computed = |object| deterministic_id(object).ok().flatten();
    let id = whole
        .get("id")
        .and_then(|id| id.as_str())
        .and_then(|id| Identifier::parse(id).ok());
    id.is_some() && computed(whole) == id && computed(rest) != id
}

/// What to leave out and what to write instead. Values are known by where they start in the text.
#[derive(Default)]
struct Cut {
    gone: HashSet<usize>,
    /// Selectors that count list items anew.
    rewritten: HashMap<usize, String>,
}

impl Cut {
    /// `None` when nothing is to be removed, the reason when the object must be withheld.
    fn plan(
        root: Value<'_>,
        markings: Value<'_>,
        remove: &dyn Fn(&GranularMarking) -> bool,
    ) -> Result<Option<Self>, &'static str> {
        if markings.kind() != Kind::Array {
            return Err("its granular markings cannot be read");
        }
        let mut cut = Self::default();
        let mut kept = Vec::new();
        for item in markings.items() {
            let marking = read(item).ok_or("its granular markings cannot be read")?;
            if !remove(&marking) {
                kept.push(item);
                continue;
            }
            for selector in &marking.selectors {
                cut.select(root, selector)?;
            }
            cut.gone.insert(start(item));
        }
        if cut.gone.is_empty() {
            return Ok(None);
        }
        cut.spread(root);
        for item in kept {
            // an entry that selects nothing any more goes as a whole
            let mut empty = true;
            for selector in item.get("selectors").iter().flat_map(Value::items) {
                empty &= !cut.follow(root, selector)?;
            }
            if empty {
                cut.gone.insert(start(item));
            }
        }
        cut.spread(markings);
        Ok(Some(cut))
    }

    /// Cuts what one selector selects.
    fn select(&mut self, root: Value<'_>, text: &str) -> Result<(), &'static str> {
        let lost = "a selector of its granular markings leads nowhere";
        let selector = Selector::parse(text).map_err(|_| lost)?;
        if matches!(selector.steps().first(), Some(Step::Name(name)) if NEVER_CUT.contains(name)) {
            return Err("a property no object can do without may not be seen");
        }
        let value = selector.resolve(root).ok_or(lost)?;
        self.gone.insert(start(value));
        Ok(())
    }

    /// Lets a list or dictionary go when all it held is gone (2.3, 2.12); true when `value` is gone.
    // the reader's depth limit bounds this recursion
    fn spread(&mut self, value: Value<'_>) -> bool {
        if self.is_gone(value) {
            return true;
        }
        let mut all = !value.is_empty();
        for child in children(value) {
            all &= self.spread(child.value);
        }
        if all {
            self.gone.insert(start(value));
        }
        all
    }

    fn is_gone(&self, value: Value<'_>) -> bool {
        self.gone.contains(&start(value))
    }

    /// Brings one selector of a marking that stays in line with what is gone; false when it goes.
    fn follow(&mut self, root: Value<'_>, selector: Value<'_>) -> Result<bool, &'static str> {
        let unreadable = "a selector of its granular markings leads nowhere";
        let text = selector.as_str().ok_or(unreadable)?;
        let parsed = Selector::parse(text).map_err(|_| unreadable)?;
        if parsed.steps().first() == Some(&Step::Name("granular_markings")) {
            return Err("its granular markings mark each other");
        }
        let mut at = root;
        let mut steps: Vec<String> = Vec::new();
        for step in parsed.steps() {
            let (next, written) = match step {
                Step::Name(name) => (at.get(name), (*name).to_owned()),
                Step::Index(index) => {
                    let before = at
                        .items()
                        .take(*index)
                        .filter(|item| self.is_gone(*item))
                        .count();
                    (
                        at.items().nth(*index),
                        format!("[{}]", index.saturating_sub(before)),
                    )
                }
            };
            at = next.ok_or(unreadable)?;
            if self.is_gone(at) {
                self.gone.insert(start(selector));
                return Ok(false);
            }
            steps.push(written);
        }
        let written = steps.join(".");
        if written != text {
            self.rewritten.insert(start(selector), written);
        }
        Ok(true)
    }

    /// Writes `value` without what is gone, everything else as it stands in the text.
    // the reader's depth limit bounds this recursion
    fn write(&self, value: Value<'_>, out: &mut String) {
        if let Some(selector) = self.rewritten.get(&start(value)) {
            return quote(selector, out);
        }
        let raw = value.raw();
        let base = start(value);
        let piece = |from: usize, to: usize| {
            raw.get(from.saturating_sub(base)..to.saturating_sub(base))
                .unwrap_or_default()
        };
        let mut previous_end = None;
        let mut written = false;
        let mut opened = String::new();
        for child in children(value) {
            // what stands before a child: white space, and the comma if one was written before
            let lead = match previous_end {
                None => piece(base, child.start),
                Some(end) => piece(end, child.start),
            };
            let after_bracket = previous_end.is_none();
            if after_bracket {
                opened.push_str(lead);
            }
            let end = child.value.span().end;
            if !self.is_gone(child.value) {
                out.push_str(if written { lead } else { &opened });
                out.push_str(piece(child.start, start(child.value)));
                self.write(child.value, out);
                written = true;
            }
            previous_end = Some(end);
        }
        match previous_end {
            Some(end) => out.push_str(piece(end, value.span().end)),
            None => out.push_str(raw),
        }
    }
}

/// A value below another, and where it begins: at its key if it has one.
struct Child<'d> {
    start: usize,
    value: Value<'d>,
}

fn children<'d>(value: Value<'d>) -> impl Iterator<Item = Child<'d>> {
    let members = value.members().map(|member| Child {
        start: start(member.key),
        value: member.value,
    });
    let items = value.items().map(|item| Child {
        start: start(item),
        value: item,
    });
    members.chain(items)
}

fn start(value: Value<'_>) -> usize {
    value.span().start
}

/// One entry, if every part of it can be read.
fn read(item: Value<'_>) -> Option<GranularMarking> {
    let text = |name: &str| item.get(name).map(|value| value.as_str());
    let marking_ref = match text("marking_ref") {
        Some(id) => Some(Identifier::parse(id?).ok()?.as_str().to_owned()),
        None => None,
    };
    let lang = match text("lang") {
        Some(lang) => Some(lang?.into()),
        None => None,
    };
    let selectors = item
        .get("selectors")
        .filter(|list| list.kind() == Kind::Array)?;
    let selectors = selectors
        .items()
        .map(|selector| selector.as_str().map(Into::into))
        .collect::<Option<Vec<_>>>()?;
    let readable = (marking_ref.is_some() || lang.is_some()) && !selectors.is_empty();
    readable.then_some(GranularMarking {
        marking_ref,
        lang,
        selectors,
    })
}

/// A JSON string (RFC 8259 section 7).
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < '\u{20}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
