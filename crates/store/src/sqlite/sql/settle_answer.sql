-- Once taken stays taken. When the record is erased already, the salt was only kept for the receipt, and goes.
UPDATE answer SET
  settled = CASE WHEN settled = 1 THEN 1 ELSE ?3 END,
  settled_at = CASE WHEN settled = 1 THEN settled_at ELSE ?4 END,
  words = CASE WHEN settled = 1 THEN words ELSE ?5 END,
  salt = CASE WHEN seq IS NULL OR EXISTS (SELECT 1 FROM record WHERE record.seq = answer.seq) THEN salt END
WHERE party = ?1 AND idx = ?2
