-- Version 1 of the register. What a table is for stands above it; what must hold, after INVARIANT.

-- One row: what this database is, and the head of its log.
CREATE TABLE register (
  one           INTEGER PRIMARY KEY CHECK (one = 1),
  database_id   BLOB    NOT NULL CHECK (length(database_id) = 16),
  origin        TEXT    NOT NULL,
  created       INTEGER NOT NULL,
  size          INTEGER NOT NULL,           -- entries; every write compares and swaps it
  root          BLOB    NOT NULL CHECK (length(root) = 32),
  note          TEXT    NOT NULL,           -- signed checkpoint, empty while size = 0
  added_last    INTEGER NOT NULL,           -- INVARIANT: every member.added is at most this, the next is above it
  seq_next      INTEGER NOT NULL,           -- INVARIANT: numbers are never used twice, deletion or not
  shelf_generation INTEGER NOT NULL,        -- counts changes of label_set, shelf: readers' caches compare it
  admin_generation INTEGER NOT NULL         -- counts changes of people, collections, peers
) STRICT;

CREATE TABLE migration (
  version INTEGER PRIMARY KEY,
  sha256  BLOB    NOT NULL,
  applied INTEGER NOT NULL
) STRICT;

-- Interned label sets: release is decided once per (reader, label set). Never removed.
CREATE TABLE label_set (
  id      INTEGER PRIMARY KEY,
  text    TEXT    NOT NULL UNIQUE,
  records INTEGER NOT NULL                  -- INVARIANT: number of record rows with it
) STRICT;

-- STIX identifiers, as numbers; also those only referred to.
CREATE TABLE object (
  key INTEGER PRIMARY KEY,
  id  TEXT NOT NULL UNIQUE
) STRICT;

