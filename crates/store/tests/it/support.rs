//! What every test needs: a fresh register, short ways to make operations.

use comity_ledger::{
    checkpoint::Checkpoint,
    entry::Event,
    note::{KeyName, Signer},
};
use comity_store::{
    Admin, Administer, Appended, Batch, BoxError, Checks, Collection, CollectionKey, Delete,
    Genesis, Hash, LabelSetId, Level, Op, Options, Outcome, PageQuery, Put, Report, Scope, Seq,
    Store, Stored, VersionFilter, Writer,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub(crate) struct Register {
    pub(crate) dir: TempDir,
    pub(crate) store: Store,
    pub(crate) writer: Writer,
    pub(crate) now: i64,
}

/// Origin of every register here, and name of the key that signs its heads.
pub(crate) const ORIGIN: &str = "node.example/log";

pub(crate) fn sign(size: u64, root: &Hash) -> Result<String, BoxError> {
    sign_with(&signer(1), size, root)
}

pub(crate) fn sign_with(signer: &Signer, size: u64, root: &Hash) -> Result<String, BoxError> {
    Ok(Checkpoint::new(ORIGIN, size, *root)?
        .sign(&[signer])?
        .to_string())
}

/// The signer with this seed; 1 is the node's own.
pub(crate) fn signer(seed: u8) -> Signer {
    Signer::from_seed(KeyName::new(ORIGIN).unwrap(), &[seed; 32]).unwrap()
}

/// A whole check with the node's key.
pub(crate) fn report(dir: &std::path::Path) -> Report {
    let signer = signer(1);
    let checks = Checks {
        level: Level::Deep,
        log_key: Some(signer.verifier()),
        label_fits: Some(&|label, object| {
            if label == "clear" && !object.object_marking_refs().is_empty() {
                return Err("weaker than the object's own marking".into());
            }
            Ok(!object.granular_markings().is_empty())
        }),
        unversioned: None,
    };
    comity_store::fsck(dir, checks, &mut |_| {}).unwrap()
}

impl Register {
    pub(crate) fn new() -> Self {
        Self::with(&Options::default())
    }

    pub(crate) fn with(options: &Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let genesis = Genesis {
            database_id: [7; 16],
            origin: ORIGIN.into(),
            created_micros: 1,
        };
        comity_store::create(dir.path(), &genesis).unwrap();
        let (store, writer) = comity_store::open(dir.path(), options).unwrap();
        Self {
            dir,
            store,
            writer,
            now: 1_000_000,
        }
    }

    /// Closes and opens again, as after a crash.
    pub(crate) fn reopen(self) -> Self {
        let Self {
            dir,
            store,
            writer,
            now,
        } = self;
        drop((store, writer));
        let (store, writer) = comity_store::open(dir.path(), &Options::default()).unwrap();
        Self {
            dir,
            store,
            writer,
            now,
        }
    }

    pub(crate) fn append(&mut self, ops: Vec<Op>) -> Appended {
        self.now += 1;
        let batch = Batch {
            now_micros: self.now,
            ops,
        };
        self.writer.append(&batch, &sign).unwrap()
    }

    pub(crate) fn one(&mut self, op: impl Into<Op>) -> Outcome {
        self.append(vec![op.into()]).outcomes.remove(0)
    }

    pub(crate) fn put(&mut self, put: Put) -> Stored {
        match self.one(Op::Put(Box::new(put))) {
            Outcome::Put(stored) => stored,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn delete(&mut self, delete: Delete) -> Vec<Seq> {
        match self.one(Op::Delete(delete)) {
            Outcome::Deleted { records, .. } => records,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn collection(&mut self, number: u32) -> CollectionKey {
        let change = Admin::PutCollection(Collection {
            key: CollectionKey(0),
            uuid: format!("00000000-0000-4000-8000-{number:012}"),
            alias: None,
            title: format!("collection {number}"),
            description: None,
            media_types: vec!["application/stix+json;version=2.1".into()],
            grants: vec![],
            created: 1,
        });
        match self.one(admin(change)) {
            Outcome::Administered {
                collection: Some(key),
                ..
            } => key,
            other => panic!("{other:?}"),
        }
    }

    /// The scope of label sets with these texts.
    pub(crate) fn scope(&self, texts: &[&str]) -> Scope {
        let all = self.store.label_sets(LabelSetId(0)).unwrap();
        let chosen = all
            .into_iter()
            .filter(|(_, text)| texts.contains(&text.as_str()));
        Scope::new(chosen.map(|(id, _)| id).collect())
    }

    /// (id, version) of a page.
    pub(crate) fn page(&self, query: &PageQuery) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        self.store
            .page(query, &mut |row| {
                rows.push((row.id.to_owned(), row.version.to_owned()))
            })
            .unwrap();
        rows
    }

    pub(crate) fn fsck(&self) {
        assert_eq!(report(self.dir.path()).problems, vec![]);
    }
}

pub(crate) fn admin(change: Admin) -> Op {
    Op::Admin(Administer {
        change,
        by: "olena@ua".into(),
        salt: [9; 32],
    })
}

pub(crate) fn id(number: u32) -> String {
    format!("indicator--00000000-0000-4000-8000-{number:012}")
}

pub(crate) fn version(number: u32) -> String {
    format!("2024-01-01T00:00:{number:02}")
}

/// What makes an object the last of its versions.
pub(crate) const REVOKED: &str = r#","revoked":true"#;

/// Who every object here says has made it.
pub(crate) const AUTHOR: &str = "identity--00000000-0000-4000-8000-000000000001";

/// Version `number` of object `object`.
pub(crate) fn put(object: u32, number: u32, label_set: &str, collections: &[CollectionKey]) -> Put {
    put_with(object, number, label_set, collections, "")
}

/// The same with more properties: `,"revoked":true`.
pub(crate) fn put_with(
    object: u32,
    number: u32,
    label_set: &str,
    collections: &[CollectionKey],
    more: &str,
) -> Put {
    let bytes = format!(
        r#"{{"type":"indicator","id":"{}","spec_version":"2.1","created":"2024-01-01T00:00:00.000Z","created_by_ref":"{AUTHOR}","modified":"{}.000Z","name":"beacon number {object} version {number}","pattern":"[ipv4-addr:value = '192.0.2.{}']","pattern_type":"stix","valid_from":"2024-01-01T00:00:00Z"{more}}}"#,
        id(object),
        version(number),
        object % 256
    );
    put_bytes(object, number, label_set, collections, bytes.into_bytes())
}

pub(crate) fn put_bytes(
    object: u32,
    number: u32,
    label_set: &str,
    collections: &[CollectionKey],
    bytes: Vec<u8>,
) -> Put {
    let canonical =
        comity_stix::canonical::canonical_bytes(&bytes, &comity_stix::json::Limits::default())
            .unwrap();
    Put {
        id: id(object),
        object_type: "indicator".into(),
        spec_version: "2.1".into(),
        version_key: version(number),
        version_text: format!("{}.000Z", version(number)),
        created_by: Some(AUTHOR.into()),
        revoked: bytes
            .windows(REVOKED.len())
            .any(|part| part == REVOKED.as_bytes()),
        content_sha256: Sha256::digest(&canonical).into(),
        bytes,
        seed: Sha256::digest(format!("{object} {number}")).into(),
        label_set: label_set.into(),
        granular: false,
        collections: collections.to_vec(),
        origin: "ua".into(),
        author: Some("olena@ua".into()),
        references: vec![("/created_by_ref".into(), AUTHOR.into())],
        event: Event::SubmissionAcceptance,
        link: [0; 32],
        consigned: None,
        withdrawal: None,
        revive: true,
        terms: Default::default(),
    }
}

pub(crate) fn delete(
    object: u32,
    number: Option<u32>,
    collection: Option<CollectionKey>,
) -> Delete {
    Delete {
        id: id(object),
        version: number.map(version),
        collection,
        scope: None,
        reason: "test".into(),
        by: "olena@ua".into(),
        erase: false,
        salt: [3; 32],
    }
}

pub(crate) fn all(collection: CollectionKey, scope: Scope, limit: usize) -> PageQuery {
    let mut query = PageQuery::new(collection, scope, limit);
    query.filter.version = VersionFilter::all();
    query
}
