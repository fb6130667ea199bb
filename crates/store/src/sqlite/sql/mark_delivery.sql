-- A peer's answer may come before we noted that we sent: `accepted` and `refused` are never taken back to `sent`.
INSERT INTO delivery (peer, seq, state, reason, receipt, attempts, queued, changed, not_before)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
ON CONFLICT (peer, seq) DO UPDATE SET
  state = CASE WHEN excluded.state = 1 AND state IN (2, 3) THEN state ELSE excluded.state END,
  reason = excluded.reason,
  receipt = coalesce(excluded.receipt, receipt),
  attempts = attempts + excluded.attempts,
  changed = excluded.changed,
  not_before = excluded.not_before
