//! The tables of the standard: types, their properties, what each takes, what must hold between them.
//!
//! Everything that differs from type to type is data here; [`crate::validate`] knows how to read it and nothing more.
//! To add a property, add a line.

mod charsets;
mod common;
mod domain;
mod extensions;
mod files;
mod hosts;
mod meta;
mod network;
mod relationships;

use crate::vocabulary::Vocabulary;

pub use charsets::is_charset;
pub use common::{common_properties, is_reserved, not_applicable};
pub use relationships::{is_common as is_common_relationship, is_listed as is_listed_relationship};

/// The families of objects, which share common properties (3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// STIX Domain Object (clause 4).
    Domain,
    /// STIX Relationship Object (clause 5).
    Relationship,
    /// STIX Cyber-observable Object (clause 6).
    Observable,
    /// `language-content` (7.1).
    Language,
    /// `marking-definition` (7.2.1).
    Marking,
    /// `extension-definition` (7.3).
    Extension,
}

/// What the standard says about one object type.
#[derive(Debug)]
pub struct Type {
    /// Its name, clause, own properties and rules.
    pub shape: Shape,
    /// Its family.
    pub class: Class,
    /// Properties that make the deterministic identifier (observables only).
    pub contributing: &'static [&'static str],
    /// Predefined extensions it may carry (3.10).
    pub extensions: &'static [&'static Shape],
}

/// A set of named properties: an object's own, an extension's, or those of an object inside an object.
#[derive(Debug)]
pub struct Shape {
    /// Name, for example `indicator` or `pdf-ext`.
    pub name: &'static str,
    /// Clause that defines it.
    pub clause: &'static str,
    /// Its properties; at most 64.
    pub properties: &'static [Property],
    /// What must hold between them.
    pub rules: &'static [Rule],
}

/// One property.
#[derive(Debug)]
pub struct Property {
    /// Name.
    pub name: &'static str,
    /// Must be there.
    pub required: bool,
    /// What it takes.
    pub kind: Kind,
}

