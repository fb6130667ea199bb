//! The witnesses the operator chose: `witness.policy` in the node's directory, a C2SP tlog-policy.
//!
//! The log's own line is implied. The URL of a witness is its submission prefix; a pin stands in the URL's fragment, which no
//! request carries: `https://witness.example:6470/#sha256-<64 hex digits>`. Without one the public authorities judge.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use comity_ledger::note::VerifierKey;
use comity_ledger::policy::{Policy, PolicyBuilder, PolicyError, PolicyFault, Threshold};
use comity_ledger::verify::TrustedLog;

use super::client::WitnessClient;
use crate::peers::client::ClientError;
use crate::peers::pin::{Fingerprint, parse_fingerprint};
use crate::peers::taxii::with_slash;

/// Name of the file in the node's directory.
pub const FILE_NAME: &str = "witness.policy";
/// First line of a policy that the commands wrote and may write again.
const WRITTEN: &str = "# written by `comity log witness add`, which writes it anew; edit a copy and set it by `comity log witnesses --policy`";
/// What a pin in a URL begins with.
const PIN: &str = "sha256-";

/// A policy for one log, with the places where its witnesses are.
#[derive(Clone)]
pub struct Witnesses {
    /// The policy, for this log alone.
    pub policy: Policy,
    /// Where witnesses are; one place may have several keys.
    pub sites: Vec<Site>,
}

/// One witness as a server.
#[derive(Clone)]
pub struct Site {
    /// Name of its first key in the policy.
    pub name: String,
    /// Submission prefix, with its final `/`, without the pin.
    pub url: String,
    /// SHA-256 of its certificate.
    pub fingerprint: Option<Fingerprint>,
    /// Its keys.
    pub keys: Vec<VerifierKey>,
    /// HTTP to it.
    pub client: WitnessClient,
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WitnessesError {
    /// The file.
    #[error("cannot {what} `{path}`: {source}")]
    File {
        /// What was tried.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in it.
    #[error("the policy of witnesses cannot be used: {0}")]
    Policy(#[from] PolicyError),
    /// A rule it breaks.
    #[error("the policy of witnesses cannot be used: {0}")]
    Fault(#[from] PolicyFault),
    /// A witness that cannot be asked.
    #[error(
        "the witness `{0}` has no URL, so it cannot be asked\n  help: write its submission prefix behind its key"
    )]
    NoUrl(String),
    /// A URL or pin.
    #[error("`{url}` of witness `{name}` cannot be used: {text}")]
    Url {
        /// Whose.
        name: String,
        /// As written.
        url: String,
        /// What is wrong.
        text: String,
    },
    /// The file is an operator's own.
    #[error(
        "`{0}` was not written by `comity log witness add`, so it is not changed\n  help: edit a copy and set it by `comity log witnesses --policy FILE`"
    )]
    Foreign(PathBuf),
    /// A name that is there already.
    #[error(
        "there is a witness `{0}` already\n  help: choose another name; `comity log witness list` shows all"
    )]
    Taken(String),
    /// TLS towards it.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Witnesses {
    /// Reads a policy for `log`.
    ///
    /// # Errors
    /// See [`WitnessesError`].
    pub fn parse(text: &[u8], log: &TrustedLog) -> Result<Self, WitnessesError> {
        let policy = Policy::parse(text)?.for_log(log)?;
        let sites = sites(&policy)?;
        Ok(Self { policy, sites })
    }

    /// Reads `witness.policy` below `dir`; `None` if there is none.
    ///
    /// # Errors
    /// See [`WitnessesError`].
    pub fn load(dir: &Path, log: &TrustedLog) -> Result<Option<Self>, WitnessesError> {
        match text(dir)? {
            Some(text) => Self::parse(&text, log).map(Some),
            None => Ok(None),
        }
    }
}

/// The file's text; `None` if there is none.
///
/// # Errors
/// [`WitnessesError::File`]
pub fn text(dir: &Path) -> Result<Option<Vec<u8>>, WitnessesError> {
    let path = dir.join(FILE_NAME);
    match std::fs::read(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(WitnessesError::File {
            what: "read",
            path,
            source,
        }),
    }
}

