//! Instants as STIX writes them (2.16): RFC 3339 in UTC, any number of fraction digits, kept as written.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A checked timestamp. Equality and order are those of the instant, not of the text.
#[derive(Debug, Clone)]
pub struct Timestamp {
    // INVARIANT: `YYYY-MM-DDTHH:mm:ss[.digits]Z`, a real date and time of day
    text: Box<str>,
    /// Bytes of `text` up to the last digit that matters: the version key.
    key_len: u32,
}

/// Why a text is no timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Not of the form at all.
    #[error("is not of the form `YYYY-MM-DDTHH:mm:ss[.s]Z`")]
    Form,
    /// A zone offset or small `z` instead of `Z`.
    #[error("must end in `Z`, in capital: only UTC is allowed")]
    Zone,
    /// A point without digits after it.
    #[error("has a decimal point without digits after it")]
    BarePoint,
    /// No such day or time of day.
    #[error("names a date or time of day that does not exist")]
    Range,
}

impl Timestamp {
    /// Reads a timestamp.
    ///
    /// # Errors
    /// When `text` breaks 2.16.1.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let key_len = check(text)?.len() as u32;
        Ok(Self {
            text: text.into(),
            key_len,
        })
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Text that equals and orders as the instants do: no `Z`, no trailing zeros, no empty fraction.
    #[must_use]
    pub fn key(&self) -> &str {
        self.text.get(..self.key_len as usize).unwrap_or_default()
    }

    /// Digits after the point, as written.
    #[must_use]
    pub fn fraction_digits(&self) -> usize {
        self.text
            .len()
            .saturating_sub("2017-01-20T00:00:00.Z".len())
    }

    /// Microseconds since 1970 UTC, later digits cut off. A leap second counts as the second after it.
    #[must_use]
    pub fn unix_micros(&self) -> i64 {
        let bytes = self.text.as_bytes();
        let part = |from, to| digits(bytes, from, to).unwrap_or_default();
        let days = days_from_1970(part(0, 4), part(5, 7), part(8, 10));
        let seconds = days * 86_400 + part(11, 13) * 3_600 + part(14, 16) * 60 + part(17, 19);
        let micros = (0..6).fold(0, |micros, place| {
            let digit = bytes
                .get(20 + place)
                .filter(|byte| byte.is_ascii_digit())
                .map_or(0, |byte| i64::from(byte - b'0'));
            micros * 10 + digit
        });
        seconds * 1_000_000 + micros
    }
}

/// Checks a timestamp without keeping it; gives its version key.
///
/// # Errors
/// When `text` breaks 2.16.1.
pub fn check(text: &str) -> Result<&str, TimestampError> {
    let bytes = text.as_bytes();
    let shape = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if shape
        .iter()
        .any(|(place, byte)| bytes.get(*place) != Some(byte))
    {
        return Err(TimestampError::Form);
    }
    let part = |from, to| digits(bytes, from, to).ok_or(TimestampError::Form);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    let key = check_end(text)?;
    // RFC 3339 5.7 and appendix D: a leap second is the last of a month, 23:59:60 in UTC
    let leap = second == 60 && hour == 23 && minute == 59 && day == days_in_month(year, month);
    let real = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && (second < 60 || leap);
    if real {
        Ok(key)
    } else {
        Err(TimestampError::Range)
    }
}

/// The part after the seconds: `Z`, or a point, digits and `Z`. Gives the version key.
fn check_end(text: &str) -> Result<&str, TimestampError> {
    let end = text.get(19..).ok_or(TimestampError::Form)?;
    let Some(fraction) = end.strip_suffix('Z') else {
        let zone = end.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
        return Err(
            if zone == "z" || zone.starts_with(['+', '-']) || zone.is_empty() {
                TimestampError::Zone
            } else {
                TimestampError::Form
            },
        );
    };
    match fraction.strip_prefix('.') {
        None if fraction.is_empty() => {}
        Some("") => return Err(TimestampError::BarePoint),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let kept = digits.trim_end_matches('0').len();
            let len = if kept == 0 { 19 } else { 20 + kept };
            return text.get(..len).ok_or(TimestampError::Form);
        }
        _ => return Err(TimestampError::Form),
    }
    text.get(..19).ok_or(TimestampError::Form)
}

fn digits(bytes: &[u8], from: usize, to: usize) -> Option<i64> {
    bytes.get(from..to)?.iter().try_fold(0, |value: i64, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, with years that begin in March so that leap days come last.
fn days_from_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl Hash for Timestamp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
