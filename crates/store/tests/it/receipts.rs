//! Answers, receipts, expiries, heads of other logs, withdrawals: each with its entry, once, whatever comes twice.

use comity_ledger::entry::{Entry, Event, commitment};
use comity_store::{
    Admin, Answer, CollectionKey, Consigned, Decide, Decision, Disclose, EntryKind, Expire,
    NewReceipt, Op, Outcome, Progress, Put, Refuse, SeenHead, Seq, Stored, WatchedHead, Withdrawal,
    WithdrawalAct, WitnessedHead,
};

use crate::support::{ORIGIN, REVOKED, Register, admin, delete, id, put, put_with, sign, version};

pub(crate) fn consigned(leaf: u8) -> Consigned {
    Consigned {
        party: "eu".into(),
        origin: "comity.eu/log/1".into(),
        entry: u64::from(leaf),
        leaf: [leaf; 32],
        id: String::new(),
        version: String::new(),
    }
}

/// A record as a Comity peer gives it.
pub(crate) fn from_peer(object: u32, number: u32, leaf: u8, collections: &[CollectionKey]) -> Put {
    given(put(object, number, "amber", collections), leaf)
}

fn given(mut put: Put, leaf: u8) -> Put {
    put.origin = "eu".into();
    put.event = Event::ContentConsignment;
    put.link = [leaf; 32];
    put.consigned = Some(Consigned {
        id: put.id.clone(),
        version: put.version_text.clone(),
        ..consigned(leaf)
    });
    put
}

fn seq_of(stored: &Stored) -> Seq {
    match stored {
        Stored::New { seq, .. } | Stored::NewVersion { seq, .. } | Stored::Known { seq, .. } => {
            *seq
        }
        other => panic!("{other:?}"),
    }
}

fn answer(seq: Seq, event: Event, reason: Option<&str>) -> Op {
    Op::Answer(Answer {
        seq,
        event,
        reason: reason.map(str::to_owned),
        by: "olena@ua".into(),
        salt: [8; 32],
    })
}

pub(crate) fn receipt(seq: Seq, event: Event, entry: u64) -> NewReceipt {
    NewReceipt {
        party: "eu".into(),
        entry,
        event,
        seq,
        time_micros: 5,
        label: None,
        reason: None,
        note: "note".into(),
        proof: "proof".into(),
    }
}

pub(crate) fn awaited(seq: Seq, due: i64) -> Op {
    Op::Disclose(Disclose {
        reader_party: "eu".into(),
        principal: "node@eu".into(),
        records: vec![seq],
        awaited: Some((vec![seq], due)),
        salt: [4; 32],
    })
}

#[test]
fn a_receipt_is_owed_with_the_record_and_once() {
    let mut register = Register::new();
    let c = register.collection(1);
    let seq = seq_of(&register.put(from_peer(1, 1, 1, &[c])));
    // the same leaf again, and another leaf of the same record by another way
    register.put(from_peer(1, 1, 1, &[c]));
    register.put(from_peer(1, 1, 2, &[c]));
    register.put(from_peer(1, 1, 2, &[c]));
    let owed = register.store.answers_owed("eu", 10).unwrap();
    assert_eq!(owed.len(), 2);
    let record = register.store.record(seq).unwrap().unwrap();
    assert_eq!(owed[0].entry_index, record.entry_index);
    for (answered, leaf) in owed.iter().zip([1_u8, 2]) {
        let entry = Entry::decode(&answered.entry).unwrap();
        assert_eq!(
            (entry.event, entry.link),
            (Event::ContentConsignment, [leaf; 32])
        );
        let salt = answered.salt.unwrap();
        assert_eq!(entry.commitment, commitment(&salt, &record.content_sha256));
        assert_eq!(answered.label.as_deref(), Some("amber"));
        assert_eq!(answered.seq, Some(seq));
    }
    register.fsck();
    let settle = |entries: Vec<u64>, words: Option<String>| {
        Op::Progress(Progress::Settle {
            party: "eu".into(),
            entries,
            words,
        })
    };
    register.one(settle(vec![owed[0].entry_index], None));
    register.one(settle(vec![owed[1].entry_index], Some("why".into())));
    // what was taken stays taken
    register.one(settle(vec![owed[0].entry_index], Some("no".into())));
    let all = register.store.answers_after("eu", None, 10).unwrap();
    assert!(all[0].taken.is_some() && all[0].refused.is_none());
    assert_eq!(all[1].refused.as_deref(), Some("why"));
    assert!(register.store.answers_owed("eu", 10).unwrap().is_empty());
    assert_eq!(
        register
            .store
            .answers_after("eu", Some(all[0].entry_index), 10)
            .unwrap()
            .len(),
        1
    );
    register.fsck();
}