/// Puts a policy in place of the one that may be there: whole or not at all.
///
/// # Errors
/// [`WitnessesError::File`]
pub fn write(dir: &Path, text: &[u8]) -> Result<(), WitnessesError> {
    let path = dir.join(FILE_NAME);
    let staged = dir.join("witness.policy.new");
    let done = std::fs::write(&staged, text)
        .and_then(|()| std::fs::File::open(&staged)?.sync_all())
        .and_then(|()| std::fs::rename(&staged, &path))
        .and_then(|()| std::fs::File::open(dir)?.sync_all());
    done.map_err(|source| WitnessesError::File {
        what: "write",
        path,
        source,
    })
}

/// The text of the policy with one more witness, and a quorum of more than half of them.
///
/// # Errors
/// When the file is an operator's own, or the name is taken.
pub fn with_witness(
    dir: &Path,
    name: &str,
    keys: &[VerifierKey],
    url: &str,
    pin: Option<&Fingerprint>,
) -> Result<Vec<u8>, WitnessesError> {
    let url = match pin {
        Some(pin) => format!("{url}#{PIN}{}", crate::http::context::hex(pin)),
        None => url.to_owned(),
    };
    split_url(name, &url)?;
    let mut entries: Vec<(String, Vec<VerifierKey>, String)> = Vec::new();
    if let Some(text) = text(dir)? {
        if !text.starts_with(WRITTEN.as_bytes()) {
            return Err(WitnessesError::Foreign(dir.join(FILE_NAME)));
        }
        for witness in Policy::parse(&text)?.witnesses() {
            let full = witness.name().to_string();
            let base = full.split_once('/').map_or(full.as_str(), |(base, _)| base);
            let url = witness.url().map(ToString::to_string).unwrap_or_default();
            match entries.iter_mut().find(|(known, ..)| known == base) {
                Some((_, keys, _)) => keys.push(witness.key().clone()),
                None => entries.push((base.to_owned(), vec![witness.key().clone()], url)),
            }
        }
    }
    if name.contains('/') || name == QUORUM || entries.iter().any(|(known, ..)| known == name) {
        return Err(WitnessesError::Taken(name.to_owned()));
    }
    entries.push((name.to_owned(), keys.to_vec(), url));
    Ok([WRITTEN.as_bytes(), b"\n", &majority(&entries)?.to_bytes()].concat())
}

const QUORUM: &str = "quorum";

/// A witness of several keys counts once, with any of them.
fn majority(entries: &[(String, Vec<VerifierKey>, String)]) -> Result<Policy, PolicyFault> {
    let mut builder = PolicyBuilder::default();
    let mut names: Vec<&[u8]> = Vec::new();
    for (name, keys, url) in entries {
        if let [key] = keys.as_slice() {
            builder.witness(name.as_bytes(), key.clone(), Some(url.as_bytes()))?;
        } else {
            let parts: Vec<String> = (1..=keys.len())
                .map(|number| format!("{name}/{number}"))
                .collect();
            for (part, key) in parts.iter().zip(keys) {
                builder.witness(part.as_bytes(), key.clone(), Some(url.as_bytes()))?;
            }
            let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
            builder.group(name.as_bytes(), Threshold::Any, &parts)?;
        }
        names.push(name.as_bytes());
    }
    builder.group(
        QUORUM.as_bytes(),
        Threshold::AtLeast(names.len() / 2 + 1),
        &names,
    )?;
    builder.quorum(QUORUM.as_bytes())?;
    builder.build()
}

/// The places of a policy's witnesses, in its order; keys at one place together.
fn sites(policy: &Policy) -> Result<Vec<Site>, WitnessesError> {
    let mut order: Vec<String> = Vec::new();
    let mut found: BTreeMap<String, (String, Vec<VerifierKey>)> = BTreeMap::new();
    for witness in policy.witnesses() {
        let name = witness.name().to_string();
        let url = witness
            .url()
            .ok_or_else(|| WitnessesError::NoUrl(name.clone()))?
            .to_string();
        if !found.contains_key(&url) {
            order.push(url.clone());
        }
        let (_, keys) = found.entry(url).or_insert_with(|| (name, Vec::new()));
        keys.push(witness.key().clone());
    }
    let mut sites = Vec::new();
    for whole in order {
        let Some((name, keys)) = found.remove(&whole) else {
            continue;
        };
        let (url, fingerprint) = split_url(&name, &whole)?;
        sites.push(Site {
            client: WitnessClient::new(&url, fingerprint)?,
            name,
            url,
            fingerprint,
            keys,
        });
    }
    Ok(sites)
}

