SELECT d.idx, d.party, d.principal, e.bytes
FROM (SELECT entry_index AS own FROM record WHERE seq = ?1 UNION ALL SELECT entry_index FROM tombstone WHERE seq = ?1)
JOIN disclosure_run r ON r.first <= own AND r.last >= own
JOIN disclosure d ON d.idx = r.idx
JOIN entry e ON e.idx = r.idx
ORDER BY d.idx
