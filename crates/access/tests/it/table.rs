//! Role x action x label: every cell, compared with the committed table `policies/expected.txt`.
//!
//! `COMITY_BLESS=1 cargo test -p comity-access table` writes it anew; read the difference as a lawyer would.

use std::fmt::Write as _;
use std::path::Path;

use comity_access::{Access, Action, Kind, Reader, Resource, Role};

use crate::support::{label_by, party, person, reader};

const COLLECTION: &str = "feed";

const HEAD: &str = "\
# Who may do what to which record, on the node of party `ua`. Generated: COMITY_BLESS=1 cargo test -p comity-access table
#
# A label is written: colour, whose record it is, `->` whom its audience names, `/` the exercise it was made in.
# `none` is a record that came without a label. RED of `ua` was written by olena@ua.
# Asked in a collection every account is granted to read and to write, so that the label decides; the last part
# shows what a missing grant does. x: permitted.
#
# The columns:
#   admin   administrator of ua             officer  officer of ua          olena  olena@ua, analyst of ua
#   audit   auditor of ua                   energo   soc@energo, constituent (client) of ua, in the community
#   N:eu    node@eu, peer, in the community     N:ee  node@ee, peer, in the community     N:xx  node@xx, peer, outside it
#   anna    anna@eu, officer of eu, in the community           bo       bo@ee, analyst of ee, in the community
#   watch   watch@ee, observer, outside the community          watch+   the same, admitted to the community
#   offi:ex officer of ua who takes part in exercise ex1       N:eu:ex  node@eu taking part in exercise ex1
";

const LABELS: &[&str] = &[
    "none ua",
    "none ua -> eu",
    "CLEAR ua",
    "GREEN ua",
    "GREEN ua -> eu",
    "AMBER ua",
    "AMBER ua -> eu",
    "AMBER ua -> ua eu",
    "AMBER ua -> energo",
    "AMBER ua -> ee",
    "AMBER ua -> anna@eu",
    "AMBER+STRICT ua",
    "AMBER+STRICT ua -> eu",
    "AMBER+STRICT ua -> ua eu",
    "AMBER+STRICT ua -> energo",
    "RED ua",
    "RED ua -> ua eu ee energo",
    "RED ua -> anna@eu",
    "RED ua -> node@eu",
    "RED ua -> admin@ua",
    "none eu",
    "CLEAR eu",
    "GREEN eu",
    "GREEN eu -> ua",
    "AMBER eu",
    "AMBER eu -> ua",
    "AMBER eu -> ua ee",
    "AMBER eu -> ee",
    "AMBER+STRICT eu",
    "AMBER+STRICT eu -> ua",
    "AMBER+STRICT eu -> ua ee",
    "AMBER+STRICT eu -> ua bo@ee",
    "AMBER+STRICT eu -> ua node@ee",
    "RED eu",
    "RED eu -> olena@ua",
    "RED eu -> bo@ee",
    "RED eu -> node@ee",
    "GREEN energo",
    "AMBER energo -> ua",
    "CLEAR ua / ex1",
    "GREEN ua / ex1",
    "AMBER ua -> eu / ex1",
    "RED ua -> anna@eu officer@ua / ex1",
];

fn columns(granted: bool) -> Vec<(&'static str, Reader)> {
    let make = |name: &str, role, community: bool, exercise: Option<&str>| {
        reader(name, role, |account| {
            account.community = community;
            account.exercise = exercise.map(str::to_owned);
            if role == Role::Entity {
                account.entity_of = Some(party("ua"));
            }
            if granted {
                account.grants.read.insert(COLLECTION.to_owned());
                account.grants.write.insert(COLLECTION.to_owned());
            }
        })
    };
    vec![
        ("admin", make("admin@ua", Role::Administrator, true, None)),
        ("officer", make("officer@ua", Role::Officer, true, None)),
        ("olena", make("olena@ua", Role::Analyst, true, None)),
        ("audit", make("audit@ua", Role::Auditor, true, None)),
        ("energo", make("soc@energo", Role::Entity, true, None)),
        ("N:eu", make("node@eu", Role::Peer, true, None)),
        ("N:ee", make("node@ee", Role::Peer, true, None)),
        ("N:xx", make("node@xx", Role::Peer, false, None)),
        ("anna", make("anna@eu", Role::Officer, true, None)),
        ("bo", make("bo@ee", Role::Analyst, true, None)),
        ("watch", make("watch@ee", Role::Observer, false, None)),
        ("watch+", make("watch@ee", Role::Observer, true, None)),
        (
            "offi:ex",
            make("officer@ua", Role::Officer, true, Some("ex1")),
        ),
        ("N:eu:ex", make("node@eu", Role::Peer, true, Some("ex1"))),
    ]
}

