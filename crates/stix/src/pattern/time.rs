//! The timestamp of a pattern constant.

use std::cmp::Ordering;

/// A STIX timestamp (2.16.1), kept as written and compared as an instant.
#[derive(Clone, Debug)]
pub struct Timestamp(String); // INVARIANT: `YYYY-MM-DDTHH:MM:SS[.digits]Z` with a real date

impl Timestamp {
    /// Reads a timestamp; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_timestamp(text).then(|| Self(text.to_owned()))
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Text that orders as the instants do.
    fn key(&self) -> &str {
        let text = self.0.trim_end_matches('Z');
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            text
        }
    }
}

fn is_timestamp(text: &str) -> bool {
    let shape = "dddd-dd-ddTdd:dd:dd";
    let Some((head, tail)) = text.split_at_checked(shape.len()) else {
        return false;
    };
    let fits = head.bytes().zip(shape.bytes()).all(|(byte, want)| {
        if want == b'd' {
            byte.is_ascii_digit()
        } else {
            byte == want
        }
    });
    let tail_fits = match tail.strip_suffix('Z') {
        Some("") => true,
        Some(fraction) => fraction.strip_prefix('.').is_some_and(|digits| {
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }),
        None => false,
    };
    // jiff checks the date; a leap second `:60` is read as `:59` there, which is enough to check the rest
    fits && tail_fits && head.parse::<jiff::civil::DateTime>().is_ok()
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
