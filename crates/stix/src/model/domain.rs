//! STIX Domain Objects (clause 4).

use super::common::KILL_CHAIN_PHASE;
use super::{
    Class, Format, Kind, Property, Rule, SEEN, STRINGS, Shape, TIME, Targets, Type, opt, refer,
    refers, req,
};
use crate::vocabulary as ov;

const DESCRIPTION: Property = opt("description", Kind::String);
const NAME: Property = req("name", Kind::String);
const ALIASES: Property = opt("aliases", STRINGS);
const PHASES: Property = opt("kill_chain_phases", Kind::Shapes(&KILL_CHAIN_PHASE));
const FIRST_SEEN: Property = opt("first_seen", TIME);
const LAST_SEEN: Property = opt("last_seen", TIME);
const OBJECT_REFS: Property = req("object_refs", Kind::References(Targets::Object));
const MOTIVATION: Kind = Kind::Word(&ov::ATTACK_MOTIVATION_OV);

const fn sdo(
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
        class: Class::Domain,
        contributing: &[],
        extensions: &[],
    }
}

pub(super) static TYPES: &[Type] = &[
    sdo(
        "attack-pattern",
        "4.1",
        &[NAME, DESCRIPTION, ALIASES, PHASES],
        &[Rule::ExternalId("capec", "CAPEC-")],
    ),
    sdo(
        "malware",
        "4.11",
        MALWARE,
        &[SEEN, Rule::Demands("is_family", true, "name")],
    ),
    sdo(
        "indicator",
        "4.7",
        INDICATOR,
        &[Rule::Before("valid_from", "valid_until"), Rule::Pattern],
    ),
    sdo("course-of-action", "4.3", &[NAME, DESCRIPTION], &[]),
    sdo("intrusion-set", "4.9", INTRUSION_SET, &[SEEN]),
    sdo("campaign", "4.2", CAMPAIGN, &[SEEN]),
    sdo("tool", "4.18", TOOL, &[]),
    sdo(
        "vulnerability",
        "4.19",
        &[NAME, DESCRIPTION],
        &[Rule::ExternalId("cve", "CVE-")],
    ),
    sdo("identity", "4.5", IDENTITY, &[]),
    sdo(
        "observed-data",
        "4.14",
        OBSERVED_DATA,
        &[
            Rule::NotAfter("first_observed", "last_observed"),
            Rule::AnyOf(&["objects", "object_refs"]),
            Rule::NotBoth("objects", "object_refs"),
            Rule::OneObservable("object_refs"),
            Rule::Deprecated("objects"),
        ],
    ),
    sdo("report", "4.16", REPORT, &[]),
    sdo("grouping", "4.4", GROUPING, &[]),
    sdo("note", "4.13", NOTE, &[]),
    sdo("opinion", "4.15", OPINION, &[]),
    sdo("threat-actor", "4.17", THREAT_ACTOR, &[SEEN]),
    sdo("infrastructure", "4.8", INFRASTRUCTURE, &[SEEN]),
    sdo(
        "location",
        "4.10",
        LOCATION,
        &[
            Rule::Place,
            Rule::Needs("latitude", "longitude"),
            Rule::Needs("longitude", "latitude"),
            Rule::Needs("precision", "latitude"),
        ],
    ),
    sdo(
        "malware-analysis",
        "4.12",
        MALWARE_ANALYSIS,
        &[Rule::AnyOf(&["result", "analysis_sco_refs"])],
    ),
    sdo("incident", "4.6", &[NAME, DESCRIPTION], &[]),
];

// `is_family` is required in the OASIS Standard of 2021 and in its JSON schema; the Markdown of Errata 01 prints
// "optional", which its own list of changes does not mention and an erratum may not change
const MALWARE: &[Property] = &[
    opt("name", Kind::String),
    DESCRIPTION,
    opt("malware_types", Kind::Words(&ov::MALWARE_TYPE_OV)),
    req("is_family", Kind::Boolean),
    ALIASES,
    PHASES,
    FIRST_SEEN,
    LAST_SEEN,
    opt("operating_system_refs", refers(&["software"])),
    opt(
        "architecture_execution_envs",
        Kind::Words(&ov::PROCESSOR_ARCHITECTURE_OV),
    ),
    opt(
        "implementation_languages",
        Kind::Words(&ov::IMPLEMENTATION_LANGUAGE_OV),
    ),
    opt("capabilities", Kind::Words(&ov::MALWARE_CAPABILITIES_OV)),
    opt("sample_refs", refers(&["file", "artifact"])),
];

const INDICATOR: &[Property] = &[
    opt("name", Kind::String),
    DESCRIPTION,
    opt("indicator_types", Kind::Words(&ov::INDICATOR_TYPE_OV)),
    req("pattern", Kind::String),
    req("pattern_type", Kind::Word(&ov::PATTERN_TYPE_OV)),
    opt("pattern_version", Kind::String),
    req("valid_from", TIME),
    opt("valid_until", TIME),
    PHASES,
];

