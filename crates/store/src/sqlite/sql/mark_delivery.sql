-- What the peer said stands: `accepted` and `refused` are never taken back, and what was sent is not *skipped* by a rule of today.
-- Its answer may also come before we noted that we sent.
INSERT INTO delivery (peer, seq, state, reason, receipt, attempts, queued, changed, not_before)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
ON CONFLICT (peer, seq) DO UPDATE SET
  state = CASE WHEN (excluded.state IN (0, 1) AND state IN (2, 3)) OR (excluded.state = 4 AND state IN (1, 2, 3))
    THEN state ELSE excluded.state END,
  reason = CASE WHEN (excluded.state IN (0, 1) AND state IN (2, 3)) OR (excluded.state = 4 AND state IN (1, 2, 3))
    THEN reason ELSE excluded.reason END,
  receipt = coalesce(excluded.receipt, receipt),
  attempts = attempts + excluded.attempts,
  changed = excluded.changed,
  not_before = excluded.not_before
