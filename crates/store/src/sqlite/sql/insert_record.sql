INSERT INTO record (seq, object, entry_index, label_set, revoked, granular, received, id, type, spec_version, version_key,
  version_text, origin, author, created_by, content_sha256, salt, bytes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
