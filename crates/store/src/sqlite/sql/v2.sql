-- Version 2: receipts. Who answered whom for which leaf, and the heads of other logs that were seen on the way.

-- Verifier key of a peer's receipts (vkey text), as its card said when a person took it up.
ALTER TABLE peer ADD COLUMN receipt_key TEXT;

-- What this node answers other parties' nodes: one row per receipt it owes or gave.
CREATE TABLE answer (
  idx            INTEGER PRIMARY KEY,       -- INVARIANT: that entry has this event, this leaf as link, and commits to salt and content
  party          TEXT    NOT NULL,          -- to whom
  event          INTEGER NOT NULL,
  seq            INTEGER,                   -- the record here; null for what was refused
  id             TEXT    NOT NULL,
  version        TEXT    NOT NULL,          -- as written in the object
  content_sha256 BLOB    NOT NULL CHECK (length(content_sha256) = 32),
  salt           BLOB             CHECK (length(salt) = 32),  -- null once the record is erased and the receipt was taken
  sender         TEXT    NOT NULL,          -- origin of the sender's log
  sender_entry   INTEGER NOT NULL,
  sender_leaf    BLOB    NOT NULL CHECK (length(sender_leaf) = 32),
  label          TEXT,                      -- the label it is kept under here, when it was received
  reason         TEXT,
  settled        INTEGER NOT NULL,          -- 0 owed, 1 taken by the other side, 2 refused by it
  settled_at     INTEGER,
  words          TEXT                       -- why the other side refused it
) STRICT;
-- One receipt per leaf and event, however often the record comes.
CREATE UNIQUE INDEX answer_leaf ON answer (sender_leaf, event, party);
CREATE INDEX answer_owed ON answer (party, idx) WHERE settled = 0;
CREATE INDEX answer_party ON answer (party, idx);
CREATE INDEX answer_seq ON answer (seq);

-- From whom a receipt is awaited for which record, since it first left for that party's node.
CREATE TABLE awaited (
  party   TEXT    NOT NULL,
  seq     INTEGER NOT NULL,
  since   INTEGER NOT NULL,
  due     INTEGER NOT NULL,                 -- the time agreed on when it left
  receipt INTEGER,                          -- the receipt that came
  expiry  INTEGER,                          -- the entry that says that none came in time
  PRIMARY KEY (party, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX awaited_seq ON awaited (seq);
CREATE INDEX awaited_open ON awaited (party, due) WHERE receipt IS NULL AND expiry IS NULL;

-- Receipts of other parties for records of this register, each verified before it was put here.
CREATE TABLE receipt (
  id       INTEGER PRIMARY KEY,
  party    TEXT    NOT NULL,                -- who gave it
  entry    INTEGER NOT NULL,                -- index in that party's log
  event    INTEGER NOT NULL,
  seq      INTEGER NOT NULL,                -- the record here
  time     INTEGER NOT NULL,                -- by that party's clock
  received INTEGER NOT NULL,                -- by ours
  late     INTEGER NOT NULL,                -- it came after the expiry was logged
  label    TEXT,
  reason   TEXT,
  note     TEXT    NOT NULL,                -- the signed receipt
  proof    TEXT    NOT NULL,                -- the proof of its entry (tlog-proof)
  UNIQUE (seq, party, event, entry)
) STRICT;

-- Heads of other parties' logs that were acted on: the cross-link.
CREATE TABLE peer_head (
  idx   INTEGER PRIMARY KEY,                -- INVARIANT: that entry links to this root and commits to the text of this note
  party TEXT    NOT NULL,
  size  INTEGER NOT NULL,                   -- INVARIANT: rises with idx for each party, until `forgotten`
  root  BLOB    NOT NULL CHECK (length(root) = 32),
  note  TEXT    NOT NULL,
  forgotten INTEGER NOT NULL                -- 1: a person said that this log began anew
) STRICT;
CREATE INDEX peer_head_party ON peer_head (party, idx);

-- Last versions that ask for the removal of what came before.
CREATE TABLE withdrawal (
  seq      INTEGER PRIMARY KEY,             -- the last version
  party    TEXT    NOT NULL,                -- who asks
  reason   TEXT    NOT NULL,
  asked    INTEGER NOT NULL,
  decision INTEGER NOT NULL,                -- 0 open, 1 removed, 2 kept, 3 it is our own asking
  decided  INTEGER,
  decider  TEXT,
  words    TEXT                             -- why it is kept
) STRICT;
CREATE INDEX withdrawal_open ON withdrawal (seq) WHERE decision = 0;
