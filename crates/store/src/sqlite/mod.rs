//! The SQLite backend.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    AppendError, Appended, BackupError, Batch, BoxError, Certificate, Change, Collection,
    CollectionKey, Delivery, DeliveryCounts, DeliveryState, Disclosure, Edge, EntryDetail, Genesis,
    Hash, Head, LabelSetId, Level, ManifestRow, OpenError, PageEnd, PageQuery, Peer, Principal,
    ProgressReport, ProofMaterial, ReadError, Record, Report, Row, Scope, SearchHit, SearchQuery,
    Seq, Status, Token, Tombstone, VersionRow, Which,
};

/// Called at every named point of a write where a crash or a failing disk would matter. Tests make it fail.
pub type Faults = Arc<dyn Fn(&str) -> Result<(), io::Error> + Send + Sync>;

/// Signs a checkpoint: (size, root) to the whole signed note.
pub type SignFn<'a> = dyn Fn(u64, &Hash) -> Result<String, BoxError> + 'a;

/// How to open a register.
#[derive(Clone)]
pub struct Options {
    /// Connections that read at the same time; a further reader waits.
    pub readers: usize,
    /// Page cache of each reader, KiB.
    pub reader_cache_kib: u32,
    /// Page cache of the writer, KiB.
    pub writer_cache_kib: u32,
    /// Pages the file may grow to; `None` for no limit. A full disk, for tests and quotas.
    pub pages_max: Option<u32>,
    /// Fault injection, tests only.
    pub faults: Option<Faults>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            reader_cache_kib: 4096,
            writer_cache_kib: 16_384,
            pages_max: None,
            faults: None,
        }
    }
}

/// Every read. Cheap to clone; connections are pooled.
#[derive(Clone)]
pub struct Store {
    path: Arc<PathBuf>,
}

/// The one writer of a database. Dropping it releases the lock.
pub struct Writer {
    store: Store,
}

fn later<T>() -> Result<T, ReadError> {
    Err(ReadError::Damaged("not built yet".into()))
}

/// Makes a register in `dir` (the directory may exist, the register must not) and opens nothing.
pub fn create(dir: &Path, genesis: &Genesis) -> Result<(), OpenError> {
    let _ = (dir, genesis);
    Err(OpenError::Damaged("not built yet".into()))
}

/// Opens the register in `dir` for the node: migrates it forward, takes the writer's lock.
pub fn open(dir: &Path, options: &Options) -> Result<(Store, Writer), OpenError> {
    let _ = (dir, options);
    Err(OpenError::Damaged("not built yet".into()))
}

/// Opens the register in `dir` for reading beside a running node; never migrates.
pub fn open_read_only(dir: &Path, options: &Options) -> Result<Store, OpenError> {
    let _ = (dir, options);
    Err(OpenError::Damaged("not built yet".into()))
}

/// Checks the register in `dir` without changing it.
pub fn fsck(
    dir: &Path,
    level: Level,
    progress: &mut dyn FnMut(ProgressReport),
) -> Result<Report, OpenError> {
    let _ = (dir, level, progress);
    Err(OpenError::Damaged("not built yet".into()))
}

/// Puts the backup file `from` into `dir` as its register. Refuses to overwrite; checks the copy before it gets its name.
pub fn restore(
    from: &Path,
    dir: &Path,
    progress: &mut dyn FnMut(ProgressReport),
) -> Result<Report, BackupError> {
    let _ = (from, dir, progress);
    Err(BackupError::Unsound("not built yet".into()))
}

impl Writer {
    /// Makes a batch durable in ONE transaction and gives one outcome per operation. `sign` is called once, inside the
    /// transaction, if the batch has entries.
    ///
    /// # Errors
    /// On any error nothing of the batch was kept, except on [`AppendError::Fatal`]: open again and look.
    pub fn append(&mut self, batch: &Batch, sign: &SignFn<'_>) -> Result<Appended, AppendError> {
        let _ = (batch, sign, &self.store);
        Err(AppendError::Batch("not built yet".into()))
    }

    /// Indexes up to `limit` more entries for search. Gives how many were looked at; 0 means the index is up to date.
    pub fn search_index_step(&mut self, limit: usize) -> Result<usize, AppendError> {
        let _ = limit;
        Err(AppendError::Batch("not built yet".into()))
    }

    /// Folds the write-ahead log into the database file; to be called when idle.
    pub fn checkpoint(&mut self) -> Result<(), AppendError> {
        Err(AppendError::Batch("not built yet".into()))
    }
}

