//! Exhibits in the register: taken in with their records or not at all, continued by one at a time, destroyed for good; and
//! `fsck` finds whatever does not agree.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use comity_evidence::custody::{Actor, Event, Fields, Kind, Line, Tool, custody_key_name};
use comity_evidence::{ExhibitId, Hash, Hex, Time};
use comity_ledger::note::{KeyName, Signer};
use comity_store::vault::{Began, Sealed, Sealing, Vault};
use comity_store::{
    CustodyRow, Evidence, EvidenceChange, ExhibitRow, Fault, Level, Op, Options, Outcome, Put,
};

use crate::support::{Register, put_bytes};

fn signer(name: &str) -> Signer {
    Signer::from_seed(KeyName::new(name).unwrap(), &[3; 32]).unwrap()
}

fn exhibit_id(number: u32) -> ExhibitId {
    ExhibitId::from_uuid(&format!("5afe0000-2021-4603-8c0d-{number:012}")).unwrap()
}

/// Puts files into the vault and gives the list's objects.
fn fill(register: &Register, number: u32, files: &[&str]) -> (Sealed, Vec<(Hash, u64)>) {
    let input = register.dir.path().join(format!("in{number}"));
    fs::create_dir_all(&input).unwrap();
    for file in files {
        fs::write(input.join(file), file.repeat(100)).unwrap();
    }
    let vault = Vault::new(register.dir.path());
    let mut session = vault
        .begin(&[input], &exhibit_id(number), Began::New)
        .unwrap();
    let sealed = vault
        .seal(&mut session, false, &Sealing::default())
        .unwrap();
    session.finish().unwrap();
    let mut objects = Vec::new();
    vault
        .items(&sealed.items_sha256, &mut |item| {
            objects.push((item.sha256, item.size));
            Ok(())
        })
        .unwrap();
    (sealed, objects)
}

fn line(exhibit: u32, event: u32, kind: Kind, sealed: &Sealed, previous: Option<Hash>) -> Line {
    let key = signer("olena@ua");
    let event = Event::new(Fields {
        id: format!("5afe0000-2021-4603-8c0d-0000{event:08}"),
        exhibit: exhibit_id(exhibit),
        kind,
        actor: Actor {
            name: "olena@ua".into(),
            authority: "ua".into(),
            key: key.verifier().clone(),
        },
        on_behalf_of: None,
        basis: "b".into(),
        place: "p".into(),
        handling: "TLP:AMBER".into(),
        time: Time::from_micros(i64::from(event) * 1_000_000),
        tool: Tool {
            name: "t".into(),
            version: "1".into(),
            parameters: "x".into(),
        },
        items: sealed.items,
        size: sealed.size,
        items_sha256: sealed.items_sha256,
        rehashed: None,
        counterparty: None,
        outputs: Vec::new(),
        previous,
        anomaly: None,
        reason: kind.needs_reason().then(|| "r".into()),
    });
    Line::sign(event.unwrap(), &key, &signer(&custody_key_name("ua"))).unwrap()
}

fn row(line: &Line) -> CustodyRow {
    let event = line.event_unverified();
    CustodyRow {
        hash: *event.hash(),
        kind: event.fields().kind.word().into(),
        record: format!("comity-custody--{}", event.fields().id),
        line: line.to_line(),
    }
}

/// The record that carries a line; the number makes it another object than those of other tests.
fn record(number: u32, line: &Line) -> Put {
    let id = format!("comity-custody--{}", line.event_unverified().fields().id);
    let bytes = format!(
        r#"{{"type":"comity-custody","id":"{id}","event":{}}}"#,
        line.event_unverified().to_json()
    );
    Put {
        id,
        object_type: "comity-custody".into(),
        created_by: None,
        references: Vec::new(),
        ..put_bytes(number, 1, "amber", &[], bytes.into_bytes())
    }
}

fn take_in(
    number: u32,
    sealed: &Sealed,
    objects: Vec<(Hash, u64)>,
    line: &Line,
    list_size: u64,
) -> Op {
    let change = EvidenceChange::TakeIn {
        exhibit: Box::new(ExhibitRow {
            id: exhibit_id(number).to_string(),
            number: format!("UA-2026-{number:04}"),
            origin: "ua".into(),
            title: "t".into(),
            items: sealed.items,
            size: sealed.size,
            items_sha256: sealed.items_sha256,
            taken_in: 0,
            last: [0; 32],
            retention_until: None,
            hold: None,
            use_limits: None,
            destroyed: None,
        }),
        objects,
        list_size,
        custody: vec![row(line)],
    };
    let records = vec![record(number * 10, line)];
    Op::Evidence(Box::new(Evidence { records, change }))
}

