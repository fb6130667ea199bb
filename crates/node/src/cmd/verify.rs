//! `comity verify`: a package of evidence, by the same code as the separate program `comity-verify`.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use comity_ledger::policy::Policy;
use comity_verify::{Language, Source, Trust, parse_keys, tsp, verify};

use super::Format;
use super::ui::{Ui, Unit};

/// Arguments of `comity verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 verified by keys you gave, 1 not verified, 2 something cannot be read,\n\
                  3 consistent, but by keys of the package alone: compare them, or give your own.\n\
                  The layout of a package: docs/PACKAGE.md"
)]
pub(crate) struct Args {
    /// A directory, a tar file, or - for a tar archive on standard input
    #[arg(value_name = "PACKAGE")]
    package: PathBuf,
    /// Logs, witnesses and quorum you trust (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Keys of authorities you trust for custody and receipts, one a line
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Certificates of time-stamping authorities you trust, PEM
    #[arg(long, value_name = "FILE")]
    tsa_ca: Option<PathBuf>,
    /// Language of the answer
    #[arg(long, value_enum, default_value_t = Lang::En, value_name = "LANG")]
    lang: Lang,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Lang {
    /// English
    En,
    /// Ukrainian
    Uk,
}

pub(crate) fn run(args: Args, ui: &Ui) -> anyhow::Result<u8> {
    let trust = trust(&args)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let bar = ui.progress(None, Unit::Bytes);
    bar.message("verifying");
    let handle = bar.handle();
    let read = std::sync::atomic::AtomicU64::new(0);
    let progress = |count| {
        let so_far = read.fetch_add(count, std::sync::atomic::Ordering::Relaxed);
        handle.set(so_far + count, 0);
    };
    let report = if args.package == Path::new("-") {
        let mut input = io::stdin().lock();
        verify(Source::Stream(&mut input), &trust, threads, &progress)
    } else {
        verify(Source::Path(&args.package), &trust, threads, &progress)
    };
    drop(bar);
    let report = report?;
    match ui.format {
        Format::Json => ui.line(report.to_json())?,
        Format::Text | Format::Short => {
            let language = match args.lang {
                Lang::En => Language::En,
                Lang::Uk => Language::Uk,
            };
            ui.line(report.to_text(language).trim_end())?;
        }
    }
    Ok(report.verdict().exit_code())
}

fn trust(args: &Args) -> anyhow::Result<Trust> {
    let read = |path: &Path| {
        std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
    };
    let mut trust = Trust::default();
    if let Some(path) = &args.policy {
        let policy = Policy::parse(&read(path)?);
        trust.policy = Some(policy.with_context(|| format!("`{}`", path.display()))?);
    }
    if let Some(path) = &args.keys {
        let text =
            String::from_utf8(read(path)?).with_context(|| format!("`{}`", path.display()))?;
        let keys = parse_keys(&text)
            .map_err(|(line, why)| anyhow::anyhow!("`{}`, line {line}: {why}", path.display()))?;
        trust.keys = Some(keys);
    }
    if let Some(path) = &args.tsa_ca {
        let certificates = tsp::certificates(&read(path)?);
        trust.tsa = Some(certificates.with_context(|| format!("`{}`", path.display()))?);
    }
    Ok(trust)
}
