//! Certificates in PEM (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// Certificates in one file: a court may hand over its whole list of authorities.
const CERTIFICATES_MAX: usize = 1_000;
const LINE_CHARACTERS: usize = 64;

/// Why text is no list of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// Not UTF-8, no certificate in it, too many, or one that is not base64.
    #[error("line {0} is not what PEM has there")]
    Line(usize),
    /// Nothing found.
    #[error("there is no certificate in it")]
    Empty,
    /// Not what a plain printer writes.
    #[error("there is something beside the certificates, or they are written in an unusual way")]
    Form,
}

/// Reads what people have: text around the certificates and line ends of any kind are allowed.
///
/// # Errors
/// See [`PemError`].
pub fn certificates(text: &[u8]) -> Result<Vec<Vec<u8>>, PemError> {
    let text = str::from_utf8(text).map_err(|_| PemError::Line(1))?;
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        match (&mut open, line) {
            (None, BEGIN) => open = Some(String::new()),
            (None, _) => {}
            (Some(body), END) => {
                let bytes = STANDARD.decode(&*body);
                found.push(bytes.map_err(|_| PemError::Line(number + 1))?);
                open = None;
                if found.len() > CERTIFICATES_MAX {
                    return Err(PemError::Line(number + 1));
                }
            }
            (Some(body), line) => body.push_str(line),
        }
    }
    if open.is_some() || found.is_empty() {
        return Err(PemError::Empty);
    }
    Ok(found)
}

/// Reads what stands in a package: certificates, and not one byte more.
///
/// # Errors
/// See [`PemError`].
pub fn certificates_strict(text: &[u8]) -> Result<Vec<Vec<u8>>, PemError> {
    let found = certificates(text)?;
    if print(&found).as_bytes() == text {
        Ok(found)
    } else {
        Err(PemError::Form)
    }
}

/// The one spelling in a package.
#[must_use]
pub fn print(certificates: &[Vec<u8>]) -> String {
    certificates.iter().map(|bytes| print_one(bytes)).collect()
}

fn print_one(bytes: &[u8]) -> String {
    let body = STANDARD.encode(bytes);
    let mut text = format!("{BEGIN}\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(LINE_CHARACTERS).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text + END + "\n"
}
