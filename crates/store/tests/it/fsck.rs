//! Each kind of damage is found and named.

use comity_store::{Disclose, Level, Op, Stored};

use crate::support::{Register, delete, put};

/// (damage done behind the writer's back, code of a problem it must be reported as)
const DAMAGE: &[(&str, &str)] = &[
    (
        "UPDATE entry SET bytes = zeroblob(76) WHERE idx = 2",
        "log.entry",
    ),
    (
        "UPDATE entry SET bytes = (SELECT bytes FROM entry WHERE idx = 1) WHERE idx = 2",
        "log.root",
    ),
    ("DELETE FROM entry WHERE idx = 2", "log.gap"),
    (
        "DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)",
        "log.size",
    ),
    ("UPDATE tile SET hashes = zeroblob(32)", "log.tile"),
    ("DELETE FROM tile", "log.tile"),
    ("UPDATE register SET root = zeroblob(32)", "log.root"),
    ("UPDATE register SET note = ''", "register.note"),
    ("UPDATE register SET added_last = 0", "register.added"),
    ("UPDATE register SET seq_next = 1", "register.seq"),
    (
        "UPDATE record SET bytes = CAST('{}' AS BLOB) WHERE seq = 1",
        "record.content",
    ),
    (
        "UPDATE record SET content_sha256 = zeroblob(32) WHERE seq = 1",
        "record.commitment",
    ),
    (
        "UPDATE record SET salt = zeroblob(32) WHERE seq = 1",
        "record.commitment",
    ),
    (
        "UPDATE record SET entry_index = 0 WHERE seq = 1",
        "record.entry",
    ),
    ("UPDATE entry_detail SET content = '{}'", "entry.content"),
    (
        "UPDATE entry_detail SET salt = zeroblob(32)",
        "entry.commitment",
    ),
    ("DELETE FROM entry_detail", "entry.content"),
    ("UPDATE member SET last = 1", "standing.version"),
    ("UPDATE member SET shelf = 1", "standing.shelf"),
    ("UPDATE shelf SET members = members + 1", "count.shelf"),
    ("UPDATE label_set SET records = 7", "count.label_set"),
    ("DELETE FROM record WHERE seq = 1", "orphan.member"),
    ("DELETE FROM record WHERE seq = 1", "orphan.entry"),
    ("DELETE FROM collection", "orphan.member"),
    ("UPDATE record SET label_set = 99", "orphan.record"),
    ("UPDATE record SET id = 'x' WHERE seq = 1", "orphan.record"),
    ("INSERT INTO edge VALUES (1, 999, 'x')", "orphan.edge"),
    (
        "INSERT INTO tombstone SELECT seq, object, version_key, content_sha256, entry_index, 1, 1, '', '' FROM record",
        "orphan.tombstone",
    ),
    (
        "INSERT INTO disclosure_run VALUES (1, 1, 999)",
        "orphan.disclosure",
    ),
    (
        "INSERT INTO search (rowid, text, scope) VALUES (999, 'x', 'l1')",
        "search.extra",
    ),
    ("DELETE FROM search WHERE rowid = 1", "search.missing"),
    ("DELETE FROM answer WHERE seq IS NOT NULL", "answer.entry"),
    (
        "UPDATE answer SET sender_leaf = zeroblob(32) WHERE event = 162",
        "answer.entry",
    ),
    (
        "UPDATE answer SET event = 225 WHERE event = 209",
        "answer.entry",
    ),
    ("UPDATE answer SET seq = 999", "answer.record"),
    ("UPDATE answer SET salt = zeroblob(32)", "answer.commitment"),
    ("UPDATE answer SET salt = NULL", "answer.salt"),
    ("UPDATE awaited SET seq = 999", "awaited.record"),
    ("UPDATE awaited SET receipt = 999", "awaited.receipt"),
    ("UPDATE awaited SET receipt = NULL", "awaited.receipt"),
    ("UPDATE awaited SET expiry = 1", "awaited.expiry"),
    ("DELETE FROM awaited", "awaited.expiry"),
    ("UPDATE receipt SET seq = 999", "receipt.record"),
    ("DELETE FROM peer_head", "head.entry"),
    ("UPDATE peer_head SET root = zeroblob(32)", "head.entry"),
    ("UPDATE peer_head SET note = 'x'", "head.note"),
    ("DELETE FROM alarm", "alarm.entry"),
    ("UPDATE alarm SET entry_index = 0", "alarm.entry"),
    ("UPDATE withdrawal SET seq = 999", "withdrawal.record"),
    (
        "UPDATE position SET next_entry = 999 WHERE follower = 'search'",
        "search.position",
    ),
];

#[test]
fn every_kind_of_damage_is_found() {
    let mut register = Register::new();
    let c = register.collection(1);
    let Stored::New { seq, .. } = register.put(put(1, 1, "amber", &[c])) else {
        panic!()
    };
    register.put(put(1, 2, "green", &[c]));
    register.put(put(1, 3, "amber", &[c]));
    register.put(put(2, 1, "green", &[c]));
    register.delete(delete(2, None, None));
    register.one(Op::Disclose(Disclose {
        reader_party: "eu".into(),
        principal: "node@eu".into(),
        records: vec![seq],
        awaited: None,
        salt: [1; 32],
    }));
    register.append(crate::receipts::everything(c, seq));
    register.writer.search_index_step(1000).unwrap();
    register.fsck();
    register.writer.checkpoint().unwrap();
    let sound = register.dir.path().join("register.db");
    for (damage, code) in DAMAGE {
        let other = tempfile::tempdir().unwrap();
        let copy = other.path().join("register.db");
        std::fs::copy(&sound, &copy).unwrap();
        let connection = rusqlite::Connection::open(&copy).unwrap();
        assert!(connection.execute(damage, []).unwrap() > 0, "{damage}");
        drop(connection);
        let report = comity_store::fsck(other.path(), Level::Deep, &mut |_| {}).unwrap();
        let found: Vec<_> = report
            .problems
            .iter()
            .map(|problem| problem.what.as_str())
            .collect();
        assert!(
            found.contains(code),
            "{damage}: {code} expected, {found:?} found"
        );
        assert!(
            report
                .problems
                .iter()
                .all(|problem| !problem.where_.is_empty())
        );
    }
}

#[test]
fn a_tampered_log_is_never_appended_to() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "amber", &[c]));
    register.writer.checkpoint().unwrap();
    let path = register.dir.path().join("register.db");
    let Register {
        dir, store, writer, ..
    } = register;
    drop((store, writer));
    rusqlite::Connection::open(path)
        .unwrap()
        .execute("UPDATE tile SET hashes = zeroblob(64)", [])
        .unwrap();
    let (store, mut writer) =
        comity_store::open(dir.path(), &comity_store::Options::default()).unwrap();
    let batch = comity_store::Batch {
        now_micros: 1,
        ops: vec![Op::Put(Box::new(put(2, 1, "amber", &[c])))],
    };
    assert!(
        writer
            .append(&batch, &crate::support::sign)
            .unwrap_err()
            .is_fatal()
    );
    assert_eq!(store.head().unwrap().size, 2);
}
