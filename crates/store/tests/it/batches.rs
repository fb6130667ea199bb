//! Several operations in one batch see each other, in order; the caller's faults harm nobody else.

use comity_store::{
    Admin, Collection, CollectionKey, Delete, Fault, Op, Outcome, PageQuery, Principal, Relabel,
    Seq, Store, Stored, Token, Writer,
};

use crate::support::{Register, admin, delete, put};

#[test]
fn operations_of_one_batch_see_each_other() {
    let mut register = Register::new();
    let c = register.collection(1);
    let mut other = put(1, 1, "amber", &[c]);
    other.bytes = b"{}".to_vec();
    other.content_sha256 = [1; 32];
    let outcomes = register
        .append(vec![
            Op::Put(Box::new(put(1, 1, "amber", &[c]))),
            Op::Put(Box::new(put(1, 1, "amber", &[c]))),
            Op::Put(Box::new(other.clone())),
            Op::Put(Box::new(other)),
            Op::Put(Box::new(put(1, 2, "amber", &[c]))),
            Op::Delete(delete(1, Some(1), None)),
            Op::Put(Box::new(put(1, 1, "green", &[c]))),
        ])
        .outcomes;
    let stored: Vec<&Stored> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Put(stored) => Some(stored),
            _ => None,
        })
        .collect();
    assert!(matches!(stored[0], Stored::New { .. }));
    assert!(matches!(stored[1], Stored::Known { .. }));
    assert!(matches!(stored[2], Stored::Conflict { .. }));
    assert_eq!(stored[2], stored[3]);
    assert!(matches!(stored[4], Stored::NewVersion { .. }));
    assert!(
        matches!(stored[5], Stored::NewVersion { .. }),
        "deleted, so it may come back"
    );
    let query = PageQuery::new(c, register.scope(&["green"]), 10);
    assert_eq!(register.page(&query).len(), 1);
    register.fsck();
}

#[test]
fn the_callers_faults_leave_no_trace_and_fail_nobody_else() {
    let mut register = Register::new();
    let c = register.collection(1);
    let nowhere = CollectionKey(99);
    let mut misnamed = put(1, 1, "amber", &[c]);
    misnamed.object_type = "malware".into();
    let before = register.store.head().unwrap().size;
    let outcomes = register
        .append(vec![
            Op::Put(Box::new(put(1, 1, "amber", &[c, nowhere]))),
            Op::Put(Box::new(misnamed)),
            Op::Delete(Delete {
                collection: Some(nowhere),
                ..delete(1, None, None)
            }),
            Op::Relabel(Relabel {
                seq: Seq(77),
                label_set: "x".into(),
                reason: String::new(),
                by: String::new(),
                salt: [0; 32],
            }),
            admin(Admin::DropPrincipal("nobody@ua".into())),
            admin(Admin::DropCollection(nowhere)),
            Op::Put(Box::new(put(2, 1, "amber", &[c]))),
        ])
        .outcomes;
    assert_eq!(
        outcomes[0],
        Outcome::Rejected(Fault::UnknownCollection(nowhere))
    );
    for outcome in &outcomes[1..6] {
        assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    }
    assert!(matches!(outcomes[6], Outcome::Put(Stored::New { .. })));
    assert_eq!(register.store.head().unwrap().size, before + 1);
    register.fsck();
}

#[test]
fn people_and_collections_are_kept_and_secrets_stay_out_of_the_log() {
    let mut register = Register::new();
    let person = Principal {
        id: "olena@ua".into(),
        display: "Олена".into(),
        role: "analyst".into(),
        party: "ua".into(),
        entity_of: None,
        community: true,
        exercise: None,
        password_hash: Some("$argon2id$secret".into()),
        disabled: false,
        created: 5,
    };
    let token = Token {
        sha256: [0xab; 32],
        name: "siem".into(),
        principal: person.id.clone(),
        scopes: vec!["read".into()],
        created: 6,
        expires: Some(7),
    };
    let generation = register.store.admin_generation().unwrap();
    register.one(admin(Admin::PutPrincipal(person.clone())));
    register.one(admin(Admin::PutToken(token.clone())));
    assert!(register.store.admin_generation().unwrap() > generation);
    assert_eq!(
        register.store.principal(&person.id).unwrap(),
        Some(person.clone())
    );
    assert_eq!(
        register.store.token(&token.sha256).unwrap(),
        Some(token.clone())
    );
    let size = register.store.head().unwrap().size;
    for index in 0..size {
        let content = register.store.entry_detail(index).unwrap().unwrap().content;
        assert!(
            !content.contains("secret") && !content.contains("abab"),
            "{content}"
        );
    }
    // changing a principal keeps its tokens; dropping it takes them along
    register.one(admin(Admin::PutPrincipal(Principal {
        disabled: true,
        ..person.clone()
    })));
    assert_eq!(register.store.tokens(Some(&person.id)).unwrap().len(), 1);
    register.one(admin(Admin::DropPrincipal(person.id.clone())));
    assert_eq!(register.store.tokens(None).unwrap(), vec![]);

    let collection = |uuid: &str, alias: &str| Collection {
        key: CollectionKey(0),
        uuid: uuid.into(),
        alias: Some(alias.into()),
        title: "t".into(),
        description: None,
        media_types: vec![],
        grants: vec![],
        created: 1,
    };
    register.one(admin(Admin::PutCollection(collection("b", "one"))));
    register.one(admin(Admin::PutCollection(collection("a", "two"))));
    let taken = register.one(admin(Admin::PutCollection(collection("c", "one"))));
    assert!(
        matches!(taken, Outcome::Rejected(Fault::Taken { .. })),
        "{taken:?}"
    );
    let order: Vec<String> = register
        .store
        .collections()
        .unwrap()
        .into_iter()
        .map(|row| row.uuid)
        .collect();
    assert_eq!(order, ["a", "b"], "by id (TAXII interoperability 2.1.7)");
    let key = register.store.collection("one").unwrap().unwrap().key;
    register.put(put(1, 1, "amber", &[key]));
    let used = register.one(admin(Admin::DropCollection(key)));
    assert!(
        matches!(used, Outcome::Rejected(Fault::Invalid { .. })),
        "{used:?}"
    );
    register.fsck();
}

#[test]
fn stores_and_writers_travel_between_threads() {
    fn travels<T: Send>() {}
    fn is_shared<T: Send + Sync + Clone>() {}
    travels::<Writer>();
    is_shared::<Store>();
}

#[test]
fn a_page_ends_at_its_bytes_but_never_before_its_first_row() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.append(
        (0..2500)
            .map(|n| Op::Put(Box::new(put(n, 1, "amber", &[c]))))
            .collect(),
    );
    let size = put(0, 1, "amber", &[c]).bytes.len();
    for (bytes_max, expected) in [(0, 1), (size, 1), (size * 3, 2), (usize::MAX, 2500)] {
        let mut query = PageQuery::new(c, register.scope(&["amber"]), 10_000);
        query.bytes_max = bytes_max;
        let mut rows = Vec::new();
        let end = register
            .store
            .page(&query, &mut |row| rows.push(row.added))
            .unwrap();
        assert!(rows.len() >= expected, "{bytes_max}: {}", rows.len());
        assert!(rows.len() <= expected + 1);
        assert_eq!((end.rows, end.more), (rows.len(), rows.len() < 2500));
        assert_eq!(
            (end.first_added, end.last_added),
            (rows.first().copied(), rows.last().copied())
        );
    }
    let query = PageQuery::new(c, register.scope(&["amber"]), 2048);
    assert_eq!(register.store.page(&query, &mut |_| {}).unwrap().rows, 2048);
}
