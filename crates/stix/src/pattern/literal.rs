//! The constants of 9.2, from their text.

use std::ops::Range;

use base64::Engine as _;

use super::ast::Constant;
use super::error::Code;
use super::number::Finite;
use super::report::{Report, excerpt};
use crate::timestamp::Timestamp;

/// Largest integer: 54 bits signed (2.10).
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// A number as written, with sign.
pub(super) fn number(text: &str, span: &Range<usize>, report: &mut Report) -> Option<Constant> {
    let mut digits = text;
    if let Some(rest) = text.strip_prefix('+') {
        report.tolerable(
            Code::Number,
            span.clone(),
            "a number has no plus sign".to_owned(),
            "take it out",
        );
        digits = rest;
    }
    let unsigned = digits.trim_start_matches('-');
    let wrong = if unsigned.contains(['e', 'E']) {
        Some("write the number without exponent")
    } else if unsigned.bytes().filter(|byte| *byte == b'.').count() > 1 {
        Some("text, such as an address, stands in apostrophes")
    } else if unsigned.ends_with('.') {
        Some("write a digit behind the point")
    } else if unsigned.len() > 1 && unsigned.starts_with('0') && !unsigned.starts_with("0.") {
        Some("leave out the leading zeros")
    } else {
        None
    };
    if let Some(help) = wrong {
        report.error(
            Code::Number,
            span.clone(),
            format!("`{}` is not a number", excerpt(text)),
            help,
        );
        return None;
    }
    let constant = if digits.contains('.') {
        digits
            .parse()
            .ok()
            .and_then(Finite::new)
            .map(Constant::Float)
    } else {
        let fits = |value: &i64| (-INTEGER_MAX..=INTEGER_MAX).contains(value);
        digits.parse().ok().filter(fits).map(Constant::Integer)
    };
    if constant.is_none() {
        let message = format!("`{}` is out of range", excerpt(text));
        let help = "integers go from -9007199254740991 to 9007199254740991, floats are 64-bit";
        report.error(Code::NumberRange, span.clone(), message, help);
    }
    constant
}

/// `t'..'`
pub(super) fn timestamp(text: &str, span: &Range<usize>, report: &mut Report) -> Option<Constant> {
    match Timestamp::parse(text) {
        Ok(instant) => Some(Constant::Timestamp(instant)),
        Err(error) => {
            let message = format!("`{}` is not a timestamp: {error}", excerpt(text));
            report.error(
                Code::Timestamp,
                span.clone(),
                message,
                "write it as `t'2014-01-13T07:03:17Z'`",
            );
            None
        }
    }
}

/// `h'..'`
pub(super) fn hex(text: &str, span: &Range<usize>, report: &mut Report) -> Option<Constant> {
    let bytes = decode_hex(text);
    if bytes.is_none() {
        let help = "an even number of the digits 0 to 9 and a to f";
        report.error(
            Code::Hex,
            span.clone(),
            format!("`{}` is not hex", excerpt(text)),
            help,
        );
    } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        report.tolerable(
            Code::Hex,
            span.clone(),
            "hex digits are lower case".to_owned(),
            "write a to f",
        );
    }
    bytes.map(Constant::Hex)
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?))
        .collect()
}

/// `b'..'`: line feeds inside are ignored (9.2).
pub(super) fn binary(text: &str, span: &Range<usize>, report: &mut Report) -> Option<Constant> {
    let joined: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(joined)
        .ok();
    if bytes.is_none() {
        let message = format!("`{}` is not base64", excerpt(text));
        report.error(
            Code::Binary,
            span.clone(),
            message,
            "base64 of RFC 4648 section 4, with its padding",
        );
    }
    bytes.map(Constant::Binary)
}
