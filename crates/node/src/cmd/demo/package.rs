//! The exhibit as a package: whoever has the keys can check it, without a node and without trusting one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use super::evidence::{AT_EU, HandedOver};
use super::node::{Answer, Node};
use super::stage::Stage;
use super::story::{Cast, text_of};

/// A package, and the keys of those who are to be believed about it, which came another way.
pub(super) struct Package {
    pub(super) path: PathBuf,
    policy: PathBuf,
    keys: PathBuf,
}

impl Package {
    /// What checks it, to be typed anywhere.
    pub(super) fn command(&self, program: &str) -> String {
        format!(
            "{program} {} --policy {} --keys {}",
            self.path.display(),
            self.policy.display(),
            self.keys.display()
        )
    }

    /// What `comity verify` says of a package at `path`, by the same keys.
    pub(super) fn verify(&self, by: &Node, path: &Path) -> anyhow::Result<Answer> {
        let [path, policy, keys] =
            [path, &self.policy, &self.keys].map(|path| path.to_string_lossy());
        by.run(&["verify", &path, "--policy", &policy, "--keys", &keys])
    }
}

/// The EU packages the exhibit; Estonia, which had no part in it, checks the package.
pub(super) fn package(
    cast: &Cast,
    root: &Path,
    exhibit: &HandedOver,
    stage: &mut Stage,
) -> anyhow::Result<Package> {
    let Cast { eu, ee, .. } = cast;
    stage.step("A package for a court: checked by anybody, with no node and no network");
    let package = Package {
        path: root.join("package"),
        policy: root.join("keys").join("policy.txt"),
        keys: root.join("keys").join("authorities.txt"),
    };
    let out = package.path.to_string_lossy();
    let mut words = vec!["evidence", "package", &exhibit.number, "--out", &out];
    words.extend(["--for", "ua"]);
    words.extend(AT_EU);
    words.extend(["--by", "jean"]);
    let made = stage.answer(eu, &words)?;
    stage.check(
        "it was written only once Estonia's witness had cosigned the log that commits to it",
        text_of(&made, "witnesses") == "quorum" && package.path.join("bagit.txt").is_file(),
    );
    given(cast, &package)?;
    stage.tell("whoever checks has the keys from somewhere else: the cards of both sides, Estonia's own key");
    stage.line(&format!("   $ {}", package.command("comity verify")));
    let answer = package.verify(ee, &package.path)?;
    let facts = answer.last().get("facts").and_then(Value::as_array);
    for fact in facts.into_iter().flatten() {
        if SHOWN.contains(&text_of(fact, "code")) {
            stage.quote(&fact.get("message").cloned().unwrap_or_default());
        }
    }
    stage.check(
        "comity verify: verified, by keys that were given (exit code 0)",
        answer.code == Some(0) && text_of(answer.last(), "verdict") == "verified",
    );
    let own = ee.run(&["verify", &out])?;
    stage.check(
        "without any key it says that the package only fits itself (exit code 3)",
        own.code == Some(3) && text_of(own.last(), "verdict") == "verified-by-own-keys",
    );
    script(&package, stage)?;
    stage.tell(
        "(the separate program comity-verify, without server code, takes the same arguments)",
    );
    Ok(package)
}

/// Of what the verifier found to hold, what tells the story.
const SHOWN: [&str; 5] = [
    "payload.ok",
    "custody.event",
    "log.ok",
    "witnesses.one",
    "witnesses.ok",
];

/// Writes down whom to believe: the log of the EU with Estonia's witness, and the authorities that sign custody.
fn given(cast: &Cast, package: &Package) -> anyhow::Result<()> {
    let Cast { ua, eu, .. } = cast;
    let cards = [ua, eu].map(|node| node.ok(&["peer", "card"]).map(|it| it.last().clone()));
    let [of_ua, of_eu] = cards;
    let (of_ua, of_eu) = (of_ua?, of_eu?);
    let mut policy = String::new();
    for key in ["log_key", "log_mldsa_key"] {
        let key = text_of(&of_eu, key);
        if !key.is_empty() {
            policy.push_str(&format!("log {key}\n"));
        }
    }
    policy.push_str(text_of(eu.ok(&["log", "witnesses"])?.last(), "policy"));
    let keys = format!(
        "{}\n{}\n",
        text_of(&of_ua, "custody_key"),
        text_of(&of_eu, "custody_key")
    );
    if let Some(folder) = package.policy.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&package.policy, policy)?;
    std::fs::write(&package.keys, keys)?;
    Ok(())
}

/// The package's own script, for whoever has none of our programs; skipped where its tools are not.
fn script(package: &Package, stage: &mut Stage) -> anyhow::Result<()> {
    // 3.0 is the first that checks Ed25519 from the command line
    let openssl = answer("openssl", "version")
        .strip_prefix("OpenSSL ")
        .and_then(|rest| rest.split('.').next()?.parse().ok())
        .is_some_and(|major: u32| major >= 3);
    let coreutils = answer("sha256sum", "--version").contains("coreutils");
    if !openssl || !coreutils || !Path::new("/bin/sh").exists() {
        stage.tell("- its own script: skipped, there is no sh, coreutils or openssl 3.0 here");
        return Ok(());
    }
    let path = package.path.join("verify").join("verify.sh");
    stage.line(&format!(
        "   $ sh {} --policy {} --keys {}",
        path.display(),
        package.policy.display(),
        package.keys.display()
    ));
    let output = Command::new("sh")
        .arg(&path)
        .arg("--policy")
        .arg(&package.policy)
        .arg("--keys")
        .arg(&package.keys)
        .stdin(Stdio::null())
        .output()
        .context("cannot run the package's script")?;
    let said = String::from_utf8_lossy(&output.stdout);
    stage.quote(&said.lines().last().unwrap_or_default().into());
    stage.check(
        "the package's own script agrees, with a shell, coreutils and openssl alone",
        output.status.code() == Some(0),
    );
    Ok(())
}

/// What a program prints; nothing where it is not.
fn answer(program: &str, argument: &str) -> String {
    let output = Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}
