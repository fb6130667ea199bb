//! DER (X.690), read strictly: definite, shortest lengths, one-byte tags, nothing after the end.
//!
//! A cursor over slices, so that what is hashed and what is read are the same bytes and nothing is encoded anew.

/// INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub(super) const OCTET_STRING: u8 = 0x04;
/// NULL.
pub(super) const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub(super) const OID: u8 = 0x06;
/// BOOLEAN.
pub(super) const BOOLEAN: u8 = 0x01;
/// UTCTime.
pub(super) const UTC_TIME: u8 = 0x17;
/// GeneralizedTime.
pub(super) const GENERALIZED_TIME: u8 = 0x18;
/// SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// SET.
pub(super) const SET: u8 = 0x31;

/// `[n]`, constructed.
pub(super) const fn context(n: u8) -> u8 {
    0xa0 | n
}

/// `[n]`, primitive.
pub(super) const fn context_primitive(n: u8) -> u8 {
    0x80 | n
}

/// Where the bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}, at byte {offset}")]
pub struct DerError {
    /// From the start of the file (or of the certificate).
    pub offset: usize,
    /// What was expected or found.
    pub what: &'static str,
}

/// One element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) value: &'a [u8],
    /// Tag, length and value.
    pub(super) raw: &'a [u8],
    /// Where `value` begins.
    pub(super) offset: usize,
}

