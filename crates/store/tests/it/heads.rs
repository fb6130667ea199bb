//! Heads of logs, alarms, and the database of a witness.

use std::sync::{Arc, Mutex};

use comity_ledger::checkpoint::Checkpoint;
use comity_store::witness::{Evidence, Keep, Latest, WitnessDb, WitnessDbError};
use comity_store::{
    Admin, Administer, AlarmKind, Fault, Op, Outcome, Progress, RaiseAlarm, WatchedHead,
    WitnessedHead,
};

use crate::support::{Register, signer};

fn witnessed(quorum: bool, size: u64, root: u8) -> Op {
    Op::Progress(Progress::Witnessed(WitnessedHead {
        quorum,
        size,
        root: [root; 32],
        note: format!("note {size}"),
        cosigned: 1,
    }))
}

#[test]
fn a_witnessed_head_only_grows() {
    let mut register = Register::new();
    for (size, root) in [(3, 3), (9, 9), (4, 4), (9, 8)] {
        register.one(witnessed(true, size, root));
    }
    register.one(witnessed(false, 12, 12));
    let kept = register.store.witnessed_head(true).unwrap().unwrap();
    assert_eq!((kept.size, kept.root), (9, [9; 32]));
    let partly = register.store.witnessed_head(false).unwrap().unwrap();
    assert_eq!(partly.size, 12);
    // bookkeeping signs nothing
    assert_eq!(register.store.head().unwrap().size, 0);
}

/// A head of another log, by another signature for each `cosigned`.
fn note(size: u64, root: u8, cosigned: i64) -> String {
    let by = signer(u8::try_from(cosigned).unwrap() + 10);
    let head = Checkpoint::new("other.example/log", size, [root; 32]).unwrap();
    head.sign(&[&by]).unwrap().to_string()
}

fn watched(size: u64, root: u8, cosigned: i64) -> Op {
    Op::Progress(Progress::Watched(WatchedHead {
        origin: "other.example/log".to_owned(),
        size,
        root: [root; 32],
        note: note(size, root, cosigned),
        source: "peer".to_owned(),
        cosigned,
    }))
}

#[test]
fn a_watched_head_is_never_overwritten_by_another_root() {
    let mut register = Register::new();
    register.one(watched(5, 1, 0));
    let other = register.one(watched(5, 2, 9));
    assert!(matches!(other, Outcome::Rejected(Fault::Taken { .. })));
    // a newer cosignature of the same head is taken, an older one is not
    register.one(watched(5, 1, 7));
    register.one(watched(5, 1, 6));
    let kept = register.store.watched_head("other.example/log").unwrap();
    let kept = kept.unwrap();
    assert_eq!((kept.root, kept.note), ([1; 32], note(5, 1, 7)));
    for size in 6..400 {
        register.one(watched(size, 1, 0));
    }
    let store = &register.store;
    assert_eq!(
        store
            .watched_head("other.example/log")
            .unwrap()
            .unwrap()
            .size,
        399
    );
    assert!(
        store
            .watched_head_at("other.example/log", 143)
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .watched_head_at("other.example/log", 144)
            .unwrap()
            .is_some()
    );
    assert!(store.watched_head("third.example/log").unwrap().is_none());
}

pub(crate) fn alarm(evidence: u8) -> RaiseAlarm {
    RaiseAlarm {
        kind: AlarmKind::Split,
        peer: Some("eu".to_owned()),
        origin: "other.example/log".to_owned(),
        source: "peer".to_owned(),
        detail: "two roots".to_owned(),
        kept: Some("note a".to_owned()),
        shown: Some("note b".to_owned()),
        pauses: true,
        evidence: [evidence; 32],
    }
}

fn admin(change: Admin) -> Op {
    Op::Admin(Administer {
        change,
        by: "olena@ua".to_owned(),
        salt: [1; 32],
    })
}

#[test]
fn an_alarm_is_an_entry_once_and_acknowledged_once() {
    let mut register = Register::new();
    let raised = register.one(admin(Admin::RaiseAlarm(Box::new(alarm(1)))));
    let Outcome::Administered { entry_index, .. } = raised else {
        panic!("{raised:?}")
    };
    let again = register.one(admin(Admin::RaiseAlarm(Box::new(alarm(1)))));
    assert!(matches!(again, Outcome::Rejected(Fault::Taken { .. })));
    let kept = register.store.alarms(true).unwrap().remove(0);
    assert_eq!(
        (kept.entry_index, &kept.raised),
        (Some(entry_index), &alarm(1))
    );
    let detail = register.store.entry_detail(entry_index).unwrap().unwrap();
    assert!(detail.content.contains("note a") && detail.content.contains("note b"));
    let acknowledge = |remark: &str| {
        admin(Admin::AcknowledgeAlarm {
            id: kept.id,
            remark: remark.to_owned(),
        })
    };
    assert!(matches!(
        register.one(acknowledge("known")),
        Outcome::Administered { .. }
    ));
    assert!(matches!(
        register.one(acknowledge("twice")),
        Outcome::Rejected(Fault::Unknown { .. })
    ));
    assert!(register.store.alarms(true).unwrap().is_empty());
    let kept = register.store.alarm(kept.id).unwrap().unwrap();
    assert_eq!(kept.acknowledged_by.as_deref(), Some("olena@ua"));
    assert_eq!(kept.remark.as_deref(), Some("known"));
    register.fsck();
}

