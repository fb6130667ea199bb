//! A package between `ua` and `eu`, made without a node: two exhibits, one handed over; logs, witnesses, a receipt.
//! Everything follows from constants. The example `make_package` writes it to disk for other suites.
#![allow(dead_code, reason = "the example and each test use a part of it")]

use std::collections::BTreeMap;
use std::path::Path;

use comity_evidence::custody::{
    Actor, Event, Fields, Kind, Line, Tool, custody_key_name, sign_hash,
};
use comity_evidence::package::{Draft, Finished, Name, Sealed, tar};
use comity_evidence::{
    Exhibit, ExhibitId, ExhibitNumber, Hash, Item, ItemName, Manifest, Time, sha256,
};
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::cosignature::Cosigner;
use comity_ledger::entry::{self, Entry, LINK_NONE, commitment};
use comity_ledger::note::{KeyName, SignedNote, Signer, VerifierKey};
use comity_ledger::policy::Policy;
use comity_ledger::proof::{Opening, Proof};
use comity_ledger::receipt::{Receipt, ReceiptEvent};
use comity_ledger::tree::{Frontier, MemoryTiles, inclusion_proof, leaf_hash};
use comity_ledger::verify::TrustedLog;
use comity_ledger::witness::{AddCheckpoint, decide};

pub(crate) const BASE: &str = "package";
pub(crate) const TIME_MICROS: i64 = 1_767_225_600_000_000;
const EXHIBIT: &str = "comity-exhibit--5afe0000-2021-4603-8c0d-000000000001";
const SECOND: &str = "comity-exhibit--5afe0000-2021-4603-8c0d-000000000002";
const SALT: [u8; 32] = [0x5a; 32];

/// What may be otherwise.
pub(crate) struct World {
    /// Contents of the first exhibit's items.
    pub(crate) contents: Vec<Vec<u8>>,
    /// Which of the three witnesses cosign.
    pub(crate) witnesses: Vec<u8>,
    /// Seeds of all keys are moved by this: an attacker's own world.
    pub(crate) seed: u8,
    pub(crate) receipt: bool,
    pub(crate) countersigned: bool,
    /// Changes an event before it is signed: place in the first exhibit's chain, fields.
    pub(crate) event: fn(usize, &mut Fields),
}

impl Default for World {
    fn default() -> Self {
        Self {
            contents: vec![
                b"From: someone\nTo: someone else\n".to_vec(),
                Vec::new(),
                vec![0xa5; 1_000],
            ],
            witnesses: vec![0, 1, 2],
            seed: 0,
            receipt: true,
            countersigned: true,
            event: |_, _| {},
        }
    }
}

/// Makes a token and its chain for a checkpoint's text.
pub(crate) type Stamp<'a> = &'a dyn Fn(&str) -> (Vec<u8>, Vec<u8>);

/// Files by path, payload among them.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

impl World {
    pub(crate) fn signer(&self, name: &str, seed: u8) -> Signer {
        // every key is its own: a policy refuses one key under two names
        let side = if name.contains("eu") { 100 } else { 0 };
        let seed = [seed + self.seed + side; 32];
        Signer::from_seed(KeyName::new(name).unwrap(), &seed).unwrap()
    }

    fn person(&self, authority: &str) -> Signer {
        let name = if authority == "ua" {
            "olena@ua"
        } else {
            "jan@eu"
        };
        self.signer(name, 1)
    }

    fn authority(&self, authority: &str) -> Signer {
        self.signer(&custody_key_name(authority), 2)
    }

    pub(crate) fn log_signer(&self, party: &str) -> Signer {
        self.signer(&format!("comity.{party}/log/1"), 3)
    }

    fn receipt_signer(&self) -> Signer {
        self.signer("comity.eu/receipts/1", 4)
    }

    fn cosigner(&self, number: u8) -> Cosigner {
        let name = KeyName::new(format!("witness.example/{number}")).unwrap();
        let seed = [10 + number + self.seed; 32];
        if number == 2 {
            Cosigner::ml_dsa_44_from_seed(name, &seed).unwrap()
        } else {
            Cosigner::ed25519_from_seed(name, &seed).unwrap()
        }
    }

