//! Content codings: gzip and zstd, both ways (RFC 9110 section 8.4), with a bound on what a small body may become.

use std::io::{self, Read, Write};

use http::HeaderValue;

use super::accept::quality;

/// Answers below this many octets go as they are: the header of gzip and the time are worth more.
pub const COMPRESS_FROM_OCTETS: usize = 1_024;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// The best coding a client with this `Accept-Encoding` reads; zstd before gzip when it likes both the same.
    #[must_use]
    pub fn choose(header: Option<&HeaderValue>) -> Self {
        let Some(header) = header.and_then(|header| header.to_str().ok()) else {
            return Self::Identity;
        };
        let (mut gzip, mut zstd) = (None, None);
        let mut any = None;
        for item in header.split(',') {
            let mut parts = item.split(';');
            let name = parts.next().unwrap_or_default().trim();
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q=").map(str::trim))
                .map_or(1_000, |text| quality(text).unwrap_or(0));
            match name {
                "gzip" | "x-gzip" => gzip = Some(weight),
                "zstd" => zstd = Some(weight),
                "*" => any = Some(weight),
                _ => {}
            }
        }
        let (gzip, zstd) = (gzip.or(any).unwrap_or(0), zstd.or(any).unwrap_or(0));
        match (zstd, gzip) {
            (0, 0) => Self::Identity,
            (zstd, gzip) if zstd >= gzip => Self::Zstd,
            _ => Self::Gzip,
        }
    }

    /// The coding of a body; `None` for one the node does not read.
    #[must_use]
    pub fn of_body(header: Option<&HeaderValue>) -> Option<Self> {
        match header
            .map(|header| header.to_str().unwrap_or("?").trim().to_ascii_lowercase())
            .as_deref()
        {
            None | Some("" | "identity") => Some(Self::Identity),
            Some("gzip" | "x-gzip") => Some(Self::Gzip),
            Some("zstd") => Some(Self::Zstd),
            Some(_) => None,
        }
    }

    /// The value of `Content-Encoding`.
    #[must_use]
    pub fn header(self) -> Option<HeaderValue> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            Self::Zstd => Some(HeaderValue::from_static("zstd")),
        }
    }

    /// Compresses at the fastest level.
    ///
    /// # Errors
    /// When the library fails, which memory alone can cause.
    pub fn compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(bytes.to_vec()),
            Self::Gzip => {
                let room = Vec::with_capacity(bytes.len() / 3);
                let mut encoder = flate2::write::GzEncoder::new(room, flate2::Compression::fast());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Self::Zstd => zstd::bulk::compress(bytes, 1),
        }
    }

    /// Decompresses at most `octets_max` octets.
    ///
    /// # Errors
    /// [`DecodeError`]: the body is broken, or becomes too large.
    pub fn decompress(self, bytes: &[u8], octets_max: usize) -> Result<Vec<u8>, DecodeError> {
        match self {
            Self::Identity => read_bounded(bytes, octets_max),
            Self::Gzip => read_bounded(flate2::read::MultiGzDecoder::new(bytes), octets_max),
            Self::Zstd => {
                let broken = |error: io::Error| DecodeError::Broken(error.to_string());
                let mut decoder =
                    zstd::stream::read::Decoder::with_buffer(bytes).map_err(broken)?;
                decoder.window_log_max(WINDOW_LOG_MAX).map_err(broken)?;
                read_bounded(decoder, octets_max)
            }
        }
    }
}

/// Reads to the end in pieces, so that what is thrown away as too large never took more than the bound.
fn read_bounded(mut source: impl Read, octets_max: usize) -> Result<Vec<u8>, DecodeError> {
    let mut plain = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        let count = match source.read(&mut piece) {
            Ok(0) => return Ok(plain),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(DecodeError::Broken(error.to_string())),
        };
        let total = plain.len() + count;
        if total > octets_max {
            return Err(DecodeError::TooLarge);
        }
        if total > plain.capacity() {
            let room = (plain.capacity() * 2).clamp(total, octets_max);
            plain.reserve_exact(room - plain.len());
        }
        plain.extend_from_slice(piece.get(..count).unwrap_or_default());
    }
}

/// 8 MiB of window, what RFC 8878 section 3.1.1.1.2 recommends decoders to support; larger ones are a memory attack.
const WINDOW_LOG_MAX: u32 = 23;

/// Why a body could not be decompressed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not what its header says.
    #[error("the body is not in its content coding: {0}")]
    Broken(String),
    /// More than the limit.
    #[error("the decompressed body is too large")]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses() {
        let choose = |text: &'static str| Coding::choose(Some(&HeaderValue::from_static(text)));
        assert_eq!(choose("gzip, deflate"), Coding::Gzip);
        assert_eq!(choose("gzip, deflate, zstd"), Coding::Zstd);
        assert_eq!(choose("gzip;q=1.0, zstd;q=0.5"), Coding::Gzip);
        assert_eq!(choose("gzip;q=0, *;q=0"), Coding::Identity);
        assert_eq!(choose("identity"), Coding::Identity);
        assert_eq!(choose("br, *"), Coding::Zstd);
        assert_eq!(Coding::choose(None), Coding::Identity);
    }

    #[test]
    fn what_is_compressed_is_read_back() {
        let text = br#"{"objects":[]}"#.repeat(1_000);
        for coding in [Coding::Identity, Coding::Gzip, Coding::Zstd] {
            let small = coding.compress(&text).unwrap();
            assert_eq!(coding.decompress(&small, text.len()).unwrap(), text);
            assert_eq!(
                coding.decompress(&small, text.len() - 1),
                Err(DecodeError::TooLarge)
            );
        }
    }

    #[test]
    fn a_bomb_stays_small() {
        for coding in [Coding::Gzip, Coding::Zstd] {
            let bomb = coding.compress(&vec![b' '; 64 << 20]).unwrap();
            assert_eq!(
                coding.decompress(&bomb, 1 << 20),
                Err(DecodeError::TooLarge)
            );
        }
    }

    #[test]
    fn garbage_is_refused() {
        for coding in [Coding::Gzip, Coding::Zstd] {
            assert!(matches!(
                coding.decompress(b"not compressed at all", 100),
                Err(DecodeError::Broken(_))
            ));
        }
        assert_eq!(Coding::of_body(Some(&HeaderValue::from_static("br"))), None);
    }
}
