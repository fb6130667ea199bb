//! Each kind of damage is found and named.

use comity_ledger::entry::Event;
use comity_store::{
    Admin, Batch, Disclose, Level, Op, Peer, PeerKind, PeerState, Principal, Refuse, Relabel, Seq,
    Stored, Token,
};

use crate::support::{Register, admin, delete, put, put_with, report, sign_with, signer};

/// (damage done behind the writer's back, code of a problem it must be reported as)
const DAMAGE: &[(&str, &str)] = &[
    (
        "UPDATE entry_detail SET content = replace(content, '\"by\"', '\"of\"') WHERE idx IN (SELECT idx FROM entry WHERE kind = 7)",
        "entry.content",
    ),
    (
        "UPDATE entry_detail SET content = replace(content, '\"what\"', '\"kind\"') WHERE idx IN (SELECT idx FROM entry WHERE kind = 9)",
        "entry.kind",
    ),
    (
        "DELETE FROM seed WHERE idx IN (SELECT idx FROM entry WHERE kind = 7)",
        "entry.content",
    ),
    ("UPDATE person_key SET retired = NULL", "admin.changed"),
    ("UPDATE person_key SET retired = 1", "admin.changed"),
    (
        "UPDATE person_key SET principal = 'petro@ua'",
        "admin.changed",
    ),
    (
        "DELETE FROM person_key WHERE retired IS NULL",
        "admin.missing",
    ),
    (
        "INSERT INTO person_key (vkey, principal, added) VALUES ('x', 'olena@ua', 1)",
        "admin.extra",
    ),
    ("UPDATE peer SET receipt_key = 'other'", "admin.changed"),
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
    (
        "UPDATE alarm SET acknowledged = 5, acknowledged_by = 'x', remark = 'y'",
        "alarm.acknowledged",
    ),
    ("UPDATE alarm SET detail = 'harmless'", "alarm.changed"),
    (
        "UPDATE peer_head SET forgotten = 1 - forgotten",
        "head.forgotten",
    ),
    ("UPDATE watched_head SET size = size + 1", "head.note"),
    ("UPDATE witnessed_head SET root = zeroblob(32)", "head.note"),
    ("UPDATE withdrawal SET seq = 999", "withdrawal.record"),
    (
        "UPDATE position SET next_entry = 999 WHERE follower = 'search'",
        "search.position",
    ),
    // what only repeats what entries say
    ("DELETE FROM disclosure", "disclosure.changed"),
    ("UPDATE disclosure SET party = 'ee'", "disclosure.changed"),
    ("DELETE FROM disclosure_run", "disclosure.changed"),
    (
        "INSERT INTO disclosure_run SELECT first, last + 1, idx FROM disclosure_run",
        "disclosure.changed",
    ),
    ("UPDATE tombstone SET reason = 'x'", "tombstone.changed"),
    ("UPDATE tombstone SET deleted_by = 'x'", "tombstone.changed"),
    ("UPDATE tombstone SET deleted = 1", "tombstone.changed"),
    (
        "UPDATE tombstone SET content_sha256 = zeroblob(32)",
        "tombstone.changed",
    ),
    ("DELETE FROM tombstone", "tombstone.changed"),
    ("DELETE FROM refused_version", "refused.missing"),
    ("UPDATE refused_version SET origin = 'x'", "refused.changed"),
    (
        "UPDATE entry_detail SET content = replace(content, 'other content', 'x') WHERE content LIKE '%conflict%'",
        "entry.content",
    ),
    (
        "UPDATE entry_detail SET content = replace(content, 'too late', 'x') WHERE content LIKE '%too late%'",
        "entry.content",
    ),
    // kinds and records are kept beside the entries
    ("UPDATE entry SET kind = 6 WHERE kind = 4", "entry.kind"),
    ("UPDATE entry SET kind = 5 WHERE kind = 2", "entry.kind"),
    ("UPDATE entry SET kind = 1 WHERE kind = 0", "entry.content"),
    ("UPDATE entry SET kind = 0 WHERE kind = 5", "orphan.entry"),
    ("UPDATE entry SET seq = 1 WHERE kind = 2", "entry.record"),
    ("UPDATE entry SET seq = 1 WHERE kind = 3", "entry.record"),
    // what was read from the object
    (
        "UPDATE record SET granular = 1 WHERE seq = 1",
        "record.object",
    ),
    (
        "UPDATE record SET revoked = 1 WHERE seq = 1",
        "record.object",
    ),
    ("UPDATE record SET type = 'malware'", "record.object"),
    ("UPDATE record SET spec_version = '2.0'", "record.object"),
    ("UPDATE record SET version_text = 'x'", "record.object"),
    (
        "UPDATE record SET version_key = 'x' WHERE seq = 1",
        "record.object",
    ),
    ("UPDATE record SET created_by = NULL", "record.object"),
    ("DELETE FROM edge", "record.references"),
    ("UPDATE edge SET property = '/x'", "record.references"),
    // labels and circumstances
    (
        "UPDATE record SET label_set = (SELECT id FROM label_set WHERE text = 'green') WHERE seq = 1",
        "record.label",
    ),
    (
        "UPDATE label_set SET text = 'x' WHERE text = 'amber'",
        "record.label",
    ),
    (
        "UPDATE label_set SET text = 'x' WHERE text = 'red'",
        "record.label",
    ),
    ("UPDATE seed SET seed = zeroblob(32)", "record.label"),
    ("DELETE FROM seed", "record.label"),
    (
        "UPDATE record SET origin = 'x' WHERE seq = 1",
        "record.circumstances",
    ),
    (
        "UPDATE record SET author = NULL WHERE seq = 1",
        "record.circumstances",
    ),
    (
        "UPDATE record SET received = 1 WHERE seq = 1",
        "record.received",
    ),
    (
        "UPDATE circumstances SET text = replace(text, 'olena', 'ivan')",
        "record.label",
    ),
    ("DELETE FROM member WHERE seq = 1", "record.membership"),
    ("UPDATE register SET sealed_from = 2", "register.sealed"),
    (
        "INSERT INTO seed VALUES ((SELECT entry_index FROM tombstone), zeroblob(32), 1)",
        "orphan.seed",
    ),
    // who may do what
    ("UPDATE principal SET role = 'officer'", "admin.changed"),
    ("UPDATE principal SET password_hash = 'x'", "admin.changed"),
    ("UPDATE principal SET disabled = 0", "admin.changed"),
    ("DELETE FROM principal", "admin.missing"),
    (
        "INSERT INTO principal SELECT 'eve@ua', display, role, party, entity_of, community, exercise, password_hash, disabled, created FROM principal",
        "admin.extra",
    ),
    ("UPDATE token SET sha256 = zeroblob(32)", "admin.changed"),
    ("UPDATE token SET expires = NULL", "admin.changed"),
    ("UPDATE token SET scopes = '[]'", "admin.changed"),
    (
        "INSERT INTO certificate VALUES (zeroblob(32), 'olena@ua', '', 1)",
        "admin.extra",
    ),
    (
        "UPDATE collection SET grants = '[{\"subject\":{\"kind\":\"everyone\"},\"read\":true,\"write\":false,\"delete\":false}]'",
        "admin.changed",
    ),
    ("UPDATE peer SET url = 'https://x'", "admin.changed"),
    ("UPDATE peer SET settings = '{}'", "admin.changed"),
    ("UPDATE peer SET state = 'active'", "admin.changed"),
    ("UPDATE setting SET value = 'x'", "admin.changed"),
    ("DELETE FROM setting", "admin.missing"),
    // words
    (
        "REPLACE INTO search (rowid, text, scope) VALUES (1, 'nothing of it', 'l1')",
        "search.words",
    ),
];

