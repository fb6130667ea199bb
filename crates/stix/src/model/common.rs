//! Common properties (3.2) and the small types that many objects use (clause 2).

use super::{
    Class, Format, Kind, Precision, Property, Rule, STRINGS, Shape, Targets, opt, refer, refers,
    req,
};

const CREATED: Property = req("created", Kind::Timestamp(Precision::Millisecond));
const CREATED_BY: Property = opt("created_by_ref", refer(&["identity"]));
const EXTERNAL: Property = opt("external_references", Kind::Shapes(&EXTERNAL_REFERENCE));
const MARKINGS: Property = opt("object_marking_refs", refers(&["marking-definition"]));
const GRANULAR: Property = opt("granular_markings", Kind::Shapes(&GRANULAR_MARKING));
const EXTENSIONS: Property = opt("extensions", Kind::Extensions);
const TYPE: Property = req("type", Kind::Checked);
const ID: Property = req("id", Kind::Checked);
const SPEC_VERSION: Property = req("spec_version", Kind::Checked);

static VERSIONED: [Property; 14] = versioned(CREATED_BY);

// 7.3.1: who defines an extension is known
static EXTENSION: [Property; 14] = versioned(req("created_by_ref", refer(&["identity"])));

const fn versioned(created_by: Property) -> [Property; 14] {
    [
        TYPE,
        SPEC_VERSION,
        ID,
        created_by,
        CREATED,
        req("modified", Kind::Timestamp(Precision::Millisecond)),
        opt("revoked", Kind::Boolean),
        opt("labels", STRINGS),
        opt("confidence", Kind::Integer(0, 100)),
        opt("lang", Kind::Language),
        EXTERNAL,
        MARKINGS,
        GRANULAR,
        EXTENSIONS,
    ]
}

static OBSERVABLE: [Property; 7] = [
    TYPE,
    opt("spec_version", Kind::Checked),
    ID,
    MARKINGS,
    GRANULAR,
    opt("defanged", Kind::Boolean),
    EXTENSIONS,
];

static MARKING: [Property; 9] = [
    TYPE,
    SPEC_VERSION,
    ID,
    CREATED_BY,
    CREATED,
    EXTERNAL,
    MARKINGS,
    GRANULAR,
    EXTENSIONS,
];

/// The common properties that objects of `class` may or must have.
#[must_use]
pub fn common_properties(class: Class) -> &'static [Property] {
    match class {
        Class::Domain | Class::Relationship | Class::Language => &VERSIONED,
        Class::Extension => &EXTENSION,
        Class::Observable => &OBSERVABLE,
        Class::Marking => &MARKING,
    }
}

/// Common properties that objects of `class` must not have (3.2).
#[must_use]
pub fn not_applicable(class: Class) -> &'static [&'static str] {
    match class {
        Class::Domain | Class::Relationship => &["defanged"],
        Class::Observable => &[
            "created",
            "modified",
            "created_by_ref",
            "revoked",
            "labels",
            "confidence",
            "lang",
            "external_references",
        ],
        Class::Language => &["lang", "defanged"],
        Class::Marking => &[
            "modified",
            "revoked",
            "labels",
            "confidence",
            "lang",
            "defanged",
        ],
        Class::Extension => &["confidence", "lang", "defanged", "extensions"],
    }
}

/// Names kept for later versions of the standard (3.8, 4.3.1).
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    matches!(name, "severity" | "username" | "phone_number" | "action")
}

static EXTERNAL_REFERENCE: Shape = Shape {
    name: "external-reference",
    clause: "2.5",
    properties: &[
        req("source_name", Kind::String),
        opt("description", Kind::String),
        opt("url", Kind::Format(Format::LinkedUrl)),
        opt("hashes", Kind::Hashes),
        opt("external_id", Kind::String),
    ],
    rules: &[Rule::AnyOf(&["description", "url", "external_id"])],
};

pub(super) static KILL_CHAIN_PHASE: Shape = Shape {
    name: "kill-chain-phase",
    clause: "2.11",
    properties: &[
        req("kill_chain_name", Kind::Format(Format::KillChain)),
        req("phase_name", Kind::Format(Format::KillChain)),
    ],
    rules: &[],
};

static GRANULAR_MARKING: Shape = Shape {
    name: "granular-marking",
    clause: "7.2.3",
    properties: &[
        opt("lang", Kind::Language),
        opt(
            "marking_ref",
            Kind::Reference(Targets::Types(&["marking-definition"])),
        ),
        req("selectors", STRINGS),
    ],
    rules: &[Rule::GranularMarking],
};