/// What a property takes.
#[derive(Debug)]
pub enum Kind {
    /// Any JSON value, kept as it is.
    Any,
    /// Checked where the whole object is in view.
    Checked,
    /// 2.15
    String,
    /// 2.2
    Boolean,
    /// 2.10, from the first to the second number.
    Integer(i64, i64),
    /// 2.6, from the first to the second number.
    Float(f64, f64),
    /// 2.16
    Timestamp(Precision),
    /// 2.8
    Hex,
    /// 2.1
    Binary,
    /// 2.7
    Hashes,
    /// A language code of RFC 5646.
    Language,
    /// 2.4 and 2.14
    Word(&'static Vocabulary),
    /// A string in a form of its own.
    Format(Format),
    /// 2.9 as a reference, with the types it may lead to.
    Reference(Targets),
    /// 2.12
    List(&'static Kind),
    /// 2.3, with what every value must be.
    Dictionary(&'static Kind),
    /// An object inside the object.
    Shape(&'static Shape),
    /// A list of [`Kind::Word`].
    Words(&'static Vocabulary),
    /// A list of [`Kind::Reference`].
    References(Targets),
    /// A list of [`Kind::Shape`].
    Shapes(&'static Shape),
    /// An integer or a string.
    IntegerOrString,
    /// The dictionary of extensions (3.2).
    Extensions,
}

/// How fine a timestamp must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// As it likes.
    Any,
    /// At least three digits after the point (3.2).
    Millisecond,
    /// No digits after the point other than zero (6.7.6).
    Second,
}

/// Strings in a form of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 6.8
    Ipv4,
    /// 6.9
    Ipv6,
    /// 6.10
    Mac,
    /// 6.4
    Domain,
    /// 6.5
    Email,
    /// 6.15
    Url,
    /// A URL that is expected, not demanded (2.5).
    LinkedUrl,
    /// 6.14
    Cpe,
    /// 3.9.1
    Charset,
    /// 6.17
    RegistryKey,
    /// A mail header, decoded (6.6).
    Decoded,
    /// 6.1 and 6.7
    Mime,
    /// 4.10, ISO 3166-1 alpha-2.
    Country,
    /// 4.10, ISO 3166-2.
    Area,
    /// 6.13.2
    Priority,
    /// 5.1.2
    RelationshipType,
    /// 2.11
    KillChain,
}

/// Where a reference may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Targets {
    /// To these types only.
    Types(&'static [&'static str]),
    /// To a domain object.
    Domain,
    /// To an observable.
    Observable,
    /// To a domain object or an observable.
    DomainOrObservable,
    /// To an observable or a relationship object (4.14.2).
    ObservableOrRelationship,
    /// To any STIX Object, which a bundle is not.
    Object,
}

/// What must hold between properties of one shape.
#[derive(Debug)]
pub enum Rule {
    /// At least one of these is there.
    AnyOf(&'static [&'static str]),
    /// At least one property other than these is there.
    SomethingBeside(&'static [&'static str]),
    /// Not both are there.
    NotBoth(&'static str, &'static str),
    /// When the first is there, so is the second.
    Needs(&'static str, &'static str),
    /// When the first has that boolean value, the second is not there.
    Excludes(&'static str, bool, &'static str),
    /// When the first has that boolean value, the second is there.
    Demands(&'static str, bool, &'static str),
    /// The first is not later than the second.
    NotAfter(&'static str, &'static str),
    /// The first is earlier than the second.
    Before(&'static str, &'static str),
    /// Is on its way out of the standard.
    Deprecated(&'static str),
    /// SHOULD be there.
    Recommended(&'static str),
    /// References whose `source_name` is the first have an `external_id` of the form that follows.
    ExternalId(&'static str, &'static str),
    /// The location has a region, a country, or both coordinates (4.10.1).
    Place,
    /// The list of references leads to at least one observable (4.14.1).
    OneObservable(&'static str),
    /// The pattern is what `pattern_type` says (4.7.1).
    Pattern,
    /// Source, type and target of the relationship are on the list (5.1.2).
    RelationshipEnds,
    /// The marking is one of those that 7.2.1 allows.
    MarkingDefinition,
    /// The granular marking is of one kind and selects what is there (7.2.3).
    GranularMarking,
    /// The translations have the form of 7.1.1.
    Translations,
    /// `extension_properties` go with `toplevel-property-extension` (7.3.1).
    ExtensionProperties,
}

const fn req(name: &'static str, kind: Kind) -> Property {
    Property {
        name,
        required: true,
        kind,
    }
}

const fn opt(name: &'static str, kind: Kind) -> Property {
    Property {
        name,
        required: false,
        kind,
    }
}

const fn refer(types: &'static [&'static str]) -> Kind {
    Kind::Reference(Targets::Types(types))
}

const fn refers(types: &'static [&'static str]) -> Kind {
    Kind::References(Targets::Types(types))
}

/// 2.10: integers are those a double holds exactly.
pub const INTEGER_MAX: i64 = (1 << 53) - 1;
const INTEGER: Kind = Kind::Integer(-INTEGER_MAX, INTEGER_MAX);
const NATURAL: Kind = Kind::Integer(0, INTEGER_MAX);
const TIME: Kind = Kind::Timestamp(Precision::Any);
const STRINGS: Kind = Kind::List(&Kind::String);
const SEEN: Rule = Rule::NotAfter("first_seen", "last_seen");

/// The type of that name, if the standard defines it.
#[must_use]
pub fn object_type(name: &str) -> Option<&'static Type> {
    all_types().find(|model| model.shape.name == name)
}

/// Every type the standard defines.
pub fn all_types() -> impl Iterator<Item = &'static Type> {
    [
        relationships::TYPES,
        domain::TYPES,
        network::TYPES,
        files::TYPES,
        hosts::TYPES,
        meta::TYPES,
    ]
    .into_iter()
    .flatten()
}

/// True when `name` is a predefined extension of some type.
#[must_use]
pub fn is_predefined_extension(name: &str) -> bool {
    all_types()
        .flat_map(|model| model.extensions)
        .any(|shape| shape.name == name)
}
