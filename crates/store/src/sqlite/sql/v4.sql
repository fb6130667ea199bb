-- Evidence: exhibits, their items, their custody. Contents lie in the vault beside the register, under their SHA-256.

-- Objects of the vault the register refers to.
-- state: 0 kept, 1 to be removed (a crash may have left it), 2 removed.
CREATE TABLE vault_object (
  sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
  size   INTEGER NOT NULL,
  state  INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2)
) STRICT, WITHOUT ROWID;
CREATE INDEX vault_object_doomed ON vault_object (sha256) WHERE state = 1;

CREATE TABLE exhibit (
  key             INTEGER PRIMARY KEY,
  id              TEXT    NOT NULL UNIQUE,
  number          TEXT    NOT NULL,
  origin          TEXT    NOT NULL,         -- the party that gave it its number
  title           TEXT    NOT NULL,
  items           INTEGER NOT NULL,         -- INVARIANT: number of exhibit_item rows
  size            INTEGER NOT NULL,         -- INVARIANT: sum of the sizes of its items
  items_sha256    BLOB    NOT NULL,         -- the list of items, an object of the vault itself
  taken_in        INTEGER NOT NULL,
  last            BLOB    NOT NULL,         -- INVARIANT: hash of its last custody row
  retention_until INTEGER,                  -- microseconds; not to be destroyed before
  hold            TEXT,                     -- why it must not be destroyed
  use_limits      TEXT,                     -- what it may be used for
  destroyed       INTEGER,
  UNIQUE (origin, number)
) STRICT;

CREATE TABLE exhibit_item (
  exhibit INTEGER NOT NULL,
  item    INTEGER NOT NULL,
  sha256  BLOB    NOT NULL,
  PRIMARY KEY (exhibit, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX exhibit_item_object ON exhibit_item (sha256);

-- Custody, in order: each line with its signatures, as docs/EVIDENCE.md has it.
CREATE TABLE custody (
  exhibit INTEGER NOT NULL,
  place   INTEGER NOT NULL,                 -- from 0
  hash    BLOB    NOT NULL UNIQUE,
  kind    TEXT    NOT NULL,
  record  TEXT    NOT NULL,                 -- identifier of the record that carries it
  line    TEXT    NOT NULL,
  PRIMARY KEY (exhibit, place)
) STRICT, WITHOUT ROWID;

-- Public keys by which persons sign custody. Never removed: old signatures stay verifiable.
CREATE TABLE person_key (
  vkey      TEXT PRIMARY KEY,
  principal TEXT    NOT NULL,
  added     INTEGER NOT NULL,
  retired   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX person_key_principal ON person_key (principal);
