//! Each kind of damage is found and named.

use comity_store::{Batch, Disclose, Level, Op, Stored};

use crate::support::{Register, delete, put, report, sign_with, signer};

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
    (
        "UPDATE register SET note = replace(note, 'example', 'invalid')",
        "register.note",
    ),
    ("UPDATE register SET size = size - 1", "register.note"),
    ("UPDATE register SET root = zeroblob(32)", "register.note"),
    ("UPDATE register SET origin = 'x'", "register.note"),
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
        salt: [1; 32],
    }));
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
        let report = report(other.path());
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
fn a_history_that_another_key_signed_is_found() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "amber", &[c]));
    // whoever can write the file can also make a log of their own in it: all that is missing is the key
    let other = signer(2);
    let batch = Batch {
        now_micros: 9_000_000,
        ops: vec![Op::Put(Box::new(put(2, 1, "amber", &[c])))],
    };
    register
        .writer
        .append(&batch, &|size, root| sign_with(&other, size, root))
        .unwrap();
    let dir = register.dir.path();
    let unknown = comity_store::fsck(dir, Level::Deep, &mut |_| {}).unwrap();
    assert!(unknown.is_clean(), "without the key nobody can tell");
    let problems = report(dir).problems;
    assert!(
        problems.len() == 1 && problems[0].what == "register.note",
        "{problems:?}"
    );
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
