//! Each operation and question once, by hand.

use comity_store::{
    Batch, CollectionKey, DeliveryState, Disclose, Op, Outcome, PageQuery, Progress, Put, Relabel,
    SearchQuery, Stored, Which,
};

use crate::support::{
    AUTHOR, REVOKED, Register, admin, all, delete, id, put, put_bytes, put_with, sign, version,
};

#[test]
fn a_record_goes_in_and_comes_out_as_it_was() {
    let mut register = Register::new();
    let c = register.collection(1);
    let sent = put(1, 1, "amber", &[c]);
    let Stored::New {
        seq,
        entry_index,
        leaf,
        added,
        ..
    } = register.put(sent.clone())
    else {
        panic!()
    };
    assert_eq!(entry_index, 1, "after the collection's own entry");
    let scope = register.scope(&["amber"]);
    let mut seen = 0;
    let end = register
        .store
        .page(&PageQuery::new(c, scope.clone(), 10), &mut |row| {
            seen += 1;
            assert_eq!(
                (row.seq, row.id, row.version),
                (seq, sent.id.as_str(), sent.version_text.as_str())
            );
            assert_eq!(row.bytes, sent.bytes);
            assert_eq!(Some(row.added), added);
        })
        .unwrap();
    assert_eq!((seen, end.more, end.rows), (1, false, 1));
    let record = register
        .store
        .get(&sent.id, &Which::Last, &scope)
        .unwrap()
        .unwrap();
    assert_eq!(record.bytes, sent.bytes);
    assert_ne!(
        record.salt, sent.seed,
        "the seed itself is never handed out"
    );
    assert_eq!(register.store.leaf(entry_index).unwrap(), leaf);
    assert_eq!(register.store.head().unwrap().size, 2);
    register.writer.checkpoint().unwrap();
    register.store.release_memory().unwrap();
    assert!(register.store.size_bytes() > 0);
    register.fsck();
}

#[test]
fn an_empty_scope_sees_nothing() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "amber", &[c]));
    let nobody = register.scope(&[]);
    assert!(
        register
            .page(&PageQuery::new(c, nobody.clone(), 10))
            .is_empty()
    );
    assert_eq!(
        register.store.get(&id(1), &Which::Last, &nobody).unwrap(),
        None
    );
    assert_eq!(register.store.count(&nobody, None).unwrap(), 0);
    assert_eq!(
        register
            .store
            .proof_material(&id(1), &version(1), &nobody)
            .unwrap(),
        None
    );
}

#[test]
fn last_is_the_latest_version_this_scope_may_read() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "green", &[c]));
    register.put(put(1, 3, "red", &[c]));
    register.put(put(1, 2, "green", &[c]));
    for (scope, expected) in [
        (&["green"][..], Some(2)),
        (&["red"][..], Some(3)),
        (&["green", "red"][..], Some(3)),
    ] {
        let query = PageQuery::new(c, register.scope(scope), 10);
        let rows: Vec<_> = register
            .page(&query)
            .into_iter()
            .map(|(_, version)| version)
            .collect();
        let expected: Vec<_> = expected
            .map(|n| format!("{}.000Z", version(n)))
            .into_iter()
            .collect();
        assert_eq!(rows, expected, "{scope:?}");
    }
    let mut first = PageQuery::new(c, register.scope(&["red"]), 10);
    first.filter.version.first = true;
    assert_eq!(register.page(&first).len(), 1);
    register.fsck();
}

