//! Making a package, without touching a file: everything but the payload, in three steps.
//!
//! ```text
//! Draft     exhibits, custody, receipts are added     -> seal(): the texts, and the hash the log must commit to
//! Sealed    the log answers, the authority stamps     -> finish(): proof, entry, token, tag manifest
//! Finished  the files by name, and the payload's plan: what has to be copied where, with which hash
//! ```

use std::collections::BTreeMap;

use comity_ledger::note::VerifierKey;
use comity_ledger::proof::{Opening, Proof};

use super::{BAGIT_TXT, Case, Date, Name, README, Seal, VERIFY_SH, bag_info, manifest_line};
use crate::custody::Line;
use crate::{Exhibit, FileLine, Hash, Item, Malformed, Manifest, Time, sha256};

/// What somebody wants to hand over.
#[derive(Debug)]
pub struct Draft {
    basis: String,
    created: Time,
    parties: Vec<String>,
    timestamp: bool,
    texts: Texts,
    keys: Vec<String>,
    receipts: u32,
    payload: Vec<Payload>,
    others: BTreeMap<Name, Vec<u8>>,
    case: Case,
}

#[derive(Debug, Default)]
struct Texts {
    manifest: String,
    files: String,
    exhibits: String,
    custody: String,
}

/// A file of the payload: contents with this hash go to this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// `data/<n>.bin`.
    pub name: Name,
    /// SHA-256 of the contents, which is also their name in the vault.
    pub sha256: Hash,
    /// Octets.
    pub size: u64,
}

/// A draft that only waits for the log.
#[derive(Debug)]
pub struct Sealed {
    files: BTreeMap<Name, Vec<u8>>,
    seal_sha256: Hash,
    timestamp: bool,
    payload: Vec<Payload>,
    created: Time,
}

/// Everything but the payload's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The files by name, in the order in which they are written.
    pub files: BTreeMap<Name, Vec<u8>>,
    /// What has to be copied.
    pub payload: Vec<Payload>,
    /// When it was made.
    pub created: Time,
}

