-- Version 5. The salt of an entry commits to the label and the circumstances its record was taken in under, and the salt of a
-- refusal to its text (comity_ledger::salt). What opens that commitment stands here, beside the entry, and is never handed out.

-- Interned: from whom, by whom and into which collections records were taken in. Canonical JSON. Never removed.
CREATE TABLE circumstances (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;

-- One per record that is here, and per refusal. INVARIANT: goes when the record is erased; with it and a label the salt could
-- be found again.
CREATE TABLE seed (
  idx           INTEGER PRIMARY KEY,        -- the entry
  seed          BLOB    NOT NULL CHECK (length(seed) = 32),
  circumstances INTEGER                     -- NULL for a refusal
) STRICT;

-- Entries before this one were made without. Not 0 only in a register that is older than this version: then the entry with
-- this index says so.
ALTER TABLE register ADD COLUMN sealed_from INTEGER NOT NULL DEFAULT 0;
UPDATE register SET sealed_from = size;
