//! A writer killed at any moment: everything it acknowledged is there, once, and the register is sound.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

use comity_store::{Batch, Genesis, Op, Options, PageQuery};

use crate::support::{Register, put, sign};

const ROUNDS: u32 = 6;
const PER_BATCH: u32 = 16;

#[test]
fn a_killed_writer_loses_nothing_it_acknowledged() {
    let mut register = Register::new();
    let c = register.collection(1);
    let mut acknowledged = 0;
    for round in 1..=ROUNDS {
        let Register {
            dir,
            store,
            writer,
            now,
        } = register;
        drop((store, writer));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "crash::child_writer", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{}", dir.path().display()).unwrap();
        drop(stdin);
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        // a different number of batches each round, killed while the next is under way
        for line in lines
            .by_ref()
            .filter(|line| line.starts_with("kept "))
            .take(round as usize * 3)
        {
            acknowledged = line.trim_start_matches("kept ").parse().unwrap();
        }
        child.kill().unwrap();
        for line in lines.filter(|line| line.starts_with("kept ")) {
            acknowledged = line.trim_start_matches("kept ").parse().unwrap();
        }
        child.wait().unwrap();
        let (store, writer) = comity_store::open(dir.path(), &Options::default()).unwrap();
        register = Register {
            dir,
            store,
            writer,
            now,
        };
        register.fsck();
        let rows = register.page(&PageQuery::new(c, register.scope(&["amber"]), 1_000_000));
        let kept = u32::try_from(rows.len()).unwrap();
        assert!(
            kept >= acknowledged,
            "{kept} of {acknowledged} in round {round}"
        );
        assert_eq!(kept % PER_BATCH, 0, "whole batches");
        let distinct: std::collections::BTreeSet<_> = rows.iter().collect();
        assert_eq!(distinct.len(), rows.len());
    }
    assert!(acknowledged >= ROUNDS * 3 * PER_BATCH);
}

/// Not a test of its own: writes batches into the register named on standard input until it is killed.
#[test]
#[ignore = "run by a_killed_writer_loses_nothing_it_acknowledged"]
fn child_writer() {
    let mut dir = String::new();
    std::io::stdin().read_to_string(&mut dir).unwrap();
    let dir = PathBuf::from(dir.trim());
    if !dir.join("register.db").exists() {
        return;
    }
    let (store, mut writer) = comity_store::open(&dir, &Options::default()).unwrap();
    let c = store.collections().unwrap()[0].key;
    let scope = comity_store::Scope::new(
        store
            .label_sets(comity_store::LabelSetId(0))
            .unwrap()
            .iter()
            .map(|(id, _)| *id)
            .collect(),
    );
    let mut next = u32::try_from(store.count(&scope, None).unwrap()).unwrap();
    for _ in 0..10_000 {
        let ops = (0..PER_BATCH)
            .map(|i| Op::Put(Box::new(put(next + i, 1, "amber", &[c]))))
            .collect();
        writer.append(&Batch { now_micros: 1, ops }, &sign).unwrap();
        next += PER_BATCH;
        println!("\nkept {next}");
    }
}

#[test]
fn a_crash_while_making_a_register_leaves_room_for_another_try() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("register.db.new"), "half").unwrap();
    let genesis = Genesis {
        database_id: [7; 16],
        origin: "x".into(),
        created_micros: 1,
    };
    comity_store::create(dir.path(), &genesis).unwrap();
    assert!(matches!(
        comity_store::create(dir.path(), &genesis),
        Err(comity_store::OpenError::Exists(_))
    ));
}
