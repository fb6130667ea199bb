//! `comity evidence package`: exhibits, custody and proofs in one directory or tar file, for a court (docs/PACKAGE.md).

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use comity_evidence::custody::{Kind, Line};
use comity_evidence::package::Draft;
use comity_evidence::{Exhibit, ExhibitId, ExhibitNumber, Time};
use comity_ledger::note::VerifierKey;
use comity_ledger::proof::Proof;
use comity_verify::tsp;
use serde_json::{Value, json};

use super::person::{About, Person, Said};
use crate::cmd::call::{self, list, number, text};
use crate::cmd::ui::{Ui, counted, thousands};
use crate::cmd::{Global, exit};
use crate::config::{Config, Layer};
use crate::control::{Command, Evidence};
use crate::evidence::package::{Out, write};
use crate::evidence::tsa;

/// Arguments of `comity evidence package`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Anybody can check it: `sh OUT/verify/verify.sh`, or `comity verify OUT`, or the separate program `comity-verify`."
)]
pub(crate) struct Args {
    /// Numbers or identifiers
    #[arg(required = true, value_name = "EXHIBIT")]
    exhibits: Vec<String>,
    /// A folder that is made, or a file that ends in `.tar`
    #[arg(long, value_name = "OUT")]
    out: PathBuf,
    /// Parties it is for
    #[arg(long = "for", value_name = "PARTY")]
    parties: Vec<String>,
    /// A time-stamping authority (RFC 3161) to ask instead of the one in the configuration
    #[arg(long, value_name = "URL")]
    tsa: Option<String>,
    /// Its certificates up to the root, PEM
    #[arg(long, value_name = "FILE")]
    tsa_ca: Option<PathBuf>,
    #[command(flatten)]
    said: Said,
}

pub(super) fn run(args: &Args, global: &Global, ui: &Ui) -> anyhow::Result<u8> {
    let out = Out::new(&args.out)?;
    anyhow::ensure!(
        !args.out.exists() && !args.out.is_symlink(),
        "`{}` is there already\n  help: name one that is not; it is made",
        args.out.display()
    );
    let authority = authority(args, global)?;
    // CRASH POINT: the custody says that it was exported before an octet leaves the vault
    for exhibit in &args.exhibits {
        exported(args, exhibit, global, ui)?;
    }
    let gather = Evidence::Gather {
        exhibits: args.exhibits.clone(),
    };
    let gathered = call::one(global, ui, Command::Evidence(gather))?;
    let mut parties = vec![text(&gathered, "party")];
    for party in &args.parties {
        if !parties.contains(party) {
            parties.push(party.clone());
        }
    }
    let created = Time::from_micros(
        gathered
            .get("now")
            .and_then(Value::as_i64)
            .unwrap_or_default(),
    );
    let basis = args.said.basis.clone();
    let mut draft = Draft::new(basis, created, parties, authority.is_some());
    draft.policy(call::whole(&gathered, "policy").as_bytes().to_vec());
    for key in list(&gathered, "keys") {
        draft.key(&VerifierKey::parse(key.as_str().unwrap_or_default())?);
    }
    let vault = super::vault(&global.dir);
    let mut size = 0;
    for row in list(&gathered, "exhibits") {
        let exhibit = exhibit(row)?;
        size += exhibit.size;
        let mut items = Vec::new();
        vault.items(&exhibit.items_sha256, &mut |item| {
            items.push(item);
            Ok(())
        })?;
        let custody = list(row, "custody")
            .iter()
            .map(|line| Line::parse_line(line.as_str().unwrap_or_default().as_bytes()))
            .collect::<Result<Vec<_>, _>>()?;
        draft.exhibit(&exhibit, items, &custody)?;
    }
    let sealed = draft.seal()?;
    let package = Evidence::Package {
        seal: sealed.seal_json().to_owned(),
    };
    let logged = call::one(global, ui, Command::Evidence(package))?;
    let proof = call::whole(&logged, "proof");
    let stamp = authority
        .map(|authority| stamp(&authority, proof))
        .transpose()?;
    let stamped = stamp.is_some();
    let witnessed = text(&logged, "witnesses") == "quorum";
    let finished = sealed.finish(proof.as_bytes().to_vec(), stamp)?;
    let done = AtomicU64::new(0);
    super::watched(ui, "writing", size, &done, || {
        let open = |sha256: &comity_evidence::Hash| -> io::Result<Box<dyn io::Read>> {
            let object = vault.open_object(sha256).map_err(io::Error::other)?;
            Ok(Box::new(object))
        };
        write(&finished, &open, &out, &|count| {
            done.fetch_add(count, Ordering::Relaxed);
        })
    })?;
    let answer = json!({
        "out": args.out.display().to_string(),
        "files": finished.payload.len(),
        "size": size,
        "entry": number(&logged, "entry"),
        "origin": text(&logged, "origin"),
        "witnesses": text(&logged, "witnesses"),
        "timestamp": stamped,
    });
    if ui.is_json() {
        ui.json(&answer)?;
        return Ok(exit::DONE);
    }
    ui.line(format!(
        "`{}`: {}, {} octets, committed to as entry {} of {}{}{}",
        args.out.display(),
        counted(finished.payload.len() as u64, "file"),
        thousands(size),
        thousands(number(&logged, "entry")),
        text(&logged, "origin"),
        if witnessed {
            ", cosigned by a quorum of witnesses"
        } else {
            ""
        },
        if stamped { ", with a time stamp" } else { "" },
    ))?;
    ui.line(format!("  check it: comity verify {}", args.out.display()))?;
    Ok(exit::DONE)
}

