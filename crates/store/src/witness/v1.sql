-- The database of a witness: one row of state per log, the keys that may speak for it, and what it refused.

-- Logs this witness knows. Never removed: a log added again would begin at size 0, and could be shown split.
CREATE TABLE log (
  origin        TEXT    PRIMARY KEY,
  origin_sha256 BLOB    NOT NULL UNIQUE CHECK (length(origin_sha256) = 32),
  added         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log_key (
  origin TEXT    NOT NULL REFERENCES log (origin),
  vkey   TEXT    NOT NULL,
  added  INTEGER NOT NULL,
  PRIMARY KEY (origin, vkey)
) STRICT, WITHOUT ROWID;

-- The newest checkpoint cosigned of each log.
CREATE TABLE latest (
  origin   TEXT    PRIMARY KEY REFERENCES log (origin),
  size     INTEGER NOT NULL,                -- INVARIANT: never smaller than it was
  root     BLOB    NOT NULL CHECK (length(root) = 32),
  note     TEXT    NOT NULL,                -- with the log's verified signatures and our cosignatures
  cosigned INTEGER NOT NULL,                -- INVARIANT: seconds; never smaller than it was
  count    INTEGER NOT NULL                 -- cosigned so often
) STRICT, WITHOUT ROWID;
CREATE TRIGGER latest_only_grows BEFORE UPDATE ON latest
WHEN new.size < old.size OR new.cosigned < old.cosigned OR (new.size = old.size AND new.root <> old.root)
BEGIN SELECT raise(ABORT, 'a witness never goes back'); END;
CREATE TRIGGER latest_stays BEFORE DELETE ON latest
BEGIN SELECT raise(ABORT, 'a witness never forgets'); END;

-- Checkpoints that were refused although a key of the log signed them: proof that it wrote two histories.
CREATE TABLE evidence (
  id       INTEGER PRIMARY KEY,
  origin   TEXT    NOT NULL REFERENCES log (origin),
  size     INTEGER NOT NULL,
  root     BLOB    NOT NULL,
  reason   TEXT    NOT NULL,
  note     TEXT    NOT NULL,                -- what was refused
  known    TEXT    NOT NULL,                -- the note it was compared with
  received INTEGER NOT NULL,
  UNIQUE (origin, size, root)
) STRICT;