fn people(register: &mut Register) {
    let person = |id: &str, disabled| Principal {
        id: id.into(),
        display: "O".into(),
        role: "analyst".into(),
        party: "ua".into(),
        entity_of: None,
        community: true,
        exercise: None,
        password_hash: Some("$argon2id$".into()),
        disabled,
        created: 1,
    };
    let token = |name: &str, principal: &str, byte| Token {
        sha256: [byte; 32],
        name: name.into(),
        principal: principal.into(),
        scopes: vec!["read".into()],
        created: 1,
        expires: Some(9),
    };
    let peer = Peer {
        key: "eu".into(),
        party: "eu".into(),
        display: "EU".into(),
        kind: PeerKind::Comity,
        url: "https://node.example.eu".into(),
        fingerprint: None,
        log_key: None,
        receipt_key: Some("comity.eu/receipts/1+1+x".into()),
        settings: serde_json::json!({ "push": [{ "local": "a", "remote": "b" }] }),
        state: PeerState::Pending,
        created: 1,
    };
    let setting = |name: &str, value: Option<&str>| Admin::Setting {
        name: name.into(),
        value: value.map(str::to_owned),
    };
    for change in [
        Admin::PutPrincipal(person("olena@ua", false)),
        Admin::PutPrincipal(person("olena@ua", true)),
        Admin::PutPrincipal(person("gone@ua", false)),
        Admin::PutToken(token("siem", "olena@ua", 1)),
        Admin::PutToken(token("gone", "gone@ua", 2)),
        Admin::DropPrincipal("gone@ua".into()),
        Admin::PutToken(token("revoked", "olena@ua", 3)),
        Admin::DropToken("revoked".into()),
        Admin::PutPeer(peer),
        Admin::PutPersonKey {
            principal: "olena@ua".into(),
            vkey: "olena@ua+1+x".into(),
        },
        Admin::PutPersonKey {
            principal: "olena@ua".into(),
            vkey: "olena@ua+2+x".into(),
        },
        Admin::RetirePersonKey("olena@ua+1+x".into()),
        Admin::ForgetHeads {
            party: "cz".into(),
            origin: "comity.cz/log/1".into(),
            reason: "it began anew".into(),
        },
        setting("a", Some("1")),
        setting("b", Some("2")),
        setting("b", None),
        setting("c", None),
        Admin::Note(serde_json::json!({ "x": 1 })),
    ] {
        register.one(admin(change));
    }
}

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
    // refusals, a change of label, and people
    register.put(put_with(1, 1, "amber", &[c], r#","x_other":1"#));
    register.one(Op::Refuse(Refuse {
        event: Event::SubmissionRejection,
        what: r#"{"id":"x"}"#.into(),
        who: "olena@ua".into(),
        reason: "too late".into(),
        told: None,
        content_sha256: [4; 32],
        consigned: None,
        seed: [4; 32],
    }));
    register.one(Op::Relabel(Relabel {
        seq: Seq(3),
        label_set: "red".into(),
        reason: "agreed".into(),
        by: "olena@ua".into(),
        salt: [5; 32],
    }));
    people(&mut register);
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
