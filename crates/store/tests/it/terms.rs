//! What a second delivery may do to what is here, when who decides says so.

use comity_store::{EntryKind, Fault, Op, Outcome, Put, Seen, Stored, Terms};

use crate::support::{Register, delete, id, put, put_bytes, version};

fn from(origin: &str, mut put: Put) -> Put {
    put.origin = origin.into();
    put.author = Some(format!("node@{origin}"));
    put
}

#[test]
fn the_register_says_what_is_here_without_bytes() {
    let mut register = Register::new();
    let c = register.collection(1);
    register.put(from("eu", put(1, 1, "amber", &[c])));
    let mut revoked = put(1, 2, "green", &[c]);
    revoked.revoked = true;
    register.put(from("ee", revoked));
    register.put(from("pl", put(2, 1, "amber", &[c])));
    register.delete(delete(2, None, Some(c)));
    let (one, two, three) = (id(1), id(2), id(3));
    let keys = [version(1), version(3)];
    let asked = [
        (&*one, &*keys[0]),
        (&*one, &*keys[1]),
        (&*two, &*keys[0]),
        (&*three, &*keys[0]),
    ];
    let kept = register.store.kept(&asked).unwrap();
    let exact = kept[0].exact.clone().unwrap();
    assert_eq!((exact.version_key, exact.origin), (version(1), "eu".into()));
    assert!(kept[0].revoked.is_empty(), "revoked later");
    assert_eq!(kept[1].exact, None);
    assert_eq!(kept[1].last.clone().unwrap().version_key, version(2));
    assert_eq!(kept[1].revoked.len(), 1);
    assert_eq!(kept[1].object.given.len(), 2);
    assert_eq!(kept[2].last, None);
    let erased = &kept[2].object.erased[&version(1)][0];
    assert_eq!(erased.origin.as_deref(), Some("pl"));
    assert!(kept[3].last.is_none() && kept[3].object.erased.is_empty());
}

#[test]
fn a_record_comes_under_the_label_of_who_speaks_for_it() {
    let mut register = Register::new();
    let (c, d) = (register.collection(1), register.collection(2));
    register.put(from("eu", put(1, 1, "red", &[c])));
    while register.writer.search_index_step(100).unwrap() > 0 {}
    let mut own = put(1, 1, "green", &[d]);
    own.terms.relabel = Some("it is ours".into());
    let size = register.store.head().unwrap().size;
    let stored = register.put(own.clone());
    assert!(
        matches!(
            stored,
            Stored::Known {
                relabelled: true,
                label_differs: false,
                added_to: 1,
                ..
            }
        ),
        "{stored:?}"
    );
    let changes = register.store.changes(size, 10).unwrap();
    let kinds: Vec<EntryKind> = changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [EntryKind::Relabel, EntryKind::Membership]);
    let scope = register.scope(&["green"]);
    let record = register
        .store
        .get(&id(1), &comity_store::Which::Last, &scope)
        .unwrap()
        .unwrap();
    assert_eq!(
        (record.origin.as_str(), record.author.as_deref()),
        ("ua", Some("olena@ua"))
    );
    let size = register.store.head().unwrap().size;
    assert!(matches!(
        register.put(own),
        Stored::Known {
            relabelled: false,
            added_to: 0,
            ..
        }
    ));
    assert_eq!(
        register.store.head().unwrap().size,
        size,
        "the same again is free"
    );
    register.fsck();
}

#[test]
fn other_content_gives_way_when_it_must() {
    let mut register = Register::new();
    let c = register.collection(1);
    let theirs = put_bytes(1, 1, "red", &[c], br#"{"forged":true}"#.to_vec());
    register.put(from("eu", theirs));
    let mut own = put(1, 1, "green", &[c]);
    own.terms.replace = Some("the identifier is ours".into());
    assert!(matches!(register.put(own), Stored::New { .. }));
    let tombstone = register.store.tombstones(&id(1)).unwrap().remove(0);
    assert_eq!(tombstone.reason, "the identifier is ours");
    register.fsck();
}

#[test]
fn that_another_gave_it_too_is_noted_once() {
    let mut register = Register::new();
    let c = register.collection(1);
    let Stored::New {
        seq, entry_index, ..
    } = register.put(put(1, 1, "amber", &[c]))
    else {
        panic!()
    };
    let mut again = from("eu", put(1, 1, "green", &[]));
    again.terms.noted = true;
    let Stored::Known {
        entry_index: noted, ..
    } = register.put(again.clone())
    else {
        panic!()
    };
    assert!(noted > entry_index);
    assert_eq!(register.store.given_again(seq, "eu").unwrap(), Some(noted));
    assert_eq!(register.store.given_again(seq, "ee").unwrap(), None);
    let size = register.store.head().unwrap().size;
    assert!(
        matches!(register.put(again), Stored::Known { entry_index, .. } if entry_index == noted)
    );
    assert_eq!(register.store.head().unwrap().size, size);
    register.fsck();
}

#[test]
fn a_decision_on_what_was_here_is_void_when_another_came_first() {
    let mut register = Register::new();
    let c = register.collection(1);
    let nothing = Terms {
        seen: Some(Seen {
            exact: None,
            last: None,
        }),
        ..Terms::default()
    };
    let mut first = put(1, 1, "amber", &[c]);
    first.terms = nothing.clone();
    let mut second = put(1, 2, "amber", &[c]);
    second.terms = nothing.clone();
    // the same origin, in one batch: decided by the same rules
    let outcomes = register.append(vec![Op::Put(Box::new(first)), Op::Put(Box::new(second))]);
    assert!(
        outcomes
            .outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Put(_)))
    );
    let mut other = from("eu", put(1, 3, "green", &[c]));
    other.terms = nothing.clone();
    let outcome = register.one(Op::Put(Box::new(other)));
    assert_eq!(outcome, Outcome::Rejected(Fault::Overtaken));
    // the same content at the same moment is here, and goes nowhere else
    let d = register.collection(2);
    let mut same = from("eu", put(1, 1, "green", &[d]));
    same.terms = nothing;
    let stored = register.put(same);
    assert!(
        matches!(stored, Stored::Known { added_to: 0, .. }),
        "{stored:?}"
    );
    register.fsck();
}
