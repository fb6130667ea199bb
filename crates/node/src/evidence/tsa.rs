//! Asking a time-stamping authority (RFC 3161) about a checkpoint. Nothing leaves but the SHA-256 of its text.

use std::time::Duration;

use comity_verify::tsp;
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};

/// An answer is a token with a few certificates.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The authority must have answered by then; a package can be made again.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// An authority, as the configuration names it.
#[derive(Debug, Clone)]
pub struct Authority {
    /// Where it answers.
    pub url: String,
    /// Its certificates up to the root, DER.
    pub certificates: Vec<Vec<u8>>,
}

/// Why there is no time stamp.
#[derive(Debug, thiserror::Error)]
pub enum TsaError {
    /// It cannot be reached or answers with an error.
    #[error("the time-stamping authority `{url}` does not answer: {text}")]
    Unreachable {
        /// Whom.
        url: String,
        /// Why.
        text: String,
    },
    /// Its answer is none, or cannot be verified with the certificates we have.
    #[error(
        "the time-stamping authority `{url}` answered what cannot be used: {text}\n  help: `tsa_ca` must hold its certificates up to the root"
    )]
    Answer {
        /// Who.
        url: String,
        /// Why.
        text: String,
    },
}

impl TsaError {
    /// It cannot be asked at all.
    #[must_use]
    pub fn unreachable(url: &str, error: &dyn std::error::Error) -> Self {
        Self::Unreachable {
            url: url.to_owned(),
            text: error.to_string(),
        }
    }
}

/// A verified token over `checkpoint`, reduced to what is signed, and the certificates that belong beside it, as PEM.
///
/// # Errors
/// See [`TsaError`].
pub async fn stamp(
    client: &reqwest::Client,
    authority: &Authority,
    checkpoint: &str,
) -> Result<(Vec<u8>, Vec<u8>), TsaError> {
    let url = &authority.url;
    let unreachable = |error: reqwest::Error| TsaError::Unreachable {
        url: url.clone(),
        text: error.without_url().to_string(),
    };
    let answer = |text: String| TsaError::Answer {
        url: url.clone(),
        text,
    };
    let response = client
        .post(url)
        .timeout(ANSWER_TIME_MAX)
        // RFC 3161 section 3.4
        .header("content-type", "application/timestamp-query")
        .header("accept", "application/timestamp-reply")
        .body(request(checkpoint))
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(unreachable)?;
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(piece) = stream.next().await {
        body.extend_from_slice(&piece.map_err(unreachable)?);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(answer(format!("more than {ANSWER_BYTES_MAX} octets")));
        }
    }
    usable(&body, checkpoint, &authority.certificates).map_err(answer)
}

/// What may be put into a package: verified exactly as its reader will.
fn usable(
    body: &[u8],
    checkpoint: &str,
    certificates: &[Vec<u8>],
) -> Result<(Vec<u8>, Vec<u8>), String> {
    let token = tsp::plain_response(body).map_err(|error| error.to_string())?;
    let chain = tsp::chain_above(&token, certificates).map_err(|error| error.to_string())?;
    tsp::verify(&token, checkpoint.as_bytes(), &chain, Some(certificates))
        .map_err(|error| error.to_string())?;
    Ok((token, tsp::print(&chain).into_bytes()))
}

/// TimeStampReq (RFC 3161 section 2.4.1), DER: version 1, SHA-256 of the text, certificates wanted. No nonce: it would only
/// show that the answer is new, and an older token over this very text says more, not less.
fn request(text: &str) -> Vec<u8> {
    const BEFORE: &[u8] = &[
        0x30, 0x39, 0x02, 0x01, 0x01, // SEQUENCE, version
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, // imprint, SHA-256
        0x04, 0x20,
    ];
    const AFTER: &[u8] = &[0x01, 0x01, 0xff]; // certReq TRUE
    [BEFORE, &Sha256::digest(text), AFTER].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssl_reads_the_request() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("query");
        std::fs::write(&path, request("text\n")).unwrap();
        let Ok(done) = std::process::Command::new("openssl")
            .args(["ts", "-query", "-text", "-in"])
            .arg(&path)
            .output()
        else {
            eprintln!("skipped: there is no openssl");
            return;
        };
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{text}");
        for part in [
            "Version: 1",
            "Hash Algorithm: sha256",
            "Certificate required: yes",
            "Nonce: unspecified",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn an_answer_that_is_none_is_refused() {
        assert!(usable(b"", "text", &[]).is_err());
        // rejection (status 2)
        assert!(usable(&[0x30, 5, 0x30, 3, 2, 1, 2], "text", &[]).is_err());
    }
}
