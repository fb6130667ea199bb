//! Reading a policy file, line by line.

use super::build::shown;
use super::{POLICY_BYTES_MAX, Policy, PolicyBuilder, PolicyFault, Threshold};
use crate::note::{KeyError, VerifierKey};
use crate::text::decimal;

/// Why bytes are not a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Longer than [`POLICY_BYTES_MAX`].
    #[error("the policy has {0} bytes, more than {POLICY_BYTES_MAX}")]
    Long(usize),
    /// The last line has no newline.
    #[error("line {0}: the last line does not end in a newline; add one")]
    Newline(usize),
    /// A control character other than tab and newline, or DEL.
    #[error(
        "line {line}: the character 0x{byte:02x} is not allowed; only tab and newline are, of the control characters"
    )]
    Control {
        /// From 1.
        line: usize,
        /// Which.
        byte: u8,
    },
    /// A first word that is none of the four.
    #[error(
        "line {line}: `{word}` is no `log`, `witness`, `group` or `quorum`; correct it, or begin a comment with `#`"
    )]
    Keyword {
        /// From 1.
        line: usize,
        /// The first word.
        word: String,
    },
    /// Too few or too many items.
    #[error("line {line}: write `{form}`")]
    Form {
        /// From 1.
        line: usize,
        /// What the line must be.
        form: &'static str,
    },
    /// A vkey that cannot be read.
    #[error("line {line}: {error}")]
    Key {
        /// From 1.
        line: usize,
        /// Why not.
        error: KeyError,
    },
    /// A line that breaks a rule of policies.
    #[error("line {line}: {fault}")]
    Line {
        /// From 1.
        line: usize,
        /// Which rule.
        fault: PolicyFault,
    },
    /// No quorum in any line.
    #[error(transparent)]
    Whole(PolicyFault),
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// The first line that is wrong, see [`PolicyError`].
    pub fn parse(file: &[u8]) -> Result<Self, PolicyError> {
        if file.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::Long(file.len()));
        }
        let mut builder = PolicyBuilder::default();
        for (number, bytes) in (1..).zip(file.split_inclusive(|byte| *byte == b'\n')) {
            // "each line is terminated by ASCII newline"
            let bytes = bytes
                .strip_suffix(b"\n")
                .ok_or(PolicyError::Newline(number))?;
            read(&mut builder, number, bytes)?;
        }
        builder.build().map_err(PolicyError::Whole)
    }
}

fn read(builder: &mut PolicyBuilder, line: usize, bytes: &[u8]) -> Result<(), PolicyError> {
    // "0x09 (tab), 0x0A (newline), 0x20-0x7E, and 0x80-0xFF", also in comments
    let control = |byte: &&u8| (**byte < 0x20 && **byte != b'\t') || **byte == 0x7f;
    if let Some(&byte) = bytes.iter().find(control) {
        return Err(PolicyError::Control { line, byte });
    }
    // "'whitespace', which [...] means sequences of ASCII space and tab characters only"
    let items: Vec<&[u8]> = bytes
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|item| !item.is_empty())
        .collect();
    let Some((&keyword, items)) = items.split_first() else {
        return Ok(()); // "Empty lines (whitespace only) [...] are allowed and ignored"
    };
    if keyword.starts_with(b"#") {
        return Ok(()); // "comment lines (lines starting with `#`, possibly preceded by whitespace)"
    }
    let form = |form| PolicyError::Form { line, form };
    match keyword {
        b"log" => {
            let (key, url) = match *items {
                [key] => (key, None),
                [key, url] => (key, Some(url)),
                _ => return Err(form("log <vkey> [<url>]")),
            };
            builder.log(vkey(line, key)?, url)
        }
        b"witness" => {
            let (name, key, url) = match *items {
                [name, key] => (name, key, None),
                [name, key, url] => (name, key, Some(url)),
                _ => return Err(form("witness <name> <vkey> [<url>]")),
            };
            builder.witness(name, vkey(line, key)?, url)
        }
        b"group" => {
            let wrong = || form("group <name> <number>|any|all <name>...");
            let [name, threshold, ref members @ ..] = *items else {
                return Err(wrong());
            };
            builder.group(name, parse_threshold(threshold).ok_or_else(wrong)?, members)
        }
        b"quorum" => match *items {
            [name] => builder.quorum(name),
            _ => return Err(form("quorum <name>|none")),
        },
        word => {
            return Err(PolicyError::Keyword {
                line,
                word: shown(word),
            });
        }
    }
    .map_err(|fault| PolicyError::Line { line, fault })
}

/// "Public keys are written in vkey format", whose names are UTF-8.
fn vkey(line: usize, item: &[u8]) -> Result<VerifierKey, PolicyError> {
    str::from_utf8(item)
        .map_err(|_| KeyError::Form)
        .and_then(VerifierKey::parse)
        .map_err(|error| PolicyError::Key { line, error })
}

/// "If k is given numerically, it must be written in decimal"
fn parse_threshold(item: &[u8]) -> Option<Threshold> {
    match item {
        b"all" => Some(Threshold::All),
        b"any" => Some(Threshold::Any),
        number => {
            let number = decimal(str::from_utf8(number).ok()?)?;
            usize::try_from(number).ok().map(Threshold::AtLeast)
        }
    }
}
