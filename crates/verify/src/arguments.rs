//! The command line, read by hand: eight options do not need a library that is larger than the verifier.

use std::ffi::OsString;
use std::path::PathBuf;

use comity_verify::Language;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Verify a package of evidence, offline. Needs no network, no configuration and no installation.

usage: comity-verify [OPTIONS] PACKAGE

  PACKAGE          a directory, a tar file, or - for a tar archive on standard input

  --policy FILE    logs, witnesses and quorum you trust (C2SP tlog-policy)
  --keys FILE      keys of authorities you trust for custody and receipts, one a line
  --tsa-ca FILE    certificates of time-stamping authorities you trust, PEM
  --lang en|uk     language of the answer [en]
  --format text|json
  --threads N      threads that hash [as many as there are processors]
  --version, --help

exit codes:
  0  verified, by keys you gave
  1  not verified: something is wrong, and named
  2  wrong use, or the package or a file cannot be read
  3  consistent, but keys come from the package alone: compare them, or give your own

Trust comes from you. Without --policy, --keys and (if there is a time stamp) --tsa-ca the answer
cannot be better than 3. The layout of a package is described in docs/PACKAGE.md.
";

pub(crate) enum Asked {
    Help,
    Version,
    Verify(Arguments),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

pub(crate) struct Arguments {
    pub(crate) package: PathBuf,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) keys: Option<PathBuf>,
    pub(crate) tsa_ca: Option<PathBuf>,
    pub(crate) language: Language,
    pub(crate) format: Format,
    pub(crate) threads: Option<usize>,
}

pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Asked, String> {
    let mut package = None;
    let mut given = Arguments {
        package: PathBuf::new(),
        policy: None,
        keys: None,
        tsa_ca: None,
        language: Language::En,
        format: Format::Text,
        threads: None,
    };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy().into_owned();
        let (option, joined) = match text.split_once('=') {
            Some((option, value)) if text.starts_with("--") => {
                (option.to_owned(), Some(OsString::from(value)))
            }
            _ => (text, None),
        };
        let mut value = || {
            let value = joined.clone().or_else(|| arguments.next());
            value.ok_or_else(|| format!("`{option}` needs a value; see --help"))
        };
        match option.as_str() {
            "--help" | "-h" => return Ok(Asked::Help),
            "--version" | "-V" => return Ok(Asked::Version),
            "--policy" => given.policy = Some(value()?.into()),
            "--keys" => given.keys = Some(value()?.into()),
            "--tsa-ca" => given.tsa_ca = Some(value()?.into()),
            "--lang" => {
                let value = value()?;
                given.language =
                    Language::parse(&value.to_string_lossy()).ok_or("`--lang` is `en` or `uk`")?;
            }
            "--format" => {
                given.format = match value()?.to_string_lossy().as_ref() {
                    "text" => Format::Text,
                    "json" => Format::Json,
                    _ => return Err("`--format` is `text` or `json`".to_owned()),
                };
            }
            "--threads" => {
                let value = value()?.to_string_lossy().parse().ok();
                let threads = value.filter(|count| (1..=64).contains(count));
                given.threads = Some(threads.ok_or("`--threads` is a number from 1 to 64")?);
            }
            other if other.starts_with('-') && other != "-" => {
                return Err(format!("unknown option `{other}`; see --help"));
            }
            _ if package.is_none() => package = Some(PathBuf::from(argument)),
            _ => return Err("one package at a time; see --help".to_owned()),
        }
    }
    given.package = package.ok_or("which package? see --help")?;
    Ok(Asked::Verify(given))
}
