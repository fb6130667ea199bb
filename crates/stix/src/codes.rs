//! Every finding this crate can make, in one table: code, severity, clause, meaning.

use crate::finding::Severity;

/// One rule that can be broken.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable name.
    pub code: &'static str,
    /// Error for a MUST, warning for a SHOULD.
    pub severity: Severity,
    /// Clause that states the rule; a finding may name a more precise one.
    pub clause: &'static str,
    /// The rule in one line.
    pub meaning: &'static str,
}

/// The table, in the order of this file.
#[must_use]
pub fn codes() -> &'static [&'static Code] {
    CODES
}

macro_rules! codes {
    ($($name:ident $severity:ident $code:literal $clause:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub static $name: Code =
            Code { code: $code, severity: Severity::$severity, clause: $clause, meaning: $meaning };)*
        static CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    JSON_SYNTAX Error "json.syntax" "RFC 8259" "the text is not JSON";
    JSON_UTF8 Error "json.utf8" "RFC 8259 8.1" "the text is not UTF-8";
    JSON_BOM Error "json.bom" "RFC 8259 8.1" "the text begins with a byte order mark";
    JSON_CONTROL Error "json.control" "RFC 8259 7" "a control character stands unescaped in a string";
    JSON_ESCAPE Error "json.escape" "RFC 8259 7" "a string holds an unknown or broken escape";
    JSON_SURROGATE Error "json.surrogate" "RFC 7493 2.1" "an escape names half of a surrogate pair";
    JSON_NUMBER Error "json.number" "RFC 8259 6" "a number is not written as JSON writes numbers";
    JSON_NUMBER_RANGE Error "json.number.range" "RFC 7493 2.2" "a number is too large for any reader";
    JSON_DUPLICATE_KEY Error "json.key.duplicate" "RFC 7493 2.3" "a key stands twice in one object";
    JSON_TRAILING Error "json.trailing" "RFC 8259 2" "something follows the end of the value";
    JSON_LIMIT_BYTES Error "json.limit.bytes" "limits" "the text is larger than accepted";
    JSON_LIMIT_DEPTH Error "json.limit.depth" "limits" "the value is nested deeper than accepted";
    JSON_LIMIT_NODES Error "json.limit.nodes" "limits" "the value has more parts than accepted";
    JSON_LIMIT_KEY Error "json.limit.key" "limits" "a key is longer than accepted";
}
