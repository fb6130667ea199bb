//! `deny.toml` holds wherever the tests run: bans, licences and sources, from `Cargo.lock` and from the manifests that a build
//! has fetched anyway. `cargo deny check`, which scripts/test runs where it is installed, looks for advisories too.

use std::collections::BTreeSet;

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, PackageId};
use toml::{Table, Value};

use crate::files::{none, root};

fn read(name: &str) -> Table {
    toml::from_str(&std::fs::read_to_string(root().join(name)).unwrap()).unwrap()
}

fn words(value: &Value) -> BTreeSet<String> {
    let list = value.as_array().unwrap().iter();
    list.map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// What a build for the first platform of `deny.toml` takes in: only that is sure to be here without the network. `Cargo.lock`
/// also names what no feature of ours turns on.
fn graph() -> Metadata {
    let target = read("deny.toml")["graph"]["targets"][0]
        .as_str()
        .unwrap()
        .to_owned();
    MetadataCommand::new()
        .current_dir(root())
        .features(CargoOpt::AllFeatures)
        .other_options([
            "--offline".to_owned(),
            "--filter-platform".to_owned(),
            target,
        ])
        .exec()
        .unwrap()
}

#[test]
fn no_banned_crate_is_used() {
    let (deny, graph) = (read("deny.toml"), graph());
    let name = |id: &PackageId| graph[id].name.to_string();
    let mut complaints = Vec::new();
    for ban in deny["bans"]["deny"].as_array().unwrap() {
        let banned = ban["crate"].as_str().unwrap();
        let wrappers = ban.get("wrappers").map(words).unwrap_or_default();
        for node in &graph.resolve.as_ref().unwrap().nodes {
            let uses = node.deps.iter().any(|one| name(&one.pkg) == banned);
            if uses && !wrappers.contains(&name(&node.id)) {
                complaints.push(format!(
                    "`{}` uses `{banned}`: {}",
                    name(&node.id),
                    ban["reason"]
                ));
            }
        }
    }
    none(&complaints);
}

#[test]
fn every_crate_comes_from_an_allowed_registry() {
    let (deny, lock) = (read("deny.toml"), read("Cargo.lock"));
    let allowed = words(&deny["sources"]["allow-registry"]);
    let mut complaints = Vec::new();
    for package in lock["package"].as_array().unwrap() {
        // one of ours has none
        let Some(source) = package.get("source").and_then(Value::as_str) else {
            continue;
        };
        let registry = source.strip_prefix("registry+").unwrap_or(source);
        if !allowed.contains(registry) {
            complaints.push(format!("{} comes from `{source}`", package["name"]));
        }
    }
    none(&complaints);
}

#[test]
fn no_version_is_left_open() {
    assert_eq!(
        read("deny.toml")["bans"]["wildcards"].as_str(),
        Some("deny")
    );
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    let mut complaints = Vec::new();
    for package in &metadata.packages {
        // ours are found by their path
        let foreign = package.dependencies.iter().filter(|one| one.path.is_none());
        let open = foreign.filter(|one| one.req.to_string() == "*");
        complaints.extend(open.map(|one| format!("`{}` takes any `{}`", package.name, one.name)));
    }
    none(&complaints);
}

#[test]
fn every_licence_is_allowed() {
    let deny = read("deny.toml");
    let allowed = words(&deny["licenses"]["allow"]);
    let metadata = graph();
    let mut complaints = Vec::new();
    for package in &metadata.packages {
        let licence = package.license.clone().unwrap_or_default();
        if !fits(&licence, &allowed) {
            complaints.push(format!("{} {}: `{licence}`", package.name, package.version));
        }
    }
    none(&complaints);
}

/// SPDX expressions as crates write them: AND, OR, WITH, parentheses, and the old `/` for OR.
fn fits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let fits = any(&tokens, &mut at, allowed);
    fits && at == tokens.len()
}

fn any(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut fits = every(tokens, at, allowed);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        fits |= every(tokens, at, allowed);
    }
    fits
}

fn every(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut fits = one(tokens, at, allowed);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        fits &= one(tokens, at, allowed);
    }
    fits
}

fn one(tokens: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let Some(token) = tokens.get(*at) else {
        return false;
    };
    *at += 1;
    if *token == "(" {
        let fits = any(tokens, at, allowed);
        let closed = tokens.get(*at) == Some(&")");
        *at += 1;
        return fits && closed;
    }
    let mut name = (*token).to_owned();
    if tokens.get(*at) == Some(&"WITH") {
        name = format!("{name} WITH {}", tokens.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    allowed.contains(&name)
}

#[test]
fn expressions_are_read_as_they_are_meant() {
    let allowed: BTreeSet<String> = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]
        .map(str::to_owned)
        .into();
    for (expression, right) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("", false),
        ("GPL-3.0 OR MIT", true),
        ("MIT AND GPL-3.0", false),
        ("MIT/GPL-3.0", true),
        ("ISC AND (GPL-3.0 OR MIT)", true),
        ("ISC AND (GPL-3.0 OR GPL-2.0)", false),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
        ("Apache-2.0", false),
        ("MIT ISC", false),
    ] {
        assert_eq!(fits(expression, &allowed), right, "{expression}");
    }
}
