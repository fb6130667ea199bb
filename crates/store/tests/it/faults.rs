//! Every write fails once at every point: nothing is kept, or all of it, and the register is sound after opening it again.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use comity_store::{BackupError, Batch, Head, Level, Op, Options, PageQuery, Report, Stored};

use crate::support::{Register, delete, put, sign};

const POINTS: [&str; 7] = [
    "begin",
    "operations",
    "tiles",
    "sign",
    "head",
    "before commit",
    "after commit",
];

/// Entries of the log when the batch is kept.
const KEPT: u64 = 16;
/// Receipts owed, receipts kept, alarms, when the batch is kept.
const EXCHANGED: (usize, usize, usize) = (6, 1, 1);

#[test]
fn a_failure_at_any_point_keeps_all_or_nothing() {
    for point in POINTS {
        let armed = Arc::new(AtomicBool::new(false));
        let trigger = Arc::clone(&armed);
        let faults = move |here: &str| {
            if here == point && trigger.load(Ordering::SeqCst) {
                return Err(io::Error::other("injected"));
            }
            Ok(())
        };
        let options = Options {
            faults: Some(Arc::new(faults)),
            ..Options::default()
        };
        let mut register = Register::with(&options);
        let c = register.collection(1);
        let Stored::New { seq, .. } = register.put(put(1, 1, "amber", &[c])) else {
            panic!()
        };
        let ops = || {
            let mut ops = vec![
                Op::Put(Box::new(put(1, 2, "green", &[c]))),
                Op::Put(Box::new(put(2, 1, "a label set that is new", &[c]))),
                Op::Delete(delete(1, Some(1), None)),
            ];
            ops.extend(crate::receipts::everything(c, seq));
            ops
        };
        armed.store(true, Ordering::SeqCst);
        let batch = Batch {
            now_micros: 2_000_000,
            ops: ops(),
        };
        let error = register.writer.append(&batch, &sign).unwrap_err();
        let kept = point == "after commit";
        assert_eq!(error.is_fatal(), kept, "{point}: {error}");
        armed.store(false, Ordering::SeqCst);
        if kept {
            // in doubt: the writer refuses to go on
            assert!(
                register
                    .writer
                    .append(&batch, &sign)
                    .unwrap_err()
                    .is_fatal()
            );
            register = register.reopen();
        }
        register.fsck();
        let size = register.store.head().unwrap().size;
        assert_eq!(size, if kept { KEPT } else { 2 }, "{point}");
        let exchanged = || {
            let store = &register.store;
            let owed = store.answers_owed("eu", 100).unwrap().len();
            (
                owed,
                store.receipts(seq).unwrap().len(),
                store.alarms(false).unwrap().len(),
            )
        };
        assert_eq!(
            exchanged(),
            if kept { EXCHANGED } else { (0, 0, 0) },
            "{point}"
        );
        // trying again gives what the first try would have given, once
        let again = register.append(ops()).outcomes;
        register.fsck();
        let query = PageQuery::new(
            c,
            register.scope(&["amber", "green", "a label set that is new"]),
            10,
        );
        assert_eq!(register.page(&query).len(), 4, "{point}: {again:?}");
        let register = register.reopen();
        register.fsck();
        assert_eq!(register.page(&query).len(), 4, "{point}");
    }
}

#[test]
fn a_full_disk_fails_batches_and_nothing_else() {
    let mut register = Register::with(&Options {
        pages_max: Some(120),
        ..Options::default()
    });
    let c = register.collection(1);
    let mut acknowledged = Vec::new();
    let mut failures = 0;
    for n in 0..200 {
        let ops = (0..8)
            .map(|i| Op::Put(Box::new(put(n * 8 + i, 1, "amber", &[c]))))
            .collect();
        register.now += 1;
        match register.writer.append(
            &Batch {
                now_micros: register.now,
                ops,
            },
            &sign,
        ) {
            Ok(done) => acknowledged.push((n, done.head.size)),
            Err(error) => {
                assert!(
                    matches!(error, comity_store::AppendError::Full(_)),
                    "{error}"
                );
                failures += 1;
            }
        }
    }
    assert!(
        failures > 10 && acknowledged.len() > 10,
        "{failures} {}",
        acknowledged.len()
    );
    register.fsck();
    let mut register = register.reopen();
    register.fsck();
    let query = PageQuery::new(c, register.scope(&["amber"]), 10_000);
    assert_eq!(register.page(&query).len(), acknowledged.len() * 8);
    // with space again, the rest goes in
    assert!(matches!(
        register.put(put(100_000, 1, "amber", &[c])),
        Stored::New { .. }
    ));
    register.fsck();
}