fn list_size(register: &Register, sealed: &Sealed) -> u64 {
    Vault::new(register.dir.path())
        .open_object(&sealed.items_sha256)
        .unwrap()
        .size()
}

/// An exhibit with these files, taken in.
fn sealed(register: &mut Register, number: u32, files: &[&str]) -> (Sealed, Line) {
    let (sealed, objects) = fill(register, number, files);
    let line = line(number, number * 10, Kind::Sealed, &sealed, None);
    let size = list_size(register, &sealed);
    let outcome = register.one(take_in(number, &sealed, objects, &line, size));
    assert!(
        matches!(outcome, Outcome::Evidence { ref entries, .. } if entries.len() == 1),
        "{outcome:?}"
    );
    (sealed, line)
}

fn goes_on(number: u32, line: &Line, after: Hash, destroy: bool) -> Op {
    Op::Evidence(Box::new(Evidence {
        records: vec![record(number, line)],
        change: EvidenceChange::Continue {
            exhibit: line.event_unverified().fields().exhibit.to_string(),
            after,
            custody: vec![row(line)],
            countersigned: None,
            destroy,
        },
    }))
}

fn problems(register: &Register, level: Level) -> Vec<String> {
    let report = comity_store::fsck(register.dir.path(), level, &mut |_| {}).unwrap();
    report
        .problems
        .into_iter()
        .map(|problem| problem.what)
        .collect()
}

#[test]
fn an_exhibit_is_taken_in_with_its_record_or_not_at_all() {
    let mut register = Register::new();
    let (sealed, first) = sealed(&mut register, 1, &["a", "b"]);
    register.fsck();
    let kept = register.store.exhibit("UA-2026-0001").unwrap().unwrap();
    assert_eq!(
        (kept.items, kept.size, kept.last),
        (2, 200, *first.event_unverified().hash())
    );
    assert_eq!(register.store.custody(&kept.id).unwrap(), [row(&first)]);
    assert_eq!(
        register.store.exhibit_item(&kept.id, 2).unwrap().unwrap().1,
        100
    );
    assert!(register.store.exhibit_item(&kept.id, 3).unwrap().is_none());
    // again, under another number of the same exhibit, and with a number that is taken: no trace
    let size = register.store.head().unwrap().size;
    let objects = vec![(sealed.items_sha256, 1)];
    for number in [1, 2] {
        let again = line(number, 77, Kind::Sealed, &sealed, None);
        let mut op = take_in(number, &sealed, objects.clone(), &again, 1);
        if let Op::Evidence(evidence) = &mut op
            && let EvidenceChange::TakeIn { exhibit, .. } = &mut evidence.change
        {
            exhibit.number = "UA-2026-0001".into();
        }
        let outcome = register.one(op);
        assert!(
            matches!(outcome, Outcome::Rejected(Fault::Taken { .. })),
            "{outcome:?}"
        );
    }
    assert_eq!(register.store.head().unwrap().size, size);
    register.fsck();
    register.reopen().fsck();
}

