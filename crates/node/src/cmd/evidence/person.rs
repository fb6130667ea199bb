//! The person who acts: who they are, and the key they sign with.

use std::path::PathBuf;

use anyhow::Context as _;
use comity_evidence::custody::{Actor, Event, Fields, Kind, Tool, sign_hash};
use comity_evidence::{ExhibitId, Hash, Time};
use comity_ledger::note::Signer;
use serde_json::Value;

use crate::cmd::Global;
use crate::cmd::call::{list, number, text};
use crate::entropy::SystemEntropy;
use crate::evidence::keys;

/// What every act of custody says.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Said {
    /// Legal basis, or the request it answers
    #[arg(long, value_name = "TEXT")]
    pub(super) basis: String,
    /// Where it was done
    #[arg(long, value_name = "TEXT")]
    pub(super) place: String,
    /// Handling code; what it begins with is the label of the records
    #[arg(long, value_name = "TEXT", default_value = "TLP:AMBER")]
    pub(super) handling: String,
    /// For whom, when for another than your own authority
    #[arg(long, value_name = "TEXT")]
    on_behalf_of: Option<String>,
    /// What was not as it should be
    #[arg(long, value_name = "TEXT")]
    pub(super) anomaly: Option<String>,
    /// Your key, when the node does not keep it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Who acts, ready to sign.
pub(super) struct Person {
    signer: Signer,
    authority: String,
    now: i64,
}

/// What an event is about.
pub(super) struct About {
    pub(super) exhibit: ExhibitId,
    pub(super) items: u64,
    pub(super) size: u64,
    pub(super) items_sha256: Hash,
    pub(super) previous: Option<Hash>,
}

impl About {
    /// From the answer to `prepare`.
    pub(super) fn of(prepared: &Value) -> anyhow::Result<Self> {
        let exhibit = prepared.get("exhibit").cloned().unwrap_or_default();
        Ok(Self {
            exhibit: ExhibitId::parse(&text(&exhibit, "id"))?,
            items: number(&exhibit, "items"),
            size: number(&exhibit, "size"),
            items_sha256: super::hash_of(&exhibit, "items_sha256")?,
            previous: Some(super::hash_of(prepared, "last")?),
        })
    }
}

impl Person {
    /// Reads the key of whoever acts, and makes sure the node knows it.
    pub(super) fn of(global: &Global, said: &Said, prepared: &Value) -> anyhow::Result<Self> {
        let name = text(prepared, "actor");
        let path = said
            .key
            .clone()
            .unwrap_or_else(|| keys::person_seed_path(&global.dir, &name));
        let signer = keys::read(&path, &name).with_context(|| {
            format!("`{name}` has no key to sign with\n  help: `comity --by {name} evidence key new {name}`; `--by` says who acts")
        })?;
        let vkey = signer.verifier().to_string();
        let known = list(prepared, "keys")
            .iter()
            .any(|key| key.as_str() == Some(&vkey));
        anyhow::ensure!(
            known,
            "the node does not know the key in `{}` as one of `{name}`\n  help: `comity evidence key add '{vkey}'`",
            path.display()
        );
        Ok(Self {
            signer,
            authority: text(prepared, "party"),
            now: prepared
                .get("now")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
        })
    }

    /// The fields of an event of `kind`, for the caller to complete.
    pub(super) fn fields(
        &self,
        kind: Kind,
        about: About,
        said: &Said,
        parameters: &str,
    ) -> anyhow::Result<Fields> {
        let key = self.signer.verifier().clone();
        Ok(Fields {
            id: crate::entropy::uuid_v4(&SystemEntropy)?
                .hyphenated()
                .to_string(),
            exhibit: about.exhibit,
            kind,
            actor: Actor {
                name: key.name().as_str().to_owned(),
                authority: self.authority.clone(),
                key,
            },
            on_behalf_of: said.on_behalf_of.clone(),
            basis: said.basis.clone(),
            place: said.place.clone(),
            handling: said.handling.clone(),
            time: Time::from_micros(self.now),
            tool: Tool {
                name: "comity".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                parameters: shortened(parameters),
            },
            items: about.items,
            size: about.size,
            items_sha256: about.items_sha256,
            rehashed: None,
            counterparty: None,
            outputs: Vec::new(),
            previous: about.previous,
            anomaly: said.anomaly.clone(),
            reason: None,
        })
    }

    /// The same person at another time, microseconds.
    pub(super) fn at(mut self, now: u64) -> Self {
        self.now = i64::try_from(now).unwrap_or(self.now);
        self
    }

    /// The person's signature line on an event of the other side.
    pub(super) fn countersign(&self, hash: &Hash) -> String {
        let line = sign_hash(hash, &self.signer).to_string();
        line.trim_end_matches('\n').to_owned()
    }

    /// Canonical JSON of the event, and the person's signature line.
    pub(super) fn sign(&self, fields: Fields) -> anyhow::Result<(String, String)> {
        let event = Event::new(fields)?;
        let signature = sign_hash(event.hash(), &self.signer).to_string();
        Ok((event.to_json(), signature.trim_end_matches('\n').to_owned()))
    }
}

/// One line that fits a field.
fn shortened(parameters: &str) -> String {
    let mut text: String = parameters
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    while text.len() > comity_evidence::TEXT_BYTES_MAX {
        text.pop();
    }
    text
}
