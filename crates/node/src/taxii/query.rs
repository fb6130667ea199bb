//! The query string of the TAXII endpoints: `added_after`, `limit`, `next` and the `match` fields (TAXII 2.1 section 3.4).
//!
//! A pure function of the text. Malformed parameters are refused with 400, unknown ones ignored, a known one given twice
//! is malformed (interoperability 3.13.1.10).

use comity_stix::timestamp::Timestamp;
use comity_store::{Filter, VersionFilter};
use sha2::{Digest as _, Sha256};

use crate::limits::MATCH_VALUES_MAX;

/// What a client asks of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The match fields.
    pub filter: Filter,
    /// Microseconds, rounded down: no object can have been added inside the microsecond given up, so exclusive stays
    /// exclusive (3.4).
    pub added_after: Option<i64>,
    /// At least 1; the server's own limit is applied later.
    pub limit: Option<usize>,
    /// As it came; empty means the first page (MISP sends it so).
    pub next: Option<String>,
}

/// A parameter that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Percent-encoding or UTF-8 is broken.
    #[error("the query string is not percent-encoded UTF-8")]
    Encoding,
    /// A parameter came twice.
    #[error("`{0}` is given twice")]
    Twice(&'static str),
    /// A value is not what it must be.
    #[error("`{name}` has the value `{value}`, expected {expected}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// Its value, shortened.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// `all` beside other versions (3.4.1).
    #[error("`match[version]` has `all` beside other values")]
    AllAndOthers,
    /// More values than the limit.
    #[error("more than {MATCH_VALUES_MAX} match values")]
    TooMany,
}

impl Query {
    /// Whether anything narrows the list.
    #[must_use]
    pub fn has_filter(&self) -> bool {
        self.filter != Filter::default()
    }

    /// A digest of the match fields: a `next` belongs to the filter it was given for (3.5).
    #[must_use]
    pub fn filter_digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let filter = &self.filter;
        for values in [
            &filter.ids,
            &filter.types,
            &filter.spec_versions,
            &filter.version.exact,
        ] {
            hash.update((values.len() as u64).to_be_bytes());
            for value in values {
                hash.update((value.len() as u64).to_be_bytes());
                hash.update(value.as_bytes());
            }
        }
        let version = &filter.version;
        hash.update([
            u8::from(version.first),
            u8::from(version.last),
            u8::from(version.all),
        ]);
        hash.finalize().into()
    }
}

/// Reads a query string, without its `?`.
///
/// # Errors
/// [`QueryError`] names the parameter.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    let mut query = Query::default();
    let mut seen = Seen::default();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name)?;
        let Some(known) = KNOWN.iter().copied().find(|known| *known == name) else {
            continue;
        };
        seen.once(known)?;
        let value = decode(value)?;
        match known {
            "limit" => query.limit = Some(limit(&value)?),
            "next" => query.next = Some(value).filter(|next| !next.is_empty()),
            "added_after" => query.added_after = Some(added_after(&value)?),
            "match[id]" => query.filter.ids = values(known, &value, IDENTIFIER, is_identifier)?,
            "match[type]" => {
                query.filter.types =
                    values(known, &value, "names of types", |value| !value.is_empty())?
            }
            "match[spec_version]" => {
                query.filter.spec_versions =
                    values(known, &value, "versions like `2.1`", is_spec_version)?;
            }
            _ => query.filter.version = version(&value)?,
        }
    }
    let filter = &query.filter;
    let count = filter.ids.len()
        + filter.types.len()
        + filter.spec_versions.len()
        + filter.version.exact.len();
    if count > MATCH_VALUES_MAX {
        return Err(QueryError::TooMany);
    }
    Ok(query)
}

const KNOWN: [&str; 7] = [
    "limit",
    "next",
    "added_after",
    "match[id]",
    "match[type]",
    "match[version]",
    "match[spec_version]",
];
const IDENTIFIER: &str = "identifiers like `indicator--<UUID>`";

#[derive(Default)]
struct Seen(Vec<&'static str>);

impl Seen {
    fn once(&mut self, name: &'static str) -> Result<(), QueryError> {
        if self.0.contains(&name) {
            return Err(QueryError::Twice(name));
        }
        self.0.push(name);
        Ok(())
    }
}

fn wrong(name: &'static str, value: &str, expected: &'static str) -> QueryError {
    QueryError::Value {
        name,
        value: value.chars().take(80).collect(),
        expected,
    }
}

/// 3.4: a positive integer. One too large for us is still one, and lowered to our own limit later.
fn limit(value: &str) -> Result<usize, QueryError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let positive = digits && value.bytes().any(|byte| byte != b'0');
    if !positive {
        return Err(wrong("limit", value, "a positive integer"));
    }
    Ok(value.parse().unwrap_or(usize::MAX))
}

/// 3.4 with section 2: RFC 3339, UTC, `Z`; STIX clients send any number of fraction digits.
fn added_after(value: &str) -> Result<i64, QueryError> {
    Timestamp::parse(value)
        .map(|time| time.unix_micros())
        .map_err(|_| {
            wrong(
                "added_after",
                value,
                "a time like `2021-06-03T00:00:00.000000Z`",
            )
        })
}