/// A submission prefix and its pin.
fn split_url(name: &str, whole: &str) -> Result<(String, Option<Fingerprint>), WitnessesError> {
    let bad = |text: &str| WitnessesError::Url {
        name: name.to_owned(),
        url: whole.to_owned(),
        text: text.to_owned(),
    };
    let (url, fragment) = whole
        .split_once('#')
        .map_or((whole, None), |(url, fragment)| (url, Some(fragment)));
    let pin = match fragment {
        None => None,
        Some(fragment) => Some(
            fragment
                .strip_prefix(PIN)
                .and_then(parse_fingerprint)
                .ok_or_else(|| {
                    bad("behind `#` a pin is expected: `sha256-` and 64 hexadecimal digits")
                })?,
        ),
    };
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(bad("it is not an http or https URL"));
    }
    Ok((with_slash(url), pin))
}

#[cfg(test)]
mod tests {
    use comity_ledger::cosignature::Cosigner;
    use comity_ledger::note::{KeyName, Signer};

    use super::*;

    fn cosigner(name: &str, seed: u8) -> VerifierKey {
        let name = KeyName::new(name).unwrap();
        let cosigner = Cosigner::ed25519_from_seed(name, &[seed; 32]).unwrap();
        cosigner.verifier().clone()
    }

    fn log() -> TrustedLog {
        let name = KeyName::new("comity.ua/log/1").unwrap();
        let key = Signer::from_seed(name, &[9; 32]).unwrap();
        TrustedLog {
            origin: "comity.ua/log/1".to_owned(),
            keys: vec![key.verifier().clone()],
        }
    }

    #[test]
    fn added_witnesses_make_a_majority_and_a_pin_travels_in_the_url() {
        let dir = tempfile::tempdir().unwrap();
        for (number, name) in [(1, "ee"), (2, "lv"), (3, "lt")] {
            let keys = [cosigner(name, number), cosigner(name, number + 10)];
            let text = with_witness(
                dir.path(),
                name,
                &keys,
                &format!("https://{name}.example/w"),
                Some(&[number; 32]),
            )
            .unwrap();
            write(dir.path(), &text).unwrap();
        }
        let witnesses = Witnesses::load(dir.path(), &log()).unwrap().unwrap();
        let names: Vec<&str> = witnesses
            .sites
            .iter()
            .map(|site| site.url.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "https://ee.example/w/",
                "https://lv.example/w/",
                "https://lt.example/w/"
            ]
        );
        assert_eq!(witnesses.sites[1].fingerprint, Some([2; 32]));
        assert_eq!(witnesses.sites[1].keys.len(), 2);
        let met = |sites: &[&str]| {
            witnesses
                .policy
                .is_met(|it| sites.iter().any(|site| it.key().name().as_str() == *site))
        };
        assert!(!met(&["ee"]) && met(&["ee", "lt"]));
        let again = with_witness(
            dir.path(),
            "ee",
            &[cosigner("x", 7)],
            "https://x.example/",
            None,
        );
        assert!(matches!(again, Err(WitnessesError::Taken(_))));
    }

    #[test]
    fn an_operators_own_policy_is_not_rewritten() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), b"quorum none\n").unwrap();
        let added = with_witness(
            dir.path(),
            "ee",
            &[cosigner("ee", 1)],
            "https://x.example/",
            None,
        );
        assert!(matches!(added, Err(WitnessesError::Foreign(_))));
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let key = cosigner("w", 1);
        for (line, part) in [
            (format!("witness w {key}\nquorum w\n"), "has no URL"),
            (format!("witness w {key} ftp://x/\nquorum w\n"), "http"),
            (
                format!("witness w {key} https://x/#pin\nquorum w\n"),
                "a pin is expected",
            ),
        ] {
            let error = Witnesses::parse(line.as_bytes(), &log())
                .err()
                .unwrap()
                .to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
