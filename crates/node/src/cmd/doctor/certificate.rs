//! How long a certificate is good: the one field of X.509 we need, read from its DER (RFC 5280 section 4.1).

/// From and until, microseconds since 1970; `None` when the bytes are no certificate.
pub(super) fn validity(der: &[u8]) -> Option<(i64, i64)> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (tbs, _) = element(certificate, SEQUENCE)?;
    // version [0] EXPLICIT is optional
    let rest = element(tbs, VERSION).map_or(tbs, |(_, rest)| rest);
    let (_serial, rest) = element(rest, INTEGER)?;
    let (_algorithm, rest) = element(rest, SEQUENCE)?;
    let (_issuer, rest) = element(rest, SEQUENCE)?;
    let (validity, _) = element(rest, SEQUENCE)?;
    let (from, rest) = time(validity)?;
    let (until, _) = time(rest)?;
    Some((from, until))
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The content of the element that begins here, if it has this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (
                digits
                    .iter()
                    .fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit)),
                rest,
            )
        }
        _ => return None,
    };
    (*found == tag)
        .then(|| rest.split_at_checked(length))
        .flatten()
}

fn time(der: &[u8]) -> Option<(i64, &[u8])> {
    let (text, rest, generalized) = match element(der, UTC_TIME) {
        Some((text, rest)) => (text, rest, false),
        None => element(der, GENERALIZED_TIME).map(|(text, rest)| (text, rest, true))?,
    };
    let text = std::str::from_utf8(text).ok()?;
    // RFC 5280 4.1.2.5.1: two digits of a year below 50 are of this century
    let full = match (generalized, text.get(..2)?.parse::<u8>()) {
        (true, _) => text.to_owned(),
        (false, Ok(0..50)) => format!("20{text}"),
        (false, _) => format!("19{text}"),
    };
    // YYYYMMDDhhmmssZ, without fractions or offsets
    let part = |from: usize, to: usize| full.get(from..to);
    let at: jiff::Timestamp = format!(
        "{}-{}-{}T{}:{}:{}",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, full.len())?
    )
    .parse()
    .ok()?;
    Some((at.as_microsecond(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dates_of_a_real_certificate() {
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(2026, 1, 2);
        parameters.not_after = rcgen::date_time_ymd(2051, 1, 2);
        let key = rcgen::KeyPair::generate().unwrap();
        let made = parameters.self_signed(&key).unwrap();
        let (from, until) = validity(made.der()).unwrap();
        assert_eq!(
            crate::clock::micros_to_text(from),
            "2026-01-02T00:00:00.000000Z"
        );
        assert_eq!(
            crate::clock::micros_to_text(until),
            "2051-01-02T00:00:00.000000Z"
        );
    }

    #[test]
    fn other_bytes_are_none() {
        for bytes in [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", b"hello"] {
            assert_eq!(validity(bytes), None);
        }
    }
}