fn of_kind(kind: Kind) -> impl Iterator<Item = Action> {
    Action::ALL
        .into_iter()
        .filter(move |action| action.kind() == kind)
}

fn row(out: &mut String, what: &str, action: Action, cells: impl Iterator<Item = bool>) {
    let mut line = format!("{what:<36}{:<24}", action.word());
    for cell in cells {
        write!(line, "{:<8}", if cell { "x" } else { "." }).unwrap();
    }
    writeln!(out, "{}", line.trim_end()).unwrap();
}

fn records(
    out: &mut String,
    access: &Access,
    label: &str,
    granted: bool,
    collection: Option<&str>,
) {
    let olena = person("olena@ua");
    let own_red = label.starts_with("RED ua").then_some("olena@ua");
    let set = label_by(label, own_red);
    for action in of_kind(Kind::Record) {
        let thing = match collection {
            Some(key) => Resource::record_in(&set, key),
            None => Resource::record(&set),
        };
        let thing = if own_red.is_some() {
            thing.by(&olena)
        } else {
            thing
        };
        let readers = columns(granted);
        row(
            out,
            label,
            action,
            readers
                .iter()
                .map(|(_, reader)| access.decide(reader, action, thing).permitted),
        );
    }
}

fn table() -> String {
    let access = Access::new(party("ua")).unwrap();
    let mut out = HEAD.to_owned();
    let names: String = columns(true)
        .iter()
        .map(|(name, _)| format!("{name:<8}"))
        .collect();
    let section = |title: &str, out: &mut String| {
        writeln!(
            out,
            "\n## {title}\n{:<36}{:<24}{}",
            "label",
            "action",
            names.trim_end()
        )
        .unwrap();
    };
    section("records, in a granted collection", &mut out);
    for label in LABELS {
        records(&mut out, &access, label, true, Some(COLLECTION));
    }
    section("records, past the collections", &mut out);
    for label in ["CLEAR ua", "AMBER ua -> eu", "RED ua -> anna@eu"] {
        records(&mut out, &access, label, true, None);
    }
    section("records, in a collection not granted", &mut out);
    for label in ["CLEAR ua", "AMBER ua -> eu", "RED ua -> anna@eu"] {
        records(&mut out, &access, label, false, Some(COLLECTION));
    }
    section("collections and the node", &mut out);
    let (with, without) = (columns(true), columns(false));
    for (what, readers) in [
        ("collection, granted", &with),
        ("collection, not granted", &without),
    ] {
        for action in of_kind(Kind::Collection) {
            let thing = Resource::Collection(COLLECTION);
            row(
                &mut out,
                what,
                action,
                readers
                    .iter()
                    .map(|(_, reader)| access.decide(reader, action, thing).permitted),
            );
        }
    }
    for action in of_kind(Kind::Node) {
        row(
            &mut out,
            "node",
            action,
            with.iter()
                .map(|(_, reader)| access.decide(reader, action, Resource::Node).permitted),
        );
    }
    out
}

#[test]
fn table_is_as_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/expected.txt");
    let got = table();
    if std::env::var_os("COMITY_BLESS").is_some() {
        std::fs::write(&path, &got).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    let differing: Vec<String> = expected
        .lines()
        .zip(got.lines())
        .filter(|(expected, got)| expected != got)
        .map(|(expected, got)| format!("- {expected}\n+ {got}"))
        .collect();
    assert!(
        differing.is_empty(),
        "{} rows differ:\n{}",
        differing.len(),
        differing.join("\n")
    );
    assert_eq!(expected.lines().count(), got.lines().count());
}