#[test]
fn refusals_are_answered_once_per_leaf() {
    let mut register = Register::new();
    let c = register.collection(1);
    let refuse = |leaf: u8| {
        Op::Refuse(Refuse {
            event: Event::SubmissionRejection,
            what: r#"{"id":"x"}"#.into(),
            who: "node@eu".into(),
            reason: "not valid".into(),
            told: None,
            content_sha256: [7; 32],
            consigned: Some(consigned(leaf)),
            seed: [6; 32],
        })
    };
    let first = register.one(refuse(1));
    assert_eq!(register.one(refuse(1)), first);
    assert_ne!(register.one(refuse(2)), first);
    // a conflict with what is here
    register.put(put(1, 1, "amber", &[c]));
    for _ in 0..2 {
        let other = given(put_with(1, 1, "amber", &[c], r#","x_other":1"#), 3);
        assert!(matches!(register.put(other), Stored::Conflict { .. }));
    }
    let owed = register.store.answers_owed("eu", 10).unwrap();
    let events: Vec<_> = owed
        .iter()
        .map(|one| (one.event, one.sender_leaf[0]))
        .collect();
    let refused = Event::SubmissionRejection;
    assert_eq!(events, [(refused, 1), (refused, 2), (refused, 3)]);
    assert!(
        owed.iter()
            .all(|one| one.seq.is_none() && one.reason.is_some())
    );
    for one in &owed {
        let entry = Entry::decode(&one.entry).unwrap();
        let salt = one.salt.unwrap();
        assert_eq!(entry.commitment, commitment(&salt, &one.content_sha256));
    }
    register.fsck();
}

#[test]
fn officers_answer_every_sender_once() {
    let mut register = Register::new();
    let c = register.collection(1);
    let seq = seq_of(&register.put(from_peer(1, 1, 1, &[c])));
    register.put(from_peer(1, 1, 2, &[c]));
    assert!(
        register
            .store
            .answer_missing(seq, Event::ContentHandover)
            .unwrap()
    );
    let Outcome::Answered { entries } = register.one(answer(seq, Event::ContentHandover, None))
    else {
        panic!()
    };
    assert_eq!(entries.len(), 2);
    assert!(
        !register
            .store
            .answer_missing(seq, Event::ContentHandover)
            .unwrap()
    );
    let again = register.one(answer(seq, Event::ContentHandover, None));
    assert_eq!(again, Outcome::Answered { entries: vec![] });
    register.one(answer(seq, Event::ConsignmentRejection, Some("no")));
    assert_eq!(register.store.answers(seq).unwrap().len(), 6);
    // erased while receipts are owed: they can still be given, and then nobody needs the salt
    let mut gone = delete(1, None, None);
    gone.erase = true;
    register.delete(gone);
    let owed = register.store.answers_owed("eu", 10).unwrap();
    assert_eq!(owed.len(), 6);
    assert!(owed.iter().all(|one| one.salt.is_some()));
    register.fsck();
    let last = owed.last().unwrap().entry_index;
    register.one(Op::Progress(Progress::SettleTo {
        party: "eu".into(),
        last,
    }));
    let all = register.store.answers_after("eu", None, 10).unwrap();
    assert!(
        all.iter()
            .all(|one| one.salt.is_none() && one.taken.is_some())
    );
    register.fsck();
    // nobody is told of our own
    let own = seq_of(&register.put(put(2, 1, "amber", &[c])));
    assert!(
        !register
            .store
            .answer_missing(own, Event::ContentHandover)
            .unwrap()
    );
    register.fsck();
}

#[test]
fn what_is_awaited_comes_or_expires_once() {
    let mut register = Register::new();
    let c = register.collection(1);
    let first = seq_of(&register.put(put(1, 1, "amber", &[c])));
    let second = seq_of(&register.put(put(2, 1, "amber", &[c])));
    register.one(awaited(first, 2_000_000));
    register.one(awaited(second, 2_000_000));
    // handed over again: the first time counts
    register.one(awaited(first, 9_000_000));
    assert_eq!(
        register.store.awaited_due("eu", 1_999_999, 10).unwrap(),
        vec![]
    );
    assert_eq!(
        register
            .store
            .awaited_due("eu", 2_000_000, 10)
            .unwrap()
            .len(),
        2
    );
    let take = |seq, event, entry| Op::Receipt(Box::new(receipt(seq, event, entry)));
    let fresh = Outcome::Receipt {
        fresh: true,
        late: false,
    };
    assert_eq!(
        register.one(take(first, Event::ContentConsignment, 3)),
        fresh
    );
    let known = Outcome::Receipt {
        fresh: false,
        late: false,
    };
    assert_eq!(
        register.one(take(first, Event::ContentConsignment, 3)),
        known
    );
    let expire = |seq| {
        Op::Expire(Expire {
            party: "eu".into(),
            seq,
            salt: [2; 32],
        })
    };
    assert_eq!(register.one(expire(first)), Outcome::Progressed, "it came");
    let Outcome::Logged { entry_index } = register.one(expire(second)) else {
        panic!()
    };
    assert_eq!(register.one(expire(second)), Outcome::Progressed, "once");
    let change = register.store.changes(entry_index, 1).unwrap().remove(0);
    assert_eq!(
        (change.kind, change.event),
        (EntryKind::Expiry, Event::AcceptanceRejectionExpiry)
    );
    let late = Outcome::Receipt {
        fresh: true,
        late: true,
    };
    assert_eq!(
        register.one(take(second, Event::ContentConsignment, 4)),
        late
    );
    let counts = register.store.receipt_counts("eu").unwrap();
    assert_eq!((counts.received, counts.awaited, counts.expired), (2, 0, 0));
    assert_eq!(register.store.receipt_parties().unwrap(), ["eu"]);
    let unknown = register.one(take(Seq(99), Event::ContentConsignment, 5));
    assert!(matches!(unknown, Outcome::Rejected(_)));
    register.fsck();
}

fn head(size: u64) -> SeenHead {
    SeenHead {
        party: "eu".into(),
        size,
        root: [u8::try_from(size).unwrap(); 32],
        text: format!("comity.eu/log/1\n{size}\nroot\n"),
        note: format!("comity.eu/log/1\n{size}\nroot\n\n\u{2014} signature\n"),
        salt: [1; 32],
    }
}

#[test]
fn only_newer_heads_become_entries() {
    let mut register = Register::new();
    let Outcome::Logged { entry_index } = register.one(Op::SeeHead(head(5))) else {
        panic!()
    };
    for size in [5, 4] {
        assert_eq!(register.one(Op::SeeHead(head(size))), Outcome::Progressed);
    }
    let bytes = register
        .store
        .entries(entry_index, entry_index + 1)
        .unwrap();
    let entry = Entry::decode(&bytes[0]).unwrap();
    assert_eq!((entry.event, entry.link), (Event::PeerHead, [5; 32]));
    assert_eq!(register.store.peer_head("eu").unwrap().unwrap().size, 5);
    register.one(Op::SeeHead(head(6)));
    assert_eq!(register.store.peer_head("eu").unwrap().unwrap().size, 6);
    register.fsck();
    register.one(admin(Admin::ForgetHeads {
        party: "eu".into(),
        origin: "comity.eu/log/1".into(),
        reason: "their disk died".into(),
    }));
    assert_eq!(register.store.peer_head("eu").unwrap(), None);
    register.one(Op::SeeHead(head(2)));
    assert_eq!(register.store.peer_head("eu").unwrap().unwrap().size, 2);
    register.fsck();
}

fn withdrawn(object: u32, number: u32, leaf: u8, act: WithdrawalAct, c: CollectionKey) -> Put {
    let mut put = given(put_with(object, number, "amber", &[c], REVOKED), leaf);
    put.withdrawal = Some(Withdrawal {
        party: "eu".into(),
        reason: "wrong".into(),
        act,
    });
    put
}

#[test]
fn a_withdrawal_removes_what_came_before_or_waits() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(from_peer(1, 1, 1, &[c]));
    register.put(from_peer(1, 2, 2, &[c]));
    let last = seq_of(&register.put(withdrawn(1, 3, 3, WithdrawalAct::Remove, c)));
    assert_eq!(register.store.tombstones(&id(1)).unwrap().len(), 2);
    let row = register.store.withdrawal(last).unwrap().unwrap();
    assert_eq!(
        (row.decision, row.reason.as_str()),
        (Decision::Removed, "wrong")
    );
    let events: Vec<_> = register
        .store
        .answers(last)
        .unwrap()
        .iter()
        .map(|a| a.event)
        .collect();
    assert_eq!(events, [Event::ContentConsignment, Event::Deletion]);
    // once more: known, and nothing is asked again
    register.put(withdrawn(1, 3, 3, WithdrawalAct::Remove, c));
    assert_eq!(register.store.answers(last).unwrap().len(), 2);
    register.fsck();
    // a person decides, and may think better of keeping
    register.put(from_peer(2, 1, 4, &[c]));
    let last = seq_of(&register.put(withdrawn(2, 2, 5, WithdrawalAct::Ask, c)));
    assert_eq!(register.store.withdrawals(true, 10).unwrap().len(), 1);
    let decide = |remove: bool, reason: Option<&str>| {
        Op::Decide(Decide {
            seq: last,
            remove,
            reason: reason.map(str::to_owned),
            by: "olena@ua".into(),
            salt: [3; 32],
        })
    };
    register.one(decide(false, Some("evidence")));
    assert!(register.store.withdrawals(true, 10).unwrap().is_empty());
    let Outcome::Deleted { records, .. } = register.one(decide(true, None)) else {
        panic!()
    };
    assert_eq!(records.len(), 1);
    assert!(matches!(
        register.one(decide(true, None)),
        Outcome::Rejected(_)
    ));
    let events: Vec<_> = register
        .store
        .answers(last)
        .unwrap()
        .iter()
        .map(|a| a.event)
        .collect();
    assert_eq!(
        events,
        [
            Event::ContentConsignment,
            Event::ConsignmentAcceptance,
            Event::Deletion
        ]
    );
    // our own asking waits for nobody here
    let mut own = put_with(3, 1, "amber", &[c], REVOKED);
    own.event = Event::Withdrawal;
    own.withdrawal = Some(Withdrawal {
        party: "ua".into(),
        reason: "ours".into(),
        act: WithdrawalAct::Own,
    });
    let own = seq_of(&register.put(own));
    assert_eq!(
        register.store.withdrawal(own).unwrap().unwrap().decision,
        Decision::Own
    );
    assert_eq!(register.store.withdrawals(false, 10).unwrap().len(), 2);
    assert_eq!(version(1), "2024-01-01T00:00:01");
    register.fsck();
}

/// Everything of this page in one batch, for the tests of faults and of damage.
pub(crate) fn everything(c: CollectionKey, own: Seq) -> Vec<Op> {
    vec![
        Op::SeeHead(head(7)),
        Op::Put(Box::new(from_peer(11, 1, 1, &[c]))),
        Op::Put(Box::new(from_peer(11, 1, 2, &[c]))),
        Op::Put(Box::new(from_peer(12, 1, 3, &[c]))),
        Op::Put(Box::new(withdrawn(12, 2, 4, WithdrawalAct::Remove, c))),
        Op::Refuse(Refuse {
            event: Event::SubmissionRejection,
            what: r#"{"id":"x"}"#.into(),
            who: "node@eu".into(),
            reason: "not valid".into(),
            told: None,
            content_sha256: [7; 32],
            consigned: Some(consigned(5)),
            seed: [6; 32],
        }),
        awaited(own, 0),
        Op::Expire(Expire {
            party: "eu".into(),
            seq: own,
            salt: [2; 32],
        }),
        Op::Receipt(Box::new(receipt(own, Event::ContentConsignment, 9))),
        admin(Admin::RaiseAlarm(Box::new(crate::heads::alarm(1)))),
        Op::Progress(Progress::Watched(WatchedHead {
            origin: ORIGIN.to_owned(),
            size: 7,
            root: [7; 32],
            note: sign(7, &[7; 32]).unwrap(),
            source: "peer".to_owned(),
            cosigned: 0,
        })),
        Op::Progress(Progress::Witnessed(WitnessedHead {
            quorum: true,
            size: 1,
            root: [1; 32],
            note: sign(1, &[1; 32]).unwrap(),
            cosigned: 0,
        })),
    ]
}