/// Notes that the exhibit is exported.
fn exported(args: &Args, exhibit: &str, global: &Global, ui: &Ui) -> anyhow::Result<()> {
    let prepared = super::prepare(global, ui, Some(exhibit))?;
    let person = Person::of(global, &args.said, &prepared)?;
    let about = About::of(&prepared)?;
    let id = about.exhibit.to_string();
    let parameters = format!("evidence package {exhibit} {}", args.out.display());
    let mut fields = person.fields(Kind::Exported, about, &args.said, &parameters)?;
    if !args.parties.is_empty() {
        fields.counterparty = Some(args.parties.join(", "));
    }
    let (event, signature) = person.sign(fields)?;
    let act = Evidence::Act {
        exhibit: id,
        event,
        signature,
    };
    call::one(global, ui, Command::Evidence(act))?;
    Ok(())
}

fn exhibit(row: &Value) -> anyhow::Result<Exhibit> {
    Ok(Exhibit {
        id: ExhibitId::parse(&text(row, "id"))?,
        number: ExhibitNumber::parse(&text(row, "number"))?,
        title: call::whole(row, "title").to_owned(),
        items: number(row, "items"),
        size: number(row, "size"),
        items_sha256: super::hash_of(row, "items_sha256")?,
    })
}

/// The authority of the arguments, else of the configuration.
fn authority(args: &Args, global: &Global) -> anyhow::Result<Option<tsa::Authority>> {
    let config = Config::load(&global.dir, Layer::default())?;
    let Some(url) = args.tsa.clone().or(config.tsa_url.value) else {
        return Ok(None);
    };
    let path = args.tsa_ca.clone().or(config.tsa_ca.value).ok_or_else(|| {
        anyhow::anyhow!("the certificates of the time-stamping authority are not given\n  help: `--tsa-ca FILE`, or `tsa_ca` in the configuration")
    })?;
    let pem = std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let certificates = tsp::certificates(&pem).with_context(|| format!("`{}`", path.display()))?;
    Ok(Some(tsa::Authority { url, certificates }))
}

fn stamp(authority: &tsa::Authority, proof: &str) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let proof = Proof::parse(proof.as_bytes())?;
    let checkpoint = proof.checkpoint().text_unverified();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(async {
        let client = crate::peers::client::foreign()
            .map_err(|error| tsa::TsaError::unreachable(&authority.url, &error))?;
        tsa::stamp(&client, authority, checkpoint).await
    })?)
}