#[test]
fn an_alarm_about_our_own_log_needs_no_entry() {
    let mut register = Register::new();
    let own = RaiseAlarm {
        kind: AlarmKind::OwnRollback,
        peer: None,
        ..alarm(2)
    };
    for _ in 0..2 {
        register.one(Op::Progress(Progress::OwnAlarm(Box::new(own.clone()))));
    }
    let kept = register.store.alarms(true).unwrap();
    assert_eq!((kept.len(), kept[0].entry_index), (1, None));
    assert_eq!(register.store.head().unwrap().size, 0);
}

#[test]
fn a_log_that_began_anew_is_measured_by_its_next_head() {
    let mut register = Register::new();
    for (root, times) in [(1, 1), (2, 2)] {
        register.one(watched(5, root, 0));
        let mut stays = alarm(times);
        stays.kind = AlarmKind::FalseReceipt;
        for raised in [alarm(times), stays] {
            register.one(admin(Admin::RaiseAlarm(Box::new(raised))));
        }
        register.one(admin(Admin::ForgetHeads {
            party: "other".to_owned(),
            origin: "other.example/log".to_owned(),
            reason: "their disk died".to_owned(),
        }));
        assert!(
            register
                .store
                .watched_head("other.example/log")
                .unwrap()
                .is_none()
        );
        // what is not about heads stays open
        let open = register.store.alarms(true).unwrap();
        assert_eq!(open.len(), usize::from(times));
        assert!(
            open.iter()
                .all(|alarm| alarm.raised.kind == AlarmKind::FalseReceipt)
        );
    }
    let all = register.store.alarms(false).unwrap();
    assert_eq!(all[1].remark.as_deref(), Some("their disk died"));
    register.fsck();
}

fn latest(size: u64, root: u8, cosigned: u64) -> Latest {
    Latest {
        size,
        root: [root; 32],
        note: format!("note {size}"),
        cosigned,
    }
}

#[test]
fn a_witness_forgets_nothing_and_goes_back_never() {
    let dir = tempfile::tempdir().unwrap();
    WitnessDb::create(dir.path()).unwrap();
    assert!(matches!(
        WitnessDb::create(dir.path()),
        Err(WitnessDbError::Exists(_))
    ));
    let db = WitnessDb::serve(dir.path(), None).unwrap();
    assert!(matches!(
        WitnessDb::serve(dir.path(), None),
        Err(WitnessDbError::Locked(_))
    ));
    // beside the process that serves, logs are added and looked at
    let beside = WitnessDb::open(dir.path()).unwrap();
    assert!(beside.add_log("a.example/log", "k1", 1).unwrap());
    assert!(!beside.add_log("a.example/log", "k1", 2).unwrap());
    assert!(beside.add_log("a.example/log", "k2", 3).unwrap());
    let keep = |latest| {
        db.judge("a.example/log", |log| {
            (log.latest.clone(), Keep::Latest(latest))
        })
    };
    assert_eq!(keep(latest(5, 1, 10)).unwrap(), None);
    assert_eq!(keep(latest(8, 2, 11)).unwrap(), Some(latest(5, 1, 10)));
    // the database itself refuses what would go back, whoever asks
    for wrong in [latest(7, 1, 12), latest(8, 3, 12), latest(9, 1, 10)] {
        assert!(keep(wrong).is_err());
    }
    let log = beside.log("a.example/log").unwrap().unwrap();
    assert_eq!((log.keys.len(), log.latest), (2, Some(latest(8, 2, 11))));
    let unknown = db.judge("b.example/log", |_| ((), Keep::Nothing));
    assert!(matches!(unknown, Err(WitnessDbError::UnknownLog(_))));
    let evidence = Evidence {
        origin: "a.example/log".to_owned(),
        size: 8,
        root: [9; 32],
        reason: "contradicts".to_owned(),
        note: "bad".to_owned(),
        known: "good".to_owned(),
        received: 4,
    };
    for _ in 0..2 {
        let keep = Keep::Evidence(evidence.clone());
        db.judge("a.example/log", |_| ((), keep)).unwrap();
    }
    assert_eq!(db.evidence().unwrap(), [evidence]);
}

#[test]
fn a_fault_before_the_commit_keeps_nothing_and_after_it_all() {
    for (point, kept) in [
        ("begin", false),
        ("before commit", false),
        ("after commit", true),
    ] {
        let dir = tempfile::tempdir().unwrap();
        WitnessDb::create(dir.path()).unwrap();
        WitnessDb::open(dir.path())
            .unwrap()
            .add_log("a.example/log", "k", 1)
            .unwrap();
        let fail: Arc<Mutex<&str>> = Arc::new(Mutex::new(point));
        let faults = {
            let fail = Arc::clone(&fail);
            Arc::new(move |at: &str| {
                if *fail.lock().unwrap() == at {
                    return Err(std::io::Error::other("cut"));
                }
                Ok(())
            })
        };
        let db = WitnessDb::serve(dir.path(), Some(faults)).unwrap();
        let judged = db.judge("a.example/log", |_| ((), Keep::Latest(latest(5, 1, 1))));
        assert!(judged.is_err());
        *fail.lock().unwrap() = "";
        let found = db.log("a.example/log").unwrap().unwrap().latest;
        assert_eq!(found.is_some(), kept, "{point}");
        // it goes on
        let judged = db.judge("a.example/log", |_| ((), Keep::Latest(latest(6, 1, 1))));
        assert!(judged.is_ok());
    }
}
