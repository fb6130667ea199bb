//! Random operations against the register and against a model that is a list: every question gives the same answer.

use std::collections::{BTreeMap, BTreeSet};

use comity_store::{
    CollectionKey, Delete, Filter, Op, Options, Outcome, PageQuery, Relabel, Scope, Seq, Stored,
    VersionFilter,
};
use proptest::prelude::*;

use crate::support::{REVOKED, Register, delete, id, put, put_with, version};

const LABELS: [&str; 3] = ["amber", "green", "red"];

#[derive(Clone, Debug)]
enum Step {
    Put {
        object: u32,
        number: u32,
        label: usize,
        collections: u8,
        other_content: bool,
        revoked: bool,
    },
    Delete {
        object: u32,
        number: Option<u32>,
        collection: Option<usize>,
        erase: bool,
    },
    Relabel {
        pick: usize,
        label: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let put = (0..4_u32, 1..6_u32, 0..3_usize, 0..4_u8, 0..8_u8, 0..30_u8).prop_map(
        |(object, number, label, collections, content, revoked)| Step::Put {
            object,
            number,
            label,
            collections,
            other_content: content == 0,
            revoked: revoked == 0,
        },
    );
    let delete = (
        0..4_u32,
        prop::option::of(1..6_u32),
        prop::option::of(0..2_usize),
        any::<bool>(),
    )
        .prop_map(|(object, number, collection, erase)| Step::Delete {
            object,
            number,
            collection,
            erase,
        });
    let relabel =
        (any::<prop::sample::Index>(), 0..3_usize).prop_map(|(pick, label)| Step::Relabel {
            pick: pick.index(1000),
            label,
        });
    prop_oneof![8 => put, 1 => delete, 1 => relabel]
}

/// One version of one object.
#[derive(Clone, Debug)]
struct Version {
    seq: Seq,
    object: u32,
    number: u32,
    label: usize,
    other_content: bool,
    revoked: bool,
    /// Collection to `added`.
    members: BTreeMap<usize, i64>,
}

#[derive(Default)]
struct Model {
    versions: Vec<Version>,
}

impl Model {
    fn apply(&mut self, register: &mut Register, collections: &[CollectionKey], step: &Step) {
        match step {
            Step::Put {
                object,
                number,
                label,
                collections: wanted,
                other_content,
                revoked,
            } => {
                let wanted: Vec<usize> = (0..2).filter(|i| wanted & (1 << i) != 0).collect();
                let keys: Vec<CollectionKey> = wanted.iter().map(|i| collections[*i]).collect();
                let mut more = String::new();
                if *other_content {
                    more.push_str(r#","x_other":1"#);
                }
                if *revoked {
                    more.push_str(REVOKED);
                }
                let sent = put_with(*object, *number, LABELS[*label], &keys, &more);
                let stored = register.put(sent);
                self.put(register, stored, step, &wanted, collections);
            }
            Step::Delete {
                object,
                number,
                collection,
                erase,
            } => {
                let gone = register.delete(Delete {
                    erase: *erase,
                    ..delete(*object, *number, collection.map(|i| collections[i]))
                });
                let mut expected = Vec::new();
                for version in &mut self.versions {
                    let hit = version.object == *object
                        && number.is_none_or(|number| number == version.number)
                        && collection.is_none_or(|c| version.members.contains_key(&c));
                    if hit {
                        expected.push((version.number, version.seq));
                        match collection {
                            Some(c) if !erase => drop(version.members.remove(c)),
                            _ => version.members.clear(),
                        }
                    }
                }
                expected.sort_unstable();
                let seqs: Vec<Seq> = expected.iter().map(|(_, seq)| *seq).collect();
                assert_eq!(gone, seqs);
                self.versions
                    .retain(|version| !seqs.contains(&version.seq) || !version.members.is_empty());
            }
            Step::Relabel { pick, label } => {
                if self.versions.is_empty() {
                    return;
                }
                let index = pick % self.versions.len();
                let version = &mut self.versions[index];
                let outcome = register.one(Op::Relabel(Relabel {
                    seq: version.seq,
                    label_set: LABELS[*label].into(),
                    reason: "test".into(),
                    by: "olena@ua".into(),
                    salt: [5; 32],
                }));
                assert!(matches!(outcome, Outcome::Logged { .. }));
                version.label = *label;
            }
        }
    }

    fn put(
        &mut self,
        register: &Register,
        stored: Stored,
        step: &Step,
        wanted: &[usize],
        collections: &[CollectionKey],
    ) {
        let Step::Put {
            object,
            number,
            label,
            other_content,
            revoked,
            ..
        } = step
        else {
            return;
        };
        let added = |seq: Seq| -> BTreeMap<usize, i64> {
            let members = register.store.memberships(seq).unwrap();
            members
                .into_iter()
                .map(|(key, added)| (collections.iter().position(|c| *c == key).unwrap(), added))
                .collect()
        };
        let known = self
            .versions
            .iter_mut()
            .find(|v| v.object == *object && v.number == *number);
        if let Some(known) = known {
            if (known.other_content, known.revoked) == (*other_content, *revoked) {
                let new = wanted
                    .iter()
                    .filter(|c| !known.members.contains_key(c))
                    .count();
                let Stored::Known {
                    seq,
                    added_to,
                    label_differs,
                    ..
                } = stored
                else {
                    panic!("{stored:?}")
                };
                assert_eq!(
                    (seq, added_to as usize, label_differs),
                    (known.seq, new, known.label != *label)
                );
                let now = added(seq);
                assert!(known.members.iter().all(|(c, added)| now[c] == *added));
                known.members = now;
            } else {
                assert!(
                    matches!(stored, Stored::Conflict { seq, .. } if seq == known.seq),
                    "{stored:?}"
                );
            }
            return;
        }
        let others: Vec<&Version> = self
            .versions
            .iter()
            .filter(|v| v.object == *object)
            .collect();
        if others.iter().any(|v| v.revoked && v.number < *number) {
            assert!(matches!(stored, Stored::AfterRevoked { .. }), "{stored:?}");
            return;
        }
        let seq = match stored {
            Stored::New { seq, .. } if others.is_empty() => seq,
            Stored::NewVersion { seq, .. } if !others.is_empty() => seq,
            other => panic!("{other:?}"),
        };
        let members = added(seq);
        assert_eq!(members.keys().copied().collect::<Vec<_>>(), wanted);
        self.versions.push(Version {
            seq,
            object: *object,
            number: *number,
            label: *label,
            other_content: *other_content,
            revoked: *revoked,
            members,
        });
    }

    /// (added, object, version) of the members a query should give, by `added`.
    fn page(
        &self,
        collection: usize,
        scope: &BTreeSet<usize>,
        wanted: &VersionFilter,
        object: Option<u32>,
    ) -> Vec<(i64, String, u32)> {
        let readable: Vec<&Version> = self
            .versions
            .iter()
            .filter(|v| v.members.contains_key(&collection) && scope.contains(&v.label))
            .filter(|v| object.is_none_or(|object| v.object == object))
            .collect();
        let nothing = !wanted.first && !wanted.all && wanted.exact.is_empty();
        let mut rows: Vec<(i64, String, u32)> = readable
            .iter()
            .filter(|v| {
                let of_object = || readable.iter().filter(|o| o.object == v.object);
                wanted.all
                    || wanted.exact.contains(&version(v.number))
                    || ((wanted.last || nothing) && of_object().all(|o| o.number <= v.number))
                    || (wanted.first && of_object().all(|o| o.number >= v.number))
            })
            .map(|v| (v.members[&collection], id(v.object), v.number))
            .collect();
        rows.sort_unstable();
        rows
    }

    fn compare(&self, register: &Register, collections: &[CollectionKey], limit: usize) {
        let filters = [
            VersionFilter::default(),
            VersionFilter {
                last: true,
                first: true,
                ..VersionFilter::default()
            },
            VersionFilter {
                first: true,
                ..VersionFilter::default()
            },
            VersionFilter::all(),
            VersionFilter {
                last: true,
                exact: vec![version(2)],
                ..VersionFilter::default()
            },
        ];
        for mask in 0..8_usize {
            let labels: BTreeSet<usize> = (0..3).filter(|i| mask & (1 << i) != 0).collect();
            let texts: Vec<&str> = labels.iter().map(|i| LABELS[*i]).collect();
            let scope = register.scope(&texts);
            let readable = self
                .versions
                .iter()
                .filter(|v| labels.contains(&v.label))
                .count();
            assert_eq!(register.store.count(&scope, None).unwrap(), readable as u64);
            for (index, key) in collections.iter().enumerate() {
                for filter in &filters {
                    for object in [None, Some(1)] {
                        let expected = self.page(index, &labels, filter, object);
                        let ids = object.map(id).into_iter().collect();
                        let filter = Filter {
                            ids,
                            version: filter.clone(),
                            ..Filter::default()
                        };
                        let found = walk(register, *key, &scope, &filter, limit);
                        assert_eq!(found, expected, "scope {texts:?} {filter:?}");
                    }
                }
                let (versions, _) = register
                    .store
                    .versions(*key, &id(1), &scope, None, 100)
                    .unwrap();
                assert_eq!(
                    versions.len(),
                    self.page(index, &labels, &VersionFilter::all(), Some(1))
                        .len()
                );
            }
        }
    }
}

/// The whole collection, alternately by cursor and by `added_after`, pages and manifests alike.
fn walk(
    register: &Register,
    collection: CollectionKey,
    scope: &Scope,
    filter: &Filter,
    limit: usize,
) -> Vec<(i64, String, u32)> {
    let mut query = PageQuery::new(collection, scope.clone(), limit);
    query.filter = filter.clone();
    query.filter.types = vec!["indicator".into()];
    let mut rows = Vec::new();
    loop {
        let before = rows.len();
        let end = register
            .store
            .page(&query, &mut |row| {
                let number = row.version[17..19].parse().unwrap();
                rows.push((row.added, row.id.to_owned(), number));
            })
            .unwrap();
        let mut lines = 0;
        let manifest = register
            .store
            .manifest(&query, &mut |_| lines += 1)
            .unwrap();
        assert_eq!((manifest, lines), (end, end.rows));
        assert_eq!(end.rows, rows.len() - before);
        assert!(end.rows <= limit);
        assert_eq!(end.last_added, rows[before..].last().map(|row| row.0));
        if !end.more {
            return rows;
        }
        if rows.len() % 2 == 0 {
            query.cursor = end.last_added;
        } else {
            query.added_after = end.last_added;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_register_answers_as_the_model_does(
        steps in prop::collection::vec(step(), 1..60),
        limit in 1..5_usize,
        vain_rows in 0..4_usize,
    ) {
        let mut register = Register::with(&Options { vain_rows, ..Options::default() });
        let collections = [register.collection(1), register.collection(2)];
        let mut model = Model::default();
        for (index, step) in steps.iter().enumerate() {
            model.apply(&mut register, &collections, step);
            if index % 12 == 11 || index + 1 == steps.len() {
                model.compare(&register, &collections, limit);
            }
        }
        register.fsck();
        let register = register.reopen();
        model.compare(&register, &collections, 100);
    }
}

/// A walk beside a writer sees everything that was there when it began, each once, in order.
#[test]
fn a_walk_beside_a_writer_loses_and_repeats_nothing() {
    for by_cursor in [true, false] {
        let mut register = Register::with(&Options {
            vain_rows: 1,
            ..Options::default()
        });
        let c = register.collection(1);
        let label = |n: u32| LABELS[(n % 3) as usize];
        register.append(
            (0..200)
                .map(|n| Op::Put(Box::new(put(n, 1, label(n), &[c]))))
                .collect(),
        );
        let scope = register.scope(&["amber", "red"]);
        let store = register.store.clone();
        let reader = std::thread::spawn(move || {
            let mut query = PageQuery::new(c, scope, 7);
            let mut seen = Vec::new();
            loop {
                let end = store
                    .page(&query, &mut |row| seen.push((row.added, row.id.to_owned())))
                    .unwrap();
                match end.last_added {
                    Some(added) if by_cursor => query.cursor = Some(added),
                    Some(added) => query.added_after = Some(added),
                    None => {}
                }
                // the writer's last object ends the walk
                if seen.iter().any(|(_, seen)| *seen == id(999)) {
                    return seen;
                }
            }
        });
        for n in 200..400 {
            register.put(put(n, 1, label(n), &[c]));
        }
        register.put(put(999, 1, "amber", &[c]));
        let seen = reader.join().unwrap();
        assert!(
            seen.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "in order"
        );
        let ids: BTreeSet<String> = seen.iter().map(|(_, id)| id.clone()).collect();
        assert_eq!(ids.len(), seen.len(), "none twice");
        let expected = (0..400).filter(|n| label(*n) != "green").count() + 1;
        assert_eq!(ids.len(), expected, "none lost");
    }
}
