//! The program `comity-verify`: arguments, files of trust, the report. Everything else is the library.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

mod arguments;

use arguments::{Arguments, Asked, Format};
use comity_ledger::policy::Policy;
use comity_verify::{Report, Source, Trust, parse_keys, tsp, verify};

/// Wrong use, or something that cannot be read: nothing was said about the package.
const UNABLE: u8 = 2;

fn main() -> ExitCode {
    let code = match arguments::read(std::env::args_os().skip(1)) {
        Ok(Asked::Help) => say(arguments::HELP),
        Ok(Asked::Version) => say(concat!("comity-verify ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Asked::Verify(arguments)) => match run(&arguments) {
            Ok(report) => show(&report, &arguments),
            Err(error) => complain(&error),
        },
        Err(error) => complain(&error),
    };
    ExitCode::from(code)
}

fn run(arguments: &Arguments) -> Result<Report, String> {
    let trust = trust(arguments)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.threads.unwrap_or(threads);
    let silent = |_| {};
    let report = if arguments.package == Path::new("-") {
        let mut input = io::stdin().lock();
        verify(Source::Stream(&mut input), &trust, threads, &silent)
    } else {
        verify(Source::Path(&arguments.package), &trust, threads, &silent)
    };
    report.map_err(|error| error.to_string())
}

fn trust(arguments: &Arguments) -> Result<Trust, String> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
    };
    let mut trust = Trust::default();
    if let Some(path) = &arguments.policy {
        let policy = Policy::parse(&read(path)?);
        trust.policy = Some(policy.map_err(|error| format!("`{}`: {error}", path.display()))?);
    }
    if let Some(path) = &arguments.keys {
        let text = String::from_utf8(read(path)?)
            .map_err(|_| format!("`{}` is not UTF-8", path.display()))?;
        let keys = parse_keys(&text);
        trust.keys =
            Some(keys.map_err(|(line, why)| format!("`{}`, line {line}: {why}", path.display()))?);
    }
    if let Some(path) = &arguments.tsa_ca {
        let certificates = tsp::certificates(&read(path)?);
        trust.tsa = Some(certificates.map_err(|error| format!("`{}`: {error}", path.display()))?);
    }
    Ok(trust)
}

fn show(report: &Report, arguments: &Arguments) -> u8 {
    match arguments.format {
        Format::Json => say(&format!("{}\n", report.to_json())),
        Format::Text => say(&report.to_text(arguments.language)),
    };
    report.verdict().exit_code()
}

fn say(text: &str) -> u8 {
    // a reader that went away has had enough
    let _gone = io::stdout().lock().write_all(text.as_bytes());
    0
}

fn complain(error: &str) -> u8 {
    let name = if io::stderr().is_terminal() {
        "comity-verify: error: "
    } else {
        "error: "
    };
    let _gone = writeln!(io::stderr().lock(), "{name}{error}");
    UNABLE
}