    /// Two of three witnesses.
    pub(crate) fn policy(&self) -> String {
        let mut text = String::new();
        for party in ["ua", "eu"] {
            text += &format!("log {}\n", self.log_signer(party).verifier());
        }
        for number in 0..3 {
            text += &format!("witness w{number} {}\n", self.cosigner(number).verifier());
        }
        text + "group all 2 w0 w1 w2\nquorum all\n"
    }

    /// What a court would have from elsewhere.
    pub(crate) fn keys(&self) -> Vec<VerifierKey> {
        vec![
            self.authority("ua").verifier().clone(),
            self.authority("eu").verifier().clone(),
            self.receipt_signer().verifier().clone(),
        ]
    }

    fn items(&self) -> Vec<Item> {
        (1..)
            .zip(&self.contents)
            .map(|(number, contents)| Item {
                number,
                name: ItemName::encode(format!("mail/{number}\n.eml").as_bytes()).unwrap(),
                size: contents.len() as u64,
                sha256: sha256(contents),
                media_type: (number == 1).then(|| "message/rfc822".to_owned()),
                modified: Some(Time::from_micros(TIME_MICROS - 1)),
            })
            .collect()
    }

    fn exhibit(id: &str, number: &str, items: &[Item]) -> Exhibit {
        let mut manifest = Manifest::default();
        for item in items {
            manifest.add(item).unwrap();
        }
        Exhibit {
            id: ExhibitId::parse(id).unwrap(),
            number: ExhibitNumber::parse(number).unwrap(),
            title: "Mailbox „X“ \"quoted\", \\ 1".to_owned(),
            items: manifest.items(),
            size: manifest.size(),
            items_sha256: manifest.sha256(),
        }
    }

    fn events(&self, exhibit: &Exhibit, steps: &[(Kind, &str)]) -> Vec<Line> {
        let mut previous = None;
        let mut lines: Vec<Line> = Vec::new();
        for (place, (kind, by)) in steps.iter().enumerate() {
            let key = self.person(by).verifier().clone();
            let last = exhibit.id.as_str().chars().last().unwrap();
            let mut fields = Fields {
                id: format!("5afe0000-2021-4603-8c0d-00000000{last}0{place:02x}"),
                exhibit: exhibit.id.clone(),
                kind: *kind,
                actor: Actor {
                    name: key.name().as_str().to_owned(),
                    authority: (*by).to_owned(),
                    key,
                },
                on_behalf_of: None,
                basis: "request 7/2026".to_owned(),
                place: "Kyiv".to_owned(),
                handling: "TLP:AMBER".to_owned(),
                time: Time::from_micros(TIME_MICROS + 1_000_000 * place as i64),
                tool: Tool {
                    name: "comity".to_owned(),
                    version: "0.1.0".to_owned(),
                    parameters: String::new(),
                },
                items: exhibit.items,
                size: exhibit.size,
                items_sha256: exhibit.items_sha256,
                rehashed: kind.needs_rehash().then_some(exhibit.items_sha256),
                counterparty: kind
                    .names_counterparty()
                    .then(|| if *by == "ua" { "eu" } else { "ua" }.to_owned()),
                outputs: Vec::new(),
                previous,
                anomaly: None,
                reason: kind.needs_reason().then(|| "because".to_owned()),
            };
            (self.event)(place, &mut fields);
            let event = Event::new(fields).unwrap();
            previous = Some(*event.hash());
            let mut line = Line::sign(event, &self.person(by), &self.authority(by)).unwrap();
            if *kind == Kind::Transferred && self.countersigned {
                let hash = *line.event_unverified().hash();
                line.countersign(sign_hash(&hash, &self.person("eu")))
                    .unwrap();
                line.countersign(sign_hash(&hash, &self.authority("eu")))
                    .unwrap();
            }
            lines.push(line);
        }
        lines
    }