#[test]
fn a_second_writer_is_refused_and_a_copy_is_whole() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "amber", &[c]));
    let second = comity_store::open(register.dir.path(), &Options::default());
    assert!(matches!(second, Err(comity_store::OpenError::Locked(_))));
    let beside = comity_store::open_read_only(register.dir.path(), &Options::default()).unwrap();
    assert_eq!(beside.head().unwrap(), register.store.head().unwrap());

    let target = tempfile::tempdir().unwrap();
    let copy = target.path().join("copy.db");
    let mut steps = 0;
    register.store.backup(&copy, &mut |_| steps += 1).unwrap();
    assert!(steps > 0);
    assert!(
        register.store.backup(&copy, &mut |_| {}).is_err(),
        "never overwrites"
    );
    let head = register.store.head().unwrap();
    register.put(put(2, 1, "amber", &[c]));
    // the drill: back into an empty directory, opened, sound, and it goes on from there
    let home = target.path().join("home");
    let (report, of_the_copy) = restore(&copy, &home).unwrap();
    assert!(report.is_clean());
    assert_eq!(of_the_copy, head);
    assert!(restore(&copy, &home).is_err(), "never overwrites");
    let elsewhere = target.path().join("elsewhere");
    let refuse = |_: &Head| Err("another head was expected".to_owned());
    let error = comity_store::restore(&copy, &elsewhere, Level::Deep, &refuse, &mut |_| {});
    assert!(matches!(error, Err(BackupError::Refused(_))), "{error:?}");
    assert!(!elsewhere.join("register.db").exists());
    let (store, mut writer) = comity_store::open(&home, &Options::default()).unwrap();
    assert_eq!(store.head().unwrap(), head);
    let ops = vec![Op::Put(Box::new(put(3, 1, "amber", &[c])))];
    writer.append(&Batch { now_micros: 1, ops }, &sign).unwrap();
    drop((store, writer));
    // a damaged copy is not taken
    let broken = target.path().join("broken.db");
    std::fs::copy(&copy, &broken).unwrap();
    let connection = rusqlite::Connection::open(&broken).unwrap();
    connection
        .execute("UPDATE record SET salt = zeroblob(32)", [])
        .unwrap();
    drop(connection);
    let other = target.path().join("other");
    let error = restore(&broken, &other).unwrap_err();
    assert!(error.to_string().contains("record.commitment"), "{error}");
    assert!(!other.join("register.db").exists());
}

/// A register whose write-ahead log was left behind, with a record in it that must turn up nowhere else.
fn leave_a_log_behind(dir: &std::path::Path) {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "amber", &[c]));
    let name = |end: &str| register.dir.path().join(format!("register.db{end}"));
    assert!(name("-wal").metadata().unwrap().len() > 0);
    for end in ["-wal", "-shm"] {
        std::fs::copy(name(end), dir.join(format!("register.db{end}"))).unwrap();
    }
}

#[test]
fn what_another_database_left_behind_is_never_taken_for_a_part_of_this_one() {
    let source = Register::new();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("register.db");
    source.store.backup(&copy, &mut |_| {}).unwrap();

    let dir = tempfile::tempdir().unwrap();
    leave_a_log_behind(dir.path());
    let genesis = comity_store::Genesis {
        database_id: [7; 16],
        origin: "x".into(),
        created_micros: 1,
    };
    let error = comity_store::create(dir.path(), &genesis).unwrap_err();
    assert!(
        matches!(error, comity_store::OpenError::Leftover(_)),
        "{error}"
    );
    let error = restore(&copy, dir.path()).unwrap_err();
    assert!(error.to_string().contains("register.db-wal"), "{error}");
    assert!(!dir.path().join("register.db").exists());

    // the same beside the copy that is to be restored, and where a copy shall go
    leave_a_log_behind(folder.path());
    let home = tempfile::tempdir().unwrap();
    assert!(restore(&copy, home.path()).is_err());
    assert!(
        source
            .store
            .backup(&dir.path().join("register.db"), &mut |_| {})
            .is_err()
    );

    // and in what a restore left that was cut
    let staging = home.path().join("restore.unfinished");
    std::fs::create_dir_all(&staging).unwrap();
    leave_a_log_behind(&staging);
    for end in ["-wal", "-shm"] {
        std::fs::remove_file(folder.path().join(format!("register.db{end}"))).unwrap();
    }
    restore(&copy, home.path()).unwrap();
    let restored = comity_store::open_read_only(home.path(), &Options::default()).unwrap();
    assert_eq!(restored.head().unwrap().size, 0);
}

/// A restore that any head is good for.
fn restore(from: &std::path::Path, dir: &std::path::Path) -> Result<(Report, Head), BackupError> {
    comity_store::restore(from, dir, Level::Deep, &|_| Ok(()), &mut |_| {})
}

#[test]
fn a_copy_of_an_older_version_is_restored_too() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("v1.db");
    std::fs::write(&copy, include_bytes!("../versions/v1.db")).unwrap();
    let home = tempfile::tempdir().unwrap();
    let (_, head) = restore(&copy, home.path()).unwrap();
    assert_eq!(head.size, 7);
    comity_store::open(home.path(), &Options::default()).unwrap();
}

#[test]
fn a_database_put_in_place_of_the_opened_one_is_not_written_to() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "amber", &[c]));
    // the same head, another database: a copy made before, say, that went on elsewhere
    rusqlite::Connection::open(register.dir.path().join("register.db"))
        .unwrap()
        .execute("UPDATE register SET database_id = zeroblob(16)", [])
        .unwrap();
    let batch = Batch {
        now_micros: 1,
        ops: vec![Op::Put(Box::new(put(2, 1, "amber", &[c])))],
    };
    let error = register.writer.append(&batch, &sign).unwrap_err();
    assert!(error.is_fatal(), "{error}");
    assert_eq!(register.store.head().unwrap().size, 2);
}