#[test]
fn two_who_act_at_once_do_not_fork_the_chain() {
    let mut register = Register::new();
    let (sealed, first) = sealed(&mut register, 1, &["a"]);
    let after = *first.event_unverified().hash();
    let one = line(1, 20, Kind::Opened, &sealed, Some(after));
    let other = line(1, 21, Kind::Copied, &sealed, Some(after));
    let outcomes = register
        .append(vec![
            goes_on(2, &one, after, false),
            goes_on(3, &other, after, false),
        ])
        .outcomes;
    assert!(matches!(outcomes[0], Outcome::Evidence { .. }));
    assert!(
        matches!(
            outcomes[1],
            Outcome::Rejected(Fault::Invalid { what: "event", .. })
        ),
        "{outcomes:?}"
    );
    register.fsck();
    assert_eq!(
        register
            .store
            .custody(exhibit_id(1).as_str())
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_failure_anywhere_in_the_transaction_leaves_nothing() {
    for point in ["operations", "tiles", "sign", "head", "before commit"] {
        let armed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let trigger = std::sync::Arc::clone(&armed);
        let faults = move |here: &str| {
            if here == point && trigger.load(std::sync::atomic::Ordering::SeqCst) {
                return Err(std::io::Error::other("injected"));
            }
            Ok(())
        };
        let mut register = Register::with(&Options {
            faults: Some(std::sync::Arc::new(faults)),
            ..Options::default()
        });
        let (sealed, objects) = fill(&register, 1, &["a"]);
        let line = line(1, 10, Kind::Sealed, &sealed, None);
        let size = list_size(&register, &sealed);
        let op = take_in(1, &sealed, objects, &line, size);
        armed.store(true, std::sync::atomic::Ordering::SeqCst);
        let batch = comity_store::Batch {
            now_micros: 5,
            ops: vec![op.clone()],
        };
        register
            .writer
            .append(&batch, &crate::support::sign)
            .unwrap_err();
        armed.store(false, std::sync::atomic::Ordering::SeqCst);
        assert!(register.store.exhibits().unwrap().is_empty(), "{point}");
        // the contents are there and nobody refers to them: named, harmless
        assert_eq!(
            problems(&register, Level::Full),
            ["vault.extra", "vault.extra"],
            "{point}"
        );
        assert!(matches!(register.one(op), Outcome::Evidence { .. }));
        register.fsck();
    }
}

#[test]
fn destroying_takes_what_no_other_exhibit_has_and_leaves_the_rest() {
    let mut register = Register::new();
    let (sealed, first) = sealed(&mut register, 1, &["a", "b"]);
    crate::evidence::sealed(&mut register, 2, &["b", "c"]);
    let after = *first.event_unverified().hash();
    let end = line(1, 50, Kind::Destroyed, &sealed, Some(after));
    let Outcome::Evidence { doomed, .. } = register.one(goes_on(4, &end, after, true)) else {
        panic!("not destroyed");
    };
    assert_eq!(
        doomed.len(),
        2,
        "`a` and the list; `b` is in the other one too"
    );
    assert_eq!(register.store.doomed_objects().unwrap().len(), 2);
    // a crash here: said, not removed yet
    let mut register = register.reopen();
    assert_eq!(
        problems(&register, Level::Full),
        ["vault.not-removed", "vault.not-removed"]
    );
    let vault = Vault::new(register.dir.path());
    for object in &doomed {
        vault.remove_object(object).unwrap();
        vault.remove_object(object).unwrap();
    }
    let removed = Evidence {
        records: vec![],
        change: EvidenceChange::Removed(doomed),
    };
    register.one(Op::Evidence(Box::new(removed)));
    register.fsck();
    assert!(register.store.doomed_objects().unwrap().is_empty());
    // nothing follows
    let last = *end.event_unverified().hash();
    let more = line(1, 51, Kind::Copied, &sealed, Some(last));
    assert!(matches!(
        register.one(goes_on(5, &more, last, false)),
        Outcome::Rejected(_)
    ));
    // the same contents sealed once more are there again
    let again = crate::evidence::sealed(&mut register, 3, &["a"]);
    assert_eq!(again.0.items, 1);
    register.fsck();
}

#[test]
fn what_is_under_hold_or_to_be_kept_is_not_destroyed() {
    let mut register = Register::new();
    let (sealed, first) = sealed(&mut register, 1, &["a"]);
    let after = *first.event_unverified().hash();
    let end = line(1, 50, Kind::Destroyed, &sealed, Some(after));
    for (hold, retention_until) in [(Some("order".to_owned()), None), (None, Some(i64::MAX))] {
        let keep = Evidence {
            records: vec![],
            change: EvidenceChange::Keep {
                exhibit: exhibit_id(1).to_string(),
                retention_until,
                hold,
                use_limits: None,
            },
        };
        register.one(Op::Evidence(Box::new(keep)));
        let outcome = register.one(goes_on(4, &end, after, true));
        assert!(
            matches!(outcome, Outcome::Rejected(Fault::Invalid { .. })),
            "{outcome:?}"
        );
    }
    register.fsck();
}

fn object_path(register: &Register, hash: &Hash) -> PathBuf {
    let name = Hex(hash).to_string();
    let path = register
        .dir
        .path()
        .join("vault/objects")
        .join(&name[..2])
        .join(&name);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

#[test]
fn fsck_finds_whatever_does_not_agree() {
    let mut register = Register::new();
    let (sealed, _) = sealed(&mut register, 1, &["a", "b"]);
    let hash = register
        .store
        .exhibit_item(exhibit_id(1).as_str(), 1)
        .unwrap()
        .unwrap()
        .0;
    let path = object_path(&register, &hash);
    let good = fs::read(&path).unwrap();
    // one bit
    let mut bad = good.clone();
    bad[50] ^= 1;
    fs::write(&path, &bad).unwrap();
    assert_eq!(problems(&register, Level::Full), Vec::<String>::new());
    assert_eq!(problems(&register, Level::Deep), ["vault.content"]);
    fs::write(&path, &bad[1..]).unwrap();
    assert_eq!(problems(&register, Level::Full), ["vault.size"]);
    fs::remove_file(&path).unwrap();
    assert_eq!(problems(&register, Level::Full), ["vault.missing"]);
    fs::write(&path, &good).unwrap();
    let list = object_path(&register, &sealed.items_sha256);
    let mut text = fs::read(&list).unwrap();
    text[9] ^= 1;
    fs::write(&list, &text).unwrap();
    assert_eq!(problems(&register, Level::Deep), ["vault.content"]);
    text[9] ^= 1;
    fs::write(&list, &text).unwrap();
    fs::write(register.dir.path().join("vault/objects/x"), b"").unwrap();
    let extra = Hex(&comity_evidence::sha256(b"x")).to_string();
    fs::create_dir_all(register.dir.path().join("vault/objects").join(&extra[..2])).unwrap();
    fs::write(
        register
            .dir
            .path()
            .join("vault/objects")
            .join(&extra[..2])
            .join(&extra),
        b"x",
    )
    .unwrap();
    assert_eq!(
        problems(&register, Level::Full),
        ["vault.stray", "vault.extra"]
    );
    fs::remove_file(register.dir.path().join("vault/objects/x")).unwrap();
    fs::remove_file(
        register
            .dir
            .path()
            .join("vault/objects")
            .join(&extra[..2])
            .join(&extra),
    )
    .unwrap();
    register.fsck();
    // rows
    for (sql, found) in [
        ("UPDATE exhibit SET items = 3", "exhibit.items"),
        ("UPDATE exhibit SET last = zeroblob(32)", "custody.last"),
        (
            "UPDATE custody SET line = replace(line, '\"place\":\"p\"', '\"place\":\"q\"')",
            "custody.line",
        ),
        ("UPDATE custody SET kind = 'opened'", "custody.line"),
        ("UPDATE custody SET record = 'x'", "custody.record"),
        ("UPDATE custody SET place = 1", "custody.place"),
        (
            "UPDATE vault_object SET state = 1 WHERE size = 100",
            "exhibit.object",
        ),
        ("DELETE FROM exhibit_item WHERE item = 2", "exhibit.items"),
        ("DELETE FROM custody", "custody.last"),
    ] {
        let connection =
            rusqlite::Connection::open(register.dir.path().join("register.db")).unwrap();
        let copy = register.dir.path().join("copy.db");
        let _ = fs::remove_file(&copy);
        register.store.backup(&copy, &mut |_| {}).unwrap();
        connection.execute(sql, []).unwrap();
        let problems = problems(&register, Level::Full);
        assert!(
            problems.iter().any(|problem| problem == found),
            "{sql}: {problems:?}"
        );
        // back to what it was
        let tables = ["exhibit", "custody", "exhibit_item", "vault_object"];
        connection
            .execute("ATTACH ?1 AS good", [copy.to_str().unwrap()])
            .unwrap();
        for table in tables {
            connection
                .execute_batch(&format!(
                    "DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM good.{table}"
                ))
                .unwrap();
        }
        connection.execute_batch("DETACH good").unwrap();
    }
    register.fsck();
}

#[test]
fn a_seal_that_is_not_committed_yet_is_no_extra() {
    let register = Register::new();
    let input = register.dir.path().join("in");
    fs::create_dir(&input).unwrap();
    fs::write(input.join("a"), b"a").unwrap();
    let vault = Vault::new(register.dir.path());
    let mut session = vault.begin(&[input], &exhibit_id(1), Began::New).unwrap();
    vault
        .seal(&mut session, false, &Sealing::default())
        .unwrap();
    assert_eq!(problems(&register, Level::Full), Vec::<String>::new());
}
