//! Instants in their one spelling: `YYYY-MM-DDTHH:MM:SS[.fraction]Z` (RFC 3339), the fraction of 1 to 9 digits not ending in 0.

use std::fmt;

/// An instant, UTC. Orders as time does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    // INVARIANT: between 0000-01-01 and 9999-12-31
    seconds: i64,
    // INVARIANT: below 1_000_000_000
    nanos: u32,
}

const SECONDS_MIN: i64 = -62_167_219_200;
const SECONDS_MAX: i64 = 253_402_300_799;

impl Time {
    /// From seconds since 1970 UTC and nanoseconds; `None` outside the years 0 to 9999 or for a whole second of nanoseconds.
    #[must_use]
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        ((SECONDS_MIN..=SECONDS_MAX).contains(&seconds) && nanos < 1_000_000_000)
            .then_some(Self { seconds, nanos })
    }

    /// From microseconds since 1970 UTC; the nearest time there is when the year has not four digits.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        let nanos = u32::try_from(micros.rem_euclid(1_000_000)).unwrap_or(0) * 1_000;
        Self {
            seconds: micros.div_euclid(1_000_000).clamp(SECONDS_MIN, SECONDS_MAX),
            nanos,
        }
    }

    /// Microseconds since 1970 UTC, later digits cut off.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.seconds * 1_000_000 + i64::from(self.nanos / 1_000)
    }

    /// Reads a time; `None` for any other spelling, and for days and times of day that do not exist. No leap seconds: they
    /// have no place in a count of seconds.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.strip_suffix('Z')?.as_bytes();
        let (whole, fraction) = bytes.split_at_checked(19)?;
        let number = |from: usize, to: usize| -> Option<i64> {
            whole.get(from..to)?.iter().try_fold(0, |value, byte| {
                byte.is_ascii_digit()
                    .then(|| value * 10 + i64::from(byte - b'0'))
            })
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let days = days_from_1970(year, month, day);
        let time = Self::new(
            days * 86_400 + hour * 3_600 + minute * 60 + second,
            parse_fraction(fraction)?,
        )?;
        // one spelling: what is not printed the same was not a time (30 February, hour 24, missing separators)
        (time.to_string() == text).then_some(time)
    }
}

fn parse_fraction(bytes: &[u8]) -> Option<u32> {
    let Some((point, digits)) = bytes.split_first() else {
        return Some(0);
    };
    if *point != b'.' || !(1..=9).contains(&digits.len()) {
        return None;
    }
    (0..9).try_fold(0, |nanos: u32, place| {
        let digit = digits.get(place).copied().unwrap_or(b'0');
        digit
            .is_ascii_digit()
            .then(|| nanos * 10 + u32::from(digit - b'0'))
    })
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (
            self.seconds.div_euclid(86_400),
            self.seconds.rem_euclid(86_400),
        );
        let (year, month, day) = date(days);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
            second / 3_600,
            second / 60 % 60,
            second % 60
        )?;
        if self.nanos > 0 {
            let digits = format!("{:09}", self.nanos);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
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

/// The inverse of [`days_from_1970`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}
