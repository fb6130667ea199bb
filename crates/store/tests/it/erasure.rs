//! What was erased is in no file any more: not in the database, not in its write-ahead log.

use comity_store::{Erasure, Op, PageQuery};

use crate::support::{Register, delete, put, put_with};

/// In the record, and a word of the search index. No other word begins like it, for the index keeps words without what they
/// share with the one before.
const WORD: &str = "zyxwvutsrqponm";

/// Files below the register's folder in which the word can be found.
fn found_in(register: &Register) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(register.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let tail = &WORD.as_bytes()[1..];
        if bytes.windows(tail.len()).any(|part| part == tail) {
            names.push(path.file_name().unwrap().display().to_string());
        }
    }
    names
}

fn filled() -> Register {
    let mut register = Register::new();
    let c = register.collection(1);
    for chunk in 0..20 {
        let ops = (0..20)
            .map(|n| Op::Put(Box::new(put(100 + chunk * 20 + n, 1, "amber", &[c]))))
            .collect();
        register.append(ops);
        // a segment of the index each
        register.writer.search_index_step(1000).unwrap();
    }
    register.put(put_with(
        1,
        1,
        "amber",
        &[c],
        &format!(r#","description":"{WORD}""#),
    ));
    register.writer.search_index_step(1000).unwrap();
    register.writer.checkpoint().unwrap();
    assert_eq!(
        found_in(&register),
        ["register.db"],
        "the search means something"
    );
    register
}

fn erase(register: &mut Register) -> usize {
    let mut steps = 1;
    while register.writer.erase_step().unwrap() == Erasure::More {
        steps += 1;
        assert!(steps < 1000, "it comes to an end");
    }
    steps
}

#[test]
fn erased_words_leave_the_files() {
    let mut register = filled();
    assert_eq!(register.writer.erase_step().unwrap(), Erasure::Done);
    register.delete(delete(1, None, None));
    assert!(
        !found_in(&register).is_empty(),
        "deleting alone is not enough"
    );
    erase(&mut register);
    assert_eq!(found_in(&register), Vec::<String>::new());
    register.fsck();
    // the others can still be found
    let scope = register.scope(&["amber"]);
    let hits = register
        .store
        .search(&comity_store::SearchQuery {
            scope,
            text: Some("beacon".into()),
            identifier: None,
            types: vec![],
            collection: None,
            origin: None,
            last_only: false,
            limit: 1000,
            cursor: None,
        })
        .unwrap();
    assert_eq!(hits.len(), 400);
}

#[test]
fn an_erasure_that_was_cut_is_finished_after_the_next_start() {
    let mut register = filled();
    register.delete(delete(1, None, None));
    register.writer.erase_step().unwrap();
    let mut register = register.reopen();
    erase(&mut register);
    assert_eq!(found_in(&register), Vec::<String>::new());
    register.fsck();
}

#[test]
fn a_reader_delays_it_and_is_not_disturbed() {
    let mut register = filled();
    let c = register.store.collections().unwrap()[0].key;
    let query = PageQuery::new(c, register.scope(&["amber"]), 1000);
    register.delete(delete(1, None, None));
    let store = register.store.clone();
    let mut rows = 0;
    store
        .page(&query, &mut |_| {
            if rows == 0 {
                // inside the reader's transaction
                let mut state = Erasure::More;
                while state == Erasure::More {
                    state = register.writer.erase_step().unwrap();
                }
                assert_eq!(state, Erasure::Waiting);
            }
            rows += 1;
        })
        .unwrap();
    assert_eq!(rows, 400);
    erase(&mut register);
    assert_eq!(found_in(&register), Vec::<String>::new());
}
