//! STIX Meta Objects (clause 7).

use super::{Class, Kind, Precision, Property, Rule, STRINGS, Shape, Targets, Type, opt, req};
use crate::vocabulary as ov;

const fn meta(
    class: Class,
    name: &'static str,
    clause: &'static str,
    properties: &'static [Property],
    rules: &'static [Rule],
) -> Type {
    Type {
        shape: Shape {
            name,
            clause,
            properties,
            rules,
        },
        class,
        contributing: &[],
        extensions: &[],
    }
}

pub(super) static TYPES: &[Type] = &[
    meta(
        Class::Marking,
        "marking-definition",
        "7.2.1",
        MARKING,
        &[Rule::MarkingDefinition],
    ),
    meta(
        Class::Language,
        "language-content",
        "7.1",
        LANGUAGE,
        &[Rule::Translations],
    ),
    meta(
        Class::Extension,
        "extension-definition",
        "7.3.1",
        EXTENSION,
        &[Rule::ExtensionProperties],
    ),
];

const MARKING: &[Property] = &[
    opt("name", Kind::String),
    opt("definition_type", Kind::String),
    opt("definition", Kind::Checked),
];

const LANGUAGE: &[Property] = &[
    req("object_ref", Kind::Reference(Targets::Object)),
    opt("object_modified", Kind::Timestamp(Precision::Any)),
    req("contents", Kind::Checked),
];

const EXTENSION: &[Property] = &[
    req("name", Kind::String),
    opt("description", Kind::String),
    req("schema", Kind::String),
    req("version", Kind::String),
    req("extension_types", Kind::Words(&ov::EXTENSION_TYPE_ENUM)),
    opt("extension_properties", STRINGS),
];