#[test]
fn the_same_again_is_known_and_other_content_is_a_conflict() {
    let mut register = Register::new();
    let c = register.collection(1);
    let d = register.collection(2);
    register.put(put(1, 1, "amber", &[c]));
    let size = register.store.head().unwrap().size;
    let again = register.put(put(1, 1, "amber", &[c]));
    assert!(
        matches!(
            again,
            Stored::Known {
                added_to: 0,
                label_differs: false,
                ..
            }
        ),
        "{again:?}"
    );
    assert_eq!(
        register.store.head().unwrap().size,
        size,
        "re-delivery is free"
    );
    let wider = register.put(put(1, 1, "green", &[c, d]));
    assert!(
        matches!(
            wider,
            Stored::Known {
                added_to: 1,
                label_differs: true,
                ..
            }
        ),
        "{wider:?}"
    );
    let mut other = put(1, 1, "amber", &[c]);
    other.bytes = b"{}".to_vec();
    other.content_sha256 = [1; 32];
    let conflict = register.put(other.clone());
    assert!(matches!(conflict, Stored::Conflict { .. }), "{conflict:?}");
    assert_eq!(register.put(other), conflict, "logged once");
    assert_eq!(register.store.head().unwrap().size, size + 2);
    assert_eq!(register.store.refusals(None, 10).unwrap().len(), 1);
    register.fsck();
}

/// [`put`] with one member more, or in place of another.
fn changed(number: u32, old: &str, new: &str, collections: &[CollectionKey]) -> Put {
    let text = String::from_utf8(put(1, number, "amber", collections).bytes).unwrap();
    assert!(text.contains(old));
    let text = text.replacen(old, new, 1);
    put_bytes(1, number, "amber", collections, text.into_bytes())
}

#[test]
fn a_default_spelled_out_is_the_same_record() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "amber", &[c]));
    let size = register.store.head().unwrap().size;
    let spelled = changed(1, "{", r#"{"revoked":false,"pattern_version":"2.1","#, &[c]);
    assert!(matches!(
        register.put(spelled),
        Stored::Known { added_to: 0, .. }
    ));
    assert_eq!(register.store.head().unwrap().size, size);
    let other = changed(1, "{", r#"{"revoked":true,"#, &[c]);
    assert!(matches!(register.put(other), Stored::Conflict { .. }));
    register.fsck();
}

#[test]
fn versions_keep_creation_and_creator() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 2, "amber", &[c]));
    let created = "\"created\":\"2024-01-01T00:00:00.000Z\"";
    for (old, new) in [
        (created, "\"created\":\"2023-01-01T00:00:00.000Z\""),
        (AUTHOR, "identity--00000000-0000-4000-8000-000000000002"),
    ] {
        for number in [1, 3] {
            let other = changed(number, old, new, &[c]);
            let stored = register.put(other.clone());
            assert!(matches!(&stored, Stored::NotSuccessor { .. }), "{stored:?}");
            assert_eq!(register.put(other), stored, "logged once");
        }
    }
    assert_eq!(register.store.refusals(None, 10).unwrap().len(), 4);
    assert!(matches!(
        register.put(put(1, 3, "amber", &[c])),
        Stored::NewVersion { .. }
    ));
    register.fsck();
}

#[test]
fn nothing_follows_a_revocation() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put_with(1, 2, "amber", &[c], REVOKED));
    assert!(matches!(
        register.put(put(1, 3, "amber", &[c])),
        Stored::AfterRevoked { .. }
    ));
    assert!(matches!(
        register.put(put(1, 1, "amber", &[c])),
        Stored::NewVersion { .. }
    ));
    register.fsck();
}

