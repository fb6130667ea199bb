//! The syntax tree of a pattern: values only, no positions, so that two patterns compare by meaning of their text.
//!
//! Chains are flat (`a AND b AND c` is one node of three), parentheses that group nothing are gone, and the tree holds
//! only what the language can say: whoever builds one by hand keeps to the counts and names given below (`Observation::and`
//! and its like see to the counts), and it prints and parses back to itself.

use std::num::NonZeroU64;

use super::number::{Finite, Seconds};
use crate::timestamp::Timestamp;

/// A whole pattern (STIX 2.1, 9.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The outermost observation expression.
    pub root: Observation,
}

/// An observation expression (9.5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Observation {
    /// `[ .. ]`: one observation, every path starting from the same object of it.
    Single(Comparison),
    /// `a AND b ..`: all, on different observations (9.5.2). Two or more.
    And(Vec<Observation>),
    /// `a OR b ..`: one of them. Two or more.
    Or(Vec<Observation>),
    /// `a FOLLOWEDBY b ..`: all, on different observations, each at the time of the one before or later. Two or more.
    FollowedBy(Vec<Observation>),
    /// `a` with qualifiers, in the order written; no two of one kind (9.5.1). One or more.
    Qualified(Box<Observation>, Vec<Qualifier>),
}

/// A restriction on the observations an expression matched (9.5.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Qualifier {
    /// `REPEATS n TIMES`: at least n different matches.
    Repeats(NonZeroU64),
    /// `WITHIN n SECONDS`: latest before earliest + n.
    Within(Seconds),
    /// `START x STOP y`: x <= time < y.
    StartStop {
        /// First instant inside.
        start: Timestamp,
        /// First instant outside.
        stop: Timestamp,
    },
}

/// What stands between `[` and `]` (9.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// One comparison.
    Leaf(Leaf),
    /// `a AND b ..`, two or more.
    And(Vec<Comparison>),
    /// `a OR b ..`, two or more.
    Or(Vec<Comparison>),
}

/// One comparison expression: a path and what its value must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leaf {
    /// Where the value is.
    pub path: ObjectPath,
    /// `NOT` before the operator (9.6.1). An absent path is false either way (9.6).
    pub negated: bool,
    /// The operator and its constants.
    pub test: Test,
}

/// An operator with what it is compared to (9.6.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// `= != < <= > >=`. Only `=` and `!=` take a boolean.
    Compare(Comparator, Constant),
    /// `IN (..)`: equal to one of the constants, which are of one kind. One or more.
    In(Vec<Constant>),
    /// `LIKE`: `%` any run of characters, `_` any one.
    Like(String),
    /// `MATCHES`: a PCRE, searched for.
    Matches(String),
    /// `ISSUBSET`: the address or network lies in this one.
    IsSubset(String),
    /// `ISSUPERSET`: the address or network contains this one.
    IsSuperset(String),
    /// `EXISTS`: the property is there.
    Exists,
}

/// A simple comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// `type:step.step[n]` (9.7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectPath {
    /// Type of the object the path starts from.
    pub object_type: String,
    /// The way from it; the first is a name.
    pub steps: Vec<Step>,
}

/// One step of an object path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A property name or dictionary key. After one that ends in `_ref` or an item of `_refs` the way goes on in the
    /// object referred to (9.7.4).
    Key(String),
    /// `[n]`: the item at n, from 0 (9.7.2).
    Index(u64),
    /// `[*]`: any item.
    Any,
}

/// A constant (9.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Constant {
    /// `'..'`
    String(String),
    /// Within 54 bits (2.10).
    Integer(i64),
    /// Finite.
    Float(Finite),
    /// `true`, `false`
    Boolean(bool),
    /// `t'..'`
    Timestamp(Timestamp),
    /// `h'..'`, decoded.
    Hex(Vec<u8>),
    /// `b'..'`, decoded.
    Binary(Vec<u8>),
}

/// What a constant is, where kinds that compare with each other are one (9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConstantKind {
    /// Text.
    String,
    /// Integer or float.
    Number,
    /// `true`, `false`
    Boolean,
    /// An instant.
    Timestamp,
    /// Hex or binary.
    Bytes,
}
