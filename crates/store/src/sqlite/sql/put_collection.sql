INSERT INTO collection (uuid, alias, title, description, media_types, grants, created)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (uuid) DO UPDATE SET alias = excluded.alias, title = excluded.title, description = excluded.description,
  media_types = excluded.media_types, grants = excluded.grants