#[test]
fn deletion_keeps_leaf_hash_and_reason_and_lets_the_version_come_back() {
    let mut register = Register::new();
    let c = register.collection(1);
    let d = register.collection(2);
    let first = register.put(put(1, 1, "amber", &[c, d]));
    register.put(put(1, 2, "amber", &[c]));
    let scope = register.scope(&["amber"]);
    assert_eq!(register.delete(delete(1, Some(2), Some(c))).len(), 1);
    assert_eq!(
        register.page(&PageQuery::new(c, scope.clone(), 10)),
        vec![(id(1), format!("{}.000Z", version(1)))]
    );
    assert_eq!(register.delete(delete(1, None, Some(c))).len(), 1);
    assert!(
        register
            .store
            .get(&id(1), &Which::Last, &scope)
            .unwrap()
            .is_some(),
        "still in the other"
    );
    assert_eq!(register.delete(delete(1, None, None)).len(), 1);
    assert_eq!(
        register.store.get(&id(1), &Which::Last, &scope).unwrap(),
        None
    );
    let tombstones = register.store.tombstones(&id(1)).unwrap();
    assert_eq!(tombstones.len(), 2);
    assert!(
        tombstones
            .iter()
            .all(|tombstone| tombstone.reason == "test")
    );
    assert_eq!(register.delete(delete(1, None, None)).len(), 0);
    register.fsck();
    let back = register.put(put(1, 1, "amber", &[c]));
    let (Stored::New { leaf: old, .. }, Stored::New { leaf: new, seq, .. }) = (first, back) else {
        panic!()
    };
    assert_ne!(old, new);
    assert_eq!(register.store.memberships(seq).unwrap().len(), 1);
    register.fsck();
}