/// Records.
impl Store {
    /// Label sets interned after `after` (`LabelSetId(0)` for all), ascending.
    pub fn label_sets(&self, after: LabelSetId) -> Result<Vec<(LabelSetId, String)>, ReadError> {
        let _ = after;
        later()
    }
    /// One page, oldest first. The callback gets each row; its cost does not depend on the size of the store nor on how
    /// many rows the reader may not read.
    pub fn page(
        &self,
        query: &PageQuery,
        each: &mut dyn FnMut(Row<'_>),
    ) -> Result<PageEnd, ReadError> {
        let _ = (query, each);
        later()
    }
    /// Like [`Store::page`], without touching the objects' bytes.
    pub fn manifest(
        &self,
        query: &PageQuery,
        each: &mut dyn FnMut(ManifestRow<'_>),
    ) -> Result<PageEnd, ReadError> {
        let _ = (query, each);
        later()
    }
    /// Versions of one object in a collection that this scope may read, by `added` (TAXII 5.8).
    pub fn versions(
        &self,
        collection: CollectionKey,
        id: &str,
        scope: &Scope,
        added_after: Option<i64>,
        limit: usize,
    ) -> Result<(Vec<VersionRow>, PageEnd), ReadError> {
        let _ = (collection, id, scope, added_after, limit);
        later()
    }
    /// One record anywhere in the register.
    pub fn get(&self, id: &str, which: &Which, scope: &Scope) -> Result<Option<Record>, ReadError> {
        let _ = (id, which, scope);
        later()
    }
    /// One record by number, whatever its label: for the node's own followers, who decide release themselves.
    pub fn record(&self, seq: Seq) -> Result<Option<Record>, ReadError> {
        let _ = seq;
        later()
    }
    /// Several records by number, in ascending order.
    pub fn records(&self, seqs: &[Seq], each: &mut dyn FnMut(&Record)) -> Result<(), ReadError> {
        let _ = (seqs, each);
        later()
    }
    /// All versions of one object, whatever their label; without bytes being needed elsewhere this is for case work.
    pub fn history(&self, id: &str, scope: &Scope) -> Result<Vec<VersionRow>, ReadError> {
        let _ = (id, scope);
        later()
    }
    /// Collections a record is a member of, with its `added` there.
    pub fn memberships(&self, seq: Seq) -> Result<Vec<(CollectionKey, i64)>, ReadError> {
        let _ = seq;
        later()
    }
    /// What stays of deleted versions of an object.
    pub fn tombstones(&self, id: &str) -> Result<Vec<Tombstone>, ReadError> {
        let _ = id;
        later()
    }
    /// Records in this scope that refer to `target`, newest first.
    pub fn referrers(
        &self,
        target: &str,
        scope: &Scope,
        limit: usize,
    ) -> Result<Vec<Edge>, ReadError> {
        let _ = (target, scope, limit);
        later()
    }
    /// Searches within the scope.
    pub fn search(&self, query: &SearchQuery) -> Result<Vec<SearchHit>, ReadError> {
        let _ = query;
        later()
    }
    /// Records this scope may read, in one collection or all.
    pub fn count(
        &self,
        scope: &Scope,
        collection: Option<CollectionKey>,
    ) -> Result<u64, ReadError> {
        let _ = (scope, collection);
        later()
    }
}

/// The log.
impl Store {
    /// The tree head.
    pub fn head(&self) -> Result<Head, ReadError> {
        later()
    }
    /// The first `width` hashes of a tile (C2SP tlog-tiles).
    pub fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, ReadError> {
        let _ = (level, index, width);
        later()
    }
    /// Encoded entries `from..to` (at most those there are).
    pub fn entries(&self, from: u64, to: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        let _ = (from, to);
        later()
    }
    /// What a proof for this record is made from.
    pub fn proof_material(
        &self,
        id: &str,
        version_key: &str,
        scope: &Scope,
    ) -> Result<Option<ProofMaterial>, ReadError> {
        let _ = (id, version_key, scope);
        later()
    }
    /// The content of an entry that is not a record's.
    pub fn entry_detail(&self, entry_index: u64) -> Result<Option<EntryDetail>, ReadError> {
        let _ = entry_index;
        later()
    }
    /// Entries from index `from` on, for followers.
    pub fn changes(&self, from: u64, limit: usize) -> Result<Vec<Change>, ReadError> {
        let _ = (from, limit);
        later()
    }
    /// The next entry a follower wants; 0 if it never ran.
    pub fn position(&self, follower: &str) -> Result<u64, ReadError> {
        let _ = follower;
        later()
    }
    /// To whom a record was handed out.
    pub fn disclosures(&self, seq: Seq) -> Result<Vec<Disclosure>, ReadError> {
        let _ = seq;
        later()
    }
    /// Refusals, newest first.
    pub fn refusals(
        &self,
        before_entry: Option<u64>,
        limit: usize,
    ) -> Result<Vec<EntryDetail>, ReadError> {
        let _ = (before_entry, limit);
        later()
    }
}

/// People, collections, peers.
impl Store {
    /// All principals by id.
    pub fn principals(&self) -> Result<Vec<Principal>, ReadError> {
        later()
    }
    /// One principal.
    pub fn principal(&self, id: &str) -> Result<Option<Principal>, ReadError> {
        let _ = id;
        later()
    }
    /// Tokens of one principal, or all.
    pub fn tokens(&self, principal: Option<&str>) -> Result<Vec<Token>, ReadError> {
        let _ = principal;
        later()
    }
    /// The token with this digest. The caller checks its expiry.
    pub fn token(&self, sha256: &Hash) -> Result<Option<Token>, ReadError> {
        let _ = sha256;
        later()
    }
    /// Client certificates of one principal, or all.
    pub fn certificates(&self, principal: Option<&str>) -> Result<Vec<Certificate>, ReadError> {
        let _ = principal;
        later()
    }
    /// The certificate with this fingerprint.
    pub fn certificate(&self, fingerprint: &Hash) -> Result<Option<Certificate>, ReadError> {
        let _ = fingerprint;
        later()
    }
    /// All collections by uuid (the order TAXII interoperability 2.1.7 asks for).
    pub fn collections(&self) -> Result<Vec<Collection>, ReadError> {
        later()
    }
    /// The collection with this uuid or alias.
    pub fn collection(&self, uuid_or_alias: &str) -> Result<Option<Collection>, ReadError> {
        let _ = uuid_or_alias;
        later()
    }
    /// All peers by key.
    pub fn peers(&self) -> Result<Vec<Peer>, ReadError> {
        later()
    }
    /// One peer.
    pub fn peer(&self, key: &str) -> Result<Option<Peer>, ReadError> {
        let _ = key;
        later()
    }
    /// A setting of the node.
    pub fn setting(&self, name: &str) -> Result<Option<String>, ReadError> {
        let _ = name;
        later()
    }
    /// A number that changes with every administrative change: caches of the above compare it.
    pub fn admin_generation(&self) -> Result<u64, ReadError> {
        later()
    }
}

/// Exchange with peers, TAXII statuses.
impl Store {
    /// Where a record stands with each peer.
    pub fn deliveries(&self, seq: Seq) -> Result<Vec<Delivery>, ReadError> {
        let _ = seq;
        later()
    }
    /// What is to be sent to a peer now, oldest record first.
    pub fn due(
        &self,
        peer: &str,
        now_micros: i64,
        limit: usize,
    ) -> Result<Vec<Delivery>, ReadError> {
        let _ = (peer, now_micros, limit);
        later()
    }
    /// Deliveries of a peer in one state, oldest record first, after `after`.
    pub fn deliveries_in(
        &self,
        peer: &str,
        state: DeliveryState,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Delivery>, ReadError> {
        let _ = (peer, state, after, limit);
        later()
    }
    /// Deliveries of a peer by state.
    pub fn delivery_counts(&self, peer: &str) -> Result<DeliveryCounts, ReadError> {
        let _ = peer;
        later()
    }
    /// How far we pulled `source` from a peer.
    pub fn cursor(&self, peer: &str, source: &str) -> Result<Option<String>, ReadError> {
        let _ = (peer, source);
        later()
    }
    /// A TAXII status, unless it expired.
    pub fn status(&self, id: &str, now_micros: i64) -> Result<Option<Status>, ReadError> {
        let _ = (id, now_micros);
        later()
    }
}

/// Care.
impl Store {
    /// Copies the register into the new file `to` while the node runs.
    pub fn backup(
        &self,
        to: &Path,
        progress: &mut dyn FnMut(ProgressReport),
    ) -> Result<(), BackupError> {
        let _ = (to, progress, &self.path);
        Err(BackupError::Unsound("not built yet".into()))
    }
}