/// What is still to be read.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], offset: usize) -> Self {
        Self {
            rest: bytes,
            offset,
        }
    }

    pub(super) fn fail<T>(&self, what: &'static str) -> Result<T, DerError> {
        Err(DerError {
            offset: self.offset,
            what,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever it is.
    pub(super) fn any(&mut self, what: &'static str) -> Result<Element<'a>, DerError> {
        let Some((&tag, after)) = self.rest.split_first() else {
            return self.fail(what);
        };
        if tag & 0x1f == 0x1f {
            return self.fail("a tag of several bytes");
        }
        let Some((&first, mut body)) = after.split_first() else {
            return self.fail("a length is missing");
        };
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let count = usize::from(first & 0x7f);
            let Some((digits, after)) = body.split_at_checked(count) else {
                return self.fail("a length is cut off");
            };
            body = after;
            // X.690 section 10.1: definite and as short as possible
            if count == 0 || count > 4 || digits.first() == Some(&0) {
                return self.fail("a length that is not the shortest");
            }
            let length = digits
                .iter()
                .fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
            if length < 0x80 {
                return self.fail("a length that is not the shortest");
            }
            length
        };
        let Some((value, rest)) = body.split_at_checked(length) else {
            return self.fail("an element is cut off");
        };
        let header = self.rest.len() - body.len();
        let Some(raw) = self.rest.get(..header + length) else {
            return self.fail("an element is cut off");
        };
        let element = Element {
            tag,
            value,
            raw,
            offset: self.offset + header,
        };
        self.rest = rest;
        self.offset += header + length;
        Ok(element)
    }

    /// The next element, which must have this tag.
    pub(super) fn take(&mut self, tag: u8, what: &'static str) -> Result<Element<'a>, DerError> {
        if self.rest.first() == Some(&tag) {
            self.any(what)
        } else {
            self.fail(what)
        }
    }

    /// The next element if it has this tag.
    pub(super) fn optional(
        &mut self,
        tag: u8,
        what: &'static str,
    ) -> Result<Option<Element<'a>>, DerError> {
        if self.rest.first() == Some(&tag) {
            self.any(what).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The contents of the next element, which must have this tag.
    pub(super) fn inside(&mut self, tag: u8, what: &'static str) -> Result<Self, DerError> {
        self.take(tag, what).map(|element| element.reader())
    }

    /// Nothing may follow.
    pub(super) fn end(&self, what: &'static str) -> Result<(), DerError> {
        if self.is_empty() {
            Ok(())
        } else {
            self.fail(what)
        }
    }

    /// A non-negative INTEGER in the shortest form, without its sign byte.
    pub(super) fn unsigned(&mut self, what: &'static str) -> Result<&'a [u8], DerError> {
        let element = self.take(INTEGER, what)?;
        let refuse = Err(DerError {
            offset: element.offset,
            what,
        });
        match element.value {
            value @ [0] => Ok(value),
            // a sign byte only where the next one needs it
            [] | [0x80..=0xff, ..] | [0, 0..0x80, ..] => refuse,
            [0, rest @ ..] => Ok(rest),
            value => Ok(value),
        }
    }

    /// A small number.
    pub(super) fn small(&mut self, what: &'static str) -> Result<u64, DerError> {
        let offset = self.offset;
        let digits = self.unsigned(what)?;
        if digits.len() > 7 {
            return Err(DerError { offset, what });
        }
        Ok(digits
            .iter()
            .fold(0, |sum, digit| sum << 8 | u64::from(*digit)))
    }

    /// A BIT STRING of whole bytes.
    pub(super) fn bits(&mut self, what: &'static str) -> Result<&'a [u8], DerError> {
        let element = self.take(BIT_STRING, what)?;
        match element.value {
            [0, bits @ ..] => Ok(bits),
            _ => Err(DerError {
                offset: element.offset,
                what,
            }),
        }
    }

    /// UTCTime or GeneralizedTime as microseconds since 1970 (RFC 5280 section 4.1.2.5, RFC 3161 section 2.4.2).
    pub(super) fn time(&mut self, what: &'static str) -> Result<i64, DerError> {
        let element = self.any(what)?;
        let refuse = DerError {
            offset: element.offset,
            what,
        };
        let text = str::from_utf8(element.value).map_err(|_| refuse)?;
        let text = text.strip_suffix('Z').ok_or(refuse)?;
        let full = match element.tag {
            UTC_TIME if text.len() == 12 => {
                let century = if text < "5" { "20" } else { "19" };
                format!("{century}{text}")
            }
            GENERALIZED_TIME => text.to_owned(),
            _ => return Err(refuse),
        };
        micros(&full).ok_or(refuse)
    }
}

impl<'a> Element<'a> {
    pub(super) fn reader(&self) -> Reader<'a> {
        Reader::new(self.value, self.offset)
    }
}

/// `YYYYMMDDhhmmss[.f]` as microseconds since 1970.
fn micros(text: &str) -> Option<i64> {
    let (whole, fraction) = match text.split_once('.') {
        // DER: no trailing zeros
        Some((whole, fraction)) if !fraction.is_empty() && !fraction.ends_with('0') => {
            (whole, fraction)
        }
        Some(_) => return None,
        None => (text, ""),
    };
    if whole.len() != 14 || fraction.len() > 6 {
        return None;
    }
    let digits = |text: &str| -> Option<i64> {
        text.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse().ok())?
    };
    let field = |from: usize, to: usize| whole.get(from..to).and_then(digits);
    let (year, month, day) = (field(0, 4)?, field(4, 6)?, field(6, 8)?);
    let (hour, minute, second) = (field(8, 10)?, field(10, 12)?, field(12, 14)?);
    let days = crate::time::days(year, month, day)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    let fraction = digits(&format!("{fraction:0<6}"))?;
    Some(seconds * 1_000_000 + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_one_spelling() {
        for bytes in [
            &[0x30, 0x80, 0, 0][..],
            &[0x30, 0x81, 0x01, 0],
            &[0x30, 0x82, 0, 0x80],
            &[0x30, 0x01],
            &[0x30],
            &[0x1f, 0x81, 0],
            &[],
        ] {
            assert!(Reader::new(bytes, 0).any("x").is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn integers_have_one_spelling() {
        let read = |bytes: &[u8]| Reader::new(bytes, 0).unsigned("x").map(<[u8]>::to_vec).ok();
        assert_eq!(read(&[2, 1, 0]), Some(vec![0]));
        assert_eq!(read(&[2, 1, 5]), Some(vec![5]));
        assert_eq!(read(&[2, 2, 0, 0x80]), Some(vec![0x80]));
        for bad in [&[2, 0][..], &[2, 1, 0x80], &[2, 2, 0, 5], &[2, 2, 0, 0]] {
            assert_eq!(read(bad), None, "{bad:02x?}");
        }
    }

    #[test]
    fn times_are_read() {
        let read = |tag: u8, text: &str| {
            let bytes = [&[tag, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
            Reader::new(&bytes, 0).time("x").ok()
        };
        assert_eq!(read(0x18, "20260101000000Z"), Some(1_767_225_600_000_000));
        assert_eq!(read(0x18, "20260101000000.5Z"), Some(1_767_225_600_500_000));
        assert_eq!(read(0x17, "700101000000Z"), Some(0));
        assert_eq!(read(0x17, "260101000000Z"), Some(1_767_225_600_000_000));
        for bad in [
            "20260101000000",
            "20260101000000.50Z",
            "20260101000000.Z",
            "20261301000000Z",
            "20260229000000Z",
            "2026010100000Z",
            "20260101246000Z",
        ] {
            assert_eq!(read(0x18, bad), None, "{bad}");
        }
    }
}