/// Why a package cannot be made of this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// The items are not those of the exhibit.
    #[error("the items given are not those of exhibit `{0}`")]
    Items(String),
    /// Something cannot be written in its format.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// More than a package can have.
    #[error("more {0} than a package can have")]
    TooMany(&'static str),
    /// No exhibit was added.
    #[error("a package has at least one exhibit with one item")]
    Empty,
    /// What the log gave is no proof with an entry and a salt.
    #[error("the log's proof cannot be used: {0}")]
    Proof(String),
    /// A token where none was announced, or none where one was.
    #[error("the seal says {0} a time stamp")]
    Timestamp(&'static str),
}

impl Draft {
    /// Begins. `parties`: the maker first. `timestamp`: a token will come.
    #[must_use]
    pub fn new(basis: String, created: Time, parties: Vec<String>, timestamp: bool) -> Self {
        Self {
            basis,
            created,
            parties,
            timestamp,
            texts: Texts::default(),
            keys: Vec::new(),
            receipts: 0,
            payload: Vec::new(),
            others: BTreeMap::new(),
            case: Case::default(),
        }
    }

    /// The witness policy of the maker (C2SP tlog-policy).
    pub fn policy(&mut self, policy: Vec<u8>) {
        self.others.insert(Name::Policy, policy);
    }

    /// Adds an exhibit with all its items, in their order, and what happened to it.
    ///
    /// # Errors
    /// When they do not fit together.
    pub fn exhibit(
        &mut self,
        exhibit: &Exhibit,
        items: impl IntoIterator<Item = Item>,
        custody: &[Line],
    ) -> Result<(), DraftError> {
        let mut sum = Manifest::default();
        self.texts.exhibits.push_str(&exhibit.to_line());
        for item in items {
            sum.add(&item)?;
            let number = u32::try_from(self.payload.len() + 1).unwrap_or(u32::MAX);
            if number > super::PAYLOAD_FILES_MAX {
                return Err(DraftError::TooMany("files"));
            }
            let payload = Payload {
                name: Name::Payload(number),
                sha256: item.sha256,
                size: item.size,
            };
            self.texts
                .manifest
                .push_str(&manifest_line(&payload.sha256, payload.name));
            self.case.item(exhibit, &item, payload.name);
            let line = FileLine {
                exhibit: exhibit.id.clone(),
                path: payload.name.to_string(),
                item,
            };
            self.texts.files.push_str(&line.to_line());
            self.payload.push(payload);
        }
        if sum.items() != exhibit.items
            || sum.size() != exhibit.size
            || sum.sha256() != exhibit.items_sha256
        {
            return Err(DraftError::Items(exhibit.number.to_string()));
        }
        for line in custody {
            let key = &line.event_unverified().fields().actor.key;
            self.key(key);
            self.texts.custody.push_str(&line.to_line());
            self.case.event(line.event_unverified());
        }
        self.case.exhibit(exhibit);
        Ok(())
    }

    /// Adds a key for comparison: of an authority that signed custody or receipts. Those of persons come with the events.
    pub fn key(&mut self, key: &VerifierKey) {
        let line = format!("{key}\n");
        if !self.keys.contains(&line) {
            self.keys.push(line);
        }
    }

    /// Adds a receipt of the other side with its proof.
    ///
    /// # Errors
    /// When there are too many.
    pub fn receipt(&mut self, note: Vec<u8>, proof: Vec<u8>) -> Result<(), DraftError> {
        self.receipts += 1;
        if self.receipts > super::RECEIPTS_MAX {
            return Err(DraftError::TooMany("receipts"));
        }
        self.others.insert(Name::Receipt(self.receipts), note);
        self.others.insert(Name::ReceiptProof(self.receipts), proof);
        Ok(())
    }

    /// Ties everything together.
    ///
    /// # Errors
    /// When there is nothing, or something cannot be said in a seal.
    pub fn seal(mut self) -> Result<Sealed, DraftError> {
        if self.payload.is_empty() {
            return Err(DraftError::Empty);
        }
        let bytes = self
            .payload
            .iter()
            .try_fold(0_u64, |sum, payload| sum.checked_add(payload.size))
            .ok_or(DraftError::TooMany("octets"))?;
        let info = bag_info(Date::from(self.created), bytes, self.payload.len() as u64);
        self.keys.sort();
        let case = self.case.finish(&self.parties, self.created);
        for (name, text) in [
            (Name::BagIt, BAGIT_TXT.to_owned()),
            (Name::BagInfo, info),
            (Name::Case, case),
            (Name::Script, VERIFY_SH.to_owned()),
            (Name::Readme, README.to_owned()),
        ] {
            self.others.insert(name, text.into_bytes());
        }
        let fixed = [
            (Name::Manifest, self.texts.manifest),
            (Name::Files, self.texts.files),
            (Name::Exhibits, self.texts.exhibits),
            (Name::Custody, self.texts.custody),
            (Name::Keys, self.keys.concat()),
        ]
        .map(|(name, text)| (name, text.into_bytes()));
        let [manifest, files, exhibits, custody, keys] =
            [0, 1, 2, 3, 4].map(|place| fixed.get(place).map_or([0; 32], |it| sha256(&it.1)));
        let others = self.others.iter();
        let seal = Seal {
            basis: self.basis,
            created: self.created,
            parties: self.parties,
            timestamp: self.timestamp,
            manifest_sha256: manifest,
            files_sha256: files,
            exhibits_sha256: exhibits,
            custody_sha256: custody,
            keys_sha256: keys,
            others: others.map(|(name, it)| (*name, sha256(it))).collect(),
        };
        let json = seal.to_json().into_bytes();
        // what cannot be read back must not be logged
        Seal::parse(&json)?;
        let seal_sha256 = sha256(&json);
        let mut all = self.others;
        all.extend(fixed);
        all.insert(Name::Seal, json);
        Ok(Sealed {
            files: all,
            seal_sha256,
            timestamp: self.timestamp,
            payload: self.payload,
            created: self.created,
        })
    }
}

impl Sealed {
    /// What the log must commit to, as event `Disclosure`.
    #[must_use]
    pub fn seal_sha256(&self) -> &Hash {
        &self.seal_sha256
    }

    /// The seal itself, canonical JSON.
    #[must_use]
    pub fn seal_json(&self) -> &str {
        let bytes = self.files.get(&Name::Seal).map_or(&[][..], Vec::as_slice);
        // INVARIANT: `Draft::seal` made it from a string
        str::from_utf8(bytes).unwrap_or_default()
    }

    /// Ends: with the log's proof (entry and salt as extra data) and, if one was announced, the authority's answer over the
    /// text of the proof's checkpoint, and its certificates.
    ///
    /// # Errors
    /// When the proof is none, or the token is there or missing against the seal.
    pub fn finish(
        self,
        proof: Vec<u8>,
        timestamp: Option<(Vec<u8>, Vec<u8>)>,
    ) -> Result<Finished, DraftError> {
        let Self {
            mut files,
            payload,
            created,
            ..
        } = self;
        let parsed = Proof::parse(&proof).map_err(|error| DraftError::Proof(error.to_string()))?;
        let opening = parsed.extra().and_then(Opening::parse);
        let opening = opening
            .filter(|opening| opening.salt.is_some())
            .ok_or_else(|| DraftError::Proof("it carries no entry with its salt".to_owned()))?;
        files.insert(Name::Entry, opening.entry.to_vec());
        files.insert(Name::Proof, proof);
        match (timestamp, self.timestamp) {
            (Some((token, chain)), true) => {
                files.insert(Name::Timestamp, token);
                files.insert(Name::TsaChain, chain);
            }
            (None, false) => {}
            (Some(_), false) => return Err(DraftError::Timestamp("that there is not")),
            (None, true) => return Err(DraftError::Timestamp("that there is")),
        }
        files.insert(Name::TagManifest, tag_manifest(&files));
        Ok(Finished {
            files,
            payload,
            created,
        })
    }
}

/// Every file but the payload and itself, in the order of the paths.
fn tag_manifest(files: &BTreeMap<Name, Vec<u8>>) -> Vec<u8> {
    let mut lines: Vec<(String, String)> = files
        .iter()
        .filter(|(name, _)| !name.is_payload() && **name != Name::TagManifest)
        .map(|(name, bytes)| (name.to_string(), manifest_line(&sha256(bytes), *name)))
        .collect();
    lines.sort();
    lines
        .into_iter()
        .map(|(_, line)| line)
        .collect::<String>()
        .into_bytes()
}