/// 3.4.1: values by comma, any of them.
fn values(
    name: &'static str,
    text: &str,
    expected: &'static str,
    check: fn(&str) -> bool,
) -> Result<Vec<String>, QueryError> {
    let mut values = Vec::new();
    for value in text.split(',') {
        if !check(value) {
            return Err(wrong(name, value, expected));
        }
        values.push(value.to_owned());
    }
    values.sort_unstable();
    values.dedup();
    Ok(values)
}

/// 3.4.1: `last`, `first`, `all` or times; `all` stands alone.
fn version(text: &str) -> Result<VersionFilter, QueryError> {
    let mut filter = VersionFilter::default();
    for value in text.split(',') {
        match value {
            "last" => filter.last = true,
            "first" => filter.first = true,
            "all" => filter.all = true,
            time => {
                let time = Timestamp::parse(time).map_err(|_| {
                    wrong(
                        "match[version]",
                        time,
                        "`first`, `last`, `all` or a STIX timestamp",
                    )
                })?;
                filter.exact.push(time.key().to_owned());
            }
        }
    }
    if filter.all && text != "all" {
        return Err(QueryError::AllAndOthers);
    }
    filter.exact.sort_unstable();
    filter.exact.dedup();
    Ok(filter)
}

/// The shape of a STIX identifier (2.9). What is not one is malformed; one nobody has is simply not found.
pub(crate) fn is_identifier(value: &str) -> bool {
    let Some((kind, uuid)) = value.split_once("--") else {
        return false;
    };
    let kind_ok = !kind.is_empty()
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let uuid_ok = uuid.len() == 36
        && uuid.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    kind_ok && uuid_ok
}

fn is_spec_version(value: &str) -> bool {
    value.len() <= 8
        && value.split_once('.').is_some_and(|(major, minor)| {
            let number =
                |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            number(major) && number(minor)
        })
}

/// `application/x-www-form-urlencoded` as clients write it: `%xx` and `+`.
fn decode(text: &str) -> Result<String, QueryError> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Ok(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || {
                    rest.next()
                        .and_then(|byte| char::from(byte).to_digit(16))
                        .ok_or(QueryError::Encoding)
                };
                let value = digit()? * 16 + digit()?;
                bytes.push(u8::try_from(value).map_err(|_| QueryError::Encoding)?);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| QueryError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

    #[test]
    fn s3_4_every_parameter() {
        let text = format!(
            "match[type]=indicator,malware&match%5Bid%5D={ID}&match[version]=first,last&match[spec_version]=2.1\
             &limit=50&next=abc&added_after=2021-06-03T00:00:00.0000019Z&match[confidence]=5&unknown&&x=1"
        );
        let query = parse(&text).unwrap();
        assert_eq!(query.filter.types, ["indicator", "malware"]);
        assert_eq!(query.filter.ids, [ID]);
        assert!(
            query.filter.version.first && query.filter.version.last && !query.filter.version.all
        );
        assert_eq!(
            (query.limit, query.next.as_deref()),
            (Some(50), Some("abc"))
        );
        assert_eq!(query.added_after, Some(1_622_678_400_000_001));
    }

    #[test]
    fn s3_4_malformed() {
        for bad in [
            "limit=0",
            "limit=-1",
            "limit=abc",
            "limit=",
            "limit=+",
            "limit=0x10",
            "limit=1.5",
            "limit",
            "added_after=",
            "added_after=yesterday",
            "added_after=2024-13-01T00:00:00.000000Z",
            "added_after=2024-01-01T00:00:00%2B00:00",
            "match[version]=yesterday",
            "match[version]=all,last",
            "match[version]=last,all",
            "match[version]=all,all",
            "match[version]=",
            "match[id]=not%20an%20id",
            "match[id]=",
            "match[id]=a,",
            "match[type]=",
            "match[type]=a,,b",
            "match[spec_version]=two",
            "limit=%zz",
            "limit=%",
            "next=%ff",
            "match[type]=a&match[type]=a",
            "limit=1&limit=1",
            "next=&next=",
            "added_after=2021-06-03T00:00:00Z&added_after=2021-06-03T00:00:00Z",
            "match[type]=a&match%5btype%5d=b",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn misp_sends_an_empty_next() {
        let query = parse("limit=50&next=").unwrap();
        assert_eq!((query.limit, query.next), (Some(50), None));
    }

    #[test]
    fn s3_4_1_versions_compare_as_stix_times() {
        let short = parse("match[version]=2024-03-01T12:00:05.12Z").unwrap();
        let long = parse("match[version]=2024-03-01T12:00:05.120000000Z").unwrap();
        assert_eq!(short, long);
        assert_eq!(short.filter_digest(), long.filter_digest());
    }

    #[test]
    fn a_huge_limit_is_lowered_not_refused() {
        assert_eq!(
            parse("limit=99999999999999999999999999").unwrap().limit,
            Some(usize::MAX)
        );
    }

    #[test]
    fn the_digest_tells_filters_apart() {
        let digest = |text: &str| parse(text).unwrap().filter_digest();
        assert_ne!(digest("match[type]=a,b"), digest("match[type]=a"));
        assert_ne!(digest("match[version]=all"), digest(""));
        assert_eq!(
            digest("match[type]=b,a&limit=1"),
            digest("match[type]=a,b&limit=9&added_after=2021-06-03T00:00:00Z")
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "[a-z0-9&=%+,.:\\[\\]-]{0,80}") {
            let _outcome = parse(&text);
        }
    }
}
