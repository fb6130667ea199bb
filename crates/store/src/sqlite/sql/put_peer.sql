INSERT INTO peer (key, party, display, kind, url, fingerprint, log_key, settings, state, created, receipt_key)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (key) DO UPDATE SET party = excluded.party, display = excluded.display, kind = excluded.kind,
  url = excluded.url, fingerprint = excluded.fingerprint, log_key = excluded.log_key, settings = excluded.settings,
  state = excluded.state, receipt_key = excluded.receipt_key
