//! Who may depend on whom (ARCHITECTURE.md, "The crates"). `cargo metadata --no-deps` reads manifests only, and `Cargo.lock`
//! is a file: nothing here needs the network.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{CargoOpt, DependencyKind, MetadataCommand, Package};

use crate::files::{none, root};

/// For each crate the crates of ours it may use in what it ships. A crate that is not here fails the test.
const ARROWS: &[(&str, &[&str])] = &[
    ("comity-stix", &[]),
    ("comity-ledger", &[]),
    ("comity-evidence", &["comity-ledger"]),
    ("comity-access", &["comity-stix"]),
    (
        "comity-store",
        &["comity-stix", "comity-ledger", "comity-evidence"],
    ),
    ("comity-verify", &["comity-ledger", "comity-evidence"]),
    (
        "comity-node",
        &[
            "comity-stix",
            "comity-ledger",
            "comity-evidence",
            "comity-access",
            "comity-store",
            "comity-verify",
        ],
    ),
    ("comity-testkit", &[]),
];

/// Crates that do no I/O, and what must not be found anywhere below them.
const PURE: &[&str] = &[
    "comity-stix",
    "comity-ledger",
    "comity-evidence",
    "comity-access",
];
const NOT_IN_PURE: &[&str] = &[
    "tokio", "axum", "hyper", "reqwest", "rusqlite", "rustls", "mio",
];

/// The separate verifier reads files, and nothing else: no network, no database, no clock, no randomness.
const VERIFIER: &str = "comity-verify";
const NOT_IN_VERIFIER: &[&str] = &[
    "tokio",
    "axum",
    "hyper",
    "reqwest",
    "rusqlite",
    "rustls",
    "mio",
    "getrandom",
    "jiff",
    "clap",
];

/// What only one crate may use: SQL, the network, randomness.
const SOLE: &[(&str, &str)] = &[
    ("rusqlite", "comity-store"),
    ("tokio", "comity-node"),
    ("reqwest", "comity-node"),
    ("getrandom", "comity-node"),
];

#[test]
fn crates_depend_downward_only() {
    let mut complaints = Vec::new();
    for package in ours() {
        let Some((_, allowed)) = ARROWS
            .iter()
            .find(|(name, _)| *name == package.name.as_str())
        else {
            complaints.push(format!(
                "`{}` is new: say in ARROWS what it may depend on",
                package.name
            ));
            continue;
        };
        for name in shipped(&package)
            .iter()
            .filter(|name| name.starts_with("comity-"))
        {
            if !allowed.contains(&name.as_str()) {
                complaints.push(format!("`{}` must not depend on `{name}`", package.name));
            }
        }
    }
    none(&complaints);
}

#[test]
fn test_helpers_are_never_shipped() {
    let shipping: Vec<String> = ours()
        .iter()
        .filter(|package| shipped(package).contains("comity-testkit"))
        .map(|package| {
            format!(
                "`{}` ships `comity-testkit`; it is for [dev-dependencies]",
                package.name
            )
        })
        .collect();
    none(&shipping);
}

#[test]
fn pure_crates_reach_no_io() {
    let lock = lock();
    let mut complaints = Vec::new();
    for package in ours()
        .iter()
        .filter(|package| PURE.contains(&package.name.as_str()))
    {
        let below = closure(&lock, &shipped(package));
        for banned in NOT_IN_PURE.iter().filter(|banned| below.contains(**banned)) {
            complaints.push(format!("`{}` reaches `{banned}`", package.name));
        }
    }
    none(&complaints);
}

/// What is built for it: `Cargo.lock` also has what other members of the workspace ask of the same crates.
#[test]
fn the_verifier_stays_small() {
    let tree = std::process::Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none"])
        .args(["--package", VERIFIER])
        .output()
        .unwrap();
    let text = String::from_utf8(tree.stdout).unwrap();
    let below: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(below.contains("comity-ledger"), "{text}");
    let reached = NOT_IN_VERIFIER.iter().filter(|name| below.contains(**name));
    none(
        &reached
            .map(|name| format!("`{VERIFIER}` reaches `{name}`"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn sql_network_and_randomness_have_one_home() {
    let packages = ours();
    let mut complaints = Vec::new();
    for (used, home) in SOLE {
        for package in &packages {
            if package.name.as_str() != *home && shipped(package).contains(*used) {
                complaints.push(format!(
                    "`{}` must not use `{used}`: it is for `{home}`",
                    package.name
                ));
            }
        }
    }
    none(&complaints);
}

fn ours() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .features(CargoOpt::AllFeatures)
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    metadata.packages
}

/// What a crate uses outside its tests.
fn shipped(package: &Package) -> BTreeSet<String> {
    let used = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development);
    used.map(|dependency| dependency.name.clone()).collect()
}

/// Names of packages by what they use, as `Cargo.lock` has them: every version and platform together, so rather too much.
fn lock() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let lock: toml::Table = toml::from_str(&text).unwrap();
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap().to_owned();
        let below = package.get("dependencies").and_then(toml::Value::as_array);
        let below = below.into_iter().flatten().filter_map(toml::Value::as_str);
        // `name` or `name version`
        let below = below
            .filter_map(|text| text.split(' ').next())
            .map(str::to_owned);
        uses.entry(name).or_default().extend(below);
    }
    uses
}

fn closure(uses: &BTreeMap<String, BTreeSet<String>>, from: &BTreeSet<String>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = from.iter().collect();
    while let Some(name) = open.pop() {
        // our own crates stand in the lock with their tests' needs; their turn comes by itself
        if !reached.insert(name.clone()) || name.starts_with("comity-") {
            continue;
        }
        open.extend(uses.get(name).into_iter().flatten());
    }
    reached
}
