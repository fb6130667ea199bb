//! Checks a register from the outside: reads everything, changes nothing, says what is wrong and where.
//!
//! Nothing kept beside the entries is believed: leaves, tiles and root are recomputed from the entries' bytes, commitments
//! from salts and hashes, hashes from the objects' bytes, standing and counts from the memberships, memberships, labels,
//! tombstones, disclosures and who may do what from the contents that entries commit to. What is bookkeeping (deliveries,
//! positions, cursors, statuses) is no part of the log and is not compared with it.

mod alarms;
mod content;
mod derived;
mod evidence;
mod exchange;
mod folded;
mod log;
mod people;
mod records;
mod rows;
mod words;

use std::path::Path;

use rusqlite::Connection;

use super::{
    Options, migrate,
    open::{existing, reader_connection},
};
use crate::{Checks, Level, OpenError, Problem, ProgressReport, ReadError, Report};

/// Problems reported per check; a ruined table would fill the screen otherwise.
const PROBLEMS_MAX: usize = 100;
/// Progress is told every so many rows.
const PROGRESS_ROWS: u64 = 8192;

/// Checks the register in `dir` without changing it. May run beside a node: it sees one state of the database.
///
/// # Errors
/// [`OpenError`] if it cannot even be opened; what is wrong inside is in the report.
pub fn fsck<'a>(
    dir: &Path,
    checks: impl Into<Checks<'a>>,
    progress: &mut dyn FnMut(ProgressReport),
) -> Result<Report, OpenError> {
    fsck_with_vault(dir, dir, checks.into(), progress)
}

/// The same for a register whose vault lies in another directory, as while it is restored.
pub(super) fn fsck_with_vault(
    dir: &Path,
    vault: &Path,
    checks: Checks<'_>,
    progress: &mut dyn FnMut(ProgressReport),
) -> Result<Report, OpenError> {
    let level = checks.level;
    let path = existing(dir)?;
    let connection = reader_connection(&path, &Options::default())?;
    migrate::require_current(&connection)?;
    connection.execute_batch("BEGIN")?;
    let mut check = Check {
        connection: &connection,
        checks,
        report: Report::default(),
        progress,
        sealed_from: 0,
        folded: folded::Folded::default(),
    };
    check.step("register", Check::register);
    check.step("log", Check::log);
    check.step("counts", Check::counts);
    if level >= Level::Full {
        check.step("standing", Check::standing);
        check.step("orphans", Check::orphans);
        check.step("search", Check::search);
        check.step("sealed from", Check::read_sealed_from);
        check.step("details", Check::details);
        check.step("exchange", Check::exchange);
        check.step("watching", Check::watching);
        check.step("records", |check| check.records(level));
        check.step("exhibits", Check::exhibits);
        check.step("vault", |check| check.vault(vault, level));
        check.step("people", Check::people);
        check.step("disclosures", Check::disclosures);
        check.step("tombstones", Check::tombstones);
        check.step("refused", Check::refused_versions);
    }
    if level >= Level::Deep {
        check.step("words", Check::words);
        check.step("sqlite", Check::sqlite);
    }
    Ok(check.report)
}

/// A check under way.
struct Check<'a> {
    connection: &'a Connection,
    checks: Checks<'a>,
    report: Report,
    progress: &'a mut dyn FnMut(ProgressReport),
    /// Entries before this one commit to no label.
    sealed_from: i64,
    folded: folded::Folded,
}

impl Check<'_> {
    /// Runs one check. One that cannot go on is itself a finding; the others still run.
    fn step(
        &mut self,
        name: &'static str,
        check: impl FnOnce(&mut Self) -> Result<u64, ReadError>,
    ) {
        (self.progress)(ProgressReport {
            stage: name,
            done: 0,
            total: 0,
        });
        match check(self) {
            Ok(seen) => self.report.checks.push((name.to_owned(), seen)),
            Err(error) => {
                self.report.checks.push((name.to_owned(), 0));
                self.problem("check.stopped", name, &error.to_string());
            }
        }
    }

    fn problem(&mut self, what: &str, place: impl ToString, detail: &str) {
        let alike = self
            .report
            .problems
            .iter()
            .filter(|problem| problem.what == what)
            .count();
        if alike < PROBLEMS_MAX {
            self.report.problems.push(Problem {
                what: what.to_owned(),
                where_: place.to_string(),
                detail: detail.to_owned(),
            });
        }
    }

    fn tick(&mut self, stage: &'static str, done: u64, total: u64) {
        if done.is_multiple_of(PROGRESS_ROWS) {
            (self.progress)(ProgressReport { stage, done, total });
        }
    }

    /// Each row of `sql` (two columns: place, detail) is a problem.
    fn none_of(&mut self, what: &str, sql: &str) -> Result<(), ReadError> {
        let connection = self.connection;
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (place, detail): (String, String) = (row.get(0)?, row.get(1)?);
            self.problem(what, place, &detail);
        }
        Ok(())
    }
}