const INTRUSION_SET: &[Property] = &[
    NAME,
    DESCRIPTION,
    ALIASES,
    FIRST_SEEN,
    LAST_SEEN,
    opt("goals", STRINGS),
    opt("resource_level", Kind::Word(&ov::ATTACK_RESOURCE_LEVEL_OV)),
    opt("primary_motivation", MOTIVATION),
    opt(
        "secondary_motivations",
        Kind::Words(&ov::ATTACK_MOTIVATION_OV),
    ),
];

const CAMPAIGN: &[Property] = &[
    NAME,
    DESCRIPTION,
    ALIASES,
    FIRST_SEEN,
    LAST_SEEN,
    opt("objective", Kind::String),
];

const TOOL: &[Property] = &[
    NAME,
    DESCRIPTION,
    opt("tool_types", Kind::Words(&ov::TOOL_TYPE_OV)),
    ALIASES,
    PHASES,
    opt("tool_version", Kind::String),
];

const IDENTITY: &[Property] = &[
    NAME,
    DESCRIPTION,
    opt("roles", STRINGS),
    opt("identity_class", Kind::Word(&ov::IDENTITY_CLASS_OV)),
    opt("sectors", Kind::Words(&ov::INDUSTRY_SECTOR_OV)),
    opt("contact_information", Kind::String),
];

const OBSERVED_DATA: &[Property] = &[
    req("first_observed", TIME),
    req("last_observed", TIME),
    req("number_observed", Kind::Integer(1, 999_999_999)),
    // the deprecated container of 2.13: its objects have no identifiers of their own and are carried as they are
    opt("objects", Kind::Dictionary(&Kind::Any)),
    opt(
        "object_refs",
        Kind::References(Targets::ObservableOrRelationship),
    ),
];

const REPORT: &[Property] = &[
    NAME,
    DESCRIPTION,
    opt("report_types", Kind::Words(&ov::REPORT_TYPE_OV)),
    req("published", TIME),
    OBJECT_REFS,
];

const GROUPING: &[Property] = &[
    opt("name", Kind::String),
    DESCRIPTION,
    req("context", Kind::Word(&ov::GROUPING_CONTEXT_OV)),
    OBJECT_REFS,
];

const NOTE: &[Property] = &[
    opt("abstract", Kind::String),
    req("content", Kind::String),
    opt("authors", STRINGS),
    OBJECT_REFS,
];

const OPINION: &[Property] = &[
    opt("explanation", Kind::String),
    opt("authors", STRINGS),
    req("opinion", Kind::Word(&ov::OPINION_ENUM)),
    OBJECT_REFS,
];

const THREAT_ACTOR: &[Property] = &[
    NAME,
    DESCRIPTION,
    opt("threat_actor_types", Kind::Words(&ov::THREAT_ACTOR_TYPE_OV)),
    ALIASES,
    FIRST_SEEN,
    LAST_SEEN,
    opt("roles", Kind::Words(&ov::THREAT_ACTOR_ROLE_OV)),
    opt("goals", STRINGS),
    opt(
        "sophistication",
        Kind::Word(&ov::THREAT_ACTOR_SOPHISTICATION_OV),
    ),
    opt("resource_level", Kind::Word(&ov::ATTACK_RESOURCE_LEVEL_OV)),
    opt("primary_motivation", MOTIVATION),
    opt(
        "secondary_motivations",
        Kind::Words(&ov::ATTACK_MOTIVATION_OV),
    ),
    opt(
        "personal_motivations",
        Kind::Words(&ov::ATTACK_MOTIVATION_OV),
    ),
];

const INFRASTRUCTURE: &[Property] = &[
    NAME,
    DESCRIPTION,
    opt(
        "infrastructure_types",
        Kind::Words(&ov::INFRASTRUCTURE_TYPE_OV),
    ),
    ALIASES,
    PHASES,
    FIRST_SEEN,
    LAST_SEEN,
];

const LOCATION: &[Property] = &[
    opt("name", Kind::String),
    DESCRIPTION,
    opt("latitude", Kind::Float(-90.0, 90.0)),
    opt("longitude", Kind::Float(-180.0, 180.0)),
    opt("precision", Kind::Float(f64::MIN, f64::MAX)),
    opt("region", Kind::Word(&ov::REGION_OV)),
    opt("country", Kind::Format(Format::Country)),
    opt("administrative_area", Kind::Format(Format::Area)),
    opt("city", Kind::String),
    opt("street_address", Kind::String),
    opt("postal_code", Kind::String),
];

const MALWARE_ANALYSIS: &[Property] = &[
    req("product", Kind::String),
    opt("version", Kind::String),
    opt("host_vm_ref", refer(&["software"])),
    opt("operating_system_ref", refer(&["software"])),
    opt("installed_software_refs", refers(&["software"])),
    opt("configuration_version", Kind::String),
    opt("modules", STRINGS),
    opt("analysis_engine_version", Kind::String),
    opt("analysis_definition_version", Kind::String),
    opt("submitted", TIME),
    opt("analysis_started", TIME),
    opt("analysis_ended", TIME),
    opt("result_name", Kind::String),
    opt("result", Kind::Word(&ov::MALWARE_RESULT_OV)),
    opt("analysis_sco_refs", Kind::References(Targets::Observable)),
    opt(
        "sample_ref",
        refer(&["file", "network-traffic", "artifact"]),
    ),
];
