INSERT INTO register (one, database_id, origin, created, size, root, note, added_last, seq_next, shelf_generation, admin_generation)
VALUES (1, ?1, ?2, ?3, 0, ?4, '', 0, 1, 0, 0)
