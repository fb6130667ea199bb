//! What can be wrong with a pattern.

use std::fmt;
use std::ops::Range;

/// One thing found in a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// Stable name of the rule.
    pub code: Code,
    /// What is wrong: lower case, no full stop, input in backticks.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where, as bytes of the pattern's text; both ends lie on character borders.
    pub span: Range<usize>,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at byte {}: {}",
            self.code.as_str(),
            self.span.start,
            self.message
        )
    }
}

impl std::error::Error for PatternError {}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $clause:literal;)+) => {
        /// The rules a pattern can break.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the page that lists them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable text of the code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The clause of STIX 2.1 (Errata 01) the rule comes from; empty for a limit of this program.
            #[must_use]
            pub const fn clause(self) -> &'static str {
                match self { $(Self::$name => $clause,)+ }
            }

            /// True for what is allowed, but unlikely to be meant: the pattern is taken.
            #[must_use]
            pub const fn is_warning(self) -> bool {
                matches!(self, Self::EmptyWindow | Self::UnknownType | Self::UnknownHash | Self::NotExists)
            }

            /// The rule in one line, for reference pages.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+),)+ }
            }
        }
    };
}

codes! {
    /// a pattern longer than the limit is not read
    TooLong = "stix.pattern.too-long", "";
    /// brackets and parentheses nest no deeper than the limit
    TooDeep = "stix.pattern.too-deep", "";
    /// only so many errors are reported
    TooMany = "stix.pattern.too-many", "";
    /// a pattern has at least one observation expression
    Empty = "stix.pattern.empty", "9.4";
    /// a character that begins nothing in the language
    Character = "stix.pattern.character", "9.4";
    /// a string constant ends with an apostrophe
    Unterminated = "stix.pattern.unterminated", "9.2";
    /// only an apostrophe or a backslash may follow a backslash
    Escape = "stix.pattern.escape", "9.2";
    /// a binary constant is base64
    Binary = "stix.pattern.binary", "9.2";
    /// a hex constant has an even number of the digits 0-9 a-f
    Hex = "stix.pattern.hex", "9.2";
    /// a timestamp constant is RFC 3339 in UTC with Z
    Timestamp = "stix.pattern.timestamp", "2.16.1";
    /// a number is written in decimal without plus sign, exponent or leading zeros
    Number = "stix.pattern.number", "9.2";
    /// an integer has at most 54 bits, a float is a finite double
    NumberRange = "stix.pattern.number-range", "2.10";
    /// something else was expected here
    Expected = "stix.pattern.expected", "9.5";
    /// something stands after the end of the pattern
    Trailing = "stix.pattern.trailing", "9.4";
    /// every bracket and parenthesis is closed
    Unclosed = "stix.pattern.unclosed", "9.5";
    /// keywords are written in upper case, true and false in lower case
    KeywordCase = "stix.pattern.keyword-case", "9.5.1";
    /// an operator the language has not
    Operator = "stix.pattern.operator", "9.6.1";
    /// the language has no comments
    Comment = "stix.pattern.comment", "9.4";
    /// a property name with a hyphen or a full stop stands in apostrophes
    UnquotedName = "stix.pattern.unquoted-name", "9.7";
    /// a list index is a whole number from 0, or an asterisk
    Index = "stix.pattern.index", "9.7.2";
    /// a property name or dictionary key is not empty
    EmptyName = "stix.pattern.empty-name", "9.7";
    /// the constant does not fit the operator
    Operand = "stix.pattern.operand", "9.6.1";
    /// the constants of a set are of one kind, and there is at least one
    Set = "stix.pattern.set", "9.6.1";
    /// an expression has at most one qualifier of a kind
    DuplicateQualifier = "stix.pattern.duplicate-qualifier", "9.5.1";
    /// REPEATS takes a positive whole number
    Repeats = "stix.pattern.repeats", "9.5.1";
    /// WITHIN takes a positive number of seconds
    Within = "stix.pattern.within", "9.5.1";
    /// comparisons joined by AND can be satisfied by one object
    AndTypes = "stix.pattern.and-types", "9.5";
    /// ISSUBSET and ISSUPERSET compare the value of an IP address with an address or network
    Subset = "stix.pattern.subset", "9.6.1";
    /// a window that stops before or when it starts matches nothing
    EmptyWindow = "stix.pattern.empty-window", "9.5.1";
    /// the object type is not a cyber-observable of STIX 2.1
    UnknownType = "stix.pattern.unknown-type", "9.7";
    /// the hash algorithm is not in the vocabulary
    UnknownHash = "stix.pattern.unknown-hash", "10.7";
    /// NOT EXISTS is false also where the property is absent
    NotExists = "stix.pattern.not-exists", "9.6";
}