    /// All but the log's and the authority's answers.
    pub(crate) fn sealed(&self, timestamp: bool) -> Sealed {
        let basis = "request 7/2026, Article 31";
        let parties = vec!["ua".to_owned(), "eu".to_owned()];
        let mut draft = Draft::new(
            basis.to_owned(),
            Time::from_micros(TIME_MICROS + 60_000_000),
            parties,
            timestamp,
        );
        draft.policy(self.policy().into_bytes());
        for key in self.keys() {
            draft.key(&key);
        }
        let items = self.items();
        let exhibit = Self::exhibit(EXHIBIT, "UA-2026-0001", &items);
        let lines = self.events(
            &exhibit,
            &[
                (Kind::Acquired, "ua"),
                (Kind::Sealed, "ua"),
                (Kind::Transferred, "ua"),
                (Kind::Received, "eu"),
            ],
        );
        draft.exhibit(&exhibit, items, &lines).unwrap();
        let second = vec![Item {
            number: 1,
            name: ItemName::encode(b"disk.img").unwrap(),
            size: SECOND_CONTENTS.len() as u64,
            sha256: sha256(SECOND_CONTENTS),
            media_type: None,
            modified: None,
        }];
        let exhibit = Self::exhibit(SECOND, "UA-2026-0002", &second);
        let lines = self.events(&exhibit, &[(Kind::Sealed, "ua")]);
        draft.exhibit(&exhibit, second, &lines).unwrap();
        if self.receipt {
            let (note, proof) = self.receipt();
            draft.receipt(note, proof).unwrap();
        }
        draft.seal().unwrap()
    }

    /// A log of ten entries with one of ours; its proof, cosigned or not.
    pub(crate) fn proof(&self, party: &str, entry: Entry, index: u64, witnesses: &[u8]) -> Proof {
        let entry_bytes = entry.encode().unwrap();
        let leaves: Vec<Hash> = (0..10)
            .map(|n| {
                if n == index {
                    leaf_hash(&entry_bytes)
                } else {
                    leaf_hash(&[n as u8])
                }
            })
            .collect();
        let appended = Frontier::empty().append(&leaves).unwrap();
        let mut tiles = MemoryTiles::default();
        tiles.write(appended.tiles);
        let signer = self.log_signer(party);
        let origin = signer.verifier().name().as_str().to_owned();
        let checkpoint = Checkpoint::new(origin.clone(), 10, appended.root).unwrap();
        let mut note = checkpoint.sign(&[&signer]).unwrap();
        let log = TrustedLog {
            origin,
            keys: vec![signer.verifier().clone()],
        };
        let request = AddCheckpoint::new(0, Vec::new(), note.clone()).unwrap();
        let accepted = decide(Some(&log), None, &request).unwrap();
        for number in witnesses {
            let line = self.cosigner(*number).cosign(&accepted, 1_767_225_700);
            note.add(line.unwrap()).unwrap();
        }
        let opening = Opening {
            entry: entry_bytes,
            salt: Some(SALT),
        };
        let path = inclusion_proof(&tiles, index, 10).unwrap();
        Proof::new(index, path, note, Some(opening.to_bytes())).unwrap()
    }

    pub(crate) fn seal_proof(&self, seal_sha256: &Hash) -> Proof {
        let entry = Entry {
            event: entry::Event::Disclosure,
            time_micros: TIME_MICROS as u64 + 61_000_000,
            commitment: commitment(&SALT, seal_sha256),
            link: LINK_NONE,
        };
        self.proof("ua", entry, 4, &self.witnesses)
    }