-- Records. `bytes` last, so that the rest is read without it.
CREATE TABLE record (
  seq            INTEGER PRIMARY KEY,
  object         INTEGER NOT NULL,
  entry_index    INTEGER NOT NULL,
  label_set      INTEGER NOT NULL,
  revoked        INTEGER NOT NULL,
  granular       INTEGER NOT NULL,
  received       INTEGER NOT NULL,
  id             TEXT    NOT NULL,
  type           TEXT    NOT NULL,
  spec_version   TEXT    NOT NULL,
  version_key    TEXT    NOT NULL,
  version_text   TEXT    NOT NULL,
  origin         TEXT    NOT NULL,
  author         TEXT,
  created_by     TEXT,
  content_sha256 BLOB    NOT NULL CHECK (length(content_sha256) = 32),
  salt           BLOB    NOT NULL CHECK (length(salt) = 32),
  bytes          BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_version ON record (object, version_key);
CREATE INDEX record_revoked ON record (object, version_key) WHERE revoked = 1;

-- What stays of a record whose bytes are gone.
CREATE TABLE tombstone (
  seq            INTEGER PRIMARY KEY,
  object         INTEGER NOT NULL,
  version_key    TEXT    NOT NULL,
  content_sha256 BLOB    NOT NULL,
  entry_index    INTEGER NOT NULL,
  deletion_index INTEGER NOT NULL,
  deleted        INTEGER NOT NULL,
  reason         TEXT    NOT NULL,
  deleted_by     TEXT    NOT NULL
) STRICT;
CREATE INDEX tombstone_object ON tombstone (object);

-- References: which record names which object in which property.
CREATE TABLE edge (
  target   INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  property TEXT    NOT NULL,
  PRIMARY KEY (target, seq, property)
) STRICT, WITHOUT ROWID;
CREATE INDEX edge_seq ON edge (seq);

-- A shelf is where like members stand: same collection, type, label set and class. A reader is given shelves, so
-- release, `match[type]` and `match[version]` are one thing: a choice of index ranges, merged by `added`.
-- class: 1 the version is the last of its object on this label set here, 2 the first, 3 both, 0 neither.
-- Never removed; numbers never used twice.
CREATE TABLE shelf (
  id         INTEGER PRIMARY KEY,
  collection INTEGER NOT NULL,
  type       TEXT    NOT NULL,
  label_set  INTEGER NOT NULL,
  class      INTEGER NOT NULL CHECK (class BETWEEN 0 AND 3),
  members    INTEGER NOT NULL,              -- INVARIANT: number of member rows on it
  UNIQUE (collection, type, label_set, class)
) STRICT;

-- Memberships: the narrow table every page runs on.
-- last: 1 no later version of the object is in this collection; 2 one is, but with another label set, so it depends on
-- the reader; 0 a later one has the same label set, so whoever may read this one may read that one. first: likewise.
CREATE TABLE member (
  collection  INTEGER NOT NULL,
  added       INTEGER NOT NULL,             -- microseconds; strictly increasing over the whole node
  seq         INTEGER NOT NULL,
  object      INTEGER NOT NULL,
  shelf       INTEGER NOT NULL,
  last        INTEGER NOT NULL,
  first       INTEGER NOT NULL,
  label_set   INTEGER NOT NULL,
  version_key TEXT    NOT NULL,
  PRIMARY KEY (collection, added)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX member_seq ON member (seq, collection);
CREATE INDEX member_shelf ON member (shelf, added);
-- At most two rows per (collection, object, label set), however many versions there are.
CREATE INDEX member_standing ON member (collection, object, version_key) WHERE last > 0 OR first > 0;

-- The log. `bytes` is the entry as it is hashed (76 bytes).
CREATE TABLE entry (
  idx   INTEGER PRIMARY KEY,
  kind  INTEGER NOT NULL,
  seq   INTEGER,
  bytes BLOB    NOT NULL
) STRICT;
CREATE INDEX entry_refusal ON entry (idx) WHERE kind = 6;

-- The content of entries that are not about a record's own bytes.
CREATE TABLE entry_detail (
  idx            INTEGER PRIMARY KEY,
  content        TEXT NOT NULL,
  content_sha256 BLOB NOT NULL,
  salt           BLOB NOT NULL
) STRICT;

-- Refused versions, so that the same refusal is not logged at every retry.
CREATE TABLE refused_version (
  seq            INTEGER NOT NULL,          -- the record that stands in the way
  content_sha256 BLOB    NOT NULL,          -- what was offered
  origin         TEXT    NOT NULL,
  idx            INTEGER NOT NULL,
  PRIMARY KEY (seq, content_sha256, origin)
) STRICT, WITHOUT ROWID;

-- Which records (by runs of their entries) were handed out under a disclosure entry.
CREATE TABLE disclosure (
  idx       INTEGER PRIMARY KEY,
  party     TEXT NOT NULL,
  principal TEXT NOT NULL
) STRICT;
CREATE TABLE disclosure_run (
  first INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  idx   INTEGER NOT NULL,
  PRIMARY KEY (first, last, idx)
) STRICT, WITHOUT ROWID;

-- Tiles of the tree; the widest of each, a narrower one is its beginning.
CREATE TABLE tile (
  level  INTEGER NOT NULL,
  idx    INTEGER NOT NULL,
  hashes BLOB    NOT NULL,
  PRIMARY KEY (level, idx)
) STRICT;

-- Search: rowid is record.seq. Contentless: the words are not kept twice. `scope` holds one word naming the label set, so
-- that a search meets no row the reader may not see.
CREATE VIRTUAL TABLE search USING fts5 (
  text, scope, content = '', contentless_delete = 1, detail = full, tokenize = "unicode61 remove_diacritics 2"
);

CREATE TABLE position (
  follower   TEXT PRIMARY KEY,
  next_entry INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE principal (
  id            TEXT PRIMARY KEY,
  display       TEXT    NOT NULL,
  role          TEXT    NOT NULL,
  party         TEXT    NOT NULL,
  entity_of     TEXT,
  community     INTEGER NOT NULL,
  exercise      TEXT,
  password_hash TEXT,
  disabled      INTEGER NOT NULL,
  created       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
  sha256    BLOB PRIMARY KEY,
  name      TEXT    NOT NULL UNIQUE,
  principal TEXT    NOT NULL REFERENCES principal (id) ON DELETE CASCADE,
  scopes    TEXT    NOT NULL,               -- JSON list
  created   INTEGER NOT NULL,
  expires   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX token_principal ON token (principal);

CREATE TABLE certificate (
  fingerprint BLOB PRIMARY KEY,
  principal   TEXT    NOT NULL REFERENCES principal (id) ON DELETE CASCADE,
  note        TEXT    NOT NULL,
  created     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_principal ON certificate (principal);

CREATE TABLE collection (
  key         INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid        TEXT    NOT NULL UNIQUE,
  alias       TEXT    UNIQUE,
  title       TEXT    NOT NULL,
  description TEXT,
  media_types TEXT    NOT NULL,             -- JSON list
  grants      TEXT    NOT NULL,             -- JSON list
  created     INTEGER NOT NULL
) STRICT;

CREATE TABLE peer (
  key         TEXT PRIMARY KEY,
  party       TEXT    NOT NULL,
  display     TEXT    NOT NULL,
  kind        TEXT    NOT NULL,
  url         TEXT    NOT NULL,
  fingerprint TEXT,
  log_key     TEXT,
  settings    TEXT    NOT NULL,             -- JSON
  state       TEXT    NOT NULL,
  created     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- state: 0 queued, 1 sent, 2 accepted, 3 refused, 4 skipped.
CREATE TABLE delivery (
  peer       TEXT    NOT NULL REFERENCES peer (key) ON DELETE CASCADE,
  seq        INTEGER NOT NULL,
  state      INTEGER NOT NULL,
  reason     TEXT,
  receipt    TEXT,
  attempts   INTEGER NOT NULL,
  queued     INTEGER NOT NULL,
  changed    INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  PRIMARY KEY (peer, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_seq ON delivery (seq);
CREATE INDEX delivery_state ON delivery (peer, state, seq);

CREATE TABLE pull_cursor (
  peer   TEXT NOT NULL REFERENCES peer (key) ON DELETE CASCADE,
  source TEXT NOT NULL,
  value  TEXT NOT NULL,
  PRIMARY KEY (peer, source)
) STRICT, WITHOUT ROWID;

-- TAXII statuses, until they expire.
CREATE TABLE status (
  id         TEXT PRIMARY KEY,
  principal  TEXT    NOT NULL,
  collection INTEGER NOT NULL,
  created    INTEGER NOT NULL,
  expires    INTEGER NOT NULL,
  body       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX status_expires ON status (expires);