#[test]
fn added_rises_even_when_the_clock_goes_back() {
    let mut register = Register::new();
    let c = register.collection(1);
    for n in 0..20 {
        register.now = 1_000_000 - i64::from(n) * 1000;
        register.append(
            (0..3)
                .map(|i| Op::Put(Box::new(put(n * 3 + i, 1, "amber", &[c]))))
                .collect(),
        );
        if n == 10 {
            register = register.reopen();
        }
    }
    let mut added = Vec::new();
    let query = all(c, register.scope(&["amber"]), 1000);
    register
        .store
        .page(&query, &mut |row| added.push(row.added))
        .unwrap();
    assert_eq!(added.len(), 60);
    assert!(added.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn search_finds_words_and_identifiers_in_scope_only() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "amber", &[c]));
    register.put(put(2, 1, "red", &[c]));
    register.put(put_with(3, 1, "clear", &[c], r#","description":"Ґанок""#));
    while register.writer.search_index_step(2).unwrap() > 0 {}
    assert_eq!(register.store.search_lag().unwrap(), 0);
    let search = |register: &Register, text: &str, scope: &[&str]| {
        let query = SearchQuery {
            scope: register.scope(scope),
            text: Some(text.into()),
            identifier: None,
            types: vec![],
            collection: Some(c),
            origin: None,
            last_only: true,
            limit: 10,
            cursor: None,
        };
        register.store.search(&query).unwrap().len()
    };
    assert_eq!(search(&register, "beacon", &["amber"]), 1);
    assert_eq!(search(&register, "beac*", &["amber", "red"]), 2);
    assert_eq!(search(&register, "\"beacon number\" 2", &["red"]), 1);
    assert_eq!(search(&register, "beacon", &[]), 0);
    assert_eq!(search(&register, "192.0.2.1", &["amber"]), 1);
    assert_eq!(search(&register, "ґанок", &["clear"]), 1);
    let Outcome::Logged { .. } = register.one(Op::Relabel(Relabel {
        seq: register
            .store
            .get(&id(2), &Which::Last, &register.scope(&["red"]))
            .unwrap()
            .unwrap()
            .seq,
        label_set: "green".into(),
        reason: "declassified".into(),
        by: "olena@ua".into(),
        salt: [1; 32],
    })) else {
        panic!()
    };
    assert_eq!(search(&register, "beacon", &["red"]), 0);
    while register.writer.search_index_step(100).unwrap() > 0 {}
    assert_eq!(search(&register, "beacon", &["green"]), 1);
    register.delete(delete(1, None, None));
    assert_eq!(search(&register, "beacon", &["amber"]), 0);
    register.fsck();
}

#[test]
fn disclosures_answer_who_has_what() {
    let mut register = Register::new();
    let c = register.collection(1);
    let Stored::New { seq, .. } = register.put(put(1, 1, "amber", &[c])) else {
        panic!()
    };
    let Stored::New { seq: other, .. } = register.put(put(2, 1, "amber", &[c])) else {
        panic!()
    };
    register.one(Op::Disclose(Disclose {
        reader_party: "eu".into(),
        principal: "node@eu".into(),
        records: vec![seq],
        awaited: None,
        salt: [1; 32],
    }));
    assert_eq!(register.store.disclosures(seq).unwrap()[0].party, "eu");
    assert!(register.store.disclosures(other).unwrap().is_empty());
    register.fsck();
}

#[test]
fn deliveries_keep_their_state() {
    use comity_store::{Admin, Peer, PeerKind, PeerState};
    let mut register = Register::new();
    let c = register.collection(1);
    register.one(admin(Admin::PutPeer(Peer {
        key: "eu".into(),
        party: "eu".into(),
        display: "EU".into(),
        kind: PeerKind::Comity,
        url: "https://eu.example".into(),
        fingerprint: None,
        log_key: None,
        receipt_key: None,
        settings: serde_json::json!({"push": [{"local": "a", "remote": "b"}]}),
        state: PeerState::Active,
        created: 1,
    })));
    let Stored::New { seq, .. } = register.put(put(1, 1, "amber", &[c])) else {
        panic!()
    };
    register.one(Op::Progress(Progress::Queue {
        peer: "eu".into(),
        records: vec![seq],
    }));
    assert_eq!(register.store.due("eu", register.now, 10).unwrap().len(), 1);
    let mark = |state| {
        Op::Progress(Progress::Mark {
            peer: "eu".into(),
            records: vec![seq],
            state,
            reason: None,
            receipt: None,
            not_before: 0,
        })
    };
    register.one(mark(DeliveryState::Accepted));
    register.one(mark(DeliveryState::Sent));
    assert_eq!(
        register.store.deliveries(seq).unwrap()[0].state,
        DeliveryState::Accepted
    );
    assert_eq!(register.store.delivery_counts("eu").unwrap().accepted, 1);
    // what the peer said stands, and only what a rule kept is queued again
    let queue = || {
        Op::Progress(Progress::Queue {
            peer: "eu".into(),
            records: vec![seq],
        })
    };
    let state = |register: &Register| register.store.deliveries(seq).unwrap()[0].state;
    for op in [
        mark(DeliveryState::Queued),
        mark(DeliveryState::Skipped),
        queue(),
    ] {
        register.one(op);
        assert_eq!(state(&register), DeliveryState::Accepted);
    }
    let Stored::New { seq: second, .. } = register.put(put(2, 1, "amber", &[c])) else {
        panic!()
    };
    for (mark, expected) in [
        (Some(DeliveryState::Skipped), DeliveryState::Skipped),
        (None, DeliveryState::Queued),
        (Some(DeliveryState::Sent), DeliveryState::Sent),
        (Some(DeliveryState::Skipped), DeliveryState::Sent),
        (Some(DeliveryState::Refused), DeliveryState::Refused),
        (None, DeliveryState::Refused),
        (Some(DeliveryState::Accepted), DeliveryState::Accepted),
    ] {
        register.one(Op::Progress(match mark {
            Some(state) => Progress::Mark {
                peer: "eu".into(),
                records: vec![second],
                state,
                reason: None,
                receipt: None,
                not_before: 0,
            },
            None => Progress::Queue {
                peer: "eu".into(),
                records: vec![second],
            },
        }));
        let delivery = &register.store.deliveries(second).unwrap()[0];
        assert_eq!(delivery.state, expected, "after {mark:?}");
    }
    let size = register.store.head().unwrap().size;
    assert!(matches!(
        register.one(Op::Progress(Progress::Queue {
            peer: "nobody".into(),
            records: vec![seq]
        })),
        Outcome::Rejected(_)
    ));
    assert_eq!(
        register.store.head().unwrap().size,
        size,
        "progress has no entries"
    );
    let mut register = register.reopen();
    let settings = register.store.peers().unwrap()[0].settings.to_string();
    assert!(settings.contains("push"));
    // where records go is for the log; secrets are in no settings
    let log = register.store.entry_detail(size - 3).unwrap().unwrap();
    assert!(log.content.contains(&settings));
    register.one(admin(Admin::DropPeer("eu".into())));
    assert!(register.store.deliveries(seq).unwrap().is_empty());
    register.fsck();
}

#[test]
fn a_refused_signature_keeps_nothing() {
    let mut register = Register::new();
    let c = register.collection(1);
    let batch = Batch {
        now_micros: 5,
        ops: vec![Op::Put(Box::new(put(1, 1, "amber", &[c])))],
    };
    let error = register
        .writer
        .append(&batch, &|_, _| Err("no key".into()))
        .unwrap_err();
    assert!(!error.is_fatal());
    assert_eq!(register.store.head().unwrap().size, 1);
    register.writer.append(&batch, &sign).unwrap();
    register.fsck();
}

#[test]
fn an_entry_proves_its_label_and_shows_nothing_of_it() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "amber", &[c]));
    let scope = register.scope(&["amber", "green"]);
    let material = |register: &Register| {
        let scope = register.scope(&["amber", "green"]);
        register
            .store
            .proof_material(&id(1), &version(1), &scope)
            .unwrap()
            .unwrap()
    };
    let proved = material(&register);
    let (label, opening) = proved.label.unwrap();
    assert_eq!(label, "amber");
    assert_eq!(opening.salt("amber"), proved.salt);
    assert_ne!(opening.salt("green"), proved.salt);
    // after a change of the label the entry of the change speaks
    let Some(record) = register.store.get(&id(1), &Which::Last, &scope).unwrap() else {
        panic!()
    };
    register.one(Op::Relabel(Relabel {
        seq: record.seq,
        label_set: "green".into(),
        reason: "agreed".into(),
        by: "olena@ua".into(),
        salt: [1; 32],
    }));
    assert_eq!(material(&register).label, None);
    register.fsck();
    // an erased record leaves nothing that its salt could be made from
    register.delete(delete(1, None, None));
    let file = rusqlite::Connection::open(register.dir.path().join("register.db")).unwrap();
    let seeds: i64 = file
        .query_row("SELECT count(*) FROM seed", [], |row| row.get(0))
        .unwrap();
    assert_eq!(seeds, 0);
    register.fsck();
}

