//! Parts of large files, taken piece by piece.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, RANGE};

use super::{Client, ClientError, refused, unreachable};

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// First octet.
    pub start: u64,
    /// The one after the last.
    pub end: u64,
    /// Octets of the whole file.
    pub total: u64,
}

impl Client {
    /// Opens a part of a file; the caller takes it piece by piece. Nothing bounds how long a piece takes but the time between
    /// two reads: the caller does.
    ///
    /// # Errors
    /// See [`ClientError`]; also when the answer is not that part of a file of that size.
    pub async fn range(&self, url: &str, part: Part) -> Result<reqwest::Response, ClientError> {
        let Part { start, end, total } = part;
        let last = end.saturating_sub(1);
        let response = self
            .http
            .get(self.check(url)?)
            .headers(self.headers.clone())
            .header(RANGE, format!("bytes={start}-{last}"))
            .send()
            .await
            .map_err(|error| unreachable(url, &error))?;
        if !response.status().is_success() {
            return Err(refused(url, response).await);
        }
        let expected = format!("bytes {start}-{last}/{total}");
        let said = response
            .headers()
            .get(CONTENT_RANGE)
            .and_then(|value| value.to_str().ok());
        if response.status() == StatusCode::PARTIAL_CONTENT && said == Some(&expected) {
            return Ok(response);
        }
        let said = super::words::plain(
            said.unwrap_or("no range"),
            super::words::SHORT_CHARACTERS_MAX,
        );
        Err(ClientError::Answer {
            url: url.to_owned(),
            text: format!("`{expected}` was asked for, and came `{said}`"),
        })
    }

    /// The next piece of an open answer; `None` at its end.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] when the line broke.
    pub async fn piece(
        &self,
        url: &str,
        response: &mut reqwest::Response,
    ) -> Result<Option<bytes::Bytes>, ClientError> {
        response
            .chunk()
            .await
            .map_err(|error| unreachable(url, &error))
    }
}
