//! Verifies a package of evidence, offline: from a directory, a tar file or a stream, with the same result.
//!
//! **Purpose.** A court, an expert of the defence or another authority holds a package and asks: are these the files that
//! were sealed, who had them, was it committed to a log that others watch, and when? [`verify`] answers with a [`Report`]:
//! what was checked in eight steps, what is wrong, and whose keys the answer rests on.
//!
//! **What it never does.** No network, no configuration, no clock, nothing written. It follows no link, opens no name that a
//! package cannot have, and keeps no file of the payload in memory. It believes no key because it lies in the package:
//! without keys from the caller the verdict is [`Verdict::OwnKeys`], never [`Verdict::Verified`].
//!
//! **Where to start reading.** [`verify`] below: reading, then one judge a step. The layout is
//! `comity_evidence::package`; `docs/PACKAGE.md` says it for people. `tsp` is RFC 3161 by itself.
//!
//! **Architecture Invariant:** every octet of a package is covered: by the seal, by a signature, or because it has only one
//! spelling. A test flips every bit of every file.

#![cfg(unix)]

mod judge;
mod read;
mod report;
mod time;
pub mod tsp;
mod words;

use comity_ledger::note::VerifierKey;
use comity_ledger::policy::Policy;

pub use read::{Progress, ReadError, Source};
pub use report::{FINDINGS_MAX, Fact, Finding, Report, Step, Verdict};
pub use words::Language;

/// What the caller believes before looking into the package.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Logs, witnesses and quorum (C2SP tlog-policy).
    pub policy: Option<Policy>,
    /// Custody and receipt keys of authorities; keys of persons if wanted, else their authority vouches for them.
    pub keys: Option<Vec<VerifierKey>>,
    /// Certificates (DER) of time-stamping authorities: roots, intermediate ones or signers.
    pub tsa: Option<Vec<Vec<u8>>>,
}

/// Verifies a package. `threads` hash the payload.
///
/// # Errors
/// [`ReadError`] when it cannot be read at all; whatever is wrong *in* it is in the report.
pub fn verify(
    source: Source<'_>,
    trust: &Trust,
    threads: usize,
    progress: Progress<'_>,
) -> Result<Report, ReadError> {
    let mut report = Report::default();
    let collected = read::read(source, threads, progress, &mut report)?;
    judge::all(&collected, trust, &mut report);
    report.sort();
    Ok(report)
}

/// Reads a list of verifier keys, one a line; empty lines and lines that begin with `#` are passed over.
///
/// # Errors
/// The number of the first line that is no key, and why.
pub fn parse_keys(text: &str) -> Result<Vec<VerifierKey>, (usize, String)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(place, line)| {
            VerifierKey::parse(line.trim()).map_err(|error| (place + 1, error.to_string()))
        })
        .collect()
}