#[test]
fn what_was_deleted_does_not_come_back_with_the_next_delivery() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(put(1, 1, "amber", &[c]));
    register.delete(delete(1, None, None));
    let again = |other: &str| Put {
        revive: false,
        origin: other.into(),
        ..put(1, 1, "amber", &[c])
    };
    let size = register.store.head().unwrap().size;
    for _ in 0..3 {
        let stored = register.put(again("eu"));
        assert!(matches!(stored, Stored::Deleted { .. }), "{stored:?}");
    }
    assert_eq!(
        register.store.head().unwrap().size,
        size + 1,
        "logged once, however often it is tried"
    );
    assert!(matches!(register.put(again("ee")), Stored::Deleted { .. }));
    register.fsck();
    // another content or version of it is another matter
    let other = Put {
        revive: false,
        ..put(1, 2, "amber", &[c])
    };
    assert!(matches!(register.put(other), Stored::New { .. }));
    // and who may bring it back does; then it is known again to everybody
    assert!(matches!(
        register.put(put(1, 1, "amber", &[c])),
        Stored::NewVersion { .. }
    ));
    assert!(matches!(register.put(again("eu")), Stored::Known { .. }));
    register.fsck();
    register.delete(delete(1, None, None));
    assert!(matches!(register.put(again("eu")), Stored::Deleted { .. }));
    register.fsck();
}
