INSERT INTO principal (id, display, role, party, entity_of, community, exercise, password_hash, disabled, created)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
ON CONFLICT (id) DO UPDATE SET display = excluded.display, role = excluded.role, party = excluded.party,
  entity_of = excluded.entity_of, community = excluded.community, exercise = excluded.exercise,
  password_hash = excluded.password_hash, disabled = excluded.disabled
