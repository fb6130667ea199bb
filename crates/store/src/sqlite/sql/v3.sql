-- Version 3: witnesses. Heads of this log that others cosigned, heads of other logs that were watched, and alarms.

-- Heads of this node's own log with witnesses' cosignatures: the newest that has the quorum, and the newest that has not.
CREATE TABLE witnessed_head (
  quorum   INTEGER PRIMARY KEY CHECK (quorum IN (0, 1)),
  size     INTEGER NOT NULL,                -- INVARIANT: never smaller than it was
  root     BLOB    NOT NULL CHECK (length(root) = 32),
  note     TEXT    NOT NULL,                -- the checkpoint with the log's signatures and the cosignatures
  cosigned INTEGER NOT NULL,                -- newest cosignature, microseconds
  changed  INTEGER NOT NULL
) STRICT;

-- Heads of other logs, each verified and found to be one tree with the others. By origin, not by peer: a peer that is
-- removed and added again meets what was seen of its log before.
CREATE TABLE watched_head (
  origin   TEXT    NOT NULL,
  forgotten INTEGER NOT NULL,               -- 0; else a person said that this log began anew, counted
  size     INTEGER NOT NULL,
  root     BLOB    NOT NULL CHECK (length(root) = 32),  -- INVARIANT: never changes for (origin, forgotten, size)
  note     TEXT    NOT NULL,
  source   TEXT    NOT NULL,                -- who showed it: `peer`, or the name of a witness
  seen     INTEGER NOT NULL,                -- first time, microseconds
  cosigned INTEGER NOT NULL,                -- newest cosignature in the note, microseconds; 0 for none
  PRIMARY KEY (origin, forgotten, size)
) STRICT, WITHOUT ROWID;

-- What somebody must look at: what is wrong with a log, or a false receipt, with the evidence. Never changed but to note
-- who acknowledged it.
CREATE TABLE alarm (
  id              INTEGER PRIMARY KEY,
  kind            TEXT    NOT NULL,
  peer            TEXT,                     -- name here; NULL for this node's own log
  origin          TEXT    NOT NULL,
  source          TEXT    NOT NULL,
  detail          TEXT    NOT NULL,
  kept            TEXT,                     -- the note that was known
  shown           TEXT,                     -- the note that contradicts it, or the false receipt with its proof
  pauses          INTEGER NOT NULL,         -- nothing is taken from the peer until it is acknowledged
  evidence        BLOB    NOT NULL,         -- INVARIANT: what happened is one alarm, however often it is seen
  raised          INTEGER NOT NULL,
  entry_index     INTEGER,                  -- NULL where signing had to stop: no entry could be written
  acknowledged    INTEGER,
  acknowledged_by TEXT,
  remark          TEXT,
  UNIQUE (origin, kind, evidence)
) STRICT;