    fn receipt(&self) -> (Vec<u8>, Vec<u8>) {
        let content = [0xc0; 32];
        let link = [0x1f; 32];
        let entry = Entry {
            event: entry::Event::ContentConsignment,
            time_micros: TIME_MICROS as u64 + 30_000_000,
            commitment: commitment(&SALT, &content),
            link,
        };
        let receipt = Receipt {
            event: ReceiptEvent::Received,
            record: EXHIBIT.to_owned(),
            version: "2026-01-01T00:00:00.000Z".to_owned(),
            content_sha256: content,
            sender: "comity.ua/log/1".to_owned(),
            sender_entry: 2,
            sender_leaf: link,
            receiver: "comity.eu/log/1".to_owned(),
            entry: 7,
            time_micros: entry.time_micros,
            label: None,
            reason: None,
        };
        let note = receipt.sign(&self.receipt_signer()).unwrap();
        let proof = self.proof("eu", entry, 7, &[0]);
        (
            note.to_string().into_bytes(),
            proof.to_string().into_bytes(),
        )
    }

    /// All files; `stamp` makes a token and a chain for the checkpoint's text.
    pub(crate) fn files(&self, stamp: Option<Stamp<'_>>) -> Files {
        self.with_payload(self.finished(stamp))
    }

    /// All but the payload's contents.
    pub(crate) fn finished(&self, stamp: Option<Stamp<'_>>) -> Finished {
        let sealed = self.sealed(stamp.is_some());
        let proof = self.seal_proof(sealed.seal_sha256());
        let text = proof.checkpoint().text_unverified().to_owned();
        let token = stamp.map(|stamp| stamp(&text));
        let finished = sealed.finish(proof.to_string().into_bytes(), token);
        finished.unwrap()
    }

    fn with_payload(&self, finished: Finished) -> Files {
        let contents = self.contents.iter().map(Vec::as_slice);
        let all: BTreeMap<Hash, &[u8]> = contents
            .chain([SECOND_CONTENTS])
            .map(|it| (sha256(it), it))
            .collect();
        let payload = finished
            .payload
            .iter()
            .map(|payload| (payload.name.to_string(), all[&payload.sha256].to_vec()));
        let texts = finished.files.into_iter();
        texts
            .map(|(name, bytes)| (name.to_string(), bytes))
            .chain(payload)
            .collect()
    }
}

pub(crate) const SECOND_CONTENTS: &[u8] = b"second exhibit\n";

/// The files as a tar, in this order.
pub(crate) fn tar_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (path, bytes) in files {
        out.extend(tar_header(&format!("{BASE}/{path}"), bytes.len() as u64));
        out.extend(bytes);
        out.resize(out.len() + tar::padding(bytes.len() as u64), 0);
    }
    out.resize(out.len() + tar::end(out.len() as u64), 0);
    out
}

/// A header with any name, for hostile ones.
pub(crate) fn tar_header(path: &str, size: u64) -> [u8; 512] {
    let mut block = tar::header(BASE, Name::BagIt, size, Time::from_micros(TIME_MICROS)).unwrap();
    block[..100].fill(0);
    block[..path.len()].copy_from_slice(path.as_bytes());
    resum(&mut block);
    block
}

/// Computes the checksum again.
pub(crate) fn resum(block: &mut [u8; 512]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

pub(crate) fn write_directory(files: &Files, to: &Path) {
    for (path, bytes) in files {
        let path = to.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// What an attacker does who has no key: makes every hash fit again, up to the seal.
pub(crate) fn rehash(files: &mut Files) {
    let line =
        |path: &str, bytes: &[u8]| format!("{}  {path}\n", comity_evidence::Hex(&sha256(bytes)));
    let payload = files.iter().filter(|(path, _)| path.starts_with("data/"));
    let manifest: String = payload.map(|(path, bytes)| line(path, bytes)).collect();
    files.insert("manifest-sha256.txt".to_owned(), manifest.into_bytes());
    let tags = files
        .iter()
        .filter(|(path, _)| !path.starts_with("data/") && *path != "tagmanifest-sha256.txt");
    let manifest: String = tags.map(|(path, bytes)| line(path, bytes)).collect();
    files.insert("tagmanifest-sha256.txt".to_owned(), manifest.into_bytes());
}

pub(crate) fn policy_of(world: &World) -> Policy {
    Policy::parse(world.policy().as_bytes()).unwrap()
}

pub(crate) fn note_of(proof: &Proof) -> &SignedNote {
    proof.checkpoint()
}
